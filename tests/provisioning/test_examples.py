# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples of provisioning/examples, each taken from its file and done by a shell as its tool
would do it: on a host, or on the tree of an image. The tools themselves are not here."""

import os
import re
import shlex
import shutil
import subprocess

import yaml

from controller import PROVISIONING
from fleet import AMD_OFF, FleetTest
from hosts import FIXTURES, PATH
from tap import main
from test_watching import UNITS

EXAMPLES = PROVISIONING / "examples"
# An image may be booted on any host.
BOTH_OFF = AMD_OFF + ["options kvm_intel enable_shadow_vmcs=0 nested=0"]


def example(name):
    return (EXAMPLES / name).read_text()


class Example(FleetTest):
    HOSTS = {"alpha": None}

    def sh(self, command, status=0):
        done = self.fleet.run("alpha", command)
        self.assertEqual(done.returncode, status, done)
        return done.stdout

    def put(self, path, text):
        """A file on the host, as all these tools write one."""
        self.sh(f"mkdir -p $(dirname {path}) && printf %s {shlex.quote(text)} >{path}")

    def effective(self):
        return self.fleet.hosts["alpha"].read("sys/module/kvm_amd/parameters/nested").strip()

    def assert_off(self):
        self.assertEqual((self.options(), self.effective()), ({"alpha": AMD_OFF}, "0"))

    def calls(self):
        return self.fleet.hosts["alpha"].read("fake/calls")

    def boot_unit(self, name):
        """What nestvirt-apply.service does at a boot."""
        (line,) = re.findall(r"^ExecStart=-/usr/bin/(.*)$", (UNITS / name).read_text(), re.M)
        self.sh(line)

    def unless(self, check, command):
        """As Puppet and Salt have it: nothing is done where the check is satisfied. True when it
        was done."""
        if self.fleet.run("alpha", check).returncode == 0:
            return False
        self.sh(command)
        return True

    def state(self, path, text, check, command):
        """Twice, with the host changed by hand in between; a dry run is the check alone."""
        before = self.options()
        self.put(path, text)
        self.assertEqual(self.sh(check, status=3), "")
        self.assertEqual(self.options(), before)
        self.assertTrue(self.unless(check, command))
        self.assert_off()
        self.assertFalse(self.unless(check, command))
        self.sh("nestvirtctl set nested=on")
        self.assertTrue(self.unless(check, command))
        self.assert_off()

    def test_cloud_init(self):
        text = example("cloud-init.yaml")
        self.assertEqual(text.splitlines()[0], "#cloud-config")
        data = yaml.safe_load(text)
        for file in data["write_files"]:
            self.put(file["path"], file["content"])
        self.boot_unit("nestvirt-apply.service")
        self.assert_off()
        # Which is later, and finds nothing to do.
        before = self.calls()
        for words in data["runcmd"]:
            self.sh(shlex.join(words))
        self.assert_off()
        self.assertEqual(self.calls(), before)

    def test_butane(self):
        data = yaml.safe_load(example("butane.bu"))
        for file in data["storage"]["files"]:
            self.put(file["path"], file["contents"]["inline"])
        (unit,) = data["systemd"]["units"]
        self.assertTrue(unit["enabled"])
        self.assertIn("\n[Install]\nWantedBy=", (UNITS / unit["name"]).read_text())
        self.boot_unit(unit["name"])
        self.assert_off()

    def test_mkosi(self):
        image = self.folder / "image"
        shutil.copytree(FIXTURES / "amd-epyc-6.1", image, symlinks=True)
        shutil.copytree(EXAMPLES / "mkosi/mkosi.extra", image, dirs_exist_ok=True)
        environment = {**os.environ, "BUILDROOT": str(image), "PATH": PATH}
        for _ in range(2):
            done = subprocess.run([EXAMPLES / "mkosi/mkosi.finalize"], env=environment, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done)
            lines = (image / "etc/modprobe.d/zz-nestvirt.conf").read_text().splitlines()
            self.assertEqual([line for line in lines if line.startswith("options")], BOTH_OFF)

    def test_puppet(self):
        text = example("puppet.pp")
        (path, content), = re.findall(r"^file \{ '(.*)':\n  content => \"(.*)\",$", text, re.M)
        (command, check), = re.findall(r"^exec \{ '(.*)':\n.*\n  unless  => '(.*)',$", text, re.M)
        self.state(path, content.replace("\\n", "\n"), check, command)

    def test_salt(self):
        data = yaml.safe_load(example("salt.sls"))
        (path, managed), (command, run) = data.items()
        (text,) = (entry["contents"] for entry in managed["file.managed"])
        check = run["cmd.run"][0]["unless"]
        self.state(path, text, check, command)


main()
