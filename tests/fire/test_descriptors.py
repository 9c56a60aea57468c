# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes that share very many open files, so that looking for those who hold KVM takes long: who
asks for something else does not wait, and who holds KVM is named all the same."""

import os

from clients import DRY_RUN, ERROR, MODULE, module_path
from harness import BusTest, write
from tap import main
from test_fairness import Held

WHOLE = os.environ.get("NESTVIRT_FIRE") == "whole"
DESCRIPTORS = 100_000 if WHOLE else 6_000
PROCESSES = 200 if WHOLE else 30
OFF = {"kvm_amd": {"nested": "0"}}


class Descriptors(BusTest):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_fake()
        self.attack()
        self.caller = self.client()

    def attack(self):
        shared = self.folder / "host/proc/1000/fd"
        shared.mkdir(parents=True)
        for i in range(DESCRIPTORS):
            (shared / str(i)).symlink_to("/dev/null")
        for pid in range(1001, 1000 + PROCESSES):
            folder = shared.parent.parent / str(pid)
            write(folder / "comm", "x\n")
            (folder / "fd").symlink_to("../1000/fd")
        self.hold(9000, command="holder")

    def list_users(self):
        return self.caller.start("ListUsers", ("t", 0), path=module_path("kvm"), interface=MODULE)

    def test_other_readings_are_answered_before(self):
        write(self.host / "sys/kernel/debug/kvm/exits", "1\n")
        with Held(self.daemon, "scans"):
            scans = [self.list_users() for _ in range(4)]
            self.caller.call("GetStatistics", ("ast", [], 0))
            self.assertFalse(any(scan.done for scan in scans))
        for scan in scans:
            scan.result()

    def test_the_holder_is_named(self):
        users, = self.list_users().result()
        self.assertEqual([user["Pid"] for user in users if "Pid" in user], [9000])
        with self.refused(ERROR + "Busy", "pid 9000 holder", "and perhaps more"):
            self.caller.set(OFF)
        impact = self.caller.set(OFF, DRY_RUN)["Impact"]
        self.assertIn("pid 9000 holder", impact[0]["Message"])


if __name__ == "__main__":
    main()
