# SPDX-License-Identifier: LGPL-2.1-or-later
"""A tree made up for a test of a check beside it: what the check says of it. It judges nothing."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent


class TreeTest(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)
        self.root = self.place / "tree"

    def write(self, files):
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def run_check(self, check, *arguments):
        """(exit status, what it said, line by line, but for the last, which counts)"""
        result = subprocess.run([sys.executable, HERE / check, f"--root={self.root}", *arguments], capture_output=True,
                                text=True, check=False)
        self.assertEqual(result.stderr, "")
        return result.returncode, result.stdout.splitlines()[:-1]
