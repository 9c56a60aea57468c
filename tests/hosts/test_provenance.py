# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who decides what the next load gets: the winner and the overridden are named, and what would not
last is refused."""

import unittest

from nestvirt import KEPT, Nestvirt, NestvirtTest
from shared import own_host


class Files(NestvirtTest):
    def test_a_later_file_beats_ours(self):
        self.host.check("printf '# x\\noptions kvm-amd nested=1\\n' > /etc/modprobe.d/zzzz-test.conf")
        before = (self.nestvirt.state(), self.nestvirt.loads())
        message = self.ctl("set nested=0", status=1).stderr
        self.assertIn("zzzz-test.conf", message)
        self.assertIn("--runtime", message)
        self.assertEqual((self.nestvirt.state(), self.nestvirt.loads()), before)
        self.assertEqual(self.json("set nested=0 --runtime")["outcome"], "applied")
        self.assertEqual(self.value("nested"), "0")

    def test_the_winner_and_the_overridden(self):
        self.host.check(
            "echo 'options kvm-amd nested=1' > /etc/modprobe.d/test-a.conf;"
            "echo 'options kvm_amd npt=1 nested=0' > /etc/modprobe.d/test-b.conf"
        )
        entry = self.nestvirt.parameter("nested")
        self.assertEqual(entry["configured"], "0")
        self.assertEqual(entry["source"], "/etc/modprobe.d/test-b.conf:1")
        self.assertEqual(entry["overridden"], ["/etc/modprobe.d/test-a.conf:1"])
        self.ctl("set nested=1")
        entry = self.nestvirt.parameter("nested")
        self.assertEqual((entry["configured"], entry["source"].rpartition(":")[0]), ("1", KEPT))

    def test_a_masked_file_says_nothing(self):
        self.addCleanup(self.host.check, "rm -f /usr/lib/modprobe.d/test-m.conf /etc/modprobe.d/test-m.conf")
        self.host.check("mkdir -p /usr/lib/modprobe.d; echo 'options kvm_amd nested=0' > /usr/lib/modprobe.d/test-m.conf")
        entry = self.nestvirt.parameter("nested")
        self.assertEqual((entry["configured"], entry["source"]), ("0", "/usr/lib/modprobe.d/test-m.conf:1"))
        self.host.check("ln -s /dev/null /etc/modprobe.d/test-m.conf")
        entry = self.nestvirt.parameter("nested")
        self.assertEqual((entry["configured"], entry["source"]), ("", ""))


class KernelCommandLine(unittest.TestCase):
    def test_it_beats_every_file(self):
        with own_host() as host:
            host.boot(["kvm_amd.nested=0"])
            nestvirt = Nestvirt(self, host)
            host.check("echo 'options kvm_amd nested=1' > /etc/modprobe.d/test.conf")
            entry = nestvirt.parameter("nested")
            self.assertEqual((entry["configured"], entry["effective"]), ("0", "off"))
            self.assertEqual(entry["source"], "kernel command line")
            self.assertEqual(entry["overridden"], ["/etc/modprobe.d/test.conf:1"])

            for option in ("", " --next-boot"):
                message = nestvirt.ctl(f"set nested=1{option}", status=1).stderr
                self.assertIn("kernel command line", message)
            self.assertEqual((nestvirt.value("nested"), nestvirt.lines()), ("0", []))

            self.assertEqual(nestvirt.json("set nested=1 --runtime")["outcome"], "applied")
            self.assertEqual(nestvirt.value("nested"), "1")
            nestvirt.pristine()


if __name__ == "__main__":
    unittest.main()
