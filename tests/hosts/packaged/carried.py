# SPDX-License-Identifier: LGPL-2.1-or-later
"""An emulated host that nestvirtd comes to as packages of Debian: they are carried in, and dpkg
installs them once the host is up.

Owns what is carried in: the packages, the same with a higher version to upgrade to, the profile for
AppArmor as the kernel takes it, since the image has no parser, and the packages' own tests.
"""

import functools
import pathlib
import shutil
import subprocess
import sys
import tempfile

import payload
import shared

sys.path.insert(0, str(payload.CHECKOUT / "tests" / "packages"))
import debs  # noqa: E402
import newer  # noqa: E402

FOLDER = "/usr/lib/nestvirt-test/packages"
INSTALL = f"dpkg -i {FOLDER}/*.deb"
UPGRADE = f"dpkg -i {FOLDER}/newer/*.deb"
REMOVE, PURGE = "dpkg -r nestvirtd nestvirt-probe", "dpkg -P nestvirtd nestvirt-probe"
TEST = f"sh -e {FOLDER}/tests/"


@functools.cache
def payload_tar():
    with tempfile.TemporaryDirectory() as folder:
        tree, unpacked = pathlib.Path(folder, "tree"), pathlib.Path(folder, "unpacked")
        carried = tree / FOLDER.lstrip("/")
        (carried / "newer").mkdir(parents=True)
        for package in debs.packages():
            if package.name.startswith("cockpit-"):
                continue  # the host has no Cockpit
            shutil.copy(package, carried)
            newer.make(package, carried / "newer" / package.name)
            subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True)
        shutil.copytree(payload.CHECKOUT / "debian/tests", carried / "tests")
        payload.compile_profile(unpacked, tree)
        return payload.from_tree(tree, shared.kept_folder() / "packages.tar")


class PackagedHost(shared.OwnHost):
    """The packages are installed by the first boot that does not ask for a bare host."""

    installed = False

    def boot(self, *arguments, bare=False, **named):
        super().boot(*arguments, **named)
        if not bare and not self.installed:
            self.check(INSTALL, timeout=300)
            self.installed = True
        return self


def make(machine="amd", suite=None):
    return PackagedHost(payload_tar(), machine=machine, suite=suite)
