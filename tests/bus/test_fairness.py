# SPDX-License-Identifier: LGPL-2.1-or-later
"""One user asks without end: what everybody else asks for is answered before that user's next few
calls, whatever kind they are of. It is about the order of the answers, as the bus had them, and
never about time."""

import contextlib
import ctypes
import os
import pathlib
import signal

from clients import (DBUS_ERROR, DRY_RUN, GUEST, MODULE, NAME, NEXT_BOOT, OBJECT_MANAGER, Client, Gio, GLib, guest_path,
                     module_path, wait_for)
from harness import BusTest, write
from tap import main

FLOODER, OTHER = 65534, 1
CONNECTIONS, CALLS, OF_USER = 250, 16, 256
SOME = 10  # connections, whose calls are in the daemon's socket all at once
FEW = 10
OFF, ON = {"kvm_amd": {"nested": "0"}}, {"kvm_amd": {"nested": "1"}}
ONE = "11111111-1111-1111-1111-111111111111"
KVM_AMD = {"path": module_path("kvm_amd"), "interface": MODULE}
LIMIT = DBUS_ERROR + "LimitsExceeded"
BUS = {"destination": "org.freedesktop.DBus", "path": "/org/freedesktop/DBus", "interface": "org.freedesktop.DBus"}
SET = "SetParameters"

# What waits for a turn, and is then looked at by a worker; what is answered in its turn; what waits
# for a worker; and what waits for libvirt.
LOOKS = {
    "dry run": (SET, ("a{sa{ss}}t", OFF, DRY_RUN), {}),
    "dry run of what is so already": (SET, ("a{sa{ss}}t", ON, DRY_RUN), {}),
    "reload": ("Reload", ("t", DRY_RUN), KVM_AMD),
}
TURNS = {
    "change that is not allowed": (SET, ("a{sa{ss}}t", OFF, NEXT_BOOT), {}),
    "change that can't be": (SET, ("a{sa{ss}}t", {"kvm_amd": {"nested": "banana"}}, 0), {}),
    "refresh": ("Refresh", ("t", 0), {}),
    "check": ("Check", ("t", 0), {}),
    "mending": ("EnsureDevice", ("t", DRY_RUN), {}),
    "cancelling": ("CancelPending", ("t", 0), KVM_AMD),
}
READINGS = {
    "users": ("ListUsers", ("t", 0), KVM_AMD),
    "statistics": ("GetStatistics", ("ast", [], 0), {}),
}
# Where that is done.
THREADS = {"users": "scans", "statistics": "reads"}
GUESTS = {
    "list of guests": ("ListGuests", ("t", 0), {}),
    "guests looked at": ("RefreshGuests", ("t", 0), {}),
    "guest": ("GetGuest", ("s", "one"), {}),
    "guest's CPU": ("SetCpu", ("a{sv}t", {"Nested": GLib.Variant("b", False)}, DRY_RUN), {"path": guest_path(ONE), "interface": GUEST}),
}
PING = ("Ping", None, {"interface": "org.freedesktop.DBus.Peer"})
STATUS = ("GetManagedObjects", None, {"interface": OBJECT_MANAGER})


def key_of(call):
    return call.client.name, call.serial


class Monitor(Client):
    """Sees all answers of the daemon, in the order in which the bus had them."""

    def __init__(self, address):
        self.answers, self.places = [], {}  # the first: (destination, serial of the call), name of the error or None
        self.daemon = None
        super().__init__(address)
        self.daemon = self.call("GetNameOwner", ("s", NAME), **BUS)[0]
        rules = ["type='method_return'", "type='error'"]
        self.connection.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.Monitoring", "BecomeMonitor",
                                  GLib.Variant("(asu)", (rules, 0)), None, Gio.DBusCallFlags.NONE, -1, None)

    def _filter(self, connection, message, incoming, *unused):
        if not self.daemon or not incoming:
            return super()._filter(connection, message, incoming, *unused)
        if message.get_sender() == self.daemon:
            key = (message.get_destination(), message.get_reply_serial())
            self.answers.append((key, message.get_error_name()))
            self.places[key] = len(self.answers) - 1
            GLib.idle_add(lambda: False)
        return message

    def wait_for(self, call):
        """Where the answer to @call is among all."""
        key = key_of(call)
        wait_for(lambda: key in self.places, "the answer")
        return self.places[key]


class Held:
    """One thread of the daemon's stands still, which has nothing to do when that begins."""

    SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17  # linux/ptrace.h
    WALL = 0x40000000  # linux/wait.h

    def __init__(self, daemon, name):
        folder = pathlib.Path(f"/proc/{daemon.pid}/task")
        self.thread = next(int(task.name) for task in folder.iterdir() if (task / "comm").read_text().strip() == name)

    def ptrace(self, request):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.ptrace(request, self.thread, None, None) < 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def __enter__(self):
        self.ptrace(self.SEIZE)
        self.ptrace(self.INTERRUPT)
        os.waitpid(self.thread, self.WALL)
        return self

    def __exit__(self, *_unused):
        self.ptrace(self.DETACH)


class Opens:
    """How often a file was read. The same events right after each other are one, but an open and a
    close take turns."""

    OPEN_CLOSE = 0x20 | 0x10  # IN_OPEN | IN_CLOSE_NOWRITE, linux/inotify.h
    EVENTS = 2 * 16

    def __init__(self, path):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0 or libc.inotify_add_watch(self.fd, os.fsencode(path), self.OPEN_CLOSE) < 0:
            raise OSError(ctypes.get_errno(), "inotify")

    def __enter__(self):
        return self

    def __exit__(self, *_unused):
        os.close(self.fd)

    def count(self):
        """Since the last time."""
        try:
            return len(os.read(self.fd, 1 << 16)) // self.EVENTS
        except BlockingIOError:
            return 0


class Fairness(BusTest):
    def begin(self, *options):
        self.daemon = self.start_fake(*options)
        self.monitor = Monitor(self.bus.address)
        self.addCleanup(self.monitor.close)

    def send(self, client, kind):
        member, arguments, keywords = kind
        return client.start(member, arguments, **keywords)

    def settle(self, clients):
        """Until the bus has handed on what they sent."""
        for call in [client.start("GetId", **BUS) for client in clients]:
            call.result()


class Flood(Fairness):
    """250 connections of one user, with 16 calls each. As many as may wait do so, as what they wait
    for stands still; then others ask, and then it goes on."""

    def setUp(self):
        super().setUp()
        self.guest(ONE, name="one", defined="host-passthrough")
        write(self.host / "sys/kernel/debug/kvm/exits", "1\n")
        self.begin("--guests")
        self.flooders = [self.client(FLOODER) for _ in range(CONNECTIONS)]
        self.other = self.client(OTHER)
        self.other.call("RefreshGuests", ("t", 0))

    def start_flood(self, flooders, kind):
        calls = [self.send(client, kind) for client in flooders for _ in range(CALLS)]
        self.calls = {key_of(call) for call in calls}
        return calls

    def before(self, place):
        """How many of them were answered by then, but for those that cost no more than being
        read."""
        return len([key for key, error in self.monitor.answers[:place] if key in self.calls and error != LIMIT])

    def look(self, kind, hold, waits):
        """@hold stops what the calls wait for; @waits: the others that wait for the same."""
        with hold():
            calls = self.start_flood(self.flooders, kind)
            self.settle(self.flooders)
            wait_for(lambda: sum(call.done for call in calls) >= len(calls) - OF_USER, "the refusals")
            asked = [self.send(self.other, one) for one in waits]
            for one in (PING, STATUS, PING):  # the second one is behind the answer to whose connection it is
                self.send(self.other, one).result()
            self.assertEqual(sum(call.done for call in calls), len(calls) - OF_USER)
        for call in asked:
            self.assertLess(self.before(self.monitor.wait_for(call)), FEW)
        wait_for(lambda: all(call.done for call in calls), "the flood's end")

    @contextlib.contextmanager
    def change(self):
        """A change is under way."""
        self.close_gate()
        change = self.client().start_set(self.next)
        open_gate = self.wait_at_gate()
        yield
        open_gate()
        change.result()
        self.next = ON if self.next == OFF else OFF

    def test_turns(self):
        self.next = OFF
        for name, kind in {**LOOKS, **TURNS}.items():
            with self.subTest(name):
                # What is answered in its turn takes a fraction of what a worker takes to look at
                # something.
                self.look(kind, self.change, [kind, LOOKS["dry run"]] if name in LOOKS else [kind])

    def test_readings(self):
        for name, kind in READINGS.items():
            with self.subTest(name):
                self.look(kind, lambda thread=THREADS[name]: Held(self.daemon, thread), [kind])

    def test_guests(self):
        for name, kind in GUESTS.items():
            with self.subTest(name):
                self.look(kind, lambda: Held(self.daemon, "libvirt"), [kind])

    def test_all_is_read_first(self):
        """Nothing is done for the first call before the last one was read: all of them are in the
        daemon's socket when it begins."""
        for name, kind in {**LOOKS, **TURNS}.items():
            with self.subTest(name):
                os.kill(self.daemon.pid, signal.SIGSTOP)
                try:
                    calls = self.start_flood(self.flooders[:SOME], kind)
                    self.settle(self.flooders[:SOME])
                    ping = self.send(self.other, PING)
                    self.settle([self.other])
                finally:
                    os.kill(self.daemon.pid, signal.SIGCONT)
                self.assertLess(self.before(self.monitor.wait_for(ping)), FEW)
                wait_for(lambda: all(call.done for call in calls), "the answers")


class Turns(Fairness):
    """A change is under way, and everything else waits for its end."""

    def setUp(self):
        super().setUp()
        self.begin()
        self.close_gate()
        self.change = self.client().start_set(OFF)
        self.open_gate = self.wait_at_gate()

    def ask(self, uid, number):
        """So many dry runs of that user's, all of which wait."""
        clients = [self.client(uid) for _ in range((number + CALLS - 1) // CALLS)]
        calls = [self.send(clients[i // CALLS], LOOKS["dry run"]) for i in range(number)]
        for client in clients:
            self.send(client, PING).result()
            # The answer to this says whose they are, which the daemon has had by then.
        self.settle(clients)
        return calls

    def order(self, *users):
        """The answers to those calls, as indexes of the @users."""
        places = {self.monitor.wait_for(call): i for i, calls in enumerate(users) for call in calls}
        return [places[place] for place in sorted(places)]

    def test_in_turns(self):
        many, few = self.ask(FLOODER, 48), self.ask(OTHER, 16)
        self.open_gate()
        self.change.result()
        order = self.order(many, few)
        for end in range(1, 32):
            self.assertLessEqual(abs(order[:end].count(0) - order[:end].count(1)), 1, order)

    def test_root_goes_first(self):
        others, root = self.ask(FLOODER, 32), self.ask(0, 16)
        self.open_gate()
        self.change.result()
        self.assertEqual(self.order(others, root), [1] * 16 + [0] * 32)

    def test_calls_of_one_user(self):
        calls = self.ask(FLOODER, OF_USER)
        late, other = self.client(FLOODER), self.client(OTHER)
        for kind in (LOOKS["dry run"], TURNS["check"], READINGS["users"], GUESTS["list of guests"]):
            with self.refused(LIMIT, "256", f"uid {FLOODER}"):
                self.send(late, kind).result()
        waiting = self.send(other, LOOKS["dry run"])
        self.send(late, PING).result()
        self.assertEqual([call for call in calls if call.done], [])
        self.open_gate()
        for call in (waiting, *calls):
            self.assertIn(call.result()[0]["Outcome"], ("planned", "unchanged"))
        self.assertIn(self.send(late, LOOKS["dry run"]).result()[0]["Outcome"], ("planned", "unchanged"))

    def test_one_reading_for_all(self):
        """Those that have waited are judged by one reading of the host, which is a new one."""
        asked, call = self.ask(FLOODER, 32), self.ask(OTHER, 1)[0]
        with Opens(self.host / "proc/cpuinfo") as opens:
            self.open_gate()
            self.change.result()
            for one in (*asked, call):
                one.result()
            waited = opens.count()
            self.send(call.client, LOOKS["dry run"]).result()
            each = opens.count()
        self.assertGreater(each, 0)
        # The end of the change is another one.
        self.assertLess(waited, 4 * each)


if __name__ == "__main__":
    main()
