# SPDX-License-Identifier: LGPL-2.1-or-later
"""The source tarball and the packages of Debian, built in a clean root of the release that
NESTVIRT_RELEASE names, or of the machine's own."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import debs
import image
import tarball

SUITE = os.environ.get("NESTVIRT_RELEASE") or image.release()

# As nobody: it reads what may be anybody's.
LINTIAN = """
cd /build
exec setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME=/nonexistent LC_ALL=C.UTF-8 TMPDIR=/tmp \\
        lintian --display-info --fail-on error,warning,info $1 *.changes
"""
# What Debian 12 asks to have an override for is no tag any more; its policy is the one that is
# followed; and a page has no address in the world yet.
NEWER = "--suppress-tags=alien-tag,out-of-date-standards-version,appstream-metadata-validation-failed"


class Tarball(unittest.TestCase):
    def test_twice_the_same(self):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            first, second = (tarball.make(pathlib.Path(folder)) for folder in (one, other))
            self.assertEqual(first.read_bytes(), second.read_bytes())
            listed = subprocess.run(["tar", "-tf", first], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
        name = first.name.removesuffix(".tar.xz")
        self.assertEqual({path.split("/")[0] for path in listed}, {name})
        committed = tarball.git("ls-tree", "-r", "--name-only", "-z", "HEAD").decode().split("\0")
        self.assertEqual({path for path in listed if not path.endswith("/")}, {f"{name}/{path}" for path in committed if path})


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        debs.get(SUITE)

    def test_lintian_says_nothing(self):
        self.assertEqual(debs.run_in(SUITE, "sh", "-ec", LINTIAN, "-", "" if SUITE == "bookworm" else NEWER), (0, ""))

    def test_life(self):
        status, said = debs.run_in(SUITE, "/usr/bin/python3", "/src/tests/packages/life.py", "/build")
        self.assertEqual(status, 0, said)
        self.assertEqual(said, f"{len(debs.packages(SUITE))} packages installed, upgraded, removed and purged\n")


if __name__ == "__main__":
    unittest.main()
