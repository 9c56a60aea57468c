# SPDX-License-Identifier: LGPL-2.1-or-later
"""An emulated host: Debian with its real kernel and KVM on a machine that another program emulates.

Owns the life of one host: boot, power cut, power off. The machines are qemu.py (AMD) and bochs.py
(Intel); what runs inside goes through agent.py. Tests use shared.py, which gives them running
hosts.
"""

import pathlib
import shutil
import socket
import subprocess
import tempfile

import image
import kernels
import other_release
from agent import Agent, HostError
from bochs import Bochs
from qemu import Qemu, QemuForGuests

MACHINES = {"amd": Qemu, "amd-guests": QemuForGuests, "intel": Bochs}
# systemd's own messages stay in its journal: the console costs time, and shows what the kernel has
# to say.
# What looks like a variable becomes one of the first process: systemd has the kernel tell of each
# system call that a unit's filter refuses (refusals.py), and refuses it as ever.
WORDS = ["systemd.show_status=no", "systemd.log_target=journal", "SYSTEMD_LOG_SECCOMP=1", "mitigations=off"]
BOOT_TIMEOUT = 180
TAIL_LINES = 60


class Host:
    """One host. `payload` is a tar that is laid over the root file system before systemd starts
    (see payload.py); `kernel` names the release of Debian whose kernel it runs, if that is not the
    machine's usual one (see kernels.py); `cpu` is another CPU in the emulator's words; `suite` is
    the release that both root and kernel come from, if that is not the machine's own (see
    other_release.py). Timeouts are for a fast machine; a slow one has more patience.

    The first boot makes the disk; a later boot of the same Host finds it as the last one left it.
    """

    def __init__(self, payload=None, kernel=None, cpu=None, machine="amd", suite=None):
        self.payload = payload
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nestvirt-host-"))
        self.console = self.folder / "console.log"
        self.machine = MACHINES[machine](self.folder, cpu)
        self.kernel = kernel or self.machine.kernel
        self.suite = suite
        self.has_disks = False
        self.process = None
        self.agent = None

    # Life

    def files(self):
        """The folders of its root's image and of its kernel, which are one unless the kernel comes
        from elsewhere."""
        root = other_release.get(self.suite) if self.suite else image.get()
        return root, root if self.suite else kernels.get(self.kernel)

    def boot(self, words=(), timeout=BOOT_TIMEOUT):
        """Start it, with more words for the kernel command line, and return when systemd says that
        all is up."""
        self.launch(words)
        self.agent.greet(timeout)
        self.settle(timeout)
        return self

    def launch(self, words=(), terminal=False, stdin=subprocess.DEVNULL):
        """Start the machine; returns at once. `boot` is what tests want."""
        if self.process is not None:
            raise HostError("this host is running already")
        root, files = self.files()
        words = [*self.machine.words, *WORDS, *words]
        if not self.has_disks:
            self.machine.make_disks(root / "root.ext4", self.payload)
            self.has_disks = True
            words.append("nestvirt.unpack")
        modules = files / "modules.ext4"
        if modules.exists():
            words.append("nestvirt.modules")
        else:
            modules = None
        with self.machine.listen() as waiting, (self.folder / self.machine.log).open("ab") as errors:
            waiting.listen(1)
            waiting.settimeout(0.2)
            self.process = self.machine.start(files, words, modules, terminal, stdin=stdin, stderr=errors)
            self.agent = Agent(self.accept(waiting), self.explain, self.machine.patience)

    def accept(self, waiting):
        """The machine connects while it starts; when it can't, it has ended and said why."""
        while True:
            try:
                return waiting.accept()[0]
            except socket.timeout:
                if self.process.poll() is not None:
                    status = self.process.wait()
                    raise HostError(f"{self.machine.program} ended with status {status}{self.explain()}") from None

    def settle(self, timeout=BOOT_TIMEOUT):
        """Wait for the end of the boot, and for udev, which loads KVM's vendor module."""
        self.assert_running("--wait", timeout)
        self.check("udevadm settle", timeout=timeout)

    def assert_running(self, option="", timeout=60):
        """systemd says that all is well: no unit has failed."""
        state = self.run(f"systemctl is-system-running {option}", timeout=timeout).stdout.strip()
        if state != "running":
            failed = self.run("systemctl --failed --no-legend --plain; journalctl -q -b -n 60 --no-pager").stdout
            raise HostError(f"the host is {state}:\n{failed}{self.explain()}")

    def alive(self):
        return self.agent is not None and self.agent.lost is None and self.process.poll() is None

    def power_cut(self):
        """What was not on the disk is lost. `boot` starts it again."""
        self.process.kill()
        self.ended()

    def power_off(self, timeout=120):
        self.start("systemctl poweroff")
        self.process.wait(timeout * self.machine.patience)
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
        """Start a shell command and return the Job; as a context manager it is killed at the
        end."""
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
        """Words for an error: the end of what the console and the emulator said."""
        parts = []
        for name in (self.machine.log, "console.log"):
            path = self.folder / name
            lines = path.read_text(errors="replace").splitlines() if path.exists() else []
            lines = [line for line in lines if self.machine.noise not in line][-TAIL_LINES:]
            if lines:
                parts.append(f"\n--- {name}, the end:\n" + "\n".join(lines))
        return "".join(parts)
