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
