# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fingerprints of hosts with other parameters of kvm_intel, and what KVM takes."""

import unittest

from fingerprints import Fingerprints
from nestvirt import NestvirtTest

SETS = ["", "ept=0", "enable_apicv=0", "enable_shadow_vmcs=0"]


class Fingerprint(NestvirtTest):
    machine = "intel"

    def test_what_is_said_is_what_kvm_says(self):
        verdicts = Fingerprints(self).hold_against_kvm(SETS)
        words = {pair: verdict for pair, (verdict, _) in verdicts.items()}
        for options in SETS:
            self.assertEqual(words[options, options], "identical")
        # KVM emulates the shadow VMCS and offers it in any case.
        self.assertEqual(words["", "enable_shadow_vmcs=0"], "identical")
        for options, feature in (("ept=0", "vmx-ept"), ("enable_apicv=0", "vmx-posted-intr")):
            self.assertEqual((words["", options], words[options, ""]), ("refuses", "accepts"))
            differences = {d["feature"]: d for d in verdicts["", options][1]}
            self.assertEqual(differences[feature]["parameter"], f"kvm_intel.{options[:-1]}1")
        # Each lacks what the other has.
        self.assertEqual((words["ept=0", "enable_apicv=0"], words["enable_apicv=0", "ept=0"]), ("refuses", "refuses"))


if __name__ == "__main__":
    unittest.main()
