# SPDX-License-Identifier: LGPL-2.1-or-later
"""The probe on the machine that the tests run on, whatever that is: it ends, soon, and what it says
agrees with the machine's own files.

What it counts is tested on emulated hosts, whose CPU is known.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

from gi.repository import GLib
from tap import main

PROBE = os.environ["PROBE"]
STATUS = {"on": 0, "off": 3, "unsupported": 6, "broken": 1, "hang": 1}
NOBODY = 65534


def run(*arguments, **kwargs):
    return subprocess.run([PROBE, *arguments], capture_output=True, text=True, timeout=120, check=False, **kwargs)


def nested_parameters():
    return [path for path in pathlib.Path("/sys/module").glob("kvm_*/parameters/nested")]


class Machine(unittest.TestCase):
    def test_the_report(self):
        begin = time.time()
        done = run("--json")
        report = json.loads(done.stdout)
        if done.returncode == 4:
            self.assertEqual(report["error"]["name"], "org.freedesktop.DBus.Error.AccessDenied")
            return
        self.assertEqual(set(report) - {"emulated"}, {"result", "time", "boot_id", "stale", "parameters", "counts", "message"})
        self.assertEqual(done.returncode, STATUS[report["result"]])
        self.assertIn(report["result"], ("on", "off", "unsupported"), report)
        self.assertTrue(begin - 1 <= report["time"] / 1e6 <= time.time() + 1)
        self.assertEqual(report["boot_id"], pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        for name, value in report["parameters"].items():
            module, parameter = name.split(".")
            self.assertEqual(value, pathlib.Path(f"/sys/module/{module}/parameters/{parameter}").read_text().strip())

    def test_where_nothing_can_nest_it_says_so_at_once(self):
        """Where something can, it is another verdict that is looked at."""
        report = json.loads(run("--json").stdout)
        if nested_parameters():
            self.assertNotEqual(report.get("result"), "unsupported")
            return
        took = []
        for _ in range(5):  # a machine with more to do may let one of them wait
            begin = time.monotonic()
            done = run("--json")
            took.append(time.monotonic() - begin)
        self.assertLess(min(took), 1)
        self.assertEqual((done.returncode, json.loads(done.stdout)["result"]), (6, "unsupported"))
        self.assertNotEqual(json.loads(done.stdout)["message"], "")

    def test_no_device(self):
        for device, words in (("/nonexistent", "There is no /nonexistent"), ("/dev/null", "There is no KVM|does not answer")):
            done = run("--json", f"--device={device}")
            report = json.loads(done.stdout)
            self.assertEqual((done.returncode, report["result"], report["counts"]), (6, "unsupported", {}))
            self.assertRegex(report["message"], words)
            self.assertIn(report["message"], run(f"--device={device}").stdout)

    def test_not_permitted(self):
        with tempfile.NamedTemporaryFile() as file:
            os.chmod(file.name, 0)
            if os.geteuid() == 0:
                with open(PROBE, "rb") as program:  # nobody may not come to where it lies
                    done = subprocess.run([f"/proc/self/fd/{program.fileno()}", "--json", f"--device={file.name}"], capture_output=True, text=True,
                                          check=False, pass_fds=[program.fileno()], user=NOBODY, group=NOBODY, extra_groups=[])
            else:
                done = run("--json", f"--device={file.name}")
        error = json.loads(done.stdout)["error"]
        self.assertEqual((done.returncode, error["name"]), (4, "org.freedesktop.DBus.Error.AccessDenied"))
        self.assertIn("group kvm", error["message"])

    def test_names_are_escaped(self):
        done = run("--json", '--device=/"\\\n')
        self.assertIn('/"\\\n', json.loads(done.stdout)["message"])

    def test_a_dictionary(self):
        """What nestvirtd reads: the same, with the names and the types of D-Bus."""
        done = run("--variant", "--measure=counts", '--device=/"\\\n')
        result = GLib.Variant.parse(GLib.VariantType("a{sv}"), done.stdout).unpack()
        self.assertEqual((done.returncode, result["Result"], result["Stale"], result["Counts"]), (6, "unsupported", False, {}))
        self.assertIn('/"\\\n', result["Message"])
        for module, load in result["Loads"].items():
            self.assertEqual(os.stat(f"/sys/module/{module}/parameters").st_ino, load)

    def test_usage(self):
        for words in (["--nonsense"], ["word"], ["--device"], ["--measure=weight"]):
            done = run(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn("Usage: nestvirt-probe", done.stderr)
        self.assertEqual((run("--help").returncode, run("--version").returncode), (0, 0))

    def test_output_that_can_not_be_written(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([PROBE, "--json"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Cannot print", done.stderr)


if __name__ == "__main__":
    main()
