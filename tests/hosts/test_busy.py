# SPDX-License-Identifier: LGPL-2.1-or-later
"""KVM in use: who holds it is named, nothing is changed, and what may wait happens by itself when
they end."""

import unittest

from nestvirt import PENDING, WITH_VM, WITHOUT_VM, NestvirtTest


class Busy(NestvirtTest):
    def test_the_holder_is_named_and_nothing_changed(self):
        for command in (WITH_VM, WITHOUT_VM):
            job, pid = self.hold(command)
            before = (self.nestvirt.state(), self.nestvirt.loads())
            self.assertIn(f"pid {pid}", self.ctl("set nested=0", status=5).stderr)
            self.assertIn("org.nestvirt1.Error.Busy", self.json("set nested=0", status=5)["error"]["name"])
            users = self.json("users")["users"]
            self.assertEqual([(user["pid"], user["uid"]) for user in users], [(int(pid), 0)])
            plan = self.json("set nested=0 --dry-run")
            self.assertEqual([impact["kind"] for impact in plan["impact"]], ["blocks"])
            self.assertIn(pid, plan["impact"][0]["message"])
            self.assertEqual((self.nestvirt.state(), self.nestvirt.loads()), before)
            job.stop()

    def test_the_unit_is_named(self):
        self.host.check(f"systemd-run -q --unit=test-holder {WITHOUT_VM.replace('read', 'exec sleep 1000')}")
        self.addCleanup(self.host.run, "systemctl stop test-holder")
        self.host.check("until fuser -s /dev/kvm 2>/dev/null || ls -l /proc/$(systemctl show -P MainPID test-holder)/fd | grep -q kvm; do :; done")
        self.assertIn("test-holder.service", self.ctl("set nested=0", status=5).stderr)
        self.assertEqual(self.json("users")["users"][0]["unit"], "test-holder.service")

    def test_in_effect_already_is_only_written(self):
        self.hold(WITHOUT_VM)
        self.assertEqual(self.json("set nested=1")["outcome"], "configured")
        self.assertEqual(self.nestvirt.lines(), ["options kvm_amd nested=1"])

    def test_a_writable_parameter_does_not_wait(self):
        self.hold(WITH_VM)
        self.assertEqual(self.json("set kvm.ignore_msrs=1")["outcome"], "applied")
        self.assertEqual(self.value("ignore_msrs", "kvm"), "Y")


class WhenIdle(NestvirtTest):
    def test_nobody_uses_it(self):
        self.assertEqual(self.json("set nested=0 --when-idle")["outcome"], "applied")
        self.assertEqual(self.value("nested"), "0")

    def test_an_open_device_without_a_vm(self):
        self.wait_applied(self.defer(WITHOUT_VM).stop)

    def test_a_vm(self):
        self.wait_applied(self.defer(WITH_VM).stop)

    def test_two_holders(self):
        first, second = self.defer(WITH_VM), self.hold(WITHOUT_VM)[0]
        first.stop()
        self.assertEqual(self.nestvirt.parameter("nested")["pending"], "0")
        self.wait_applied(second.stop)

    def test_the_client_can_wait(self):
        holder, _ = self.hold(WITH_VM)
        with self.host.start("exec nestvirtctl --json=short set nested=0 --when-idle --wait", user="alice") as waiting:
            self.host.check(f"until test -e {PENDING}; do sleep 0.1; done")
            holder.stop()
            result = waiting.wait()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.value("nested"), "0")

    def test_cancel_keeps_what_is_configured(self):
        job = self.defer(WITHOUT_VM)
        self.ctl("cancel")
        entry = self.nestvirt.parameter("nested")
        self.assertEqual((entry["pending"], entry["configured"], entry["effective"]), ("", "0", "on"))
        before = self.nestvirt.loads()
        job.stop()
        self.ctl("status")
        self.assertEqual((self.value("nested"), self.nestvirt.loads()), ("1", before))

    def test_it_outlives_the_daemon(self):
        job = self.defer(WITHOUT_VM)
        self.host.check("systemctl restart nestvirtd")
        self.assertEqual(self.nestvirt.parameter("nested")["pending"], "0")
        self.wait_applied(job.stop)

    def test_the_holder_ends_while_the_daemon_is_away(self):
        job = self.defer(WITHOUT_VM)
        self.host.check("systemctl stop nestvirtd")
        job.stop()
        self.wait_applied(lambda: self.host.check("systemctl start nestvirtd"))

    def test_a_load_that_fails_puts_the_configuration_back(self):
        job = self.defer(WITHOUT_VM)
        self.host.check("echo 'options kvm force_emulation_prefix=banana' > /etc/modprobe.d/test.conf")
        with self.host.start("exec busctl monitor --match \"type='signal',member='ChangeFinished'\"") as monitor:
            monitor.wait_for("Monitoring", stream="stderr")
            job.stop()
            monitor.wait_for("Member=ChangeFinished")
            monitor.wait_for("ReloadFailed")
        self.assertEqual((self.value("nested"), self.nestvirt.lines()), ("1", []))
        self.nestvirt.assert_whole()


if __name__ == "__main__":
    unittest.main()
