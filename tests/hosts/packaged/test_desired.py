# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirtd on the real kvm_amd as Debian's packages bring it, on a host that is running: the
desired state as it is tested without packages, the packages' own tests, and an upgrade while
something waits."""

import unittest

import carried
import test_apply
import test_kill
from nestvirt import PENDING, WITHOUT_VM, NestvirtTest


class Apply(test_apply.Apply):
    """By hand, twice, said no more, while KVM is in use, and with a slip."""

    make = staticmethod(carried.make)


class PowerCutOfApply(test_kill.PowerCutOfApply):
    make = staticmethod(carried.make)


class Own(NestvirtTest):
    make = staticmethod(carried.make)

    def test_smoke(self):
        self.host.check(carried.TEST + "smoke")

    def test_toggle(self):
        self.host.check(carried.TEST + "toggle", timeout=300)

    def test_an_upgrade_keeps_what_waits(self):
        job = self.defer(WITHOUT_VM)
        before = self.host.check(f"cat {PENDING}; systemctl show -P MainPID nestvirtd")
        self.host.check(carried.UPGRADE, timeout=300)
        self.assertEqual(self.host.check("dpkg-query -W -f '${Version}' nestvirtd")[-2:], "+1")
        after = self.host.check(f"cat {PENDING}; systemctl show -P MainPID nestvirtd")
        self.assertEqual(after.splitlines()[:-1], before.splitlines()[:-1])
        # Nobody has called it, and it is another process, which waits all the same.
        self.assertNotIn(after.splitlines()[-1], ("0", before.splitlines()[-1]))
        self.assertEqual(self.value("nested"), "1")
        self.wait_applied(job.stop)


if __name__ == "__main__":
    unittest.main()
