# SPDX-License-Identifier: LGPL-2.1-or-later
"""The emulated AMD machine: QEMU without any KVM, a CPU with SVM and nested paging.

Owns QEMU's command line and its disks. What a host is, and its life, is emulator.py's.
"""

import pathlib
import shutil
import socket
import subprocess

import initramfs

# One thread for both CPUs: with a thread each, a CPU now and then goes on executing the breakpoint
# by which the kernel patches its own code, after it was taken away again (seen with QEMU 7.2:
# __schedule() is patched whenever a first VM comes or a last one goes, and the whole host stood
# still in about one of ten runs of the probe).
MACHINE = ["-accel", "tcg,thread=single,tb-size=512", "-smp", "2", "-m", "2048", "-machine", "q35"]
CPU = "EPYC,+svm,+npt"
# Keys that end a program go to the guest; Ctrl-A X is QEMU's own.
TERMINAL = ["-chardev", "stdio,id=tty,mux=on,signal=off", "-mon", "chardev=tty", "-device", "virtconsole,chardev=tty"]
SECTORS = 64 << 10  # sizes of disks are rounded up to this


def payload_disk(payload, target):
    """The tar as a disk. An archive ends with zeros, so more of them do no harm."""
    target.write_bytes(pathlib.Path(payload).read_bytes() if payload else b"")
    size = target.stat().st_size
    with target.open("ab") as stream:
        stream.truncate(size + SECTORS - size % SECTORS)


class Qemu:
    """One machine, with its files in `folder`."""

    program = "QEMU"
    vendor = "AMD"
    module = "kvm_amd"
    kernel = None  # the root's own
    boot_seconds = 10
    patience = 1
    has_terminal = True
    words = ["console=ttyS0", "panic=-1"]
    log = "qemu.log"
    noise = "TCG doesn't support"

    hardware = MACHINE

    def __init__(self, folder, cpu=None):
        self.folder = folder
        self.cpu = cpu or CPU
        self.disk = folder / "disk.qcow2"

    def make_disks(self, root, payload):
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", root, self.disk], check=True)
        payload_disk(payload, self.folder / "payload")

    def listen(self):
        """The socket that the machine's end of the agent's port connects to."""
        path = self.folder / "agent"
        path.unlink(missing_ok=True)
        waiting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        waiting.bind(str(path))
        return waiting

    def command(self, files, words, modules, terminal):
        command = [
            *("setpriv", "--pdeathsig", "KILL", "--"),
            *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", *self.hardware, "-cpu", self.cpu),
            *("-kernel", files / "vmlinuz", "-initrd", initramfs.get(files), "-append", " ".join(words)),
            # The disk is this run's alone, so the machine's own disk need not be waited for. The
            # guest's flushes still decide what it finds after a power cut: QEMU is killed, the
            # machine is not.
            *("-drive", f"file={self.disk},if=virtio,format=qcow2,cache=unsafe"),
            *("-drive", f"file={self.folder / 'payload'},if=virtio,format=raw,cache=unsafe,read-only=on"),
            *("-device", "virtio-serial", "-chardev", f"socket,id=agent,path={self.folder / 'agent'}"),
            *("-device", "virtserialport,chardev=agent,name=org.nestvirt.test"),
            *("-chardev", f"file,id=console,append=on,path={self.folder / 'console.log'}", "-serial", "chardev:console"),
        ]
        if modules:
            command += ["-drive", f"file={modules},if=virtio,format=raw,read-only=on"]
        return command + (TERMINAL if terminal else [])

    def start(self, files, words, modules=None, terminal=False, **kwargs):
        """Start it with a kernel's files, the words of its command line, and the disk of its
        modules if there is one; with a terminal of its own for people when it is asked for."""
        return subprocess.Popen(list(map(str, self.command(files, words, modules, terminal))), **kwargs)


class QemuForGuests(Qemu):
    """The same machine for a host that has guests of its own: room for them, and a third disk, the
    root image as it was made, which nobody mounts there. One CPU: with two that take turns, a guest
    gets nowhere.
    """

    # What runs in a guest of a guest takes turns with all else that the machine does.
    patience = 4

    hardware = ["-accel", "tcg,thread=single,tb-size=512", "-smp", "1", "-m", "3072", "-machine", "q35"]
    # A tick that comes by itself: about one start of a guest in twenty stood still, guest and host,
    # until somebody asked the host something, as an interrupt of the timer that is set anew for
    # each time was lost (seen with QEMU 7.2 and Linux 6.1).
    words = [*Qemu.words, "nohz=off", "highres=off"]

    more = None  # a fourth disk

    def make_disks(self, root, payload):
        super().make_disks(root, payload)
        self.root = root

    def command(self, *arguments):
        command = super().command(*arguments)
        for disk in filter(None, (self.root, self.more)):
            command += ["-drive", f"file={disk},if=virtio,format=raw,read-only=on"]
        return command
