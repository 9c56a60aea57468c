# SPDX-License-Identifier: LGPL-2.1-or-later
"""An emulated AMD host: QEMU without any KVM, a CPU with SVM and nested paging, Debian with the real kvm_amd.

Owns the QEMU process, the disks of one host and its life: boot, power cut, power off. What runs inside goes through
agent.py. Tests use shared.py, which gives them one running host.
"""

import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import image
import initramfs
import kernels
from agent import Agent, HostError

MACHINE = ["-accel", "tcg,thread=multi,tb-size=512", "-smp", "2", "-m", "2048", "-machine", "q35"]
CPU = "EPYC,+svm,+npt"
# systemd's own messages stay in its journal: the console costs time, and shows what the kernel has to say.
WORDS = ["console=ttyS0", "panic=-1", "systemd.show_status=no", "systemd.log_target=journal", "mitigations=off"]
SECTORS = 64 << 10  # sizes of disks are rounded up to this
BOOT_TIMEOUT = 180
TAIL_LINES = 60


class Host:
    """One host. `payload` is a tar that is laid over the root file system before systemd starts (see payload.py);
    `kernel` names the release of Debian whose kernel it runs, if that is not the root's own (see kernels.py); `cpu` is
    what QEMU has to know of another CPU.

    The first boot makes the disk; a later boot of the same Host finds it as the last one left it.
    """

    def __init__(self, payload=None, kernel=None, cpu=CPU):
        self.payload = payload
        self.kernel = kernel
        self.cpu = cpu
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nestvirt-host-"))
        self.console = self.folder / "console.log"
        self.disk = self.folder / "disk.qcow2"
        self.process = None
        self.agent = None

    # Life

    def boot(self, words=(), timeout=BOOT_TIMEOUT):
        """Start it, with more words for the kernel command line, and return when systemd says that all is up."""
        self.launch(words)
        self.agent.greet(timeout)
        self.settle(timeout)
        return self

    def launch(self, words=(), devices=(), **kwargs):
        """Start QEMU; returns at once. `boot` is what tests want."""
        if self.process is not None:
            raise HostError("this host is running already")
        files = kernels.get(self.kernel)
        words = [*WORDS, *words]
        if not self.disk.exists():
            self.make_disks(image.get())
            words.append("nestvirt.unpack")
        if (files / "modules.ext4").exists():
            words.append("nestvirt.modules")
            devices = ["-drive", f"file={files / 'modules.ext4'},if=virtio,format=raw,read-only=on", *devices]
        command = [
            *("setpriv", "--pdeathsig", "KILL", "--"),
            *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", *MACHINE, "-cpu", self.cpu),
            *("-kernel", files / "vmlinuz", "-initrd", initramfs.get(files), "-append", " ".join(words)),
            # The disk is this run's alone, so the machine's own disk need not be waited for. The guest's flushes
            # still decide what it finds after a power cut: QEMU is killed, the machine is not.
            *("-drive", f"file={self.disk},if=virtio,format=qcow2,cache=unsafe"),
            *("-drive", f"file={self.folder / 'payload'},if=virtio,format=raw,cache=unsafe,read-only=on"),
            *("-device", "virtio-serial", "-chardev", f"socket,id=agent,path={self.folder / 'agent'}"),
            *("-device", "virtserialport,chardev=agent,name=org.nestvirt.test"),
            *("-chardev", f"file,id=console,append=on,path={self.console}", "-serial", "chardev:console"),
            *devices,
        ]
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        with listener(self.folder / "agent") as waiting, (self.folder / "qemu.log").open("ab") as errors:
            self.process = subprocess.Popen(list(map(str, command)), stderr=errors, **kwargs)
            self.agent = Agent(self.accept(waiting), self.explain)

    def accept(self, waiting):
        """QEMU connects while it starts; when it can't, it has ended and said why."""
        while True:
            try:
                return waiting.accept()[0]
            except socket.timeout:
                if self.process.poll() is not None:
                    raise HostError(f"QEMU ended with status {self.process.wait()}{self.explain()}") from None

    def make_disks(self, files):
        backing = ["-F", "raw", "-b", files / "root.ext4"]
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, self.disk], check=True)
        target = self.folder / "payload"
        target.write_bytes(pathlib.Path(self.payload).read_bytes() if self.payload else b"")
        size = target.stat().st_size
        with target.open("ab") as stream:  # an archive ends with zeros, so more of them do no harm
            stream.truncate(size + SECTORS - size % SECTORS)

    def settle(self, timeout=BOOT_TIMEOUT):
        """Wait for the end of the boot, and for udev, which loads kvm_amd."""
        state = self.run("systemctl is-system-running --wait; udevadm settle", timeout=timeout).stdout.strip()
        if state != "running":
            failed = self.run("systemctl --failed --no-legend --plain").stdout
            raise HostError(f"the host came up {state}:\n{failed}{self.explain()}")

    def alive(self):
        return self.agent is not None and self.agent.lost is None and self.process.poll() is None

    def power_cut(self):
        """What was not on the disk is lost. `boot` starts it again."""
        self.process.kill()
        self.ended()

    def power_off(self, timeout=120):
        self.start("systemctl poweroff")
        self.process.wait(timeout)
        self.ended()

    def ended(self):
        self.process.wait()
        self.agent.close()
        self.process = self.agent = None

    def close(self):
        if self.process is not None:
            self.power_cut()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Work

    def run(self, command, user="root", timeout=60, input=None):
        """Run a shell command as the user; its Result has status, stdout and stderr."""
        return self.job(command, user, input).wait(timeout)

    def start(self, command, user="root"):
        """Start a shell command and return the Job; as a context manager it is killed at the end."""
        if self.agent is None:
            raise HostError("this host is not running: boot() it")
        return self.agent.start(command, user)

    def job(self, command, user="root", input=None):
        job = self.start(command, user)
        if input is not None:
            job.send(input)
        job.end_input()
        return job

    def check(self, command, user="root", timeout=60, input=None):
        """Run a command that is no subject of the test: its stdout, or an error when it fails."""
        result = self.run(command, user, timeout, input)
        if result.status != 0:
            raise HostError(f"{command} failed with status {result.status}:\n{result.stdout}{result.stderr}")
        return result.stdout

    def explain(self):
        """Words for an error: the end of what the console and QEMU said."""
        parts = []
        for name in ("qemu.log", "console.log"):
            path = self.folder / name
            lines = path.read_text(errors="replace").splitlines() if path.exists() else []
            lines = [line for line in lines if "TCG doesn't support" not in line][-TAIL_LINES:]
            if lines:
                parts.append(f"\n--- {name}, the end:\n" + "\n".join(lines))
        return "".join(parts)


def listener(path):
    path.unlink(missing_ok=True)
    waiting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    waiting.bind(str(path))
    waiting.listen(1)
    waiting.settimeout(0.2)
    return waiting
