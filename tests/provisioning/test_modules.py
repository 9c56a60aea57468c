# SPDX-License-Identifier: LGPL-2.1-or-later
"""The modules on one host: what they tell, and what they refuse."""

from fleet import FleetTest
from tap import main


class Refusals(FleetTest):
    HOSTS = {"alpha": None}

    def refused(self, arguments, *words, module="state"):
        play = self.play(f"- hosts: alpha\n  gather_facts: false\n  tasks:\n    - nestvirt.host.{module}: {arguments}\n", status=2)
        for word in words:
            self.assertIn(word, play.out)
        self.assertEqual(self.options(), {"alpha": []})

    def test_a_slip_names_the_line(self):
        self.refused("{content: {Parameters: {nestd: false}}}", 'standard input:2: No parameter is called \\"nestd\\"')

    def test_a_value_of_several_lines(self):
        self.refused('{content: {Parameters: {nested: "off\\nnpt=off"}}}', "a value is one word or number")

    def test_a_section_that_is_two(self):
        self.refused('{content: {"kvm]\\n[kvm_amd": {npt: false}}}', "is no section")

    def test_a_guest_that_there_is_not(self):
        self.refused("{name: web9, nested: false}", 'No guest is called \\"web9\\"', module="guest")

    def test_a_pattern(self):
        self.refused('{name: "web*", nested: false}', "is a pattern, not the name of a guest", module="guest")

    def test_a_guest_that_libvirt_does_not_take(self):
        alpha = self.fleet.hosts["alpha"]
        alpha.add_guest("web1")
        (alpha.tree / "fake/refuse").touch()
        self.refused("{content: {Guests: {Nested: false}}}", "guest web1: ")


class Reading(FleetTest):
    HOSTS = {"alpha": None}

    def test_a_guest(self):
        alpha = self.fleet.hosts["alpha"]
        alpha.add_guest("web1")
        task = "- hosts: alpha\n  gather_facts: false\n  tasks:\n    - nestvirt.host.guest: {name: web1, nested: false}\n"
        before = alpha.definition("web1")
        play = self.play(task, "--check", "--diff")
        self.assert_counts(play, "changed", alpha=1)
        self.assertIn('<feature policy="disable" name="svm"/>', play.out)
        self.assertEqual(alpha.definition("web1"), before)
        self.assert_counts(self.play(task), "changed", alpha=1)
        self.assertIn("<feature policy='disable' name='svm'/>", alpha.definition("web1"))
        self.assert_counts(self.play(task), "changed", alpha=0)

    def test_facts(self):
        self.assert_counts(self.play("""
- hosts: alpha
  gather_facts: false
  tasks:
    - nestvirt.host.info:
    - nestvirt.host.info: {gather: findings}
    - assert:
        that:
          - ansible_facts.nestvirt.nested == "on"
          - ansible_facts.nestvirt.vendor == "amd"
          - ansible_facts.nestvirt_findings | selectattr("id", "equalto", "device") | map(attribute="status") | list == ["fail"]
"""), "ok", alpha=3)


main()
