# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirtctl probe: whom it asks, and what becomes of the answer. With another host's daemon,
which only records, and on this machine."""

import json
import os
import pathlib
import unittest

from clients import DBUS_ERROR, ERROR, PATH, RUNTIME, Failure, GLib
from ctl import run, script
from daemon import FakeDaemon, change, manager, variants
from harness import BusTest
from tap import main

STATUS = {"on": 0, "off": 3, "unsupported": 6, "broken": 1, "hang": 1}
COUNTS = {"round_trip": 2, "one-level.round_trip": 1, "one-level.workload": 1, "shadow-on-npt.round_trip": 2,
          "shadow-on-npt.workload": 6179, "npt-on-npt.round_trip": 2, "npt-on-npt.fresh_page": 4}


def result(word="on", times=None, **changes):
    more = {} if times is None else {"Times": GLib.Variant("a{sa{st}}", times)}
    return ("a{sv}", variants({
        "Result": word, "Time": GLib.Variant("t", 1700000000000000), "BootId": "this-boot", "Stale": False, "Message": f"It is {word}.",
        "Parameters": GLib.Variant("a{ss}", {"kvm_amd.nested": "1"}), "Counts": GLib.Variant("a{st}", COUNTS), **more, **changes}))


class Elsewhere(BusTest):
    """Never by the program of this machine when it is another host that is meant."""

    def setUp(self):
        super().setUp()
        script(self.folder, "ssh", "import os",
               f"os.execvp('systemd-stdio-bridge', ['systemd-stdio-bridge', '--bus-path={self.bus.address}'])")
        self.daemon = FakeDaemon(self.bus.address)
        self.addCleanup(self.daemon.close)

    def ctl(self, *arguments, status=0, answer=None):
        self.daemon.answers["Probe"] = lambda request: answer or result()
        done = run("-H", "alice@web", *arguments, PATH=f"{self.folder}:{os.environ['PATH']}")
        self.assertEqual(done.status, status, done)
        return done

    def test_what_is_asked(self):
        self.ctl("probe")
        self.ctl("probe", "--times")
        # Nobody can be asked for a password over ssh.
        self.assertEqual(self.daemon.changes, [("Probe", PATH, ({}, 0), False), ("Probe", PATH, ({"Times": True}, 0), False)])

    def test_the_exit_status_is_the_answer(self):
        for word, status in STATUS.items():
            self.assertIn(f"It is {word}.\n", self.ctl("probe", status=status, answer=result(word)).out)
        self.assertEqual(self.ctl("--quiet", "probe", status=3, answer=result("off")).out, "")

    def test_for_people(self):
        lines = [line.split() for line in self.ctl("probe").out.splitlines()]
        self.assertEqual(lines[:3], [["It", "is", "on."], [], ["EXITS", "TO", "THE", "HOST", "one-level", "shadow-on-npt", "npt-on-npt"]])
        rows = {line[0]: line[-3:] for line in lines[3:]}
        self.assertEqual(rows["cpuid,"], ["1", "2", "2"])
        self.assertEqual(rows["first"], ["-", "-", "4"])
        self.assertEqual(rows["16"], ["1", "6179", "-"])
        self.assertNotIn("NANOSECONDS", self.ctl("probe").out)

    def test_times_for_people(self):
        times = {"one-level.round_trip": {"median": 900, "min": 850, "max": 1000, "iterations": 32768}}
        self.assertRegex(self.ctl("probe", answer=result(times=times)).out, r"NANOSECONDS +one-level\ncpuid.* 900 \(850-1000\)\n")
        self.assertIn("times would mean nothing", self.ctl("probe", answer=result(Emulated=True)).out)

    def test_json(self):
        times = {"one-level.round_trip": {"median": 900, "min": 850, "max": 1000, "iterations": 32768}}
        done = self.ctl("--json=short", "probe", answer=result(times=times, Loads=GLib.Variant("a{st}", {"kvm": 1})))
        self.assertEqual(json.loads(done.out), {
            "result": "on", "time": 1700000000000000, "boot_id": "this-boot", "stale": False, "message": "It is on.",
            "parameters": {"kvm_amd.nested": "1"}, "counts": COUNTS, "times": times})

    def test_a_no(self):
        refusal = Failure(DBUS_ERROR + "AccessDenied", "polkit says no")
        self.assertIn("Cannot probe nested virtualization: polkit says no", self.ctl("probe", status=4, answer=refusal).err)
        error = json.loads(self.ctl("-j", "probe", status=4, answer=refusal).out)["error"]
        self.assertEqual(error["name"], DBUS_ERROR + "AccessDenied")


class Verify(BusTest):
    """set --verify: the change, then the probe, by the daemon whoever asks; and what the two say
    together."""

    def ctl(self, *arguments, status=0, answer=None, nested="on", outcome="applied"):
        daemon = FakeDaemon(self.bus.address, manager(Nested=nested), answers={
            "Probe": lambda request: answer or result(), "SetParameters": lambda request: change(outcome, ["did it"]),
            "ResetParameters": lambda request: change(outcome)})
        try:
            done = run(*arguments, address=self.bus.address)
            self.assertEqual(done.status, status, done)
            self.changes = daemon.changes
            return done
        finally:
            daemon.close()

    def test_what_is_asked_and_in_which_order(self):
        self.ctl("set", "nested=on", "--verify", "--runtime")
        probe = ("Probe", PATH, ({}, 0), True)
        self.assertEqual(self.changes, [("SetParameters", PATH, ({"kvm_amd": {"nested": "on"}}, RUNTIME), True), probe])
        self.ctl("reset", "--verify")
        self.assertEqual(self.changes[1:], [probe])
        self.ctl("set", "nested=on")
        self.assertEqual(len(self.changes), 1)

    def test_proven(self):
        self.assertEqual(self.ctl("set", "nested=on", "--verify").out,
                         "Done: in effect now.\n  did it\nProven on: a guest of a guest ran.\n")
        done = self.ctl("set", "nested=off", "--verify", answer=result("off"), nested="off", outcome="unchanged")
        self.assertRegex(done.out, "already.*\n(.*\n)*Proven off: no guest of a guest could run")
        self.assertEqual(self.ctl("-j", "set", "nested=on", "--verify").json,
                         {"outcome": "applied", "steps": ["did it"], "impact": [], "values": {}, "verified": "on"})
        self.assertEqual(self.ctl("-q", "set", "nested=on", "--verify").out, "")

    def test_contradictions(self):
        for word, nested in (("on", "off"), ("off", "on"), ("broken", "on"), ("hang", "on"), ("hang", "off"), ("unsupported", "on")):
            with self.subTest(f"{word} though {nested}"):
                done = self.ctl("set", "npt=1", "--verify", answer=result(word), nested=nested, status=7)
                self.assertTrue(done.out.startswith("Done: in effect now.\n"), done)
                self.assertIn(f"Cannot verify it: The change is in effect and nested is {nested}, but the probe has found something else: "
                              f"It is {word}. What can be done: nestvirtctl check", done.err)
                done = self.ctl("-j", "set", "npt=1", "--verify", answer=result(word), nested=nested, status=7)
                self.assertEqual((done.json["error"]["name"], done.err), (ERROR + "HostDegraded", ""))

    def test_nothing_proven(self):
        for answer, nested, status in ((Failure(DBUS_ERROR + "AccessDenied", "polkit says no"), "on", 4), (result("denied"), "on", 4),
                                       (result("unsupported"), "unavailable", 6), (Failure(ERROR + "TimedOut", "Too long"), "off", 1)):
            done = self.ctl("set", "npt=1", "--verify", answer=answer, nested=nested, status=status)
            self.assertIn("The change is in effect, but nothing is proven: ", done.err)
            self.assertIn("Done: in effect now.", done.out)

    def test_only_for_what_is_in_effect(self):
        for options in (["--dry-run"], ["--next-boot"], ["--when-idle"]):
            self.assertIn("--verify is for what is in effect", self.ctl("set", "nested=on", "--verify", *options, status=2).err)
            self.assertEqual(self.changes, [])
        self.ctl("set", "nested=on", "--verify", "--when-idle", "--wait")
        self.assertEqual(len(self.changes), 2)

    def test_a_failed_change_is_not_verified(self):
        daemon = FakeDaemon(self.bus.address, answers={"SetParameters": lambda request: Failure(ERROR + "Busy", "In use")})
        self.addCleanup(daemon.close)
        self.assertEqual(run("set", "nested=on", "--verify", address=self.bus.address).status, 5)
        self.assertEqual([change[0] for change in daemon.changes], ["SetParameters"])


class Here(unittest.TestCase):
    """Whoever may open /dev/kvm needs no bus, and nobody's leave; others are told that there is
    none."""

    def test_on_this_machine(self):
        done = run("--json=short", "probe")
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            self.assertEqual((done.status, done.json["error"]["name"]), (8, "org.freedesktop.DBus.Error.NoServer"))
            return
        self.assertEqual(done.status, STATUS[done.json["result"]], done)
        self.assertEqual(done.json["boot_id"], pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        self.assertEqual(set(done.json) - {"emulated"}, {"result", "time", "boot_id", "stale", "parameters", "counts", "message"})
        self.assertEqual(run("probe").out.splitlines()[0], done.json["message"])


if __name__ == "__main__":
    main()
