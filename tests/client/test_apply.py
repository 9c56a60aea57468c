# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirtctl apply: what becomes of the daemon's answers."""

from gi.repository import GLib
from clients import ERROR
from ctl import run
from daemon import FakeDaemon, variants
from harness import BusTest
from tap import main


class Check(BusTest):
    def test_a_check_does_not_pass_over_guests_that_can_not_be_told(self):
        guests = {"a": variants({"Outcome": "failed", "Error": "it is transient", "ErrorName": ERROR + "TransientGuest"})}
        drift = variants({"Guest": "b", "Pending": False, "Steps": ["require svm"]})
        for found, status, heading in (([], 1, "Of some guests it can't be told:"), ([drift], 3, "It differs from what is desired:")):
            answer = ("a{sv}", {"Failed": GLib.Variant("u", 1), "Guests": GLib.Variant("a{sa{sv}}", guests),
                                "Drift": GLib.Variant("aa{sv}", found), "Outcome": GLib.Variant("s", "planned")})
            daemon = FakeDaemon(self.bus.address, answers={"Apply": lambda request, answer=answer: answer})
            result = run("apply", "--check", address=self.bus.address)
            daemon.close()
            self.assertEqual((result.status, result.out.splitlines()[0]), (status, heading), result)
            self.assertIn("  guest a: it is transient\n", result.out)


main()
