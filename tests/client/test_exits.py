# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirtctl exits: whom a word means. What is counted is the emulated host's matter: there need
be no KVM here."""

from clients import ERROR
from ctl import NOWHERE, run
from daemon import FakeDaemon, variants
from harness import BusTest
from tap import main

NO_SUCH_GUEST = ERROR + "NoSuchGuest"


class Exits(BusTest):
    def setUp(self):
        super().setUp()
        users = [variants({"Pid": 812, "Uid": 0, "Command": "qemu-system-x86", "Unit": "", "Guest": name}) for name in ("101", "8-db")]
        self.daemon = FakeDaemon(self.bus.address, answers={"ListUsers": lambda request: ("aa{sv}", users)})
        self.addCleanup(self.daemon.close)

    def failure(self, word, address):
        """The name of the error in which it ends, if it does."""
        self.daemon.requests.clear()
        done = run("-j", "exits", word, "--interval=0.1", address=address)
        return done.json.get("error", {}).get("name"), done

    def test_names_go_before_numbers(self):
        for word in ("101", "8-db", "102", "102-7"):
            name, done = self.failure(word, self.bus.address)
            self.assertNotEqual(name, NO_SUCH_GUEST, done)
            self.assertIn("ListUsers", [r.member for r in self.daemon.requests], word)

    def test_no_number(self):
        for word in ("7-db", "7-", "7-1-2", "7 ", "x7", "0", "99999999999", "db"):
            name, done = self.failure(word, self.bus.address)
            self.assertEqual((name, done.status), (NO_SUCH_GUEST, 1), done)

    def test_a_number_needs_no_daemon(self):
        self.assertEqual(self.failure("db", NOWHERE)[1].status, 8)
        name, done = self.failure("101", NOWHERE)
        self.assertNotIn(done.status, (1, 8), done)
        self.assertFalse(name and "DBus.Error.NoServer" in name, done)


if __name__ == "__main__":
    main()
