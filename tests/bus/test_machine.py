# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon on the machine that the tests run on, whatever that is: its answers are held against
the machine's own files, and a dry run is the most that it is asked for."""

import json
import os
import pathlib
import subprocess
import unittest

from clients import DRY_RUN, ERROR, MODULE, module_path
from harness import BusTest
from tap import main

SYS = pathlib.Path("/sys/module")


# One daemon at a time looks after a machine, and another one may be at it: these have a place for
# the lock of their own.
APART = ("unshare", "--mount", "--propagation=private", "sh", "-c",
         'mkdir -p /var/lib/nestvirt && mount -t tmpfs tmpfs /var/lib/nestvirt && exec "$@"', "-")


def vendor_modules():
    return sorted(path.name for path in SYS.glob("kvm_*"))


class Machine(BusTest):
    def setUp(self):
        super().setUp()
        self.start(os.environ["NESTVIRTD"], "--root=/", f"--helper-dir={os.environ['HELPER_DIR']}", wrap=APART)
        self.caller = self.client()

    def test_the_modules(self):
        kvm = self.caller.get_all(MODULE, module_path("kvm"))
        if not (SYS / "kvm").exists():
            self.assertIn(kvm["State"], ("loadable", "missing"))
        elif (SYS / "kvm/initstate").exists():
            self.assertEqual(kvm["State"], "live")
        else:
            self.assertEqual(kvm["State"], "builtin")
        for name, entry in kvm["Parameters"].items():
            shown = SYS / "kvm/parameters" / name
            self.assertEqual(entry["Value"], shown.read_text().rstrip("\n") if shown.exists() else "", name)

    def test_whether_it_can_nest(self):
        switches = [SYS / name / "parameters/nested" for name in vendor_modules()]
        switches = [switch.read_text().strip() for switch in switches if switch.exists()]
        wanted = "unavailable" if not switches else "off" if switches[0] in ("0", "N") else "on"
        self.assertEqual(self.caller.get("Nested"), wanted)
        for name in vendor_modules():
            self.assertEqual(self.caller.get("Name", MODULE, module_path(name)), name)

    def test_a_dry_run_leaves_it_alone(self):
        before = [(path, path.read_bytes()) for path in sorted(SYS.glob("kvm*/parameters/*"))]
        modules = {"kvm": {"ignore_msrs": "1"}}
        if (SYS / "kvm").exists() and not (SYS / "kvm/initstate").exists():
            with self.refused(ERROR + "Builtin", "kernel command line"):
                self.caller.set(modules, DRY_RUN)
        elif (SYS / "kvm").exists():
            result = self.caller.set(modules, DRY_RUN)
            self.assertIn(result["Outcome"], ("planned", "unchanged"))
        self.assertEqual([(path, path.read_bytes()) for path, _ in before], before)

    def test_a_file_of_that_name_holds_nothing(self):
        """A mount namespace of one's own has any file at any path."""
        script = "mount -t tmpfs none /dev && exec 7<>/dev/kvm && echo && exec sleep 1000"
        process = subprocess.Popen(["unshare", "--mount", "--propagation=private", "sh", "-c", script], stdout=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        process.stdout.readline()
        self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/7"), "/dev/kvm")
        users, = self.caller.call("ListUsers", ("t", 0), path=module_path("kvm"), interface=MODULE)
        self.assertNotIn(process.pid, [user.get("Pid") for user in users])


class Lock(BusTest):
    """A lock that can't be made is no reason to leave alone what was cut short."""

    def apart(self, mount):
        """What is kept on disk and in /run is the test's own, with a change that was cut short."""
        return ("unshare", "--mount", "--propagation=private", "sh", "-ec",
                "mkdir -p /var/lib/nestvirt /run/nestvirt; mount -t tmpfs tmpfs /run/nestvirt; "
                "mount -t tmpfs tmpfs /var/lib/nestvirt; echo nonsense > /var/lib/nestvirt/change; "
                f'{mount}; exec "$@"', "-")

    def command(self):
        return (os.environ["NESTVIRTD"], "--root=/", f"--helper-dir={os.environ['HELPER_DIR']}")

    def test_a_disk_that_is_read_only(self):
        daemon = self.start(*self.command(), wrap=self.apart("mount -o remount,ro /var/lib/nestvirt"))
        self.assertIn("The record of a change that was cut short is damaged", daemon.log.read_text())
        # A second one in the same place.
        second = subprocess.run(["nsenter", f"--target={daemon.pid}", "--mount", *self.command()], stderr=subprocess.PIPE, text=True,
                                check=False)
        self.assertEqual(second.returncode, 1)
        self.assertIn("Another nestvirtd looks after this host already (it has locked /run/nestvirt/lock)", second.stderr)

    def test_nowhere(self):
        mount = "mount -o remount,ro /var/lib/nestvirt; mount -o remount,ro /run/nestvirt"
        daemon = subprocess.run([*self.apart(mount), *self.command()], stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(daemon.returncode, 1)
        self.assertIn("Can't lock /run/nestvirt/lock (Read-only file system)", daemon.stderr)


class Checkout(unittest.TestCase):
    """The same by the script of the checkout."""

    def test_the_device_is_opened(self):
        command = [*APART, os.environ["RUN"], "nestvirtctl", "--json=short", "check"]
        result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        finding = next(f for f in json.loads(result.stdout)["findings"] if f["id"] == "device")
        self.assertNotIn("not opened", finding["message"])
        self.assertIn(finding["status"], ("pass", "fail", "info"), finding)


if __name__ == "__main__":
    main()
