# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kernels of other releases of Debian for the emulated host, whose root stays the machine's
release.

Owns the recipe of one kernel: what a boot takes, and a small disk with all of its modules, which is
mounted where the root file system would have them. Knows nothing of the emulator.

    kernels.py [--rebuild] [RELEASE…]
"""

import sys

import cache
import image
import packages

# The versions of the kernels stand for the releases that have them; unstable's changes all the
# time.
RELEASES = {"6.1": "bookworm", "6.12": "trixie"}
SUITES = [*RELEASES.values(), "sid"]

PACKAGE = "linux-image-cloud-amd64"  # the newest, whatever its version
PARTS = r"linux-(base|binary|image|modules)-.*"
DISK_SIZE = "192M"  # sparse


def names():
    return [*RELEASES, *SUITES]


def suite_of(name):
    return RELEASES.get(name, name)


def others():
    """The releases whose kernel is not the root image's own."""
    return [suite for suite in SUITES if suite != image.release()]


def build(folder, suite):
    print(f"Fetching the kernel of Debian {suite}…", file=sys.stderr, flush=True)
    log, root = folder / "build.log", folder / "root"
    root.mkdir()
    packages.unpack(suite, [PACKAGE], root, dependencies=PARTS)
    if not (root / "lib").exists():  # where depmod looks, and older kernels lie
        (root / "lib").symlink_to("usr/lib")
    version = image.kernel_version(root / "lib/modules")
    modules = root / "lib/modules" / version
    # Newer releases compress modules; a slow machine would be busy with that at each load.
    image.step(log, "find", modules, "-name", "*.ko.xz", "-exec", "unxz", "{}", "+")
    image.step(log, "depmod", "-b", root, version)
    kernel = root / "boot" / f"vmlinuz-{version}"
    image.copy_kernel(kernel if kernel.exists() else modules / "vmlinuz", modules, image.get() / "busybox", folder)
    features = ["-O", "^has_journal", "-m0"]
    image.step(log, "mke2fs", "-q", "-t", "ext4", *features, "-d", modules, folder / "modules.ext4", DISK_SIZE)
    image.step(log, "rm", "-r", root)


def get(name=None, rebuild=False):
    """The folder of a kernel: vmlinuz, busybox, modules/, kvm/ and, when it is not the root image's
    own, modules.ext4.

    `name` is a release (trixie, sid) or a version that stands for one (6.12); none for the root
    image's own. Made first when it is not there, which takes the network.
    """
    suite = suite_of(name)
    if suite in (None, image.release()):
        return image.get()
    recipe = [image.HERE / file for file in ("kernels.py", "image.py", "packages.py")]
    return cache.get("kernel", f"{suite}-{cache.key(suite, files=recipe)}", lambda folder: build(folder, suite), rebuild)


if __name__ == "__main__":
    try:
        for each in [word for word in sys.argv[1:] if word != "--rebuild"] or others():
            print(get(each, rebuild="--rebuild" in sys.argv[1:]))
    except image.ImageError as error:
        sys.exit(f"kernels.py: {error}")
