# SPDX-License-Identifier: LGPL-2.1-or-later
"""The probe on the real kvm_intel: whether VMCS shadowing is in use, which only counting tells, and
what EPT is worth."""

import unittest

from probing import ProbeTest, proof, row

COUNTS = (
    proof(vmcs_access=0) | row("one-level", 1, 1, 0, 0, 0, 0, 1) | row("shadow-on-ept", 2, 1, 3, 2, 2, 6, 6179)
    | row("ept-on-ept", 2, 1, 3, 3, 0, 0, 196)
)
WITHOUT_SHADOW_VMCS = (
    proof(5, vmcs_access=1) | row("one-level", 1, 1, 0, 0, 0, 0, 1) | row("shadow-on-ept", 9, 1, 10, 9, 9, 29, 29849)
    | row("ept-on-ept", 9, 1, 10, 10, 0, 0, 650)
)
WITHOUT_EPT = (
    proof(vmcs_access=0) | row("one-level", 1, 1, 0, 0, 2, 3, 3121) | row("shadow-on-shadow", 2, 1, 4, 4, 3, 9, 9267)
)
WITHOUT_BOTH = (
    proof(5, vmcs_access=1) | row("one-level", 1, 1, 0, 0, 2, 3, 3121) | row("shadow-on-shadow", 9, 1, 11, 11, 10, 32, 32937)
)


class Probe(ProbeTest):
    machine = "intel"

    def test_counts(self):
        self.assert_counts(COUNTS)
        self.assertIn("VMCS shadowing is in use", self.probe()["message"])
        self.assert_no_warnings()

    def test_counts_without_shadow_vmcs(self):
        self.load("enable_shadow_vmcs=0")
        self.assert_counts(WITHOUT_SHADOW_VMCS)
        self.assertIn("VMCS shadowing is not in use", self.probe()["message"])

    def test_counts_without_ept(self):
        self.load("ept=0")
        self.assert_counts(WITHOUT_EPT)

    def test_counts_without_both(self):
        self.load("ept=0 enable_shadow_vmcs=0")
        self.assert_counts(WITHOUT_BOTH, repeats=2)

    def test_off(self):
        self.assert_off("took #UD")


class Broken(ProbeTest):
    """One thing is broken each time, and named. What does not end is a matter of the AMD host: here
    a second of it takes a minute."""

    machine = "intel"

    def test_what_the_entry_refuses(self):
        self.assert_said("control", r"The VM entry failed \(VM-instruction error 7: ")
        self.assert_said("host-state", r"The VM entry failed \(VM-instruction error 8: ")
        self.assert_said("guest-state", r"The VM entry failed \(exit reason 0x80000021")

    def test_a_field_that_there_is_not(self):
        self.assert_said("field", r"VMWRITE failed \(VM-instruction error 12: .* for the field 0x6ffe")

    def test_what_is_not_mapped(self):
        self.assert_said("tables", "page fault for the address 0x300[0-9a-f]+ .exit reason 0")
        self.assert_said("nested-tables", "EPT violation for the address 0x[0-9a-f]+ .exit reason 48")

    def test_shutdown(self):
        self.assert_said("triple-fault", r"L2 shut down \(exit reason 2")


if __name__ == "__main__":
    unittest.main()
