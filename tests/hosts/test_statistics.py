# SPDX-License-Identifier: LGPL-2.1-or-later
"""stat beside what it reads, KVM's files in debugfs, on a virtual machine that stands still between
what it is told to do."""

import json
import signal
import unittest

from nestvirt import Nestvirt, NestvirtTest
from shared import own_host
from ticks import Ticks


def real_exits(counters):
    """Without the host's own interrupts."""
    return counters["exits"] - counters["irq_exits"]


class Statistics(NestvirtTest):
    def setUp(self):
        super().setUp()
        self.machine = Ticks(self, self.host)

    def stat(self, words="", **keywords):
        return self.json(f"stat {words}", user="alice", **keywords)

    def test_the_same_counters_with_the_same_values(self):
        self.machine.tick(100)
        before = self.stat()
        self.assertEqual(before["statistics"], {self.machine.name: self.machine.debugfs()})
        self.assertEqual(before["guests"], {self.machine.name: "vm-ticks"})
        # It is root's, and bob has no read-details.
        self.assertEqual(self.json("stat", user="bob")["statistics"], {"others": {"omitted": 1}})
        self.machine.tick(500)
        after = self.stat()
        self.assertEqual(after["statistics"], {self.machine.name: self.machine.debugfs()})
        counters = [s["statistics"][self.machine.name] for s in (before, after)]
        # So many times cpuid, and one hlt.
        self.assertEqual(real_exits(counters[1]) - real_exits(counters[0]), 501)
        self.assertEqual(counters[1]["halt_exits"] - counters[0]["halt_exits"], 1)

    def test_rates(self):
        with self.host.start("exec nestvirtctl --json=short stat --interval=1 vm-ticks", user="alice") as job:
            job.wait_for("^{")
            self.machine.tick(5000)
            # Those of before its end may wait to be read; after the first with all of it nothing
            # happened any more.
            all_of_it = self.machine.debugfs()["exits"]
            while json.loads(job.wait_for("^{.*")[0])["statistics"][self.machine.name]["exits"] != all_of_it:
                pass
            job.wait_for("^{")
            job.kill(signal.SIGINT)
            done = job.wait()
        self.assertEqual((done.status, done.stderr), (0, ""))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertNotIn("rates", lines[0])
        name = self.machine.name
        for before, now in zip(lines, lines[1:]):
            seconds = (now["time"] - before["time"]) / 1e6
            exits = now["statistics"][name]["exits"] - before["statistics"][name]["exits"]
            self.assertAlmostEqual(now["rates"][name]["exits"] * seconds, exits, delta=1 + exits / 20)
        self.assertGreater(max(line["rates"][name]["exits"] for line in lines[1:]), 0)
        self.assertEqual(lines[-1]["statistics"][name], self.machine.debugfs())
        self.assertEqual(lines[-1]["rates"][name]["exits"], 0)

    def test_guests_by_name_and_number(self):
        other = Ticks(self, self.host)
        both = {self.machine.name, other.name}
        self.assertEqual(set(self.stat()["statistics"]), both)
        self.assertEqual(set(self.stat("vm-ticks")["statistics"]), both)
        for word in (other.name, other.name.partition("-")[0]):
            self.assertEqual(set(self.stat(word)["statistics"]), {other.name})
        error = self.stat("nobody", status=1)["error"]
        self.assertEqual(error["name"], "org.nestvirt1.Error.NoSuchGuest")
        other.job.stop()
        self.assertEqual(set(self.stat()["statistics"]), {self.machine.name})

    def test_for_people(self):
        self.machine.tick(1)
        lines = [line.split() for line in self.ctl("stat", user="alice").stdout.splitlines()]
        self.assertEqual(lines[0][1:], ["GUEST", "MACHINE", "COUNTER", "TOTAL", "PER", "SECOND"])
        self.assertEqual([line[3] for line in lines[1:8]],
                         ["nested_run", "guest_mode", "exits", "io_exits", "mmio_exits", "tlb_flush", "insn_emulation"])
        self.assertEqual({line[3] for line in lines[1:]}, set(self.machine.debugfs()))

    def test_without_debugfs(self):
        self.stat()
        self.host.check("umount /sys/kernel/debug")
        self.addCleanup(self.host.run, "mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug")
        self.assertIn("mount -t debugfs debugfs /sys/kernel/debug", self.stat(status=6)["error"]["message"])
        self.host.check("mount -t debugfs debugfs /sys/kernel/debug")
        self.assertEqual(self.stat()["statistics"], {self.machine.name: self.machine.debugfs()})


class Locked(unittest.TestCase):
    def test_what_lockdown_withholds_is_said(self):
        with own_host() as host:
            host.boot()
            machine = Ticks(self, host)
            machine.tick(10)
            everything = set(machine.debugfs())
            host.check("echo integrity > /sys/kernel/security/lockdown")
            ctl = Nestvirt(self, host)
            counters = ctl.json("stat", user="alice")["statistics"][machine.name]
            withheld = set(counters.pop("withheld"))
            self.assertIn("locked down (/sys/kernel/security/lockdown: integrity)", counters.pop("reason"))
            self.assertEqual((withheld | set(counters), withheld & set(counters)), (everything, set()))
            self.assertIn("exits", withheld)
            self.assertIn("guest_mode", counters)
            self.assertRegex(ctl.ctl("stat", user="alice").stdout, rf"{len(withheld)} counters of {machine.name} are withheld. The kernel is locked")
            machine.job.stop()


if __name__ == "__main__":
    unittest.main()
