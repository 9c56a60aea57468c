# SPDX-License-Identifier: LGPL-2.1-or-later
"""The desired state on the real kvm_amd: by hand and by the unit of the boot, while KVM is in use,
said no more, and with a slip."""

import unittest

from nestvirt import KEPT, WITHOUT_VM, NestvirtTest

FILE = "/etc/nestvirt/50-site.conf"
APPLIED = "/var/lib/nestvirt/applied"


class Apply(NestvirtTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.host.run, f"rm -f {FILE}; systemctl stop nestvirt-apply nestvirt-apply-guests; systemctl reset-failed")

    def say(self, text):
        self.host.check(f"mkdir -p /etc/nestvirt && cat > {FILE}", input=text.encode())

    def apply(self, arguments="", status=0):
        return self.json(f"apply {arguments}", status=status)

    def test_by_hand_twice_and_said_no_more(self):
        self.say("[Parameters]\nnested=off\n")
        self.assertEqual(self.ctl("apply --check", status=3).stdout.splitlines()[1],
                         "  kvm_amd.nested: desired off, configured nothing, in effect on")
        self.assertEqual((self.apply()["outcome"], self.value("nested")), ("applied", "0"))
        self.assertEqual(self.nestvirt.lines(), ["options kvm_amd nested=0"])
        before = (self.nestvirt.state(), self.nestvirt.loads(), self.host.check(f"stat -c %y {KEPT} {APPLIED}"))
        self.assertEqual(self.apply()["outcome"], "unchanged")
        self.assertEqual((self.nestvirt.state(), self.nestvirt.loads(), self.host.check(f"stat -c %y {KEPT} {APPLIED}")), before)
        self.ctl("apply --check")
        self.host.check(f"rm {FILE}")
        self.assertEqual((self.apply()["outcome"], self.value("nested"), self.nestvirt.lines()), ("applied", "1", []))
        self.assertEqual(self.host.run(f"test -e {APPLIED}").status, 1)

    def test_by_the_unit_of_the_boot(self):
        self.say("[Parameters]\nnested=off\n[Guests]\nNested=no\n")
        self.host.check("systemctl start nestvirt-apply")
        self.assertEqual((self.value("nested"), self.nestvirt.lines()), ("0", ["options kvm_amd nested=0"]))
        self.say("[Parameters]\nnested=of\n")
        self.host.check("systemctl restart nestvirt-apply")  # no boot fails of that
        self.assertIn(f"{FILE}:2: nested can be on or off", self.host.check("journalctl --sync; journalctl -q -b -u nestvirt-apply"))
        self.assertEqual((self.value("nested"), self.nestvirt.lines()), ("0", ["options kvm_amd nested=0"]))

    def test_while_kvm_is_in_use(self):
        job, _ = self.hold(WITHOUT_VM)
        self.say("[Parameters]\nnested=off\n")
        self.assertEqual((self.apply()["outcome"], self.value("nested")), ("deferred", "1"))
        self.assertEqual(self.apply()["outcome"], "unchanged")
        self.assertIn("it waits", self.ctl("apply --check").stdout)
        self.ctl("apply --check=effective", status=3)
        self.wait_applied(job.stop)
        self.ctl("apply --check=effective")

    def test_a_slip_changes_nothing(self):
        self.say("[Parameters]\nnested=off\n\n[kvm_amd]\nnptt=off\n")
        before = (self.nestvirt.state(), self.nestvirt.loads())
        self.assertIn(f"{FILE}:5: No parameter of kvm_amd is called \"nptt\"", self.ctl("apply", status=2).stderr)
        self.assertEqual((self.nestvirt.state(), self.nestvirt.loads()), before)


if __name__ == "__main__":
    unittest.main()
