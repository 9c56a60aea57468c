# SPDX-License-Identifier: LGPL-2.1-or-later
"""The node /dev/kvm: judged, opened by a child alone, and mended."""

import unittest

from nestvirt import NestvirtTest

NODE = "stat -c '%F %t:%T %U:%G %a' /dev/kvm"
GOOD = "character special file a:e8 root:kvm 660\n"


class Device(NestvirtTest):
    def tearDown(self):
        self.host.check("test -c /dev/kvm || { rm -f /dev/kvm; mknod /dev/kvm c 10 232; }; chown root:kvm /dev/kvm; chmod 660 /dev/kvm")

    def finding(self, status):
        findings = {finding["id"]: finding for finding in self.json("check", status=status)["findings"]}
        return findings["device"]

    def test_a_good_one_is_left_alone(self):
        self.assertEqual(self.json("ensure-device", user="bob")["outcome"], "unchanged")
        self.assertEqual(self.finding(0)["status"], "pass")
        self.assertEqual(self.host.check(NODE), GOOD)

    def test_what_is_broken_is_mended_for_whom_polkit_allows(self):
        for command in ("rm /dev/kvm", "chmod 600 /dev/kvm", "chown alice:alice /dev/kvm"):
            self.host.check(command)
            before = self.host.run(NODE).stdout
            self.ctl("ensure-device", user="bob", status=4)
            self.assertEqual(self.host.run(NODE).stdout, before)
            self.assertEqual(self.json("ensure-device")["outcome"], "applied")
            self.assertEqual(self.host.check(NODE), GOOD)
            self.assertEqual(self.finding(0)["status"], "pass")

    def test_root_opens_it_whoever_owns_it(self):
        self.host.check("chown alice:alice /dev/kvm; chmod 660 /dev/kvm")
        self.assertEqual(self.finding(0)["status"], "pass")

    def test_a_missing_one_is_a_failure_with_the_command_that_mends_it(self):
        self.host.check("rm /dev/kvm")
        self.assertEqual(self.json("status")["device"], "missing")
        finding = self.finding(3)
        self.assertEqual((finding["status"], finding["fix"]), ("fail", "nestvirtctl ensure-device"))

    def test_what_a_unit_reads_of_the_cpu(self):
        """The sandbox lets it read the registers and ask KVM, and neither contradicts what the
        kernel prints."""
        self.host.check("modprobe msr")
        self.addCleanup(self.host.check, "modprobe -r msr")
        findings = self.json("check")["findings"]
        facts = self.host.check("cat /run/nestvirt/facts")
        self.assertRegex(facts, r"(?m)\Amsr:\nCPU 0:\n(0x[0-9a-f]{8} 0x[0-9a-f]{16}\n)*0xc0010114 0x0{16}\n")
        self.assertRegex(facts, r"(?m)^kvm-cpuid:\n   0x00000001 0x00: eax=")
        self.assertRegex(facts, r"(?m)^kvm-msr:\n0x[0-9a-f]{8} 0x[0-9a-f]{16}\n")
        sources = [(f["status"], f["message"]) for f in findings if f["id"] == "cpu-sources"]
        self.assertEqual([status for status, _ in sources], ["pass"], sources)
        self.assertIn("CPUID, what /dev/kvm offers", sources[0][1])
        firmware = [(f["status"], f["message"]) for f in findings if f["id"] == "firmware"]
        self.assertEqual([status for status, _ in firmware], ["pass"])
        self.assertIn("MSR 0xc0010114 is 0x0", firmware[0][1])
        self.assertEqual([f["status"] for f in findings if f["id"] == "cpus-differ"], ["pass"])

    def test_kvm_offers_svm_with_nested_alone(self):
        for value in ("off", "on"):
            self.ctl(f"set nested={value}")
            findings = self.json("check")["findings"]
            self.assertEqual([f["status"] for f in findings if f["id"] == "cpu-sources"], ["pass"])
            offered = self.host.check("grep '^   0x80000001 0x00:' /run/nestvirt/facts")
            ecx = int(offered.split("ecx=")[1].split()[0], 16)
            self.assertEqual(bool(ecx & 4), value == "on")

    def test_the_daemon_never_holds_it(self):
        self.ctl("check")
        self.assertEqual(self.json("users")["users"], [])
        self.assertEqual(self.json("set nested=0")["outcome"], "applied")


if __name__ == "__main__":
    unittest.main()
