# SPDX-License-Identifier: LGPL-2.1-or-later
"""A test with a fleet of its own, which goes with it."""

import pathlib
import shutil
import tempfile
import unittest

from controller import Ansible
from hosts import Fleet

# Of ansible-playbook, whenever a playbook is named as a collection's.
EXPECTED = ["[WARNING]: running playbook inside collection nestvirt.host"]
INTEL, AMD = "intel-skylake-server", "amd-zen2"

# The desired state of tests that have no other.
PLAY = """
- hosts: fleet
  gather_facts: false
  {keywords}
  tasks:
    - nestvirt.host.state:
        when: "{{{{ 'boot' if inventory_hostname == 'gamma' else '{when}' }}}}"
        content:
          Parameters:
            nested: false
          kvm_intel:
            enable_shadow_vmcs: false
"""
AMD_OFF = ["options kvm_amd nested=0"]


def off(keywords="", when="idle"):
    return PLAY.format(keywords=keywords, when=when)


class FleetTest(unittest.TestCase):
    HOSTS = {"alpha": None, "beta": None, "gamma": INTEL}

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nestvirt-"))
        self.folder.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.folder)
        self.fleet = Fleet(self.folder, self.HOSTS)
        self.addCleanup(self.fleet.stop)
        self.ansible = Ansible(self.fleet)

    def play(self, what, *options, status=0):
        play = self.ansible.play(what, *options)
        self.assertEqual(play.status, status, play)
        warnings = [line for line in play.err.splitlines() if line.strip() and line not in EXPECTED]
        self.assertEqual(warnings, [], play)
        return play

    def options(self):
        """What each host's own file of modprobe.d says."""
        return {name: host.options() for name, host in self.fleet.hosts.items()}

    def assert_counts(self, play, word, **counts):
        self.assertEqual(play.counts(word), counts, play)
