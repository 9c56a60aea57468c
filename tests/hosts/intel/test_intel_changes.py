# SPDX-License-Identifier: LGPL-2.1-or-later
"""A change on the real kvm_intel that fails, is in the way, has to wait, is not allowed, or is
killed: the host is whole afterwards."""

import unittest

from nestvirt import WITH_VM, WITHOUT_VM, NestvirtTest
from test_kill import KillTest

# Both modules are still there; kvm is back and kvm_intel is not; both are, and the file is about to
# be.
MOMENTS = (("delete_module", 1), ("init_module,finit_module", 1), ("renameat,renameat2", 2))


class Changes(NestvirtTest):
    machine = "intel"

    def test_a_value_that_the_kernel_refuses_is_undone(self):
        self.host.check("echo 'options kvm force_emulation_prefix=banana' > /etc/modprobe.d/test.conf")
        before = self.nestvirt.state()
        self.assertIn("as it was", self.ctl("set nested=off ept=off", status=1).stderr)
        self.assertEqual(self.nestvirt.state(), before)
        self.nestvirt.assert_whole()

    def test_a_holder_is_named_and_whom_polkit_denies_changes_nothing(self):
        before = (self.nestvirt.state(), self.nestvirt.loads())
        for user in ("bob", "carol"):
            self.ctl("set nested=off", user=user, status=4)
        job, pid = self.hold(WITHOUT_VM)
        self.assertIn(f"pid {pid}", self.ctl("set nested=off", status=5).stderr)
        job.stop()
        self.assertEqual((self.nestvirt.state(), self.nestvirt.loads()), before)

    def test_it_happens_by_itself_when_the_vm_ends(self):
        self.wait_applied(self.defer(WITH_VM).stop)


class Kill(KillTest):
    machine = "intel"

    def test_sigkill(self):
        for calls, nth in MOMENTS:
            self.assertTrue(self.kill_at(calls, nth), f"a change makes fewer {calls} than {nth}")


if __name__ == "__main__":
    unittest.main()
