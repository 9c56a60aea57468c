# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the probe share on both machines: to run it, and to run the one whose guest is
broken on purpose."""

import json

import payload
from nestvirt import NestvirtTest

PROBE = "/usr/lib/nestvirt/nestvirt-probe"
BROKEN = "/run/probe-broken"

# Names of counts.
TRIP, PORT, COLD, PAGE, CR3, FAULT, WORK = "round_trip", "port", "fresh_page_cold", "fresh_page", "cr3_reload", "fault", "workload"
NAMES = (TRIP, PORT, COLD, PAGE, CR3, FAULT, WORK)


def row(group, *values):
    """A column of the table: exits in the order of NAMES."""
    return {f"{group}.{name}": value for name, value in zip(NAMES, values, strict=True)}


def proof(round_trip=2, **others):
    """Five times 64 round trips, and the first entry; each repeat costs the same."""
    exits = 64 * round_trip
    return {"nested_run": 321, "round_trips": 64, "exits_least": exits, "exits_most": exits, TRIP: round_trip} | others


class ProbeTest(NestvirtTest):
    def load(self, parameters=""):
        """The modules anew, kvm as well."""
        self.host.check(f"modprobe -r {self.nestvirt.vendor} && modprobe {self.nestvirt.vendor} {parameters} && udevadm settle", timeout=120)

    def probe(self, status=0, arguments="--json", user="root"):
        result = self.host.run(f"{PROBE} {arguments}", user=user, timeout=300)
        self.assertEqual(result.status, status, result.stdout + result.stderr)
        return json.loads(result.stdout)

    def assert_counts(self, counts, repeats=5):
        for _ in range(repeats):
            self.assertEqual(self.probe()["counts"], counts)

    def assert_off(self, words):
        """Not by the words of a parameter: something has tried, and could not."""
        self.load("nested=0")
        report = self.probe(3)
        self.assertEqual((report["result"], report["counts"]), ("off", {}))
        self.assertEqual(report["parameters"][f"{self.nestvirt.vendor}.nested"], self.nestvirt.shown(False))
        self.assertRegex(report["message"], words)

    def assert_said(self, what, words, result="broken"):
        """With that broken, this is the diagnosis."""
        program = (payload.build_folder() / "tests/hosts/probe-broken").read_bytes()
        self.host.check(f"test -x {BROKEN} || (cat > {BROKEN}; chmod +x {BROKEN})", input=program)
        done = self.host.run(f"{BROKEN} {what}", timeout=120)
        report = json.loads(done.stdout)
        self.assertEqual((done.status, report["result"]), (1, result), report)
        self.assertRegex(report["message"], words)

    def assert_no_warnings(self):
        self.assertEqual(self.host.run("dmesg | grep -E 'WARNING|BUG|Call Trace'").stdout, "")
