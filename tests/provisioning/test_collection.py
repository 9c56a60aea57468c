# SPDX-License-Identifier: LGPL-2.1-or-later
"""The collection as Ansible's own tools see it, and its playbook, which compares hosts."""

import json
import os
import pathlib

from controller import COLLECTION
from fleet import AMD, FleetTest
from hosts import WITH_NPT, WITHOUT_NPT
from tap import main

# Of ansible-test itself, which can't make the environment of its own that it wants without a
# network.
VALIDATOR = pathlib.Path("/usr/lib/python3/dist-packages/ansible_test/_util/controller/sanity/validate-modules")
MODULES = sorted(path.stem for path in (COLLECTION / "plugins/modules").glob("*.py"))


class Described(FleetTest):
    HOSTS = {}

    def setUp(self):
        super().setUp()
        self.ansible.copy_collection()

    def test_documentation(self):
        for kind, name, option in (("module", "state", "content"), ("module", "guest", "nested"), ("module", "info", "gather"),
                                   ("role", "host", "host_before")):
            shown = self.ansible.run("ansible-doc", "--type", kind, f"nestvirt.host.{name}")
            self.assertEqual((shown.returncode, shown.stderr), (0, ""), shown)
            self.assertRegex(shown.stdout, rf"\n[-=] {option}\s")

    def test_it_is_built_and_installed(self):
        for words in (["build", str(self.ansible.collection), "--output-path", "built"],
                      ["install", "--offline", "--collections-path", "installed", "built/nestvirt-host-0.2.0.tar.gz"]):
            done = self.ansible.run("ansible-galaxy", "collection", *words, ANSIBLE_COLLECTIONS_PATH="installed")
            self.assertEqual(done.returncode, 0, done)
        installed = self.folder / "installed/ansible_collections/nestvirt/host"
        for path in ("plugins/modules/state.py", "roles/host/tasks/main.yml", "playbooks/compare.yml", "plugins/LICENSE"):
            self.assertTrue((installed / path).is_file(), path)


class Validated(FleetTest):
    HOSTS = {}

    def setUp(self):
        super().setUp()
        self.ansible.copy_collection()

    def validate(self):
        """Ansible's validator, in a folder that is a checkout, as it wants it: what is wrong with
        each module."""
        self.ansible.run("git", "init", "--quiet", str(self.ansible.collections))
        found = self.ansible.run("/usr/bin/python3", str(VALIDATOR / "validate.py"), "--arg-spec", "--collection",
                                 "ansible_collections/nestvirt/host", "--format", "json",
                                 *(f"plugins/modules/{name}.py" for name in MODULES),
                                 PYTHONPATH=f"{VALIDATOR}:{self.ansible.collections}", folder=self.ansible.collection)
        self.assertTrue(found.stdout, found)
        return {pathlib.Path(path).stem: [error["code"] for error in said["errors"]]
                for path, said in json.loads(found.stdout).items()}

    def test_validator(self):
        self.assertEqual(MODULES, ["guest", "info", "state"])
        self.assertEqual(self.validate(), {})

    def test_the_validator_sees(self):
        path = self.ansible.collection / "plugins/modules/info.py"
        path.write_text(path.read_text().replace("default: status", "default: findings"))
        self.assertEqual(self.validate(), {"info": ["doc-default-does-not-match-spec"]})


# That of Debian 13 wants a library (antsibull_docs_parser) that Debian does not have.
if "NESTVIRT_FLEET" in os.environ:
    del Validated


class Compared(FleetTest):
    """Three hosts, of which one is the controller as well."""

    HOSTS = {"alpha": AMD, "beta": AMD, "gamma": AMD}

    def compare(self, *features, status):
        for host, edx in zip(self.fleet.hosts.values(), features):
            host.offer(edx)
        self.ansible.environment["DBUS_SYSTEM_BUS_ADDRESS"] = self.fleet.hosts["alpha"].bus
        return self.play("nestvirt.host.compare", status=status)

    def test_alike(self):
        play = self.compare(WITH_NPT, WITH_NPT, WITH_NPT, status=0)
        self.assertIn("Kinds of hosts: 1", play.out)

    def test_one_is_another(self):
        play = self.compare(WITH_NPT, WITHOUT_NPT, WITH_NPT, status=2)
        self.assertRegex(play.out, r"A guest of \w+ on \w+: refuses")
        self.assertIn("npt", play.out.partition("Tell which")[2])
        # Of the two kinds there is one comparison.
        self.assertEqual(play.out.count("-> localhost] => (item=['"), 1, play)


main()
