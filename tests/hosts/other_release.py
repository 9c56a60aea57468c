# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an emulated host with another Debian release's userland boots: the image, and the build that
was made for it.

Owns both recipes. Either is made of the root in which that release's unit tests run (debian.py):
the image is a copy of it, and the libraries that the build was linked with are in there.

    other_release.py SUITE    makes the root and prints its folder
"""

import pathlib
import shutil
import subprocess
import sys

import cache
import debian
import image
import payload
from agent import HostError

# By which ./run says what these tests need.
VARIABLE = "NESTVIRT_USERLAND_PACKAGES"


INSTALL = """
[ -f /build/build.ninja ] || meson setup /build /src
meson install -C /build --destdir /build/installed --quiet
"""


def packages():
    """What the tests need in the root, and what a host needs over that."""
    return sorted({*debian.packages(VARIABLE), *image.PACKAGES})


def root(suite):
    return debian.get(suite, packages())


def build_folder(suite):
    return payload.CHECKOUT / f"build-userland-{suite}"


def enter(suite, *inner):
    """What runs a command in the root, with its build."""
    return debian.command(root(suite), payload.CHECKOUT, build_folder(suite), *inner)


def payload_tar(suite, target):
    """A tar of what is installed by a build in the root."""
    tree = build_folder(suite) / "installed"
    shutil.rmtree(tree, ignore_errors=True)
    done = subprocess.run(enter(suite, "sh", "-ec", INSTALL), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise HostError(f"no build for Debian {suite} could be installed:\n{done.stdout}")
    return payload.from_installed(tree, target)


def make(folder, source):
    print("Making the emulated host's image of that root…", file=sys.stderr, flush=True)
    log, copy = folder / "build.log", folder / "root"
    image.step(log, "cp", "-a", "--reflink=auto", source, copy)
    version = image.kernel_version(copy / "lib/modules")
    # As kernels.py says.
    image.step(log, "find", copy / "lib/modules" / version, "-name", "*.ko.xz", "-exec", "unxz", "{}", "+")
    image.step(log, "depmod", "-b", copy, version)
    image.fill(folder, copy, log)


def get(suite):
    """The folder of the image, as that of image.get()."""
    source = root(suite)
    files = [image.HERE / "image.py", image.HERE / "other_release.py", *image.copied()]
    recipe = cache.key(source.parent.name, files=files)
    return cache.get("other_release", f"{suite}-{recipe}", lambda folder: make(folder, source))


if __name__ == "__main__":
    try:
        print(root(sys.argv[1]))
    except image.ImageError as error:
        sys.exit(f"other_release.py: {error}")
