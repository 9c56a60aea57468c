# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fingerprints of hosts with and without nested paging, and what KVM takes."""

import unittest

from fingerprints import Fingerprints
from nestvirt import NestvirtTest

ON, OFF = "", "npt=0"


class Fingerprint(NestvirtTest):
    def test_what_is_said_is_what_kvm_says(self):
        verdicts = Fingerprints(self).hold_against_kvm([ON, OFF])
        self.assertEqual({pair: verdict for pair, (verdict, _) in verdicts.items()},
                         {(ON, ON): "identical", (OFF, OFF): "identical", (OFF, ON): "accepts", (ON, OFF): "refuses"})
        missing = {d["feature"]: (d["kind"], d.get("parameter"), d.get("host")) for d in verdicts[ON, OFF][1]}
        self.assertEqual(missing["npt"], ("missing", "kvm_amd.npt=1", "second"))

    def test_what_is_said_is_what_qemu_says(self):
        """Of a guest that has all that is offered with nested paging, with and without it."""
        prints = Fingerprints(self)
        features = prints.read(ON)["features"]
        self.assertIn("npt", features)
        self.assertEqual((prints.verdict(ON)[0], prints.starts(features)), ("identical", (True, "")))
        prints.load(OFF)
        verdict, differences = prints.verdict(ON)
        started, words = prints.starts(features)
        self.assertEqual((verdict, started), ("refuses", False), words)
        told = [line.split("EDX.")[1].split()[0] for line in words.splitlines() if "EDX." in line]
        self.assertEqual(sorted(told), sorted(d["feature"] for d in differences))

    def test_what_a_unit_reads(self):
        """The sandbox lets it ask; anybody may have it asked."""
        found = self.json("fingerprint", user="bob")
        self.assertEqual((found["ability"]["vendor"], found["ability"]["svm"]), ("amd", "0x1"))
        self.assertEqual(found["ability"]["nested_state.size"], "0x1080")
        self.assertIn("npt", found["features"])
        self.assertEqual(found["release"], self.host.check("uname -r").strip())

    def test_nested_off_offers_nothing(self):
        prints = Fingerprints(self)
        found = [prints.read(options) for options in ("", "nested=0")]
        self.assertEqual([f["ability"]["svm"] for f in found], ["0x1", "0x0"])
        self.assertEqual(prints.verdict(""), ("refuses", [
            {"feature": "svm", "kind": "missing", "parameter": "kvm_amd.nested=1", "host": "second"}]))


if __name__ == "__main__":
    unittest.main()
