# SPDX-License-Identifier: LGPL-2.1-or-later
"""The whole way on the real thing: libvirtd, QEMU and KVM, a guest that is given SVM, and a guest
in the guest."""

import json
import re
import unittest

import l1
from nestvirt import Nestvirt
from shared import own_host


class GuestsTest(unittest.TestCase):
    """One host for all tests of a class, as libvirt takes its time to get to know QEMU; each finds
    L1 defined and off, with the CPU it came with."""

    suite = None

    @classmethod
    def setUpClass(cls):
        cls.host = own_host(machine="amd-guests", suite=cls.suite)
        cls.addClassCleanup(cls.host.finish)
        cls.host.boot()
        l1.define(cls.host)

    def setUp(self):
        self.nestvirt = Nestvirt(self, self.host)
        self.ctl = self.nestvirt.ctl
        self.addCleanup(self.host.check, "virsh define /dev/stdin", input=self.xml())
        self.addCleanup(self.host.run, "virsh destroy l1")

    def xml(self):
        return self.host.check("virsh dumpxml --inactive --security-info l1")

    def guest(self, user="bob"):
        """What everybody may know of L1."""
        return self.nestvirt.json("guest l1", user)

    def assert_guest(self, **expected):
        guest = self.guest()
        self.assertEqual({name: guest[name] for name in expected}, expected, guest)
        return guest


class Guests(GuestsTest):
    def test_given_used_and_taken_away(self):
        self.assert_guest(active=False, policy="", next_start="no")
        self.ctl("set-cpu l1 --nested=yes")
        self.assert_guest(policy="require", next_start="yes", restart_needed=False)

        console = l1.start(self.host)
        self.addCleanup(console.stop)
        console.wait_for("^L1: svm", timeout=300)
        console.wait_for("^L1: kvm_amd loaded: 0", timeout=120)
        self.assert_check(json.loads(console.wait_for("^L1: check (.*)", timeout=300)[1]))
        console.wait_for("^L2: up, with 1 processor", timeout=300)
        self.assert_guest(now="yes", restart_needed=False)
        self.assert_using()

        self.ctl("set-cpu l1 --nested=no")
        self.assert_guest(policy="disable", next_start="no", now="yes", restart_needed=True)
        self.assert_using()
        console.stop()
        self.host.check("virsh destroy l1")
        again = l1.start(self.host)
        self.addCleanup(again.stop)
        again.wait_for("^L1: no svm", timeout=300)
        self.assert_guest(now="no", using="no", restart_needed=False)

    def assert_using(self):
        """L2 never rests, but at the very moment of a question L1 or the host may have the
        processor."""
        self.assertIn("yes", {self.guest()["using"] for _ in range(20)})

    def assert_check(self, answer):
        """In the guest, the same client and daemon find what a hypervisor needs, and know where
        they are."""
        findings = {finding["id"]: finding for finding in answer["findings"]}
        self.assertEqual({findings[name]["status"] for name in ("cpu", "vendor-module", "device", "nested", "paging")}, {"pass"})
        self.assertRegex(findings["level"]["message"], r"itself a virtual machine \(hypervisor: kvm\)")
        self.assertIn("The host below (KVM) does not give", findings["below"]["message"])

    # It holds KVM, and is asked by libvirt until somebody writes to the pipe.
    EMULATOR = """#!/bin/bash
exec 9<>/dev/kvm
read -r < /run/emulator
exit 1
"""

    def test_libvirt_trying_out_an_emulator_is_waited_for(self):
        self.host.check("cat > /usr/bin/emulator; chmod 755 /usr/bin/emulator; mkfifo -m 666 /run/emulator", input=self.EMULATOR)
        self.addCleanup(self.host.check, "rm /usr/bin/emulator /run/emulator")
        with self.host.start("virsh domcapabilities --emulatorbin /usr/bin/emulator") as asking:
            self.host.check("until nestvirtctl users | grep libvirtd.service; do :; done")
            impact, = self.nestvirt.json("set nested=0 --dry-run")["impact"]
            self.assertRegex(impact["message"], r"of libvirtd\.service holds KVM; it is libvirt trying out QEMU, which ends by itself")
            # The second one is answered while the first one waits.
            self.host.check("nestvirtctl set nested=0 & nestvirtctl set nested=0 --dry-run; echo > /run/emulator; wait $!")
            self.assertNotEqual(asking.wait(60).status, 0)
        self.assertEqual(self.nestvirt.value("nested"), "0")
        self.nestvirt.ctl("reset")

    def test_denied(self):
        before = self.xml()
        self.ctl("set-cpu l1 --nested=yes", user="bob", status=4)
        self.ctl("prepare l1 hyperv", user="bob", status=4)
        self.assertEqual(self.xml(), before)


    def test_the_password_stays_and_is_not_told(self):
        """libvirt shows it to those alone who ask for it, and would take a definition without it as
        one that has none."""
        said = self.ctl("set-cpu l1 --nested=yes --dry-run").stdout + self.ctl("prepare l1 hyperv --dry-run").stdout
        self.assertIn("+", said)
        self.ctl("prepare l1 hyperv")
        self.ctl("set-cpu l1 --nested=no --mode=host-passthrough")
        self.assertIn(l1.PASSWORD, self.xml())
        self.assertNotIn(l1.PASSWORD, said + self.host.check("journalctl --boot --no-pager"))


class HostChanges(GuestsTest):
    """The host's KVM gives less than before."""

    # <cpu>, what was said of the next start, and the feature's policy in the live XML. (libvirt
    # 9.0: qemuProcessStartValidateCPU, virCPUx86UpdateLive.)
    CASES = (
        ('mode="host-model" check="partial"', "", "no", "disable"),
        ('mode="custom" match="exact" check="partial"', "<model>kvm64</model>", "no", "disable"),
        # A model of which svm is a part, without what QEMU's emulated CPU lacks.
        ('mode="custom" match="exact" check="partial"', '<model>Opteron_G2</model><feature policy="disable" name="vme"/>', "no", "disable"),
        ('mode="host-passthrough" check="none"', "", "no", "require"),  # it lies
        ('mode="custom" match="exact" check="full"', "<model>kvm64</model>", "fails", None),
    )
    SVM = '{"execute": "qom-get", "arguments": {"path": "/machine/unattached/device[0]", "property": "svm"}}'

    def test_require_is_not_what_it_says(self):
        """libvirt takes policy='require' for a wish when the CPU has SVM and KVM does not give it.
        QEMU is asked what the guest has."""
        self.ctl("set-cpu l1 --nested=yes")
        impact = self.nestvirt.json("set nested=off --dry-run")["impact"]
        self.assertEqual([(one["subject"], one["kind"]) for one in impact], [("l1", "loses-nested")])
        self.addCleanup(self.ctl, "reset")
        self.ctl("set nested=off")
        for attributes, model, next_start, policy in self.CASES:
            with self.subTest(attributes):
                cpu = f'<cpu {attributes}>{model}<feature policy="require" name="svm"/></cpu>'
                self.host.check("virsh define /dev/stdin", input=l1.XML.replace('<cpu mode="host-model"/>', cpu), timeout=120)
                self.assert_guest(policy="require", next_start=next_start)
                started = self.host.run("virsh start --paused l1", timeout=120)
                self.assertEqual(started.status == 0, policy is not None, started.stderr)
                if policy:
                    self.assert_runs_without_svm(policy)
                else:
                    self.assertRegex(started.stderr, "guest CPU doesn't match specification: .*missing features: .*svm")

    def assert_runs_without_svm(self, policy):
        self.assert_guest(now="no", using="no")
        self.assertRegex(self.host.check("virsh dumpxml l1"), rf"<feature policy='{policy}' name='svm'/>")
        self.assertEqual(json.loads(self.host.check(f"virsh qemu-monitor-command l1 '{self.SVM}'"))["return"], False)
        self.host.check("virsh destroy l1")

    def host_model(self):
        """What libvirt gives to guests whose CPU is host-model, npt among it or not."""
        text = self.host.check("virsh domcapabilities --virttype kvm", timeout=120)
        return re.search("<mode name='host-model' supported='yes'>(.*?)</mode>", text, re.S)[1]

    def test_libvirt_looks_again(self):
        """It does not notice by itself that npt has gone."""
        npt = "<feature policy='require' name='npt'/>"
        self.assertIn(npt, self.host_model())
        self.addCleanup(self.ctl, "reset")
        with self.host.start("journalctl --follow --lines=0 --output=cat --unit=nestvirtd") as journal:
            self.ctl("set npt=off")
            journal.wait_for("host-model has lost npt$", timeout=120)
        self.assertNotIn(npt, self.host_model())


class Statistics(GuestsTest):
    def statistics(self):
        answer = self.nestvirt.json("stat l1", "alice")["statistics"]
        self.assertEqual(list(answer), [l1.UUID])
        return answer[l1.UUID]

    def test_what_debugfs_withholds_libvirt_tells(self):
        """A guest that stands still has the same counters, whoever is asked."""
        console = l1.start(self.host)
        self.addCleanup(console.stop)
        console.wait_for("^L1: no svm", timeout=300)
        self.host.check("virsh suspend l1")
        before = self.statistics()
        self.assertNotIn("withheld", before)
        exits = self.host.check(f"cat /sys/kernel/debug/kvm/{before['machine']}/exits")
        self.assertEqual((before["exits"], before["exits"] > 1000), (int(exits), True))

        self.host.check("echo integrity > /sys/kernel/security/lockdown")
        self.assertNotEqual(self.host.run(f"cat /sys/kernel/debug/kvm/{before['machine']}/exits").status, 0)
        after = self.statistics()
        self.assertEqual(after, {name: value for name, value in before.items() if name in after})
        self.assertLess({"exits", "nested_run", "insn_emulation", "io_exits", "tlb_flush", "guest_mode"}, set(after))


if __name__ == "__main__":
    unittest.main()
