# SPDX-License-Identifier: LGPL-2.1-or-later
"""What users and stat show of other users' processes and machines: to an ordinary user how many
there are, to root and to whom polkit allows it all; with the same exit statuses, and nobody is
asked."""

import json
import re

from clients import NOBODY
from ctl import copy_for_others, run, run_on_terminal
from harness import BusTest, write
from polkit import READ_DETAILS, start_polkitd
from tap import main

ALLOWED, ROOT = 1, 0
GUEST = "3b5b08e4-3dca-4ff9-9a1d-40389758d081"
MACHINES = {"1234-13": 1000, "1235-14": 1000, "1236-15": NOBODY}


class Visibility(BusTest):
    def setUp(self):
        super().setUp()
        self.program = copy_for_others(self.folder)
        self.guest(GUEST, name="web1", defined="host-passthrough", live="host-passthrough")
        self.start_fake("--guests")
        start_polkitd(self, READ_DETAILS)
        for machine, uid in MACHINES.items():
            self.hold(int(machine[:4]), command=f"qemu-{machine[:4]}", uid=uid)
            write(self.host / "sys/kernel/debug/kvm" / machine / "exits", "7\n")
        write(self.host / "proc/1234/cmdline", f"qemu-system-x86_64\0-uuid\0{GUEST}\0")
        self.client().call("Refresh", ("t", 0))

    def ctl(self, uid, *arguments, status=0):
        result = run(*arguments, address=self.bus.address, program=self.program, user=uid)
        self.assertEqual((result.status, result.err), (status, ""), result)
        return result.out

    def json(self, uid, *arguments):
        return json.loads(self.ctl(uid, "--json=short", *arguments))

    def only_machines(self, text):
        return sorted(set(re.findall(r"\b123[4-6]-1[3-5]\b", text)))

    def test_in_full(self):
        for uid in (ROOT, ALLOWED):
            with self.subTest(uid):
                text = self.ctl(uid, "users")
                self.assertEqual(re.findall(r"(?m)^(\d+) ", text), ["1234", "1235", "1236"])
                self.assertNotIn("more", text)
                self.assertEqual([row["pid"] for row in self.json(uid, "users")["users"]], [1234, 1235, 1236])
                text = self.ctl(uid, "stat")
                self.assertEqual(self.only_machines(text), sorted(MACHINES))
                self.assertNotIn("more", text)
                done = self.json(uid, "stat")
                self.assertEqual(set(done["statistics"]), {GUEST, "1235-14", "1236-15"})
                self.assertEqual(done["guests"][GUEST], "web1")
                self.assertEqual(set(self.json(uid, "stat", "web1")["statistics"]), {GUEST})
                self.assertIn("Users: qemu-1234 (pid 1234)", self.ctl(uid, "status"))
                impact = self.json(uid, "set", "--dry-run", "nested=0")["impact"]
                self.assertEqual([i["subject"] for i in impact], ["pid 1234", "pid 1235", "pid 1236", "web1"])

    def test_an_ordinary_user(self):
        text = self.ctl(NOBODY, "users")
        self.assertEqual(re.findall(r"(?m)^(\d+) ", text), ["1236"])
        self.assertTrue(text.endswith("\n… and 2 more of other users\n"), text)
        rows = self.json(NOBODY, "users")["users"]
        self.assertEqual((rows[0]["pid"], rows[1:]), (1236, [{"omitted": 2}]))
        text = self.ctl(NOBODY, "stat")
        self.assertEqual(self.only_machines(text), ["1236-15"])
        self.assertTrue(text.endswith("\n… and 2 more of other users\n"), text)
        done = self.json(NOBODY, "stat")
        self.assertEqual(done["statistics"], {"1236-15": {"exits": 7}, "others": {"omitted": 2}})
        self.assertEqual(set(done["guests"]), {"1236-15"})
        self.assertRegex(self.ctl(NOBODY, "status"), r"(?m)^ +Users: qemu-1236 \(pid 1236\), web1.scope\n +: … and 2 more of other users$")
        plan = self.json(NOBODY, "set", "--dry-run", "nested=0")
        self.assertEqual([i.get("subject") for i in plan["impact"]], ["pid 1236", "web1", None])
        self.assertIn("\n  … and 2 more\n", self.ctl(NOBODY, "set", "--dry-run", "nested=0"))

    def test_one_who_has_none(self):
        self.assertEqual(self.ctl(2, "users"), "KVM is in use by 3 processes of other users.\n")
        self.assertEqual(self.json(2, "users"), {"users": [{"omitted": 3}]})
        self.assertEqual(self.ctl(2, "stat"), "3 virtual machines of other users\n")
        self.assertEqual(self.json(2, "stat")["statistics"], {"others": {"omitted": 3}})
        self.assertIn("Users: 3 processes of other users\n", self.ctl(2, "status"))

    def test_a_machine_of_others(self):
        """It runs, which is no secret, and so it is no error."""
        for word in ("web1", GUEST, "1235-14"):
            self.assertEqual(self.json(2, "stat", word)["statistics"], {"others": {"omitted": 1}})
            self.assertEqual(self.ctl(2, "stat", word), "1 virtual machine of other users\n")
        result = run("stat", "web2", address=self.bus.address, program=self.program, user=2)
        self.assertEqual((result.status, result.out), (1, ""), result)

    def test_a_terminal(self):
        """No question, though somebody is there."""
        for words, last in ((["users"], "2 more of other users"), (["stat", "--count=1"], "2 more of other users")):
            seen = run_on_terminal(*words, address=self.bus.address, program=self.program, user=NOBODY, NO_COLOR="1")
            self.assertEqual(seen.status, 0, seen)
            self.assertTrue(seen.out.endswith(f"{last}\n"), seen)
            self.assertNotIn("assword", seen.out)


if __name__ == "__main__":
    main()
