# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirtctl -H: each way in which another host is not reached, or does not let one, ends in a
sentence of its own. ssh is a stand-in that does what the real one does: tests/packages has that."""

import os
import unittest

from clients import DBUS_ERROR, Failure
from ctl import run, script
from daemon import FakeDaemon
from harness import BusTest
from tap import main

HOST = "alice@web"


class Remote(BusTest):
    def ssh(self, *lines):
        """What runs in the place of ssh, which has been given @HOST."""
        script(self.folder, "ssh", "import os, sys", f"assert '{HOST}' in sys.argv, sys.argv", *lines)

    def reach(self):
        """It gets to the bus of the test."""
        self.ssh(f"os.execvp('systemd-stdio-bridge', ['systemd-stdio-bridge', '--bus-path={self.bus.address}'])")

    def ctl(self, *arguments, status, path=None):
        result = run("-H", HOST, *arguments, PATH=path or f"{self.folder}:{os.environ['PATH']}")
        self.assertEqual((result.status, result.out), (status, ""), result)
        return result.err

    def test_no_ssh_here(self):
        self.assertEqual(self.ctl("status", status=8, path=str(self.folder)),
                         f"Cannot read the status: {HOST} is reached by ssh, which is not installed here"
                         " (on Debian: openssh-client)\n")

    def test_ssh_fails(self):
        said = "ssh: Could not resolve hostname web: Name or service not known"
        self.ssh(f"sys.exit(print({said!r}, file=sys.stderr) or 255)")
        self.assertEqual(self.ctl("check", status=8).splitlines(), [
            said, f"Cannot check the host: ssh could not log in to {HOST}, or lost it; ssh has said why; try: ssh {HOST} true"])

    def test_no_bridge_there(self):
        self.ssh("os.execl('/bin/sh', 'sh', '-c', 'PATH=/nonexistent; systemd-stdio-bridge')")
        said, told = self.ctl("status", status=8).splitlines()
        self.assertIn("systemd-stdio-bridge: not found", said)
        self.assertIn(f"{HOST} has no systemd-stdio-bridge, which comes with its systemd; try: ssh {HOST} command -v", told)

    def test_no_bus_there(self):
        self.ssh("os.execvp('systemd-stdio-bridge', ['systemd-stdio-bridge', '--bus-path=unix:path=/nonexistent'])")
        self.assertIn(f"systemd-stdio-bridge on {HOST} did not get to the system bus there and ended with 1; try: ssh {HOST}"
                      " busctl list", self.ctl("status", status=8))

    def test_ssh_is_killed(self):
        self.ssh("os.kill(os.getpid(), 9)")
        self.assertIn(f"the system bus of {HOST} can't be reached by ssh (", self.ctl("status", status=8))

    def test_no_daemon_there(self):
        self.reach()
        self.assertEqual(self.ctl("status", status=8).splitlines()[-1],
                         "Is nestvirtd installed on web? See there: systemctl status nestvirtd")

    def test_no_right_there(self):
        self.reach()
        name = DBUS_ERROR + "InteractiveAuthorizationRequired"
        daemon = FakeDaemon(self.bus.address, answers={"SetParameters": lambda request: Failure(name, "polkit would have to ask")})
        self.addCleanup(daemon.close)
        first, hint = self.ctl("set", "nested=off", status=4).splitlines()
        self.assertIn("polkit would have to ask", first)
        self.assertRegex(hint, r"^Over ssh nobody is asked for a password: use -H root@web, or let a rule of polkit there allow it, as in "
                               r"/\S+/doc/nestvirtd/examples/50-nestvirt\.rules$")
        # And polkit is told so: it would wait for an agent that can't come.
        self.assertEqual([asked for _, _, _, asked in daemon.changes], [False])

    def test_as_json(self):
        self.ssh("sys.exit(255)")
        result = run("--json=short", "-H", HOST, "status", PATH=f"{self.folder}:{os.environ['PATH']}")
        self.assertEqual((result.status, result.err), (8, ""), result)
        self.assertEqual(result.json["error"]["name"], DBUS_ERROR + "NoServer")
        self.assertIn(f"ssh could not log in to {HOST}", result.json["error"]["message"])


if __name__ == "__main__":
    main()
