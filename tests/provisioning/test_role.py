# SPDX-License-Identifier: LGPL-2.1-or-later
"""The role, which keeps the desired state in a file of the host; and another module, which gets in
the way of it."""

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
        hook = "host_before: '{{ playbook_dir }}/drain.yml', host_after: '{{ playbook_dir }}/drain.yml'"
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


main()
