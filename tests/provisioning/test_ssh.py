# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirtctl -H by the real ssh and sshd: what works there, and the sentence for each thing that
does not. tests/client/test_remote.py has the rest, with a stand-in for ssh."""

import os
import subprocess

from fleet import AMD, INTEL, FleetTest
from hosts import TIMEOUT, WITH_NPT, WITHOUT_NPT, write
from tap import main


class RemoteTest(FleetTest):
    def ctl(self, host, *arguments, status=0, data=None):
        """-H with the configuration of the test's ssh: (output, errors)."""
        wrapper = write(self.folder / "wrapper/ssh", f'#!/bin/sh\nexec /usr/bin/ssh -F {self.fleet.ssh} "$@"\n')
        wrapper.chmod(0o755)
        environment = {**os.environ, "PATH": f"{wrapper.parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        done = subprocess.run([os.environ["NESTVIRTCTL"], "-H", host, *arguments], env=environment, input=data or "", capture_output=True,
                              text=True, timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, status, done)
        return done.stdout, done.stderr


class Remote(RemoteTest):
    HOSTS = {"alpha": None, "beta": INTEL}

    def test_reading(self):
        for host, module in (("root@alpha", "kvm_amd"), ("alice@beta", "kvm_intel")):
            self.assertIn(f"Nested: on ({module}.nested is on)", self.ctl(host, "status")[0])

    def test_as_root(self):
        self.assertIn("Done: in effect now.", self.ctl("root@alpha", "apply", "-", data="[Parameters]\nnested=off\n")[0])
        self.assertEqual(self.options(), {"alpha": ["options kvm_amd nested=0"], "beta": []})

    def test_no_right_there(self):
        _, told = self.ctl("alice@alpha", "set", "nested=off", status=4)
        self.assertRegex(told, r"\nOver ssh nobody is asked for a password: use -H root@alpha, or let a rule of polkit there allow it")
        self.assertEqual(self.options(), {"alpha": [], "beta": []})

    def test_a_right_by_the_rule(self):
        self.ctl("carol@alpha", "set", "nested=off")
        self.assertEqual(self.options(), {"alpha": ["options kvm_amd nested=0"], "beta": []})

    def test_no_such_host(self):
        _, told = self.ctl("root@nowhere", "status", status=8)
        self.assertIn("ssh could not log in to root@nowhere, or lost it; ssh has said why; try: ssh root@nowhere true", told)

    def test_no_account_there(self):
        _, told = self.ctl("dave@alpha", "status", status=8)
        self.assertIn("Permission denied (publickey", told)
        self.assertIn("ssh could not log in to dave@alpha", told)

    def test_no_bridge_there(self):
        _, told = self.ctl("bob@alpha", "status", status=8)
        self.assertIn("bob@alpha has no systemd-stdio-bridge, which comes with its systemd", told)

    def test_no_bus_there(self):
        self.fleet.run("alpha", "rm", "/run/dbus/system_bus_socket")
        _, told = self.ctl("root@alpha", "status", status=8)
        self.assertIn("systemd-stdio-bridge on root@alpha did not get to the system bus there", told)


class Compared(RemoteTest):
    HOSTS = {"alpha": AMD, "beta": AMD}

    def test_one_with_another(self):
        self.fleet.hosts["alpha"].offer(WITH_NPT)
        self.fleet.hosts["beta"].offer(WITHOUT_NPT)
        path = self.folder / "alpha.json"
        path.write_text(self.ctl("alice@alpha", "--json=short", "fingerprint")[0])
        told, _ = self.ctl("alice@beta", "compare", str(path), status=3)
        self.assertRegex(told, rf"A guest of {path} on \S+: refuses")
        self.assertRegex(told, rf"A guest of \S+ on {path}: accepts")
        self.ctl("alice@alpha", "compare", str(path))


main()
