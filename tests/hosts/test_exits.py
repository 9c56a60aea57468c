# SPDX-License-Identifier: LGPL-2.1-or-later
"""exits beside what a virtual machine is known to do, and beside the probe, whose guests' guests
are told apart."""

import re
import signal
import unittest

from nestvirt import NestvirtTest
from probing import PROBE
from ticks import Ticks


class Exits(NestvirtTest):
    def setUp(self):
        super().setUp()
        self.ctl("status")  # the daemon's start is no part of it
        self.machine = Ticks(self, self.host)

    def watch(self, guest, action):
        """What was counted while something was done: {exit: [count, of L2]}, and the sentences."""
        with self.host.start(f"exec nestvirtctl exits {guest} --interval=3000") as job:
            job.wait_for("Counting exits", stream="stderr")
            action()
            job.kill(signal.SIGINT)
            done = job.wait()
        self.assertEqual((done.status, done.stderr.count("\n")), (0, 1), done)
        lines = [re.split("  +", line) for line in done.stdout.splitlines()]
        self.assertEqual(lines[0], ["EXIT", "COUNT", "PER SECOND", "SHARE", "OF L2"])
        rows = {line[0]: [int(line[1]), 0 if line[4] == "-" else int(line[4])] for line in lines[1:] if len(line) == 5}
        total = rows.pop("total")
        self.assertEqual(total, [sum(row[i] for row in rows.values()) for i in (0, 1)])
        return rows, "\n".join(line[0] for line in lines[1:] if len(line) == 1)

    def test_exact_counts(self):
        self.machine.tick(1)
        pid = self.machine.name.partition("-")[0]
        for guest in ("vm-ticks", pid, self.machine.name):
            rows, said = self.watch(guest, lambda: self.machine.tick(1000))
            rows.pop("interrupt", None)
            self.assertEqual(rows, {"cpuid": [1000, 0], "hlt": [1, 0]})
            self.assertEqual(said, "No exit came from a guest of a guest.")

    def test_many_are_not_lost(self):
        rows, said = self.watch("vm-ticks", lambda: [self.machine.tick(20000) for _ in range(2)])
        self.assertEqual((rows["cpuid"], rows["hlt"]), ([40000, 0], [2, 0]))
        self.assertNotIn("too fast", said)

    def test_one_guest_and_all(self):
        other = Ticks(self, self.host)

        def both():
            self.machine.tick(100)
            other.tick(200)

        self.assertEqual(self.watch(other.name, both)[0]["cpuid"], [200, 0])
        self.assertEqual(self.watch("", both)[0]["cpuid"], [300, 0])

    def test_names_that_look_like_process_ids(self):
        """There is a process 7, and one whose number the other's name begins with."""
        pid = self.machine.name.partition("-")[0]
        for name in ("7-db", f"{pid}-db", pid, self.machine.name):
            with self.subTest(name):
                other = Ticks(self, self.host, name)
                rows, _ = self.watch(name, lambda other=other: (self.machine.tick(100), other.tick(200)))
                self.assertEqual(rows["cpuid"], [200, 0])
                other.job.stop()

    def test_guests_of_guests(self):
        """The probe with NPT runs its workload with shadow page tables, and then with NPT of L1's
        own."""
        rows, said = self.watch("", lambda: self.host.check(f"{PROBE} --json", timeout=300))
        self.assertGreater(rows["PF excp"][1], 1000)
        self.assertGreater(rows["invlpg"][1], 1000)
        self.assertGreater(rows["npf"][1], 100)
        # L1 runs L2, L2 runs nobody.
        self.assertEqual(rows["vmrun"][1], 0)
        self.assertGreater(rows["vmrun"][0], 3000)
        self.assertRegex(said, r"\d+ of \d+ exits of guests' guests are page faults, INVLPG and CR3: .* With NPT of its own")

    def test_json(self):
        result = self.json("exits --interval=0.2", user="root")
        self.assertEqual((result["total"], result["nested"], result["exits"], result["lost"]), (0, 0, {}, 0))
        self.assertGreater(result["seconds"], 0.19)
        self.assertEqual(result["readings"], ["No exits: no guest runs, or those that do have nothing to do"])
        lines = self.ctl("--json=short exits --interval=0.1 --count=3", user="root").stdout.splitlines()
        self.assertEqual(len(lines), 3)

    def test_who_may(self):
        for user in ("alice", "carol"):
            self.assertIn("Only root", self.ctl("exits", user=user, status=4).stderr)
            self.assertEqual(self.json("exits", user=user, status=4)["error"]["name"], "org.freedesktop.DBus.Error.AccessDenied")
        self.assertEqual(self.json("exits nobody", user="root", status=1)["error"]["name"], "org.nestvirt1.Error.NoSuchGuest")

    def test_without_kvm(self):
        self.machine.job.stop()
        self.host.check("modprobe -r kvm_amd")
        self.addCleanup(self.host.check, "modprobe kvm_amd && udevadm settle")
        self.assertIn("KVM is not loaded", self.ctl("exits", user="root", status=6).stderr)


if __name__ == "__main__":
    unittest.main()
