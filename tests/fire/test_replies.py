# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names as long as they may be, and more of everything than fits into a message of the bus, which
ends the connection of whoever sends more than 32 MiB: each answer stays far below that, says what
it leaves out, and the daemon lives."""

import re
import subprocess
import uuid

from clients import DRY_RUN, GUEST, MODULE, NAME, OBJECT_MANAGER, PATH, TIMEOUT, guest_path, module_path
from harness import write
from tap import main
from test_guests import Fake

KVM_AMD = {"path": module_path("kvm_amd"), "interface": MODULE}
OFF = {"kvm_amd": {"nested": "0"}}
LONG = "n" * 300_000
# As daemon/bus/bound.h has it, and what is around the rows.
REPLY_MAX = 9 * 1024 * 1024
GUESTS_MAX = 20_000
# However slow the machine is.
PATIENT = "--guest-patience=600000000"


def size_of(text_or_more):
    """The bytes of all texts in an answer."""
    match text_or_more:
        case str():
            return len(text_or_more.encode())
        case dict():
            return sum(size_of(key) + size_of(value) for key, value in text_or_more.items())
        case list() | tuple():
            return sum(map(size_of, text_or_more))
    return 0


def texts(value):
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from texts(item)
        case list() | tuple():
            for item in value:
                yield from texts(item)


class Replies(Fake):
    def alive(self):
        self.assertIsNone(self.daemons[-1].poll(), self.daemons[-1].log.read_text())
        self.assertEqual(self.observer.get("Nested"), "on")


class Holders(Replies):
    """In a tree of files, a process is a few of them."""

    def crowd(self, count):
        for pid in range(100_000, 100_000 + count):
            self.hold(pid, command="c" * 60_000)
            write(self.host / "proc" / str(pid) / "cmdline", f"qemu-system-x86_64\0-name\0{LONG[:130_000]}\0")

    def test_they_fit_into_an_answer(self):
        self.begin()
        self.crowd(400)
        for member, arguments, keywords in (("ListUsers", ("t", 0), KVM_AMD), ("SetParameters", ("a{sa{ss}}t", OFF, DRY_RUN), {})):
            answer = self.observer.call(member, arguments, **keywords)[0]
            self.assertLess(size_of(answer), REPLY_MAX)
        with self.refused("org.nestvirt1.Error.Busy", "pid 100000"):
            self.observer.set(OFF)
        self.alive()


class Guests(Replies):
    def test_their_names_and_what_they_have(self):
        for i in range(100):
            self.guest(str(uuid.UUID(int=i + (1 << 100))), name=f"{i}{LONG}", defined=f"custom {LONG} require",
                       live=f"custom {LONG} require", type=LONG[:100_000])
        self.begin(PATIENT)
        listed = self.observer.call("ListGuests", ("t", 0))[0]
        answers = (self.observer.call("GetManagedObjects", interface=OBJECT_MANAGER)[0], listed, self.observer.set(OFF, DRY_RUN))
        for answer in answers:
            self.assertLess(size_of(answer), REPLY_MAX)
        one = self.observer.get_all(GUEST, guest_path(str(uuid.UUID(int=1 << 100))))
        self.assertEqual(one["Name"], "0" + "n" * 252 + "…")
        for path, interfaces in answers[0].items():
            for name, value in interfaces.get(GUEST, {}).items():
                for text in texts(value):
                    self.assertLessEqual(len(text.encode()), 4096 if name == "Reason" else 256, (path, name))
        self.alive()

    def test_more_than_are_shown(self):
        identities = [str(uuid.UUID(int=i + (1 << 100))) for i in range(GUESTS_MAX + 3)]
        for identity in identities:
            self.guest(identity, name=identity, defined="host-passthrough", live="host-passthrough - require")
        self.begin(PATIENT)
        rows = self.observer.call("ListGuests", ("t", 0))[0]
        # Not by Python, which takes several times as long as all the rest for that many.
        objects = subprocess.run(["busctl", f"--address={self.bus.address}", f"--timeout={TIMEOUT}", "call", NAME, PATH, OBJECT_MANAGER, "GetManagedObjects"],
                                 check=True, capture_output=True, text=True).stdout
        paths = set(re.findall(r"/org/nestvirt1/guest/\w+", objects))
        self.assertEqual(len(paths), GUESTS_MAX)
        self.assertEqual((len(rows), rows[-1][0], rows[-1][1]), (GUESTS_MAX + 1, "/", "3"))
        self.assertEqual({row[0] for row in rows[:-1]}, paths)
        finding = [f for f in self.observer.call("Check", ("t", 0))[0] if f["Id"] == "guests-left-out"]
        self.assertEqual([(f["Status"], f["Subject"]) for f in finding], [("warn", "host")])
        self.assertIn("3 of them", finding[0]["Message"])
        hidden = next(identity for identity in identities if guest_path(identity) not in paths)
        with self.refused("org.freedesktop.DBus.Error.LimitsExceeded", "left out"):
            self.observer.call("GetGuest", ("s", hidden))
        # When one goes, another one takes its place.
        shown = next(identity for identity in identities if guest_path(identity) in paths)
        # Where reading them took longer than the start waits, all of them were news as well.
        before = len(self.observer.signals("InterfacesAdded"))
        (self.fake / "guests" / shown).unlink()
        self.tell(shown)
        added = self.await_signal("InterfacesAdded", before + 1).body[0]
        self.assertNotIn(added, paths)
        self.assertEqual(self.observer.call("ListGuests", ("t", 0))[0][-1][1], "2")
        self.alive()


if __name__ == "__main__":
    main()
