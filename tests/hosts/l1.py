# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest of libvirt on the emulated host that is a hypervisor itself: L1, and in it L2, both with
the host's own kernel.

Owns their files (l1/), the definition, and its way into the host. For a host of the machine
"amd-guests", which has the root image as its third disk and the build under test as its second: L1
runs the same Debian and the same nestvirtd.
"""

import image
import initramfs
from image import HERE

FILES = HERE / "l1"
FOLDER = "/var/lib/libvirt/images"
CONSOLE = f"{FOLDER}/l1.log"
PASSWORD = "s3same"
UUID = "6f1c3f0e-6a0e-4a55-9a3c-1b2f9d9f3c51"

# Debian's packages start what they bring; this host's image does not.
UNMASK = "systemctl unmask --quiet {units} && systemctl start libvirtd.socket libvirtd-ro.socket libvirtd.service"

DISK = """
    <disk type="block" device="disk">
      <driver name="qemu" type="raw"/>
      <source dev="/dev/{source}"/>
      <target dev="{target}" bus="virtio"/>
      <readonly/>
    </disk>"""

XML = f"""<domain type="kvm">
  <name>l1</name>
  <uuid>{UUID}</uuid>
  <memory unit="MiB">768</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch="x86_64" machine="pc">hvm</type>
    <kernel>{FOLDER}/vmlinuz</kernel>
    <initrd>{FOLDER}/l1.cpio</initrd>
    <cmdline>quiet panic=-1 mitigations=off nowatchdog tsc=reliable no_timer_check</cmdline>
  </os>
  <features>
    <acpi/>
    <apic/>
  </features>
  <cpu mode="host-model"/>
  <devices>{DISK.format(source="vdc", target="vda")}{DISK.format(source="vdb", target="vdb")}
    <controller type="usb" model="none"/>
    <console type="file">
      <source path="{CONSOLE}"/>
      <target type="virtio"/>
    </console>
    <graphics type="vnc" passwd="{PASSWORD}"/>
    <memballoon model="none"/>
  </devices>
</domain>
"""


def archive(files):
    """L1's initramfs, with L2's in it, of the files of a kernel."""
    l2 = {"init": (0o755, (FILES / "l2-init").read_bytes()), "bin/busybox": (0o755, (files / "busybox").read_bytes())}
    l1 = initramfs.boot_files(files, FILES / "init", "virtio")
    l1["l1/main"] = (0o755, (FILES / "main").read_bytes())
    l1["l1/l2.cpio"] = (0o644, initramfs.pack(l2))
    return initramfs.pack(l1)


def define(host):
    """Start libvirtd on the host and define L1 there, with the host's model of CPU."""
    host.check(UNMASK.format(units=" ".join(image.LIBVIRT)), timeout=120)
    host.check(f"cp /boot/vmlinuz-* {FOLDER}/vmlinuz && cat > {FOLDER}/l1.cpio", input=archive(host.files()[1]))
    host.check("virsh define /dev/stdin", input=XML, timeout=120)


def start(host):
    """Switch L1 on; the Job whose lines are those of its console."""
    host.check(f"rm -f {CONSOLE} && virsh start l1", timeout=120)
    return host.start(f"tail -n +1 -F {CONSOLE}")
