# SPDX-License-Identifier: LGPL-2.1-or-later
"""That the emulated host is what the other tests take it for, and that its agent tells the
truth."""

import signal
import unittest

from agent import HostError
from shared import HostTest, own_host

NESTED = "cat /sys/module/kvm_amd/parameters/nested"


class Machine(HostTest):
    def test_systemd_is_running(self):
        self.host.assert_running()
        self.assertEqual(self.host.run("hostname").stdout, "amdhost\n")

    def test_kvm_amd_is_live_and_can_nest(self):
        self.assertEqual(self.host.check("cat /sys/module/kvm_amd/initstate"), "live\n")
        self.assertEqual(self.host.check(NESTED), "1\n")
        self.assertRegex(self.host.check("cat /proc/cpuinfo"), r"\bsvm\b.*\bnpt\b")
        self.assertEqual(self.host.check("stat -c '%F %t:%T %U:%G %a' /dev/kvm"), "character special file a:e8 root:kvm 660\n")

    def test_nested_is_switched_by_a_reload(self):
        for value in ("0", "1"):
            self.host.check(f"modprobe -r kvm_amd && modprobe kvm_amd nested={value}")
            self.assertEqual(self.host.check(NESTED), value + "\n")
        self.host.check("udevadm settle")

    def test_a_value_that_the_kernel_refuses_leaves_no_vendor_module(self):
        refused = self.host.run("modprobe -r kvm_amd && modprobe kvm_amd nested=banana")
        self.addCleanup(self.host.check, "modprobe kvm_amd && udevadm settle")
        self.assertNotEqual(refused.status, 0)
        self.assertIn("Invalid argument", refused.stderr)
        self.assertNotEqual(self.host.run("test -e /sys/module/kvm_amd").status, 0)

    def test_users(self):
        for user in ("alice", "bob", "carol"):
            self.assertEqual(self.host.check("id -un; pwd", user=user), f"{user}\n/home/{user}\n")
            self.assertNotEqual(self.host.check("id -u", user=user), "0\n")

    def test_polkit_says_yes_to_alice_no_to_bob_and_asks_carol(self):
        for user, status in (("alice", 0), ("bob", 1), ("carol", 2)):
            with self.host.start("echo $$; exec sleep 600", user=user) as subject:
                pid = subject.wait_for(r"\d+")[0]
                answer = self.host.run(f"pkcheck --action-id org.nestvirt1.manage-modules --process {pid}")
                self.assertEqual(answer.status, status, f"{user}: {answer}")


class Commands(HostTest):
    def test_streams_and_status(self):
        result = self.host.run("echo out; echo err >&2; exit 7")
        self.assertEqual(result, (7, "out\n", "err\n"))
        self.assertEqual(self.host.run("kill -SEGV $$").status, -signal.SIGSEGV)
        self.assertEqual(self.host.run("true", user="nobody-of-that-name").status, 127)

    def test_input_and_output_of_any_bytes(self):
        data = bytes(range(256)) * 8192
        job = self.host.job("cat", input=data)
        self.assertEqual(job.wait_bytes().stdout, data)

    def test_several_at_once(self):
        with self.host.start("read line; echo first $line") as first, self.host.start("echo second; cat") as second:
            second.wait_for("^second$")
            self.assertEqual(self.host.run("echo third").stdout, "third\n")
            first.send("in\n")
            first.wait_for("^first in$")
            self.assertEqual(first.wait().status, 0)
            self.assertIsNone(second.status)
            self.assertEqual(second.stop().status, -signal.SIGKILL)

    def test_a_line_that_does_not_come(self):
        job = self.host.start("echo something else")
        with self.assertRaisesRegex(HostError, "status 0 before a line with 'never'"):
            job.wait_for("never")
        with self.host.start("sleep 600") as job, self.assertRaisesRegex(HostError, "were not enough"):
            job.wait_for("never", timeout=0.2)


class Life(unittest.TestCase):
    def test_a_power_cut_keeps_what_was_synced_and_only_that(self):
        with own_host() as host:
            host.boot(["kvm_amd.nested=0"])
            self.assertEqual(host.check(NESTED), "0\n")
            host.check("echo kept > /root/synced && sync /root/synced && echo lost > /root/unsynced")
            host.power_cut()
            with self.assertRaisesRegex(HostError, "not running"):
                host.run("true")

            host.boot()
            self.assertEqual(host.check(NESTED), "1\n")
            self.assertEqual(host.check("cat /root/synced"), "kept\n")
            self.assertEqual(host.run("cat /root/unsynced").stdout, "")
            host.power_off()

    def test_a_dead_host_is_an_error_with_the_end_of_its_console(self):
        with own_host() as host:
            host.boot()
            job = host.start("echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger")
            with self.assertRaisesRegex(HostError, "(?s)the host is gone.*console.log.*Kernel panic"):
                job.wait()
            self.assertFalse(host.alive())

    def test_a_host_that_hangs_is_given_up(self):
        with own_host() as host:
            host.boot()
            with self.assertRaisesRegex(HostError, "were not enough"):
                host.run("sleep 600", timeout=0.2)
            self.assertTrue(host.alive())
            host.process.send_signal(signal.SIGSTOP)
            host.agent.answer_seconds = 0.2
            with self.assertRaisesRegex(HostError, "were not enough for the end of: true"):
                host.run("true", timeout=0.2)
            self.assertFalse(host.alive())


if __name__ == "__main__":
    unittest.main()
