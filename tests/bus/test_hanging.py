# SPDX-License-Identifier: LGPL-2.1-or-later
"""A libvirt that is there and does not answer: whom that concerns, and what becomes of it when it does."""

import contextlib
import os
import signal

from clients import (DBUS_ERROR, DRY_RUN, ERROR, GLib, GUEST, NOBODY, guest_path, wait_for)
from tap import main
from test_guests import ONE, Fake


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
        """A connection that comes up while the daemon ends: what is told by it then has nowhere to go, and does no harm."""
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
        """However often somebody tries while it hangs: who calls after that is not behind all of them."""
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
        """Whoever asks for them, which anybody may, is not kept waiting, so that no limit of a caller's bounds them."""
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


if __name__ == "__main__":
    main()
