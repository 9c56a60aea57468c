# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main job on a host whose userland and kernel are Debian 13's, and whose nestvirtd was built
there: systemd, polkit, dbus, libvirt and QEMU as they are on a newer host than the machine.

The tests are those of the machine's own release; of each kind, what goes the whole way.
"""

import unittest

import test_guests
import test_probe
import test_smoke
import test_toggle

SUITE = "trixie"


class Machine(test_smoke.Machine):
    suite = SUITE

    def test_release(self):
        self.assertIn(f"VERSION_CODENAME={SUITE}\n", self.host.check("cat /etc/os-release"))


class Toggle(test_toggle.Toggle):
    suite = SUITE


class Refused(test_toggle.Refused):
    suite = SUITE


class ByHand(test_toggle.ByHand):
    suite = SUITE


class Probe(test_probe.Probe):
    suite = SUITE


class OnTheBus(test_probe.OnTheBus):
    suite = SUITE


class Guests(test_guests.Guests):
    suite = SUITE


CHOSEN = {
    Machine: ["test_release", "test_systemd_is_running", "test_polkit_says_yes_to_alice_no_to_bob_and_asks_carol"],
    Toggle: ["test_nested_off_and_on", "test_three_parameters_of_two_modules_in_one_call", "test_the_signal_comes_before_the_answer",
             "test_runtime_is_gone_with_the_boot"],
    Refused: ["test_whom_polkit_denies", "test_interaction_is_needed_and_not_allowed"],
    ByHand: ["test_modprobe", "test_module_objects_come_and_go_with_the_module"],
    Probe: ["test_the_report", "test_off"],
    OnTheBus: ["test_the_daemon_has_it_run_and_keeps_the_result"],
    Guests: ["test_given_used_and_taken_away"],
}


def load_tests(*_):
    return unittest.TestSuite(case(name) for case, names in CHOSEN.items() for name in names)


if __name__ == "__main__":
    unittest.main()
