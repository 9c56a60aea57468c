# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests on a private bus share: the bus, and the daemon over a tree of files, with the
real loader, which touches nothing there, or with one that edits the tree.

Where the programs are is told by the environment: NESTVIRTD, NESTVIRTD_FAKE, HELPER_DIR, FIXTURES,
API (the XML), POLICY.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from clients import (NAME, TIMEOUT, Client, Gio, GLib, Service, error_name, wait_for)

FIXTURES = pathlib.Path(os.environ["FIXTURES"])
HELPER_DIR = os.environ["HELPER_DIR"]

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={folder}/socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
  <limit name="max_completed_connections">2000</limit>
  <limit name="max_incomplete_connections">2000</limit>
  <limit name="max_connections_per_user">2000</limit>
</busconfig>
"""


class Bus:
    """A dbus-daemon of our own in @folder, which everybody may use."""

    def __init__(self, folder):
        folder.mkdir()
        folder.chmod(0o755)
        config = folder / "config"
        config.write_text(BUS_CONFIG.format(folder=folder))
        self.address = f"unix:path={folder}/socket"
        self.process = subprocess.Popen(
            ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        self.process.stdout.readline()  # it listens now

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def without_libgit2(folder, program):
    """A copy of @program in @folder as it is on a machine that lacks the library: its module for
    differences wants one that there is not. Returns the copy and the library's version."""
    module = pathlib.Path(program).with_name("nestvirt-diff.so").read_bytes()
    library = re.search(rb"libgit2\.so\.(\d+\.\d+)", module)
    (folder / "nestvirt-diff.so").write_bytes(module.replace(library[0], library[0].replace(b".so.", b".so-")))
    return shutil.copy(program, folder), library[1].decode()


def snapshot(folder):
    """Every file's path and content, for comparison."""
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None
            for p in sorted(folder.rglob("*")) if not p.is_fifo()}


class BusTest(unittest.TestCase):
    """A folder, a bus, and a daemon when the test wants one."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nestvirt-"))
        self.folder.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.folder)
        self.bus = Bus(self.folder / "bus")
        self.addCleanup(self.bus.stop)
        self.host = self.folder / "host"
        self.daemons = []
        self.addCleanup(self._stop_all)

    def _stop_all(self):
        for daemon in self.daemons:
            if daemon.poll() is None:
                daemon.send_signal(signal.SIGTERM)
            self.assertEqual(daemon.wait(TIMEOUT), daemon.expected, f"how the daemon ended: {daemon.log.read_text()}")

    def client(self, uid=0, watch=False):
        client = Client(self.bus.address, uid)
        self.addCleanup(client.close)
        return client.watch() if watch else client

    def service(self, name, answers):
        service = Service(self.bus.address, name, answers)
        self.addCleanup(service.close)
        return service

    def start(self, *command, wrap=()):
        """Starts a daemon and waits until it owns its name."""
        observer = self.client()
        watcher = []
        subscription = Gio.bus_watch_name_on_connection(
            observer.connection, NAME, Gio.BusNameWatcherFlags.NONE, lambda *_: watcher.append(True), None)
        log = self.folder / f"log-{len(self.daemons)}"
        environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.bus.address}
        environment.pop("NOTIFY_SOCKET", None)
        with open(log, "w", encoding="utf-8") as stream:
            process = subprocess.Popen([*wrap, *map(str, command)], env=environment, stdin=subprocess.DEVNULL, stdout=stream,
                                       stderr=stream)
        process.log, process.expected = log, 0
        self.daemons.append(process)
        # Its death has no place in this main loop; it is looked for now and then.
        ticking = GLib.timeout_add(50, lambda: True)
        wait_for(lambda: watcher or process.poll() is not None, "the daemon")
        GLib.source_remove(ticking)
        Gio.bus_unwatch_name(subscription)
        self.assertIsNone(process.poll(), log.read_text())
        return process

    def start_real(self, fixture, *options, **keywords):
        """The daemon as it is, over a copy of a fixture."""
        if not self.host.exists():
            shutil.copytree(FIXTURES / fixture, self.host, symlinks=True)
        return self.start(os.environ["NESTVIRTD"], f"--root={self.host}", *options, **keywords)

    def start_fake(self, *options, program=None, **keywords):
        """The daemon with the loader that edits the tree; the tree is an AMD host of its own
        making."""
        (self.host / "fake").mkdir(parents=True, exist_ok=True)
        return self.start(program or os.environ["NESTVIRTD_FAKE"], self.host, *options, **keywords)

    def stop(self, daemon):
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(TIMEOUT), 0, daemon.log.read_text())

    @contextlib.contextmanager
    def refused(self, name, *words):
        """The call within ends in the error @name, whose message has all the @words."""
        with self.assertRaises(GLib.Error) as caught:
            yield caught
        self.assertEqual(error_name(caught.exception), name, caught.exception.message)
        for word in words:
            self.assertIn(word, caught.exception.message)

    # The fake host

    def value(self, module, name):
        return (self.host / "sys/module" / module / "parameters" / name).read_text().strip()

    def dropin(self):
        path = self.host / "etc/modprobe.d/zz-nestvirt.conf"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if not line.startswith("#") and line]

    def calls(self):
        """What the loader was asked to do, so far."""
        path = self.host / "fake/calls"
        return path.read_text().splitlines() if path.exists() else []

    def hold(self, pid, command="qemu-system-x86", module="kvm_amd", uid=1000):
        """A process that holds /dev/kvm, as /proc and the module show it."""
        folder = self.host / "proc" / str(pid)
        write(folder / "comm", command + "\n")
        write(folder / "status", "Name:\tqemu\nUid:" + f"\t{uid}" * 4 + "\n")
        write(folder / "cgroup", "0::/machine.slice/web1.scope\n")
        write(folder / "cmdline", "")
        (folder / "fd").mkdir()
        (folder / "fd/3").symlink_to("/dev/kvm")
        self.set_refcnt(module, 1)

    def guest(self, identity, **keys):
        """A guest, for a daemon that is started with --guests; the keys are those of
        fake-hypervisor.h."""
        write(self.host / "fake/libvirt", "")
        write(self.host / "fake/guests" / identity, "[guest]\n" + "".join(f"{key}={value}\n" for key, value in keys.items()))

    def set_refcnt(self, module, count):
        write(self.host / "sys/module" / module / "refcnt", f"{count}\n")

    def release(self, pid, module="kvm_amd"):
        self.set_refcnt(module, 0)
        shutil.rmtree(self.host / "proc" / str(pid), ignore_errors=True)

    def close_gate(self):
        """The next load of kvm_amd waits."""
        os.mkfifo(self.host / "fake/gate")

    def wait_at_gate(self):
        """Until the load waits there; returns what opens the gate."""
        path = self.host / "fake/gate"
        found = []

        def look():
            try:
                found.append(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))
                return False
            except OSError:
                return True  # nobody reads yet

        GLib.timeout_add(5, look)
        wait_for(lambda: found, "a load at the gate")
        path.unlink()
        return lambda: os.close(found[0])
