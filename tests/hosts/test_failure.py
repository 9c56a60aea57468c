# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can go wrong with the real loader: it is found before anything is unloaded, or undone."""

import unittest

from nestvirt import Nestvirt, NestvirtTest
from shared import own_host

FILE = "$(modinfo -n kvm_amd)"


class Failure(NestvirtTest):
    def assert_refused(self, status, *says):
        """Refused before anything was unloaded."""
        before = (self.nestvirt.state(), self.nestvirt.loads())
        message = self.ctl("set nested=0", status=status).stderr
        for word in says:
            self.assertIn(word, message)
        self.assertEqual((self.nestvirt.state(), self.nestvirt.loads()), before)

    def test_a_value_that_the_kernel_refuses(self):
        self.host.check("echo 'options kvm force_emulation_prefix=banana' > /etc/modprobe.d/test.conf")
        before = self.nestvirt.state()
        message = self.ctl("set nested=0", status=1).stderr
        self.assertIn("as it was", message)
        self.assertEqual(self.nestvirt.state(), before)
        self.nestvirt.assert_whole()

    def test_a_module_file_that_is_no_module(self):
        name = self.host.check(f"echo {FILE}").strip()
        self.addCleanup(self.host.check, f"mv {name}.away {name}")
        self.host.check(f"mv {name} {name}.away && echo garbage > {name}")
        self.assert_refused(1, "kvm_amd")

    def test_a_module_file_that_is_gone(self):
        name = self.host.check(f"echo {FILE}").strip()
        self.addCleanup(self.host.check, f"mv {name}.away {name}")
        self.host.check(f"mv {name} {name}.away")
        self.assert_refused(6, "kvm_amd", "--next-boot")

    def test_install_and_remove_lines(self):
        for verb in ("install", "remove"):
            self.host.check(f"echo '{verb} kvm_amd /bin/true' > /etc/modprobe.d/test.conf")
            self.assert_refused(6, verb, "/etc/modprobe.d/test.conf:1")

    def test_udev_is_faster_once(self):
        """Between our unload and our load, udev loads the module with its defaults; the read-back
        notices."""
        self.ctl("status")
        inject = "strace -f -q -o /dev/null -p $(systemctl show -P MainPID nestvirtd) -e trace=init_module,finit_module"
        delay = "-e inject=init_module,finit_module:delay_enter=8000000:when=2"
        with self.host.start(f"exec {inject} {delay}") as tracer:
            self.host.check("until grep -q 'TracerPid:[[:space:]]*[1-9]' /proc/$(systemctl show -P MainPID nestvirtd)/status; do :; done")
            with self.host.start("exec nestvirtctl --json=short set nested=0", user="alice") as job:
                self.host.check("while test -e /sys/module/kvm_amd; do :; done; udevadm trigger -c add -s cpu; udevadm settle")
                self.host.check("until test -e /sys/module/kvm_amd; do sleep 0.1; done")
                result = job.wait(180)
            tracer.stop()
        self.assertEqual(result.status, 0, f"{result}{self.nestvirt.said()}")
        self.assertIn("somebody else", result.stdout)
        self.assertEqual(self.value("nested"), "0")
        self.assertEqual(self.nestvirt.lines(), ["options kvm_amd nested=0"])
        self.nestvirt.assert_whole()


# The signature, what tells its length, and the mark at the end.
WITHOUT_SIGNATURE = r"""perl -e 'open(F, "+<", $ARGV[0]) or die; local $/; $_ = <F>;
/(.{4})~Module signature appended~\n\z/s or die "no signature"; truncate(F, length($_) - 28 - 12 - unpack("N", $1)) or die'"""


class Locked(unittest.TestCase):
    """What can't be undone without a boot has a host of its own."""

    def test_signatures_become_a_must(self):
        """A module without one, loaded before, is not unloaded: it could not be loaded again, not
        even to undo the change."""
        with own_host() as host:
            host.boot()
            host.check(f"{WITHOUT_SIGNATURE} {FILE}; sync")
            host.power_off()
            host.boot()
            nestvirt = Nestvirt(self, host)
            self.assertIn("E", host.check("cat /sys/module/kvm_amd/taint"))
            host.check("echo 1 > /sys/module/module/parameters/sig_enforce")
            before = (nestvirt.state(), nestvirt.loads())
            self.assertIn("signature", nestvirt.ctl("set nested=0", status=6).stderr)
            self.assertEqual((nestvirt.state(), nestvirt.loads()), before)
            nestvirt.assert_whole()

    def test_modules_disabled(self):
        with own_host() as host:
            host.boot()
            nestvirt = Nestvirt(self, host)
            host.check("sysctl -w kernel.modules_disabled=1")
            before = (nestvirt.state(), nestvirt.loads())
            self.assertIn("modules_disabled", nestvirt.ctl("set nested=0", status=6).stderr)
            self.assertEqual((nestvirt.state(), nestvirt.loads()), before)
            nestvirt.ctl("set nested=0 --next-boot")
            self.assertEqual(nestvirt.lines(), ["options kvm_amd nested=0"])


if __name__ == "__main__":
    unittest.main()
