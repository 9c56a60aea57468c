# SPDX-License-Identifier: LGPL-2.1-or-later
"""What else the collection does on a host: its role, the other modules, what they refuse; and
another module that gets in the way."""

import os

from controller import PACKAGED
from fleet import AMD_OFF, FleetTest, off
from hosts import write
from tap import main

MODPROBE = """
- hosts: alpha
  gather_facts: false
  tasks:
    - modprobe: {name: kvm_amd, state: present, persistent: present, params: nested=1}
"""


class Role(FleetTest):
    HOSTS = {"alpha": None}

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


class Modprobe(FleetTest):
    """community.general.modprobe, with which many people set nested, takes lines of other files
    out."""

    HOSTS = {"alpha": None, "beta": None}

    def setUp(self):
        super().setUp()
        self.play(off())

    def use_it(self):
        """What it does; or itself, where there is the time for Debian's package of all
        collections."""
        alpha = self.fleet.hosts["alpha"].tree / "etc/modprobe.d"
        if "NESTVIRT_FLEET" in os.environ:
            # The modules of the kernel are the machine's.
            text = (PACKAGED / "ansible_collections/community/general/plugins/modules/modprobe.py").read_text()
            write(self.folder / "library/modprobe.py", text.replace("/proc/modules", "/run/modules"))
            self.fleet.run("alpha", "echo 'kvm_amd 1 0 - Live 0x0' >/run/modules")
            self.play(MODPROBE)
        else:
            ours = alpha / "zz-nestvirt.conf"
            ours.write_text("".join(f"{'#' if line.startswith('options') else ''}{line}\n\n" for line in ours.read_text().splitlines()))
            (alpha / "kvm_amd.conf").write_text("options kvm_amd nested=1\n")
        self.assertEqual((alpha / "kvm_amd.conf").read_text().strip(), "options kvm_amd nested=1")
        self.assertIn("#options kvm_amd nested=0", (alpha / "zz-nestvirt.conf").read_text())

    def test_it_is_noticed_and_mended(self):
        self.use_it()
        findings = self.fleet.run("alpha", "nestvirtctl", "check").stdout
        self.assertRegex(findings, r"own-file: .*zz-nestvirt.conf:\d+ is commented out")
        (self.fleet.hosts["alpha"].tree / "etc/nestvirt/50.conf").write_text("[Parameters]\nnested=off\n")
        told = self.fleet.run("alpha", "nestvirtctl", "apply", "--check")
        self.assertEqual(told.returncode, 3, told)
        self.assertIn("kvm_amd.nested: desired off, configured on", told.stdout)
        self.assert_counts(self.play(off(), "--check"), "changed", alpha=1, beta=0)
        self.assert_counts(self.play(off()), "changed", alpha=1, beta=0)
        self.assertEqual(self.options(), {"alpha": AMD_OFF, "beta": AMD_OFF})
        self.assertEqual(self.fleet.run("alpha", "nestvirtctl", "apply", "--check").returncode, 0)


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
