# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ansible on the hosts of hosts.py: the collection of the checkout in a folder of collections, an
inventory, and one run of a play."""

import os
import pathlib
import re
import shutil
import subprocess

from hosts import PATH, TIMEOUT

PROVISIONING = pathlib.Path(os.environ["PROVISIONING"])
COLLECTION, FACTS = PROVISIONING / "ansible", PROVISIONING / "nestvirt.fact"
# Where Debian's package has other collections.
PACKAGED = pathlib.Path("/usr/lib/python3/dist-packages")

INVENTORY = """
[fleet]
{names}

[fleet:vars]
ansible_user=root
ansible_python_interpreter=/usr/bin/python3
ansible_remote_tmp=/run/ansible
"""


class Play:
    """What came of a run: its text, and each host's counts."""

    def __init__(self, process):
        self.status, self.out, self.err = process.returncode, process.stdout, process.stderr
        recap = self.out.partition("PLAY RECAP")[2]
        self.hosts = {name: dict((word, int(count)) for word, count in re.findall(r"(\w+)=(\d+)", counts))
                      for name, counts in re.findall(r"^(\w+) +: (.*)$", recap, re.M)}

    def counts(self, word):
        return {name: counts[word] for name, counts in self.hosts.items()}

    def __repr__(self):
        return f"status {self.status}\n{self.out}\n{self.err}"


class Ansible:
    """The controller, with @fleet for its hosts."""

    def __init__(self, fleet):
        self.folder = fleet.folder
        self.collections = fleet.folder / "collections"
        self.collection = self.collections / "ansible_collections/nestvirt/host"
        self.collection.parent.mkdir(parents=True)
        self.collection.symlink_to(COLLECTION)
        (self.folder / "inventory").write_text(INVENTORY.format(names="\n".join(fleet.hosts)))
        self.environment = {
            **os.environ, "PATH": PATH, "HOME": str(self.folder), "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_COLLECTIONS_PATH": f"{self.collections}:{PACKAGED}", "ANSIBLE_LOCALHOST_WARNING": "0",
            # Nothing is left behind, as a shared connection would be.
            "ANSIBLE_SSH_ARGS": f"-F {fleet.ssh}"}
        # Ours are not Ansible's.
        del self.environment["PYTHONPATH"]

    def run(self, *command, folder=None, **environment):
        return subprocess.run(command, env={**self.environment, **environment}, cwd=folder or self.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=TIMEOUT, check=False)

    def copy_collection(self):
        """So that a test can change it."""
        self.collection.unlink()
        shutil.copytree(COLLECTION, self.collection)

    def play(self, what, *options):
        """A play of that text, or a playbook of a collection by its name."""
        if "\n" in what:
            path = self.folder / "play.yml"
            path.write_text(what)
            what = str(path)
        return Play(self.run("ansible-playbook", "--inventory", str(self.folder / "inventory"), *options, what))
