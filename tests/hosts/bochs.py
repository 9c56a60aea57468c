# SPDX-License-Identifier: LGPL-2.1-or-later
"""The emulated Intel machine: Bochs, a CPU with VMX, EPT, VMCS shadowing and posted interrupts.

Owns Bochs itself (Debian 13's, in a folder of the cache, whatever the machine runs), its
configuration and its disks. What a host is, and its life, is emulator.py's.
"""

import pathlib
import shutil
import socket
import subprocess
import sys

import cache
import initramfs
import packages
from image import HERE, step
from qemu import SECTORS, payload_disk

RELEASE = "trixie"  # the first whose Bochs has posted interrupts, without which kvm_intel has no APICv
PACKAGES = ["bochs", "bochs-term"]  # a display is demanded by the package; the one used here is in the first
LIBRARIES = "usr/lib/x86_64-linux-gnu"
LOADER = "usr/lib64/ld-linux-x86-64.so.2"
ISOLINUX = ["/usr/lib/ISOLINUX/isolinux.bin", "/usr/lib/syslinux/modules/bios/ldlinux.c32"]

CPU = "corei7_skylake_x"
# Instructions that take one second of the guest's time. Idle time costs next to nothing, so that
# timeouts in the guest are as long as they look; the kernel has to be told, as the CPU claims to be
# faster.
SPEED = 150_000_000
HEADS, SECTORS_PER_TRACK = 4, 32  # SECTORS is one cylinder

# What only costs time here: drivers, units and checks that have nothing to do with KVM.
DRIVERS = ["aesni_intel", "ata_generic", "evdev", "intel_cstate", "intel_powerclamp", "intel_rapl_msr", "intel_uncore", "rapl", "serio_raw", "sg", "sr_mod"]
UNITS = ["dev-hugepages.mount", "dev-mqueue.mount", "modprobe@configfs.service", "modprobe@drm.service", "modprobe@efi_pstore.service",
         "modprobe@fuse.service", "sys-fs-fuse-connections.mount", "sys-kernel-config.mount", "sys-kernel-tracing.mount", "systemd-sysusers.service"]
WORDS = [
    *("console=ttyS0", "quiet"),
    *("panic=-1", "reboot=t"),  # a reboot by triple fault is the end of Bochs
    f"tsc_early_khz={SPEED // 1000}",
    *("systemd.hostname=intelhost", "systemd.setenv=NESTVIRT_PORT=/dev/ttyS1"),
    *("audit=0", "lsm=lockdown", "init_on_alloc=0", "modprobe.blacklist=" + ",".join(DRIVERS)),
    *(f"systemd.mask={unit}" for unit in UNITS),
]

CONFIGURATION = """\
config_interface: textconfig
display_library: rfb, options="timeout=0"
romimage: file={bochs}/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file={bochs}/usr/share/vgabios/vgabios.bin
megs: 1024
cpu: model={cpu}, count=1, ips={speed}, reset_on_triple_fault=0
clock: sync=none
boot: cdrom
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15
{disks}
ata1-slave: type=cdrom, path={folder}/boot.iso, status=inserted
com1: enabled=1, mode=file, dev={folder}/console.log
com2: enabled=1, mode=socket-client, dev=127.0.0.1:{port}
log: {folder}/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
"""

LOADER_CONFIGURATION = """\
DEFAULT host
PROMPT 0
LABEL host
  KERNEL /vmlinuz
  INITRD /initrd
  APPEND {words}
"""


def build(folder):
    print(f"Fetching Bochs of Debian {RELEASE} (some seconds)…", file=sys.stderr, flush=True)
    packages.unpack(RELEASE, PACKAGES, folder, dependencies=".*")


def get(rebuild=False):
    """The folder below which Bochs and all that it is linked with lie. Made first when it is not
    there."""
    key = cache.key(RELEASE, *PACKAGES, files=[HERE / "packages.py"])
    return cache.get("bochs", f"{RELEASE}-{key}", build, rebuild)


class Bochs:
    """One machine, with its files in `folder`."""

    program = "Bochs"
    vendor = "Intel"
    module = "kvm_intel"
    kernel = "sid"  # compressed in a way that a slow machine is done with in seconds, and the newest
    boot_seconds = 120
    patience = 8
    has_terminal = False
    words = WORDS
    log = "bochs.log"
    noise = "\0"

    def __init__(self, folder, cpu=None):
        self.folder = folder
        self.cpu = cpu or CPU
        self.root = None
        self.port = None

    def make_disks(self, root, payload):
        self.root = root
        payload_disk(payload, self.folder / "payload")

    def listen(self):
        """The socket that the machine's end of the agent's port connects to."""
        waiting = socket.create_server(("127.0.0.1", 0))
        self.port = waiting.getsockname()[1]
        return waiting

    def disk(self, place, path, mode):
        """The images are never written to; what the guest writes goes to a file of this host."""
        cylinders = path.stat().st_size // SECTORS
        shape = f"cylinders={cylinders}, heads={HEADS}, spt={SECTORS_PER_TRACK}"
        return f"{place}: type=disk, path={path}, mode={mode}, {shape}, journal={self.folder / place}.redolog"

    def boot_disk(self, files, words):
        """A CD with the kernel: Bochs' BIOS can't be given one directly."""
        tree = self.folder / "iso"
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir()
        for path in ISOLINUX:
            shutil.copy(path, tree)
        shutil.copy(files / "vmlinuz", tree)
        shutil.copy(initramfs.get(files, "ata"), tree / "initrd")
        (tree / "isolinux.cfg").write_text(LOADER_CONFIGURATION.format(words=" ".join(words)))
        command = ["xorriso", "-as", "mkisofs", "-o", self.folder / "boot.iso", "-b", "isolinux.bin", "-c", "boot.cat"]
        command += ["-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", tree]
        step(self.folder / "xorriso.log", *map(str, command))

    def start(self, files, words, modules=None, terminal=False, **kwargs):
        """Start it with a kernel's files, the words of its command line, and the disk of its
        modules if there is one."""
        # By a name that is short wherever the cache is: Bochs aborts where those of its plugins are
        # long.
        bochs = self.folder / "bochs"
        bochs.unlink(missing_ok=True)
        bochs.symlink_to(get())
        self.boot_disk(files, words)
        disks = [self.disk("ata0-master", self.root, "undoable"), self.disk("ata0-slave", self.folder / "payload", "volatile")]
        if modules:
            disks.append(self.disk("ata1-master", modules, "volatile"))
        text = CONFIGURATION.format(bochs=bochs, cpu=self.cpu, speed=SPEED, folder=self.folder, port=self.port, disks="\n".join(disks))
        (self.folder / "bochsrc").write_text(text)
        (self.folder / "debugger").write_text("c\n")  # Debian's build has one, which waits for a command
        command = ["setpriv", "--pdeathsig", "KILL", "--", bochs / LOADER, "--library-path", bochs / LIBRARIES]
        command += [bochs / "usr/bin/bochs-bin", "-q", "-f", self.folder / "bochsrc", "-rc", self.folder / "debugger"]
        environment = {"PATH": "/usr/bin:/bin", "LTDL_LIBRARY_PATH": f"{bochs / LIBRARIES}/bochs/plugins"}
        return subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.DEVNULL, **kwargs)


if __name__ == "__main__":
    print(get(rebuild="--rebuild" in sys.argv[1:]))
