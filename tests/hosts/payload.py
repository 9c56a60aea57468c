# SPDX-License-Identifier: LGPL-2.1-or-later
"""The build under test as a tar for the emulated host: what `meson install` puts beneath a DESTDIR,
and its profile for AppArmor as the kernel takes it.

The build tree has to be set up with --prefix=/usr --sysconfdir=/etc. NESTVIRT_BUILD names another
one than build/.
"""

import os
import pathlib
import subprocess
import tarfile
import tempfile

from agent import HostError
from image import HERE

CHECKOUT = HERE.parent.parent

PROFILE = "etc/apparmor.d/nestvirtd"
# What guest/init hands to the kernel. Compiled here: a host that did so by itself, as one in the
# field does, would boot twice as long.
COMPILED = "usr/lib/nestvirt-test/apparmor"
# What Debian has its profiles rely on.
FEATURES = "/usr/share/apparmor-features/features"


def build_folder():
    return pathlib.Path(os.environ.get("NESTVIRT_BUILD") or CHECKOUT / "build")


def from_tree(tree, target):
    """A tar of all files below `tree`, owned by root. Folders that exist in the host keep their own
    modes there."""
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
        for folder, folders, files in os.walk(tree):
            links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            for name in sorted(files + links):
                path = os.path.join(folder, name)
                member = archive.gettarinfo(path, os.path.relpath(path, tree))
                member.uid = member.gid = 0
                member.uname = member.gname = "root"
                if member.isreg():
                    with open(path, "rb") as stream:
                        archive.addfile(member, stream)
                else:
                    archive.addfile(member)
    return target


def compile_profile(tree, target=None):
    """The profile of what is installed beneath `tree`, for a host that gets that, or one of another
    tree."""
    target = (target or tree) / COMPILED
    target.parent.mkdir(parents=True, exist_ok=True)
    command = ["apparmor_parser", "--skip-kernel-load", "--skip-cache", "--kernel-features", FEATURES, "--ofile", target, tree / PROFILE]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise HostError(f"apparmor_parser failed:\n{done.stdout}")


def from_installed(tree, target):
    """A tar of what meson has installed beneath `tree`."""
    if (tree / PROFILE).exists():
        compile_profile(tree)
    return from_tree(tree, target)


def from_build(target, build=None):
    """A tar of what the build tree installs; the tree must be built already."""
    build = build or build_folder()
    if not (build / "build.ninja").exists():
        raise HostError(f"{build} is no build tree: run ./run build, or set NESTVIRT_BUILD")
    with tempfile.TemporaryDirectory(prefix="nestvirt-install-") as tree:
        command = ["meson", "install", "-C", build, "--destdir", tree, "--no-rebuild", "--quiet"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise HostError(f"meson install failed:\n{done.stdout}")
        return from_installed(pathlib.Path(tree), target)
