# SPDX-License-Identifier: LGPL-2.1-or-later
"""The probe on the real kvm_amd: what it proves, what it counts, and what it says when something is
broken.

The numbers are exact. They follow from what KVM does at an exit, and are the same in all releases
that were looked at.
"""

import json
import unittest

from probing import PROBE, ProbeTest, proof, row

COUNTS = proof() | row("one-level", 1, 1, 0, 0, 0, 0, 1) | row("shadow-on-npt", 2, 1, 3, 2, 2, 6, 6179) | row("npt-on-npt", 2, 1, 4, 4, 0, 0, 259)
SHADOW_COUNTS = proof() | row("one-level", 1, 1, 0, 0, 2, 3, 3121) | row("shadow-on-shadow", 2, 1, 4, 4, 3, 9, 9267)


class Probe(ProbeTest):
    def test_counts_with_npt(self):
        self.assert_counts(COUNTS)
        self.assert_no_warnings()

    def test_counts_without_npt(self):
        self.load("npt=0")
        self.assert_counts(SHADOW_COUNTS)
        self.assert_no_warnings()

    def test_the_report(self):
        boot_id = self.host.check("cat /proc/sys/kernel/random/boot_id").strip()
        before = int(self.host.check("date +%s%6N"))
        report = self.probe()
        self.assertEqual((report["result"], report["boot_id"], report["stale"]), ("on", boot_id, False))
        self.assertTrue(before <= report["time"] <= int(self.host.check("date +%s%6N")))
        self.assertEqual((report["parameters"]["kvm_amd.nested"], report["parameters"]["kvm_amd.npt"]), ("1", "Y"))
        self.assertIn("a guest of a guest ran", report["message"])

    def test_off(self):
        self.assert_off("VMRUN refused|took #UD")

    def test_off_is_not_off_while_kvm_stays_loaded(self):
        """Debian 12's 6.1 keeps SVME allowed in kvm.ko; later kernels reset it with the vendor
        module."""
        self.load()
        self.host.check("rmmod kvm_amd && modprobe kvm_amd nested=0 && udevadm settle")
        old = self.host.check("uname -r").startswith("6.1.")
        report = self.probe(0 if old else 3)
        self.assertEqual((report["result"], report["parameters"]["kvm_amd.nested"]), ("on" if old else "off", "0"))
        if old:
            self.assertIn("although kvm_amd.nested says off", report["message"])

    def test_without_permission_and_without_a_device(self):
        error = self.probe(4, user="carol")["error"]
        self.assertEqual(error["name"], "org.freedesktop.DBus.Error.AccessDenied")
        self.host.check("touch /run/not-kvm")
        self.assertEqual(self.probe(6, "--json --device=/run/not-kvm")["result"], "unsupported")

    def test_without_kvm_and_its_node_there_or_not(self):
        """A node that systemd-tmpfiles made before the module was loaded outlives the module."""
        self.addCleanup(self.load)
        self.addCleanup(self.host.check, "rm -f /dev/kvm")
        self.host.check("modprobe -r kvm_amd && udevadm settle")
        for command, message in (
            ("rm -f /dev/kvm", "There is no /dev/kvm"),
            ("mknod -m 666 /dev/kvm c 10 232", "There is no KVM behind /dev/kvm"),
        ):
            with self.subTest(message):
                self.host.check(command)
                report = self.probe(6)
                self.assertEqual((report["result"], report["counts"]), ("unsupported", {}))
                self.assertIn(message, report["message"])

    def test_whoever_may_open_the_device_needs_no_root_and_leaves_nothing(self):
        self.host.check("chmod 666 /dev/kvm")
        self.probe(user="carol")
        self.assertEqual(self.json("users")["users"], [])
        self.load()

    def test_times(self):
        times = self.probe(arguments="--json --measure=times").get("times", {})
        for name in ("one-level.round_trip", "shadow-on-npt.fresh_page", "npt-on-npt.fault"):
            time = times[name]
            self.assertTrue(0 < time["min"] <= time["median"] <= time["max"] and time["iterations"] >= 64, time)

    def test_for_people(self):
        text = self.host.check(PROBE, timeout=180)
        self.assertRegex(text, r"^Nested virtualization works: ")
        self.assertRegex(text, r"\nshadow-on-npt.workload 6179\n(.*\n)*npt-on-npt.workload 259\n$")


class OnTheBus(ProbeTest):
    """Alice may not open /dev/kvm, but polkit lets her ask."""

    def test_the_daemon_has_it_run_and_keeps_the_result(self):
        result = self.json("probe")
        self.assertEqual((result["result"], result["stale"], result["counts"]), ("on", False, COUNTS))
        self.assertEqual(self.json("status", user="bob")["probe_result"], result)
        self.assertEqual(self.host.run("systemctl is-failed nestvirt-probe@counts.service").stdout, "inactive\n")
        self.assertEqual(self.json("users")["users"], [])

    def test_it_is_stale_after_a_reload(self):
        self.json("probe")
        self.assertEqual(self.json("set npt=0")["outcome"], "applied")
        self.assertTrue(self.json("status")["probe_result"]["stale"])
        result = self.json("probe")
        self.assertEqual((result["stale"], result["counts"]), (False, SHADOW_COUNTS))

    def test_off_is_an_answer(self):
        self.ctl("set nested=off")
        self.assertEqual(self.json("probe", status=3)["result"], "off")
        self.assertIn("off", self.ctl("probe", user="root", status=3).stdout)

    def test_whom_polkit_denies(self):
        for user in ("bob", "carol"):
            self.assertIn("AccessDenied", self.json("probe", user=user, status=4)["error"]["name"])
        self.assertEqual(self.json("status")["probe_result"], {})


class Verify(ProbeTest):
    """What a parameter says is tried, and told apart from what is so."""

    def found(self):
        """What check has to say of the probe, as (status, fix), or None."""
        result = self.host.run("nestvirtctl --json=short check", user="alice", timeout=120)
        findings = [f for f in json.loads(result.stdout)["findings"] if f["id"] == "probe"]
        return (findings[0]["status"], findings[0]["fix"]) if findings else None

    def test_proven_both_ways(self):
        self.assertIsNone(self.found())
        result = self.json("set nested=off --verify")
        self.assertEqual((result["outcome"], result["verified"]), ("applied", "off"))
        self.assertEqual(self.found(), ("pass", ""))
        self.assertRegex(self.ctl("reset nested --verify").stdout, "Done: in effect now.(.*\n)*Proven on: a guest of a guest ran.\n$")
        self.assertEqual(self.json("set nested=on --verify")["verified"], "on")
        self.assertEqual(self.found(), ("pass", ""))
        self.assertIn("nothing is proven", self.ctl("set nested=on --verify --no-ask-password", user="bob", status=4).stderr)

    def test_off_that_only_looks_so(self):
        """Debian 12's 6.1, where kvm has stayed loaded; it is found although nobody has told
        nestvirtd of it."""
        self.host.check("rmmod kvm_amd && modprobe kvm_amd nested=0 && udevadm settle")
        if not self.host.check("uname -r").startswith("6.1."):
            self.assertEqual(self.json("set nested=off --verify")["verified"], "off")
            return
        failed = self.ctl("set nested=off --verify", status=7)
        self.assertIn("although kvm_amd.nested says off", failed.stderr)
        self.assertEqual(self.found(), ("fail", "nestvirtctl reload"))
        self.ctl("reload")
        self.assertEqual(self.json("set nested=off --verify")["verified"], "off")
        self.assertEqual(self.found(), ("pass", ""))


class Broken(ProbeTest):
    """One thing is broken each time, and named."""

    def test_what_vmrun_refuses(self):
        for what in ("control", "host-state", "guest-state"):
            self.assert_said(what, r"VMRUN refused the VMCB \(exit code -1")

    def test_what_is_not_mapped(self):
        self.assert_said("tables", "page fault for the address 0x300[0-9a-f]+ .exit code 0x4e")
        self.assert_said("nested-tables", "nested page fault for the address 0x[0-9a-f]+ .exit code 0x400")

    def test_shutdown(self):
        self.assert_said("triple-fault", r"L2 shut down \(exit code 0x7f")
        self.assert_said("l1-shutdown", r"L1 shut down \(a triple fault")

    def test_an_exception_of_l1(self):
        self.assert_said("l1-undefined", "L1 took #UD at 0x30000 ")

    def test_what_does_not_end_is_ended(self):
        self.assert_said("l1-spins", "L1 does not end: stopped after .* at the address 0x30000$", "hang")
        self.assert_said("l2-spins", "L2 does not end: stopped after .* at the address 0x300[0-9a-f]+$", "hang")


if __name__ == "__main__":
    unittest.main()
