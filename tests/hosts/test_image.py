# SPDX-License-Identifier: LGPL-2.1-or-later
"""The desired state written into an image under construction: a tree that mmdebstrap has made, and
that is then booted. Nothing of nestvirtd is in it, so that what the host has comes of the files
alone."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import emulator
import image
from payload import build_folder

DESIRED = "usr/lib/nestvirt/50-image.conf"
KEPT = "etc/modprobe.d/zz-nestvirt.conf"


def unpack(tree):
    """The tree of the emulated host's root, as its packages and image.py have made it."""
    command = ["debugfs", "-R", f"rdump / {tree}", image.get() / "root.ext4"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def nestvirtctl(*arguments):
    build = build_folder()
    return subprocess.run([build / "client/nestvirtctl", *arguments], env={**os.environ, "NESTVIRTD": str(build / "daemon/nestvirtd")},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)


class OfTree(emulator.Host):
    """A host whose root is a disk of the test's own."""

    def __init__(self, root):
        super().__init__()
        self.root = root

    def files(self):
        return self.root, image.get()


class Image(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="nestvirt-image-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.tree = self.folder / "tree"
        self.tree.mkdir()
        unpack(self.tree)

    def say(self, text):
        target = self.tree / DESIRED
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def apply(self, *arguments, status=0):
        result = nestvirtctl(f"--root={self.tree}", "apply", *arguments)
        self.assertEqual(result.returncode, status, result)
        return result

    def boot(self):
        """What the two parameters are after the first boot."""
        disk = ["mke2fs", "-q", "-t", "ext4", "-m0", "-d", self.tree, self.folder / "root.ext4", image.DISK_SIZE]
        subprocess.run(disk, check=True, stdout=subprocess.DEVNULL)
        with OfTree(self.folder) as host:
            host.boot()
            self.assertEqual(host.run("command -v nestvirtctl; ls -d /usr/lib/nestvirt/nestvirtd").stdout, "")
            return host.check("cd /sys/module/kvm_amd/parameters && cat nested npt").split()

    def test_right_at_its_first_boot_with_no_daemon(self):
        self.say("[Parameters]\nnested=of\n")
        self.assertIn(f"{DESIRED}:2: nested can be on or off", self.apply(status=2).stderr)
        self.assertFalse((self.tree / KEPT).exists())

        self.say("[Parameters]\nnested=off\n[kvm_amd]\nnpt=off\n[kvm_intel]\nenable_apicv=off\n")
        self.apply("--check", status=3)
        self.apply()
        self.apply("--check")
        kept = self.tree / KEPT
        before = kept.stat().st_mtime_ns
        self.assertIn("options kvm_amd", kept.read_text())
        self.assertIn("options kvm_intel", kept.read_text())
        self.apply()
        self.assertEqual(kept.stat().st_mtime_ns, before)

        self.assertEqual(self.boot(), ["0", "N"])


if __name__ == "__main__":
    unittest.main()
