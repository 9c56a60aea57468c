# SPDX-License-Identifier: LGPL-2.1-or-later
"""The probe by other compilers and with other options than the build under test: its guests are
machine code that runs where nothing is that a compiler may rely on, so that none of them may have a
say in it. Each has to come to the same counts."""

import json
import os
import pathlib
import subprocess
import tempfile

from payload import CHECKOUT
from probing import ProbeTest
from test_probe import COUNTS

SANITIZERS = ["-Doptimization=2", "-Db_sanitize=address,undefined", "-Db_lundef=false"]
BUILDS = {
    "gcc, -O0": ("gcc", ["-Doptimization=0", "-Db_pie=true"]),
    "gcc, -O1, coverage": ("gcc", ["-Doptimization=1", "-Db_pie=true", "-Db_coverage=true"]),
    "gcc, -O3, not PIE": ("gcc", ["-Doptimization=3", "-Db_pie=false"]),
    "clang, -O0, not PIE": ("clang", ["-Doptimization=0", "-Db_pie=false"]),
    "clang, -O3": ("clang", ["-Doptimization=3", "-Db_pie=true"]),
    "clang, -O2, ASan and UBSan": ("clang", ["-Db_pie=true", *SANITIZERS]),
}
TARGET = "daemon/nestvirt-probe"


def build(folder, compiler, options):
    steps = (["meson", "setup", "-Ddebug=false", *options, folder, CHECKOUT], ["ninja", "-C", folder, TARGET])
    for step in steps:
        done = subprocess.run(step, env={**os.environ, "CC": compiler}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, step))}:\n{done.stdout}")
    return (pathlib.Path(folder) / TARGET).read_bytes()


class Builds(ProbeTest):
    def test_all_come_to_the_same_counts(self):
        for name, (compiler, options) in BUILDS.items():
            with self.subTest(name), tempfile.TemporaryDirectory(prefix="nestvirt-build-") as folder:
                self.host.check("cat > /run/probe && chmod +x /run/probe", input=build(folder, compiler, options))
                result = self.host.run("GCOV_PREFIX=/run/gcov /run/probe --json", timeout=300)
                self.assertEqual((result.status, result.stderr), (0, ""), result.stdout)
                self.assertEqual(json.loads(result.stdout)["counts"], COUNTS)
