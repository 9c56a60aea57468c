# SPDX-License-Identifier: LGPL-2.1-or-later
"""What kvm_intel keeps, refuses and lacks: a value that sticks in kvm.ko, one that the CPU can't
do, the other vendor's switch."""

import unittest

from nestvirt import NestvirtTest

BY_HAND = "/etc/modprobe.d/test.conf"


class Rules(NestvirtTest):
    machine = "intel"

    def test_the_machine(self):
        self.assertEqual(self.host.check("cat /sys/module/kvm_intel/initstate"), "live\n")
        flags = self.host.check("grep -m1 '^vmx flags' /proc/cpuinfo").split()
        self.assertLessEqual({"ept", "shadow_vmcs", "apicv", "posted_intr", "unrestricted_guest", "pml"}, set(flags))
        self.assertNotIn("ipi_virt", flags)
        status = self.json("status", user="bob")
        self.assertEqual((status["vendor"], status["nested"], status["mmu"], status["device"]), ("intel", "on", "tdp", "ok"))
        self.ctl("check")

    def test_apicv_sticks_in_kvm(self):
        self.host.check("modprobe -r kvm_intel && modprobe kvm_intel enable_apicv=0 && rmmod kvm_intel && modprobe kvm_intel")
        self.assertEqual(self.value("enable_apicv"), "N")
        entry = self.nestvirt.parameter("enable_apicv")
        self.assertEqual((entry["effective"], entry["configured"]), ("off", ""))
        self.assertIn("kvm keeps its value", entry["reason"])
        self.assertIn("nestvirtctl reload", entry["reason"])

        self.assertEqual(self.json("reload")["outcome"], "applied")
        self.assertEqual(self.value("enable_apicv"), "Y")
        entry = self.nestvirt.parameter("enable_apicv")
        self.assertEqual((entry["effective"], entry["reason"]), ("on", ""))

    def test_what_the_cpu_lacks(self):
        before = (self.nestvirt.state(), self.nestvirt.loads())
        self.assertIn("ipi_virt", self.ctl("set enable_ipiv=on", status=6).stderr)
        self.assertIn("ept", self.ctl("set npt=off", status=6).stderr)
        self.assertIn("apicv", self.ctl("set avic=off", status=6).stderr)
        self.assertEqual((self.nestvirt.state(), self.nestvirt.loads()), before)

    def test_what_the_cpu_lacks_asked_for_by_hand(self):
        self.host.check(f"echo 'options kvm_intel enable_ipiv=1 ept=1' > {BY_HAND} && modprobe -r kvm_intel && modprobe kvm_intel")
        self.assertEqual(self.value("enable_ipiv"), "N")
        entry = self.nestvirt.parameter("enable_ipiv")
        self.assertEqual((entry["configured"], entry["effective"], entry["supported"]), ("1", "off", False))
        self.assertEqual(entry["source"], f"{BY_HAND}:1")
        for word in ("ipi_virt", BY_HAND):
            self.assertIn(word, entry["reason"])
        entry = self.nestvirt.parameter("ept")
        self.assertEqual((entry["configured"], entry["effective"], entry["reason"]), ("1", "on", ""))


if __name__ == "__main__":
    unittest.main()
