# SPDX-License-Identifier: LGPL-2.1-or-later
"""A file that says how the host and one of its guests are to be, on a host with libvirt that
nestvirtd comes to as Debian's packages: by the units of the boot, and while the guest runs."""

import unittest

import carried
import l1
from nestvirt import KEPT, Nestvirt

FILE = "/etc/nestvirt/50-site.conf"
DESIRED = "[Parameters]\nnested=off\n[Guest l1]\nNested=no\n"


class Guest(unittest.TestCase):
    def setUp(self):
        self.host = carried.make(machine="amd-guests")
        self.addCleanup(self.host.close)
        self.host.boot()
        l1.define(self.host)
        self.nestvirt = Nestvirt(self, self.host)
        self.ctl, self.json = self.nestvirt.ctl, self.nestvirt.json

    def say(self, text):
        self.host.check(f"mkdir -p /etc/nestvirt && cat > {FILE}", input=text.encode())

    def guest(self):
        # A libvirt that has seen another KVM tries QEMU out anew, however long that takes here.
        self.host.check("virsh domcapabilities >/dev/null", timeout=300)
        found = self.json("guest l1")
        return found["policy"], found["next_start"]

    def state(self):
        return self.nestvirt.value("nested"), self.nestvirt.lines(), self.guest()

    def test_host_and_guest(self):
        self.ctl("set-cpu l1 --nested=yes")
        self.assertEqual(self.state(), ("1", [], ("require", "yes")))

        # The units of the boot: the host's, and then, with libvirt, the guests'.
        self.say(DESIRED)
        self.host.check("systemctl start nestvirt-apply", timeout=120)
        self.assertEqual(self.state(), ("0", ["options kvm_amd nested=0"], ("require", "no")))
        self.host.check("systemctl start nestvirt-apply-guests", timeout=120)
        self.assertEqual(self.state(), ("0", ["options kvm_amd nested=0"], ("disable", "no")))

        # Twice is once.
        before = self.host.check(f"stat -c %y {KEPT} /etc/libvirt/qemu/l1.xml /var/lib/nestvirt/*")
        answer = self.json("apply")
        self.assertEqual((answer["outcome"], answer["changed"]), ("unchanged", False))
        self.assertEqual(self.host.check(f"stat -c %y {KEPT} /etc/libvirt/qemu/l1.xml /var/lib/nestvirt/*"), before)

        # While the guest runs the host's part waits, and the guest's is defined at once.
        self.host.check("virsh start l1", timeout=120)
        self.say("[Parameters]\nnested=on\n[Guest l1]\nNested=yes\n")
        self.assertEqual(self.json("apply")["outcome"], "deferred")
        self.assertEqual((self.nestvirt.value("nested"), self.nestvirt.parameter("nested")["pending"]), ("0", "1"))
        self.assertEqual(self.json("guest l1")["policy"], "require")
        with self.host.start("exec busctl monitor --match \"type='signal',member='ChangeFinished'\"") as monitor:
            monitor.wait_for("Monitoring", stream="stderr")
            self.host.check("virsh destroy l1", timeout=120)
            monitor.wait_for("Member=ChangeFinished")
            monitor.wait_for('STRING "applied"')
        self.assertEqual((self.nestvirt.value("nested"), self.guest()), ("1", ("require", "yes")))
        self.ctl("apply --check=effective")

        # Neither the guest nor the host is touched by a slip.
        before = self.state()
        self.say("[Parameters]\nnested=off\n[Guest l1]\nNestd=no\n")
        self.assertIn(f"{FILE}:4: ", self.ctl("apply", status=2).stderr)
        self.assertEqual(self.state(), before)
        self.host.finish()


if __name__ == "__main__":
    unittest.main()
