# SPDX-License-Identifier: LGPL-2.1-or-later
"""A libvirt that is there and does not answer: whom that concerns, and what becomes of it when it
does."""

import contextlib
import os
import signal

from clients import (DBUS_ERROR, DRY_RUN, ERROR, GLib, GUEST, NOBODY, guest_path, wait_for)
from harness import write
from tap import main
from test_guests import ONE, TWO, Fake


class Hanging(Fake):
    def begin_to_hang(self):
        os.mkfifo(self.fake / "hang")

    def end_hanging(self):
        path = self.fake / "hang"
        with open(path, "w", encoding="utf-8"):
            path.unlink()

    def test_the_host_is_not_concerned(self):
        self.guest(ONE, name="one", defined="host-passthrough")
        self.begin("--guest-patience=300000")
        self.begin_to_hang()
        pending = [self.observer.start("GetGuest", ("s", "one")), self.observer.start("RefreshGuests", ("t", 0))]
        self.observer.call("Refresh", ("t", 0))
        self.assertTrue(self.observer.call("Check", ("t", 0))[0])
        self.assertEqual(self.observer.set({"kvm_amd": {"nested": "0"}})["Outcome"], "applied")
        self.assertEqual(self.get(ONE)["NextStart"], "no")  # what is known of it holds, and follows the host
        for call in pending:
            with self.refused(ERROR + "TimedOut", "libvirt has not answered"):
                call.result()
        self.end_hanging()
        self.assertEqual(self.observer.call("GetGuest", ("s", "one")), (guest_path(ONE),))

    def test_it_hangs_from_the_start(self):
        """The daemon serves all the same, after some seconds, and ends when it is told to."""
        self.fake.mkdir(exist_ok=True)
        self.begin_to_hang()
        daemon = self.begin("--guest-patience=100000")
        self.assertEqual(self.observer.get("Nested"), "on")
        with self.refused(ERROR + "TimedOut"):
            self.observer.call("RefreshGuests", ("t", 0))
        self.stop(daemon)

    def test_it_hangs_at_the_end(self):
        daemon = self.begin("--guest-patience=100000")
        self.begin_to_hang()
        with self.refused(ERROR + "TimedOut"):
            self.observer.call("GetGuest", ("s", "one"))
        self.stop(daemon)

    def test_it_answers_at_the_end(self):
        """A connection that comes up while the daemon ends: what is told by it then has nowhere to
        go, and does no harm."""
        self.fake.mkdir(exist_ok=True)
        self.begin_to_hang()
        os.mkfifo(self.fake / "events")
        daemon = self.begin()
        watches = self.watches(daemon)
        self.assertGreater(watches, 0)
        events = os.open(self.fake / "events", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.addCleanup(os.close, events)
        daemon.send_signal(signal.SIGTERM)
        # They are the first that it lets go of, and what runs the guests is the next.
        GLib.timeout_add(1, lambda: self.watches(daemon) > 0)
        wait_for(lambda: self.watches(daemon) == 0, "the daemon to end")
        self.end_hanging()
        while daemon.poll() is None:
            with contextlib.suppress(BlockingIOError):
                os.write(events, f"{ONE}\n".encode())
        self.assertEqual(daemon.returncode, 0, daemon.log.read_text())

    def watches(self, daemon):
        """How many files and folders it watches for changes."""
        folder = f"/proc/{daemon.pid}/fd"
        with contextlib.suppress(FileNotFoundError):
            return [os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)].count("anon_inode:inotify")
        return 0

    def test_what_nobody_waits_for_is_not_asked(self):
        """However often somebody tries while it hangs: who calls after that is not behind all of
        them."""
        self.guest(ONE, name="one", defined="host-passthrough")
        self.begin("--guest-patience=500000")
        self.begin_to_hang()
        for _ in range(2):
            pending = [self.observer.start(*call) for call in (("GetGuest", ("s", "one")), ("RefreshGuests", ("t", 0)), ("ListGuests", ("t", 0)))]
            pending.append(self.observer.start("SetCpu", ("a{sv}t", {"Nested": GLib.Variant("b", True)}, DRY_RUN), path=guest_path(ONE), interface=GUEST))
            for call in pending:
                with self.refused(ERROR + "TimedOut"):
                    call.result()
        self.assertEqual(self.asked("find", "survey", "plan"), (1, 0, 0))
        self.end_hanging()
        self.observer.call("GetGuest", ("s", "one"))
        self.assertEqual(self.asked("find", "survey", "plan"), (2, 0, 0))

    def test_refreshes_are_one_question(self):
        """Whoever asks for them, which anybody may, is not kept waiting, so that no limit of a
        caller's bounds them."""
        self.guest(ONE, name="one", defined="host-passthrough")
        self.begin()
        self.begin_to_hang()
        nobody = self.client(uid=NOBODY)
        for _ in range(50):
            nobody.call("Refresh", ("t", 0))
        self.guest(ONE, name="renamed", defined="host-passthrough")
        self.end_hanging()
        for _ in range(2):  # behind the first, and behind what was asked for meanwhile
            self.observer.call("GetGuest", ("s", "renamed"))
        self.assertEqual(self.asked("open", "list", "find"), (1, 1 + 2, 2))
        self.observer.call("Refresh", ("t", 0))
        self.observer.call("GetGuest", ("s", "renamed"))
        self.assertEqual(self.asked("list"), (1 + 2 + 1,))

    def test_one_caller_has_a_limit(self):
        self.begin("--guest-patience=500000")
        self.begin_to_hang()
        pending = [self.observer.start("GetGuest", ("s", "one")) for _ in range(17)]
        with self.refused(DBUS_ERROR + "LimitsExceeded"):
            pending[-1].result()
        with self.refused(ERROR + "TimedOut"):
            pending[0].result()


class Qemu(Fake):
    """One guest's QEMU hangs, and with it what asks how guests use nesting; nothing else does."""

    def setUp(self):
        super().setUp()
        self.running(ONE, 0)
        self.guest(TWO, name="two", defined="host-passthrough")
        (self.fake / "xml").mkdir()
        write(self.fake / "xml" / TWO, f"<domain type='kvm'><name>two</name><uuid>{TWO}</uuid><cpu mode='host-passthrough'/></domain>")

    def running(self, identity, run, inside=0):
        self.guest(identity, name="one", defined="host-passthrough", live="host-passthrough", run=run, inside=inside)

    def end_hanging(self):
        path = self.fake / "qemu"
        with open(path, "w", encoding="utf-8"):
            path.unlink()

    def assert_served(self):
        self.observer.call("RefreshGuests", ("t", 0))
        self.assertEqual([row[1] for row in self.observer.call("ListGuests", ("t", 0))[0]], ["one", "two"])
        for name, identity in (("one", ONE), ("two", TWO)):
            self.assertEqual(self.observer.call("GetGuest", ("s", name)), (guest_path(identity),))
        for flags, outcome in ((DRY_RUN, "planned"), (0, "applied")):
            options = {"Nested": GLib.Variant("b", self.get(TWO)["Policy"] == "disable")}
            result = self.observer.call("SetCpu", ("a{sv}t", options, flags), path=guest_path(TWO), interface=GUEST)[0]
            self.assertEqual(result["Outcome"], outcome)

    def test_it_hangs(self):
        daemon = self.begin("--guest-patience=4000000")
        self.assertEqual(self.get(ONE)["Using"], "no")
        os.mkfifo(self.fake / "qemu")
        self.assert_served()
        self.assertEqual(self.asked("statistics"), (2,))  # nobody goes on to ask
        with self.refused(ERROR + "TimedOut", "libvirt has not answered"):
            self.observer.call("GetStatistics", ("ast", [ONE], 0))
        # A new connection does not wait for it either.
        self.tell("lost")
        self.change(TWO, name="two", defined="host-passthrough", live="host-passthrough", run=3)
        while not self.get(TWO)["Active"]:
            pass
        self.assert_served()
        self.assertEqual((self.get(ONE)["Using"], self.get(TWO)["Using"]), ("no", "unknown"))
        self.running(ONE, 5, inside=1)
        self.end_hanging()
        while {self.get(ONE)["Using"], self.get(TWO)["Using"]} != {"yes", "has"}:
            pass
        self.running(ONE, 6)
        self.observer.call("GetGuest", ("s", "one"))
        self.assertEqual(self.get(ONE)["Using"], "has")
        self.stop(daemon)

    def test_its_definition_is_withheld(self):
        """As by libvirt 11.3 (libvirt-busy.c): what was known of it stays, and is read again once
        it answers; nobody else loses anything."""
        write(self.fake / "withhold", "")
        self.begin("--guest-patience=4000000")
        before = self.get(ONE)
        os.mkfifo(self.fake / "qemu")
        self.assert_served()
        self.change(ONE, name="one", defined="custom EPYC disable", live="host-passthrough", run=5)
        self.assert_served()
        self.assertEqual(self.get(ONE), before)
        with self.refused(ERROR + "TimedOut", "QEMU of one does not answer"):
            self.observer.call("SetCpu", ("a{sv}t", {"Nested": GLib.Variant("b", False)}, 0), path=guest_path(ONE), interface=GUEST)
        self.end_hanging()
        wait_for(lambda: (self.get(ONE)["Policy"], self.get(ONE)["Using"]) == ("disable", "has"), "what is told of it")

    def test_its_definition_is_withheld_from_the_start(self):
        write(self.fake / "withhold", "")
        self.begin("--guest-patience=4000000")
        os.mkfifo(self.fake / "qemu")
        self.observer.call("GetGuest", ("s", "one"))  # its question is out from here on
        three = ONE[:-1] + "3"
        self.change(three, name="three", defined="host-passthrough", live="host-passthrough", run=0)
        self.await_signal("InterfacesAdded")
        guest = self.get(three)
        self.assertEqual((guest["Name"], guest["Active"], guest["NextStart"], guest["Now"], guest["Using"], guest["RestartNeeded"]),
                         ("three", True, "unknown", "unknown", "unknown", False))
        self.assertEqual(guest["Reason"], "Its QEMU does not answer, and until it does libvirt tells nothing of it.")
        self.end_hanging()
        wait_for(lambda: (self.get(three)["Now"], self.get(three)["Using"]) == ("yes", "no"), "what is told of it")

    def test_the_kernel_tells(self):
        """No QEMU is asked for what KVM's counters in debugfs say, so that nothing hangs."""
        folder = self.host / "sys/kernel/debug/kvm/812-13"
        write(folder / "nested_run", "7\n")
        write(folder / "guest_mode", "1\n")
        write(self.host / "proc/812/cmdline", f"/usr/bin/qemu-system-x86_64\0-uuid\0{ONE}\0")
        os.mkfifo(self.fake / "qemu")
        self.begin()
        self.assertEqual(self.get(ONE)["Using"], "yes")
        write(folder / "guest_mode", "0\n")
        self.assert_served()
        self.assertEqual((self.get(ONE)["Using"], self.asked("statistics")), ("has", (0,)))
        # Another one says to be it, too, and neither is believed.
        write(self.host / "sys/kernel/debug/kvm/813-13/nested_run", "0\n")
        write(self.host / "proc/813/cmdline", f"/usr/bin/qemu-system-x86_64\0-uuid\0{ONE}\0")
        (self.fake / "qemu").unlink()
        self.running(ONE, 8, inside=1)
        self.observer.call("GetGuest", ("s", "one"))
        self.assertEqual((self.get(ONE)["Using"], self.asked("statistics")), ("yes", (1,)))

    def test_it_hangs_from_the_start_to_the_end(self):
        os.mkfifo(self.fake / "qemu")
        daemon = self.begin("--guest-patience=4000000")
        self.assertEqual(self.paths(), {guest_path(ONE), guest_path(TWO)})
        self.assert_served()
        self.assertEqual((self.get(ONE)["Using"], self.asked("statistics")), ("unknown", (1,)))
        self.stop(daemon)


if __name__ == "__main__":
    main()
