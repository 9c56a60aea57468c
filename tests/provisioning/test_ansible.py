# SPDX-License-Identifier: LGPL-2.1-or-later
"""The collection on three hosts, two of AMD and one of Intel: one desired state, whatever it takes
on each."""

from fleet import FleetTest
from tap import main

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
INTEL_OFF = ["options kvm_intel enable_shadow_vmcs=0 nested=0"]
NOTHING = {"alpha": [], "beta": [], "gamma": []}
OFF = {"alpha": AMD_OFF, "beta": AMD_OFF, "gamma": INTEL_OFF}


def off(keywords="", when="idle"):
    return PLAY.format(keywords=keywords, when=when)


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

    def test_the_role(self):
        (self.folder / "drain.yml").write_text("- shell: echo drained >>/run/hook\n- debug: {msg: drained}\n")
        role = """
- hosts: alpha
  gather_facts: false
  roles:
    - role: nestvirt.host.host
      vars: {content}
"""
        hook = f"host_before: {self.folder}/drain.yml, host_after: {self.folder}/drain.yml"
        first = role.format(content=f"{{host_content: {{Parameters: {{nested: false, npt: false}}}}, {hook}}}")
        alpha = self.fleet.hosts["alpha"]
        self.assertGreater(self.play(first, "--check").counts("changed")["alpha"], 0)
        self.assertEqual((alpha.options(), alpha.read("etc/nestvirt/50-ansible.conf")), ([], None))

        drained = []
        second = first.replace(", npt: false", "")
        for text, options in ((first, ["options kvm_amd nested=0 npt=0"]), (second, AMD_OFF)):
            self.play(text)
            drained.append(self.fleet.run("alpha", "cat", "/run/hook").stdout.count("drained"))
            # And what was taken out of it is reset.
            self.assertEqual(alpha.options(), options)
            self.assert_counts(self.play(text), "changed", alpha=0)
            self.assertEqual(self.fleet.run("alpha", "cat", "/run/hook").stdout.count("drained"), drained[-1])
        self.assertEqual(drained, [2, 4])
        self.assertIn("\n[Parameters]\nnested=no\n", alpha.read("etc/nestvirt/50-ansible.conf"))

    def test_the_role_does_not_pass_over_what_is_not_so(self):
        (self.fleet.hosts["alpha"].tree / "etc/nestvirt/60-site.conf").write_text("[Parameters]\nnestd=on\n")
        play = self.play("- hosts: alpha\n  gather_facts: false\n  roles: [nestvirt.host.host]\n", status=2)
        self.assertIn('/etc/nestvirt/60-site.conf:2: No parameter is called \\"nestd\\"', play.out)


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
