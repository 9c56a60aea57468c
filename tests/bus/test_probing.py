# SPDX-License-Identifier: LGPL-2.1-or-later
"""The method Probe: who may, when it runs, and what becomes of what the program leaves. The program
is one that says what a test wants; the real one is tried, too, on whatever this machine has."""

import os
import shutil

from clients import ERROR, GLib, wait_for
from harness import HELPER_DIR, BusTest
from tap import main

OFF = {"kvm_amd": {"nested": "0"}}
RESULT = "run/nestvirt/probe"
BOOT = "proc/sys/kernel/random/boot_id"
FOUND = """{{"Result": <"on">, "Time": <uint64 7>, "BootId": <"{boot}">, "Stale": <false>, "Parameters": <{{"kvm_amd.nested": "1"}}>,
"Counts": <{{"round_trip": uint64 2}}>, "Loads": <@a{{st}} {{"kvm_amd": {load}}}>, "Message": <"It ran">}}"""
PROGRAM = """#!/bin/sh
echo "$@" >>{folder}/calls
[ ! -e {folder}/gate ] || read line <{folder}/gate
cat {folder}/found
exit {status}
"""


class ProbingTest(BusTest):
    def setUp(self):
        super().setUp()
        self.parameters = self.host / "sys/module/kvm_amd/parameters"
        self.program()

    def program(self, status=0):
        path = self.folder / "nestvirt-probe"
        path.write_text(PROGRAM.format(folder=self.folder, status=status))
        path.chmod(0o755)
        self.find()

    def find(self, boot="this-boot", word="on"):
        """What the program will say."""
        load = self.parameters.stat().st_ino if self.parameters.exists() else 0
        self.say(FOUND.format(boot=boot, load=load).replace('"on"', f'"{word}"'))

    def say(self, text):
        (self.folder / "found").write_text(text)

    def calls(self):
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def wait_for_call(self):
        # What it writes has no place in this main loop; it is looked for now and then.
        ticking = GLib.timeout_add(50, lambda: True)
        wait_for(self.calls, "the program to run")
        GLib.source_remove(ticking)

    @staticmethod
    def options(**options):
        return ("a{sv}t", {name: GLib.Variant("b", value) for name, value in options.items()}, 0)


class Child(ProbingTest):
    def setUp(self):
        super().setUp()
        self.start_fake(f"--helper-dir={self.folder}")
        # The daemon for tests makes its host when it starts.
        (self.host / BOOT).write_text("this-boot\n")
        self.find()
        self.caller = self.client(watch=True)

    def probe(self, **options):
        return self.caller.call("Probe", self.options(**options))[0]

    def test_it_runs_and_is_kept(self):
        self.assertEqual(self.caller.get("ProbeResult"), {})
        pending = self.caller.start("Probe", self.options())
        result = pending.result()[0]
        self.assertEqual(result, {"Result": "on", "Time": 7, "BootId": "this-boot", "Stale": False, "Counts": {"round_trip": 2},
                                  "Parameters": {"kvm_amd.nested": "1"}, "Message": "It ran"})
        self.assertEqual(self.caller.get("ProbeResult"), result)
        order = [m.member or "reply" for m in self.caller.messages
                 if m.serial == pending.serial or (m.member == "PropertiesChanged" and "ProbeResult" in m.body[1])]
        self.assertEqual(order, ["PropertiesChanged", "reply"])
        self.assertEqual(self.calls(), [f"--variant --measure=counts --device={self.host}/dev/kvm"])

    def test_times(self):
        self.probe(Times=True)
        self.probe(Times=False)
        self.assertEqual([call.split()[1] for call in self.calls()], ["--measure=times", "--measure=counts"])

    def test_a_no_is_an_answer(self):
        for status, word in ((3, "off"), (6, "unsupported"), (1, "broken")):
            self.program(status)
            self.find(word=word)
            self.assertEqual(self.probe()["Result"], word)

    def test_the_findings_know_it(self):
        def found():
            return [(f["Status"], f["Message"]) for f in self.caller.call("Check", ("t", 0))[0] if f["Id"] == "probe"]

        self.assertEqual(found(), [])
        self.probe()
        self.assertEqual(found(), [("pass", "A guest of a guest has run (nestvirtctl probe)")])
        self.find(word="off")
        self.probe()
        self.assertEqual([status for status, _ in found()], ["fail"])
        self.find(boot="another-boot", word="off")
        self.probe()
        self.assertEqual(found(), [])

    def test_stale_after_a_load(self):
        self.probe()
        self.parameters.rename(self.parameters.with_name("gone"))
        self.parameters.mkdir()
        for path in self.parameters.with_name("gone").iterdir():
            path.rename(self.parameters / path.name)
        self.caller.call("Refresh", ("t", 0))
        self.assertTrue(self.caller.get("ProbeResult")["Stale"])
        self.find()
        self.assertFalse(self.probe()["Stale"])

    def test_stale_after_a_boot(self):
        self.find(boot="another-boot")
        self.assertTrue(self.probe()["Stale"])

    def test_what_can_not_be_understood(self):
        self.probe()
        for text in ("", "{", "[1, 2]", "x" * 100000, '{"Result": <"on">' + "[" * 1000):
            self.say(text)
            with self.refused(ERROR + "Internal", "gave no result"):
                self.probe()
            # The last one's result is not taken for this one's.
            self.assertEqual(self.caller.get("ProbeResult"), {})
        self.say('{"Result": <uint32 1>, "Counts": <"many">, "Message": <"odd">, "More": <1>}')
        self.assertEqual(self.probe(), {"Message": "odd"})

    def test_arguments(self):
        with self.refused(ERROR + "InvalidArgs", "Times"):
            self.caller.call("Probe", self.options(Weight=True))
        with self.refused(ERROR + "InvalidArgs"):
            self.caller.call("Probe", ("a{sv}t", {"Times": GLib.Variant("s", "yes")}, 0))
        with self.refused(ERROR + "InvalidArgs", "0x1"):
            self.caller.call("Probe", ("a{sv}t", {}, 1))
        self.assertEqual(self.calls(), [])

    def test_never_during_a_change(self):
        self.close_gate()
        change = self.caller.start_set(OFF)
        open_gate = self.wait_at_gate()
        probe = self.client().start("Probe", self.options())
        self.caller.get_all()
        self.assertEqual(self.calls(), [])
        open_gate()
        self.assertEqual(change.result()[0]["Outcome"], "applied")
        probe.result()
        self.assertEqual(len(self.calls()), 1)

    def test_no_change_while_it_runs(self):
        os.mkfifo(self.folder / "gate")
        probe = self.caller.start("Probe", self.options())
        self.wait_for_call()
        change = self.client().start_set(OFF)
        self.caller.get_all()
        self.assertEqual((probe.done, change.done), (False, False))
        (self.folder / "gate").write_text("\n")
        probe.result()
        self.assertEqual(change.result()[0]["Outcome"], "applied")


class NoProgram(ProbingTest):
    def test_no_program(self):
        self.start_fake("--helper-dir=/nonexistent")
        caller = self.client()
        with self.refused(ERROR + "Internal", "gave no result"):
            caller.call("Probe", self.options())
        self.assertEqual(caller.set(OFF)["Outcome"], "applied")  # the turn is not lost

    def test_a_tree_of_files(self):
        self.start_real("amd-epyc-6.1")
        with self.refused(ERROR + "Unsupported", "tree of files"):
            self.client().call("Probe", self.options())


class Real(ProbingTest):
    def test_the_program_itself(self):
        """Beneath this root there is no device, whatever the machine has."""
        self.start_fake(f"--helper-dir={HELPER_DIR}")
        caller = self.client()
        result = caller.call("Probe", self.options())[0]
        self.assertEqual((result["Result"], result["Counts"]), ("unsupported", {}))
        self.assertIn("/dev/kvm", result["Message"])
        self.assertEqual(set(result), {"Result", "Time", "BootId", "Stale", "Parameters", "Counts", "Message"})


class Units(ProbingTest):
    """systemd starts it."""

    SYSTEMD = "org.freedesktop.systemd1"
    UNIT = "/org/freedesktop/systemd1/unit/probe"
    JOB = "/org/freedesktop/systemd1/job/7"

    def test_it_is_a_unit(self):
        systemd = self.service(self.SYSTEMD, {
            "LoadUnit": lambda request: ("o", self.UNIT), "Ref": lambda request: (), "Unref": lambda request: (),
            "StartUnit": lambda request: ("o", self.JOB), "Get": lambda request: ("v", GLib.Variant("i", 0))})
        self.start_fake("--units")
        caller = self.client()
        for options, unit in (({}, "nestvirt-probe@counts.service"), ({"Times": True}, "nestvirt-probe@times.service")):
            count = len(systemd.asked("StartUnit")) + 1
            probe = caller.start("Probe", self.options(**options))
            wait_for(lambda: len(systemd.asked("StartUnit")) == count, "StartUnit")
            self.assertEqual(systemd.asked("StartUnit")[-1].arguments, (unit, "replace"))
            shutil.copy(self.folder / "found", self.host / RESULT)
            systemd.emit("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "JobRemoved",
                         ("uoss", 7, self.JOB, unit, "done"))
            self.assertEqual(probe.result()[0]["Result"], "on")


if __name__ == "__main__":
    main()
