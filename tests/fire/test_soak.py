# SPDX-License-Identifier: LGPL-2.1-or-later
"""Everything at once: random calls of several users, guests that come and go, holders, a libvirt
that hangs, a full and a read-only disk, too few descriptors, loads that fail, and kills. Now and
then all faults end, and then the host has to be whole: every call was answered, the kernel has what
is configured, nothing is left behind, and the next change works.

One seed makes one order of events: NESTVIRT_SEED; without it, always the same for a minute, and
a random one for the hour. NESTVIRT_SECONDS is how long it goes on.
"""

import fcntl
import os
import random
import resource
import signal
import subprocess
import sys
import time
import uuid

from clients import (DRY_RUN, ERROR, GUEST, MANAGER, MODULE, NEXT_BOOT, NOBODY, OBJECT_MANAGER, PATH, PROPERTIES, RUNTIME, TIMEOUT,
                     WHEN_IDLE, Gio, GLib, error_name, guest_path, module_path, wait_for)
from harness import write
from tap import main
from test_guests import Fake

WHOLE = os.environ.get("NESTVIRT_FIRE") == "whole"
SECONDS = int(os.environ.get("NESTVIRT_SECONDS") or (3600 if WHOLE else 60))
SEED = int(os.environ.get("NESTVIRT_SEED") or (random.SystemRandom().randrange(1 << 32) if WHOLE else 1))

KVM_AMD = {"path": module_path("kvm_amd"), "interface": MODULE}
PARAMETERS = ("nested", "npt", "avic", "vgif", "vls", "sev")
VALUES = ("0", "1", "on", "off", "2", "-1", "banana", "")
# The bus knows those of passwd(5) alone.
USERS = (0, 0, 1, 2, NOBODY)
IDENTITIES = [str(uuid.UUID(int=i + (1 << 100))) for i in range(8)]
CPUS = ("host-passthrough", "host-model", "custom EPYC require", "custom EPYC disable", "maximum")
OTHERS_LINES = ("options kvm_amd npt=1\n", "options kvm_amd nested=0 \\\n", "# nothing\n", "options kvm halt_poll_ns=7\n")
DROPIN = "zz-nestvirt.conf"
# Of the daemon's memory at rest, in KiB: what an allocator keeps for itself after everything of the
# above is no leak.
GROWTH = 4096


class Soak(Fake):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        print(f"# seed {SEED}, {SECONDS} s", flush=True)
        self.counts, self.trail, self.calls = {}, [], []
        self.places = (self.host / "etc/modprobe.d", self.host / "var/lib/nestvirt")
        for place in self.places:
            place.mkdir(parents=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", place], check=True)
            self.addCleanup(subprocess.run, ["umount", "--lazy", place], check=True)
        self.begin_daemon()

    # The daemon

    def begin_daemon(self):
        # A child of the one that was killed may have had its lock for a moment more.
        folder = os.open(self.host, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(folder, fcntl.LOCK_EX)
        os.close(folder)
        self.daemon = self.start_fake("--guests", "--impatient")
        self.limits = resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE)
        self.sizes, self.ending = [], False
        self.clients = [self.client(uid) for uid in USERS]
        self.observer = self.client()

    def end_clients(self):
        for client in [*self.clients, self.observer]:
            client.close()

    def is_dead(self):
        return self.daemon.poll() is not None

    def count(self, word):
        self.counts[word] = self.counts.get(word, 0) + 1

    # What happens

    def send(self, member, arguments=None, **keywords):
        client = self.random.choice(self.clients)
        self.calls.append((member, client.start(member, arguments, **keywords)))

    def some_parameters(self):
        return {self.random.choice(PARAMETERS): self.random.choice(VALUES) for _ in range(self.random.choice((1, 1, 2)))}

    def some_flags(self):
        return self.random.choice((0, 0, 0, DRY_RUN, RUNTIME, NEXT_BOOT, WHEN_IDLE, DRY_RUN | WHEN_IDLE, 32))

    def call_set(self):
        self.send("SetParameters", ("a{sa{ss}}t", {"kvm_amd": self.some_parameters()}, self.some_flags()))

    def call_reset(self):
        self.send("ResetParameters", ("ast", list(self.some_parameters()), self.some_flags()), **KVM_AMD)

    def call_module(self):
        self.send(self.random.choice(("Reload", "CancelPending", "ListUsers")), ("t", self.random.choice((0, 0, DRY_RUN))), **KVM_AMD)

    def call_manager(self):
        self.send(self.random.choice(("Refresh", "Check", "RefreshGuests", "ListGuests", "EnsureDevice")), ("t", 0))

    def call_statistics(self):
        self.send("GetStatistics", ("ast", self.random.choice(([], [self.random.choice(IDENTITIES)])), 0))

    def call_guest(self):
        cpu = {"Mode": GLib.Variant("s", self.random.choice(("host-passthrough", "host-model", "custom", "none")))}
        path = guest_path(self.random.choice(IDENTITIES))
        self.send("SetCpu", ("a{sv}t", cpu, self.random.choice((0, DRY_RUN))), path=path, interface=GUEST)

    def call_objects(self):
        self.send("GetManagedObjects", interface=OBJECT_MANAGER)
        self.send("GetAll", ("s", MANAGER), interface=PROPERTIES)

    def guest_comes(self):
        keys = {"name": f"guest{self.random.randrange(9)}", "defined": self.random.choice(CPUS)}
        if self.random.random() < 0.5:
            keys["live"] = self.random.choice(CPUS)
        identity = self.random.choice(IDENTITIES)
        self.guest(identity, **keys)
        self.say(identity)

    def guest_goes(self):
        identity = self.random.choice(IDENTITIES)
        (self.fake / "guests" / identity).unlink(missing_ok=True)
        self.say(identity)

    def say(self, line):
        """To whoever reads the events; nobody does, when the daemon is dead or just dies."""
        try:
            fd = os.open(self.fake / "events", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(fd, "w") as stream:
                stream.write(line + "\n")
        except OSError:
            pass

    def libvirt_goes(self):
        (self.fake / "libvirt").unlink(missing_ok=True)
        self.say("lost")

    def libvirt_comes(self):
        write(self.fake / "libvirt", "")

    def libvirt_hangs(self):
        if not (self.fake / "hang").exists():
            os.mkfifo(self.fake / "hang")

    def hanging_ends(self):
        """Who waits in there goes on, and nobody comes after it."""
        try:
            fd = os.open(self.fake / "hang", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        (self.fake / "hang").unlink()
        os.close(fd)

    def holder_comes(self):
        pid = self.random.randrange(800, 820)
        if not (self.host / "proc" / str(pid)).exists():
            self.hold(pid)

    def holders_go(self):
        for folder in (self.host / "proc").iterdir():
            if folder.name.isdigit():
                self.release(folder.name)

    def load_fails(self):
        write(self.fake / "fail", self.random.choice(("load kvm_amd", "unload kvm_amd", "load kvm", "unload kvm")))

    def others_write(self):
        path = self.places[0] / f"other{self.random.randrange(3)}.conf"
        try:
            path.write_text(self.random.choice(OTHERS_LINES))
        except OSError:
            pass  # one of the faults is there

    def disk_full(self):
        place = self.random.choice(self.places)
        try:
            with open(place / "filler", "wb", buffering=0) as stream:
                while True:
                    stream.write(bytes(self.random.choice((4096, 65536))))
        except OSError:
            pass  # it is full, as it should be

    def disk_read_only(self):
        subprocess.run(["mount", "-o", "remount,ro", self.random.choice(self.places)], check=False, stderr=subprocess.DEVNULL)

    def few_descriptors(self):
        if not self.is_dead():
            resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE, (self.random.randrange(8, 40), self.limits[1]))

    def kill(self):
        if not self.is_dead():
            self.daemon.kill()
            self.daemon.expected = self.daemon.wait() or 0
            self.assertIn(self.daemon.expected, (0, -signal.SIGKILL), "it may just have ended by itself")

    def restart(self):
        """By whoever it may be; what is under way is ended first."""
        if not self.is_dead():
            self.daemon.terminate()
            self.ending = True

    def start_again(self):
        """With all the faults that there are."""
        self.revive()

    EVENTS = {
        call_set: 30, call_reset: 15, call_module: 15, call_manager: 15, call_statistics: 5, call_guest: 10, call_objects: 5,
        guest_comes: 20, guest_goes: 10, libvirt_goes: 2, libvirt_comes: 4, libvirt_hangs: 2, hanging_ends: 4,
        holder_comes: 8, holders_go: 8, load_fails: 6, others_write: 6, disk_full: 2, disk_read_only: 2, few_descriptors: 2,
        kill: 1, restart: 1, start_again: 4,
    }

    # What has to be so

    def end_faults(self):
        for place in self.places:
            subprocess.run(["mount", "-o", "remount,rw", place], check=True)
            (place / "filler").unlink(missing_ok=True)
        for path in self.places[0].glob("other*.conf"):
            path.unlink()
        (self.fake / "fail").unlink(missing_ok=True)
        self.holders_go()
        self.hanging_ends()
        self.libvirt_comes()
        if not self.is_dead():
            resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE, self.limits)

    def all_answered(self):
        for member, pending in self.calls:
            wait_for(lambda pending=pending: pending.done, f"an answer to {member}")
            try:
                pending.result()
                self.count("answered")
            except GLib.Error as error:
                # Nobody is left without an answer; with a daemon that was killed, the bus gives it.
                self.assertFalse(error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT), member)
                self.count((error_name(error) or str(error)).rpartition(".")[2])
        self.calls = []

    def revive(self):
        """A daemon that was asked to end, does; then there is one."""
        if self.ending and not self.is_dead():
            self.daemon.wait(TIMEOUT)
        if self.is_dead():
            self.assertEqual(self.daemon.returncode, self.daemon.expected, self.daemon.log.read_text())
            self.end_clients()
            self.begin_daemon()

    def nothing_waits(self):
        wait_for(lambda: not self.observer.get("Pending", **KVM_AMD), "what waited for idle")

    def whole(self):
        """The next changes work, and the kernel and the file have them."""
        self.observer.call("Refresh", ("t", 0))
        try:
            self.observer.set({"kvm_amd": {"nested": "0"}}, DRY_RUN)
        except GLib.Error as error:
            # It was said what is not so; the command that it names mends it.
            self.assertEqual(error_name(error), ERROR + "HostDegraded", error)
            self.count("mended by a reload")
            self.observer.call("Reload", ("t", 0), **KVM_AMD)
        for value in self.random.choice((("0", "1"), ("1", "0"))):
            self.observer.set({"kvm_amd": {"nested": value}})
            self.assertEqual(self.value("kvm_amd", "nested"), value)
            self.assertIn(f"nested={value}", " ".join(self.dropin()))
        self.observer.call("ResetParameters", ("ast", [], 0), **KVM_AMD)
        self.assertEqual(self.dropin(), [])
        parameters = self.observer.get("Parameters", **KVM_AMD)
        for name, parameter in parameters.items():
            self.assertEqual((parameter["Value"], parameter["Configured"]), (self.value("kvm_amd", name), ""), name)

    def nothing_left(self):
        self.assertEqual({path.name for path in self.places[0].iterdir()} - {DROPIN, "README"}, set())
        self.assertEqual({path.name for path in self.places[1].iterdir()} - {"lock", "capabilities", "probe", "written"}, set())
        findings = self.observer.call("Check", ("t", 0))[0]
        self.assertEqual([f for f in findings if f["Id"] == "reading-failed"], [])

    def guests_are_right(self):
        self.observer.call("RefreshGuests", ("t", 0))
        objects = self.observer.call("GetManagedObjects", interface=OBJECT_MANAGER)[0]
        there = {path.name for path in (self.fake / "guests").iterdir()} if (self.fake / "guests").exists() else set()
        self.assertEqual({path for path in objects if path.startswith(f"{PATH}/guest/")}, {guest_path(name) for name in there})

    def memory(self):
        with open(f"/proc/{self.daemon.pid}/status", encoding="utf-8") as stream:
            return next(int(line.split()[1]) for line in stream if line.startswith("VmRSS:"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.pid}/fd"))

    def flat(self):
        """No more descriptors than at first, once what its threads are at is done, and no more
        memory than soon after it."""
        self.sizes.append((self.descriptors(), self.memory()))
        if len(self.sizes) <= 3:
            return
        first = min(descriptors for descriptors, _memory in self.sizes[:3])
        ticking = GLib.timeout_add(20, lambda: True)
        wait_for(lambda: self.descriptors() <= first, f"an end of what is open: {self.sizes}")
        GLib.source_remove(ticking)
        if os.environ["SANITIZER"] == "none":
            self.assertLess(self.sizes[-1][1], self.sizes[2][1] + GROWTH, self.sizes)

    def settle(self):
        self.end_faults()
        self.all_answered()
        self.revive()
        self.nothing_waits()
        self.whole()
        self.nothing_left()
        self.guests_are_right()
        self.flat()
        self.count("settled")

    def test_soak(self):
        events, weights = list(self.EVENTS), list(self.EVENTS.values())
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            self.trail = []
            for event in self.random.choices(events, weights, k=self.random.randrange(5, 60)):
                self.trail.append(event.__name__)
                event(self)
                self.count("events")
                # What came in meanwhile is taken, and the daemon gets to some of it.
                if self.random.random() < 0.3:
                    GLib.MainContext.default().iteration(False)
            try:
                self.settle()
            except BaseException:
                print(f"# after: {' '.join(self.trail)}", flush=True)
                raise
        print(f"# {self.counts}", flush=True)


if __name__ == "__main__":
    if "NESTVIRT_APART" not in os.environ:
        # The disks that fill up are mounts, which end with us.
        os.environ["NESTVIRT_APART"] = "yes"
        os.execvp("unshare", ["unshare", "--mount", "--propagation=private", sys.executable, *sys.argv])
    main()
