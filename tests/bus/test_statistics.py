# SPDX-License-Identifier: LGPL-2.1-or-later
"""The method GetStatistics: what it answers, that it neither waits for a change nor is anything
written for it, and whom it asks for what the kernel withholds."""

import os

from clients import ERROR, NOBODY
from harness import BusTest, snapshot, write
from tap import main

DEBUGFS = "sys/kernel/debug/kvm"
ONE, TWO = "3b5b08e4-3dca-4ff9-9a1d-40389758d081", "ffffffff-3dca-4ff9-9a1d-40389758d082"
RUNNING = {"defined": "host-passthrough", "live": "host-passthrough"}
# Root without these may read no file that is nobody's, as in a kernel that is locked down.
LOCKED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search")


class Counting(BusTest):
    """Of processes of nobody's, who asks."""

    def vm(self, name, **counters):
        write(self.host / "proc" / name.partition("-")[0] / "status", "Name:\tqemu\nUid:" + f"\t{NOBODY}" * 4 + "\n")
        for counter, value in counters.items():
            write(self.host / DEBUGFS / name / counter, f"{value}\n")

    def ask(self, *names):
        return self.caller.call("GetStatistics", ("ast", names, 0))[0]


class Statistics(Counting):
    def setUp(self):
        super().setUp()
        self.start_fake()
        self.caller = self.client(uid=NOBODY)

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

    def test_an_answer_in_pieces(self):
        """In the order of the names, with the machines of others as one number, whoever has left
        meanwhile."""
        names = sorted(f"{number}-13" for number in range(1000, 1400))
        for number, name in enumerate(names):
            self.vm(name, exits=number, halts=1, signals=2, largepages=3)
        for other in ("1100-13", "1399-13"):
            write(self.host / "proc" / other.partition("-")[0] / "status", "Name:\tqemu\nUid:" + "\t1" * 4 + "\n")
        machines = {name: {"exits": number, "halts": 1, "signals": 2, "largepages": 3} for number, name in enumerate(names)}
        for _ in range(4):
            leaver = self.client(uid=NOBODY)
            leaver.start("GetStatistics", ("ast", [], 0))
            leaver.close()
        calls = [client.start("GetStatistics", ("ast", [], 0)) for client in (self.client(), self.caller, self.caller)]
        everything, *own = [call.result()[0] for call in calls]
        self.assertEqual(list(everything.items()), list(machines.items()))
        for name in ("1100-13", "1399-13"):
            del machines[name]
        for answer in own:
            self.assertEqual(list(answer.items()), [*machines.items(), ("others", {"Omitted": 2})])

    def test_during_a_change(self):
        self.vm("99-4", exits=3)
        self.close_gate()
        change = self.client().start_set({"kvm_amd": {"nested": "0"}})
        open_gate = self.wait_at_gate()
        self.assertEqual(self.ask(), {"99-4": {"exits": 3}})
        self.assertFalse(change.done)
        open_gate()
        self.assertEqual(change.result()[0]["Outcome"], "applied")


class OfGuests(Counting):
    """With a hypervisor made of files."""

    def begin(self, *options, **keywords):
        self.start_fake("--guests", *options, **keywords)
        self.caller = self.client()  # of what only libvirt tells nobody else knows whose it is

    def qemu(self, pid, name, identity):
        write(self.host / "proc" / str(pid) / "cmdline", f"/usr/bin/qemu-system-x86_64\0-name\0guest={name}\0-uuid\0{identity}\0")

    def withhold(self, machine, *counters):
        for counter in counters:
            (self.host / DEBUGFS / machine / counter).chmod(0)

    def hang(self):
        """Each question waits until the end of the test."""
        path = self.host / "fake/hang"
        os.mkfifo(path)
        # Whoever waits at it goes on with its end.
        self.addCleanup(lambda: os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK)))

    def test_they_go_by_their_uuid(self):
        self.guest(ONE, name="one", **RUNNING)
        self.vm("812-13", exits=7)
        self.vm("99-4", exits=3)
        self.qemu(812, "one", ONE)
        # Of the same name, but none of those that the daemon knows.
        self.qemu(99, "one", TWO)
        self.begin()
        one = {"Machine": "812-13", "exits": 7}
        self.assertEqual(self.ask(), {ONE: one, "99-4": {"exits": 3}})
        for name in (ONE, ONE.upper(), "812-13"):
            self.assertEqual(self.ask(name), {ONE: one})
        self.assertEqual(self.ask("99-4", ONE), {ONE: one, "99-4": {"exits": 3}})
        for name in (TWO, "one", "99", ONE[:-1]):
            with self.refused(ERROR + "NoSuchGuest", name):
                self.ask(ONE, name)
        # Somebody who says to be the same one.
        self.vm("100-4", exits=5)
        self.qemu(100, "one", ONE)
        self.assertEqual(self.ask(), {"812-13": {"exits": 7}, "99-4": {"exits": 3}, "100-4": {"exits": 5}})

    def test_only_while_they_run_on_kvm(self):
        self.guest(ONE, name="one", defined="host-passthrough")
        self.guest(TWO, name="two", type="qemu", **RUNNING)
        self.vm("812-13", exits=7)
        self.vm("813-13", exits=8)
        self.qemu(812, "one", ONE)
        self.qemu(813, "two", TWO)
        self.begin()
        self.assertEqual(self.ask(), {"812-13": {"exits": 7}, "813-13": {"exits": 8}})
        for name in (ONE, TWO):
            with self.refused(ERROR + "NoSuchGuest", name):
                self.ask(name)

    def lock(self, counters, *options):
        self.guest(ONE, name="one", counters=counters, **RUNNING)
        self.vm("812-13", exits=7, guest_mode=1, nested_run=2)
        self.vm("99-4", exits=3, guest_mode=0)
        self.qemu(812, "one", ONE)
        self.withhold("812-13", "exits", "nested_run")
        self.withhold("99-4", "exits")
        write(self.host / "sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
        self.begin(*options, wrap=LOCKED)

    def withheld(self, counters, *names):
        """What is said of those; the counters without it."""
        self.assertEqual(counters.pop("Withheld"), list(names))
        reason = counters.pop("Reason")
        self.assertIn("locked down", reason)
        return reason

    def test_what_the_kernel_withholds(self):
        self.lock("exits 70 nested_run 20 guest_mode 9 pages_4k 4")
        answer = self.ask()
        self.assertNotIn("libvirt", self.withheld(answer["99-4"], "exits"))
        self.assertEqual(answer, {ONE: {"Machine": "812-13", "exits": 70, "nested_run": 20, "guest_mode": 1, "pages_4k": 4},
                                  "99-4": {"guest_mode": 0}})
        self.assertEqual(self.ask(ONE), {ONE: answer[ONE]})
        # Is of now, not of the last time.
        self.guest(ONE, name="one", counters="exits 71", **RUNNING)
        one = self.ask(ONE)[ONE]
        self.assertIn("Nor does libvirt tell them", self.withheld(one, "nested_run"))
        self.assertEqual(one, {"Machine": "812-13", "exits": 71, "guest_mode": 1})

    def test_libvirt_hangs(self):
        self.lock("exits 70 nested_run 20", "--guest-patience=2000000")
        self.hang()
        pending = self.caller.start("GetStatistics", ("ast", [], 0))
        # Others are served meanwhile, and whoever asks for nothing of libvirt's does not wait.
        other = self.ask("99-4")
        self.withheld(other["99-4"], "exits")
        self.assertFalse(pending.done)
        answer = pending.result()[0]
        self.assertIn("libvirt has not answered", self.withheld(answer[ONE], "exits", "nested_run"))
        self.withheld(answer["99-4"], "exits")
        self.assertEqual(answer, {ONE: {"Machine": "812-13", "guest_mode": 1}, "99-4": {"guest_mode": 0}})

    def test_libvirt_is_lost(self):
        self.lock("exits 70 nested_run 20")
        (self.host / "fake/libvirt").unlink()
        one = self.ask(ONE)[ONE]
        self.assertIn("libvirt can't be reached", self.withheld(one, "exits", "nested_run"))
        self.assertEqual(one, {"Machine": "812-13", "guest_mode": 1})

    def test_without_debugfs(self):
        self.guest(ONE, name="one", counters="exits 70", **RUNNING)
        self.guest(TWO, name="two", counters="", **RUNNING)
        self.begin()
        self.assertEqual(self.ask(), {ONE: {"exits": 70}})
        self.assertEqual(self.ask(ONE), {ONE: {"exits": 70}})
        for names in ((TWO,), (ONE, TWO), (ONE, "99-4")):
            with self.refused(ERROR + "Unsupported", "no debugfs"):
                self.ask(*names)
        (self.host / DEBUGFS).mkdir(parents=True)
        self.assertEqual(self.ask(), {ONE: {"exits": 70}})
        with self.refused(ERROR + "NoSuchGuest", TWO):
            self.ask(ONE, TWO)

    def test_nobody_says_anything(self):
        self.guest(ONE, name="one", counters="exits 70", **RUNNING)
        (self.host / DEBUGFS).mkdir(parents=True)
        self.begin("--guest-patience=300000")
        self.hang()
        with self.refused(ERROR + "TimedOut", "libvirt has not answered"):
            self.ask()


if __name__ == "__main__":
    main()
