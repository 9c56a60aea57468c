# SPDX-License-Identifier: LGPL-2.1-or-later
"""The method GetStatistics: what it answers, and that it neither waits for a change nor is anything written for it."""

from clients import ERROR, NOBODY
from harness import BusTest, snapshot, write
from tap import main

DEBUGFS = "sys/kernel/debug/kvm"


class Statistics(BusTest):
    def setUp(self):
        super().setUp()
        self.start_fake()
        self.caller = self.client(uid=NOBODY)

    def vm(self, name, **counters):
        for counter, value in counters.items():
            write(self.host / DEBUGFS / name / counter, f"{value}\n")

    def ask(self, *names):
        return self.caller.call("GetStatistics", ("ast", names, 0))[0]

    def test_anybody_may_read(self):
        self.vm("812-13", exits=7, nested_run=2**64 - 1)
        self.vm("99-4", largepages=3)
        before = snapshot(self.host)
        self.assertEqual(self.ask(), {"812-13": {"exits": 7, "nested_run": 2**64 - 1}, "99-4": {"largepages": 3}})
        self.assertEqual(self.ask("99-4"), {"99-4": {"largepages": 3}})
        self.vm("99-4", largepages=4)
        self.assertEqual(self.ask("99-4", "812-13")["99-4"], {"largepages": 4})
        (self.host / DEBUGFS / "99-4/largepages").write_text("3\n")
        self.assertEqual(snapshot(self.host), before)

    def test_refusals(self):
        with self.refused(ERROR + "Unsupported", "no debugfs"):
            self.ask()
        self.vm("99-4", exits=3)
        for name in ("99-5", "", "../kvm", "99-4/../99-4", "é" * 1000):
            with self.refused(ERROR + "NoSuchGuest"):
                self.ask("99-4", name)
        with self.refused(ERROR + "InvalidArgs", "1024"):
            self.ask(*(["99-4"] * 1025))
        with self.refused(ERROR + "InvalidArgs", "0x1"):
            self.caller.call("GetStatistics", ("ast", [], 1))
        self.assertEqual(self.ask(*(["99-4"] * 1024)), {"99-4": {"exits": 3}})

    def test_no_machine_is_an_answer(self):
        (self.host / DEBUGFS).mkdir(parents=True)
        self.assertEqual(self.ask(), {})

    def test_during_a_change(self):
        self.vm("99-4", exits=3)
        self.close_gate()
        change = self.client().start_set({"kvm_amd": {"nested": "0"}})
        open_gate = self.wait_at_gate()
        self.assertEqual(self.ask(), {"99-4": {"exits": 3}})
        self.assertFalse(change.done)
        open_gate()
        self.assertEqual(change.result()[0]["Outcome"], "applied")


if __name__ == "__main__":
    main()
