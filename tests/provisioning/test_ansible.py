# SPDX-License-Identifier: LGPL-2.1-or-later
"""The module `state` on three hosts, two of AMD and one of Intel: one desired state, whatever it
takes on each, one host after the other."""

from fleet import AMD_OFF, FleetTest, off
from tap import main

INTEL_OFF = ["options kvm_intel enable_shadow_vmcs=0 nested=0"]
NOTHING = {"alpha": [], "beta": [], "gamma": []}
OFF = {"alpha": AMD_OFF, "beta": AMD_OFF, "gamma": INTEL_OFF}


class State(FleetTest):
    def test_check_run_and_again(self):
        play = self.play(off(), "--check", "--diff")
        self.assert_counts(play, "changed", alpha=1, beta=1, gamma=1)
        self.assertEqual(self.options(), NOTHING)
        for line in ("-kvm_amd.nested effective=on", "+kvm_amd.nested effective=off", "+kvm_amd.nested configured=0",
                     "+kvm_intel.enable_shadow_vmcs configured=0", " kvm_intel.nested effective=on"):
            self.assertIn(f"\n{line}\n", play.out)

        self.assert_counts(self.play(off()), "changed", alpha=1, beta=1, gamma=1)
        self.assertEqual(self.options(), OFF)
        self.assertEqual(self.fleet.hosts["alpha"].read("sys/module/kvm_amd/parameters/nested").strip(), "0")
        again = self.play(off(), "--diff")
        self.assert_counts(again, "changed", alpha=0, beta=0, gamma=0)
        self.assertNotIn("\n+", again.out)

    def test_one_that_was_changed_by_hand(self):
        self.play(off())
        self.assertEqual(self.fleet.run("beta", "nestvirtctl", "set", "nested=on").returncode, 0)
        self.assert_counts(self.play(off(), "--check"), "changed", alpha=0, beta=1, gamma=0)
        self.assert_counts(self.play(off()), "changed", alpha=0, beta=1, gamma=0)
        self.assertEqual(self.options(), OFF)

    def test_one_at_a_time_until_one_is_busy(self):
        self.fleet.hosts["beta"].hold()
        play = self.play(off("serial: 1\n  max_fail_percentage: 0", "now"), status=2)
        self.assertEqual({name: (counts["changed"], counts["failed"]) for name, counts in play.hosts.items()},
                         {"alpha": (1, 0), "beta": (0, 1)}, play)
        self.assertEqual(self.options(), {"alpha": AMD_OFF, "beta": [], "gamma": []})
        self.assertIn("kvm_amd is in use by pid 4242 qemu-system-x86 (web1.scope)", play.out)
        for told in ('"error": "org.nestvirt1.Error.Busy"', '"pid": 4242', '"rc": 5'):
            self.assertIn(told, play.out)

        self.fleet.hosts["beta"].release()
        self.assert_counts(self.play(off("serial: 1\n  max_fail_percentage: 0", "now")), "changed", alpha=0, beta=1, gamma=1)
        self.assertEqual(self.options(), OFF)

    def test_what_waits_is_changed_once(self):
        self.fleet.hosts["alpha"].hold()
        shown = off() + """      register: state
    - assert: {that: "state.pending == (inventory_hostname in waiting)"}
"""
        for changed in (1, 0):
            play = self.play(shown, "--extra-vars", '{"waiting": ["alpha", "gamma"]}')
            self.assert_counts(play, "changed", alpha=changed, beta=changed, gamma=changed)
        self.assertEqual(self.fleet.hosts["alpha"].read("sys/module/kvm_amd/parameters/nested").strip(), "1")


main()
