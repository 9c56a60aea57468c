# SPDX-License-Identifier: LGPL-2.1-or-later
"""libvirtd and QEMU of another Debian release, for the emulated host whose own are the machine's.

Owns the recipe of their disk, and how libvirtd is started of it: in a root of its own, but with the
host's /run, so that whoever looks for a libvirt finds this one; the host's own is not started. What
it writes goes with the boot.

    userland.py SUITE    makes the disk and prints its path
"""

import datetime
import sys

import cache
import debian
from image import ImageError, step

PACKAGES = ["libvirt-clients", "libvirt-daemon", "libvirt-daemon-driver-qemu", "qemu-system-x86"]
DISK_SIZE = "3G"  # sparse

# Where libvirtd lies has changed over the releases, and so has who makes its user.
START = """
mkdir -p /run/userland /srv/userland
mount -t tmpfs tmpfs /run/userland
mkdir /run/userland/upper /run/userland/work /run/userland/lower
mount -o ro,noload /dev/{disk} /run/userland/lower
mount -t overlay -o lowerdir=/run/userland/lower,upperdir=/run/userland/upper,workdir=/run/userland/work overlay /srv/userland
for folder in dev proc run sys; do mount --rbind /$folder /srv/userland/$folder; done
mount -t tmpfs tmpfs /srv/userland/tmp
cat >> /srv/userland/etc/libvirt/qemu.conf
chroot /srv/userland sh -ec 'virtlogd --daemon; libvirtd --daemon; libvirtd --version; qemu-system-x86_64 --version | head -n 1'
"""


def build(folder, suite):
    print(f"Making a disk with Debian {suite}'s libvirt and QEMU (a minute or so)…", file=sys.stderr, flush=True)
    root, log = debian.make_root(folder, suite, PACKAGES, ("doc", "info", "locale", "man")), folder / "build.log"
    step(log, "mke2fs", "-q", "-t", "ext4", "-m0", "-d", root, folder / "userland.ext4", DISK_SIZE)
    step(log, "rm", "-r", root)


def start(host, configuration):
    """Their versions, once libvirtd runs, with @configuration for its qemu.conf."""
    return host.check(START.format(disk="vdd"), timeout=120, input=configuration).splitlines()


def get(suite):
    """The disk; one of unstable, which moves, is that of the day."""
    day = datetime.date.today().isoformat() if suite == "sid" else ""
    recipe = cache.key(suite, day, DISK_SIZE, *PACKAGES)
    return cache.get("userland", f"{suite}-{recipe}", lambda folder: build(folder, suite)) / "userland.ext4"


if __name__ == "__main__":
    try:
        print(get(sys.argv[1]))
    except ImageError as error:
        sys.exit(f"userland.py: {error}")
