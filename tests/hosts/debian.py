# SPDX-License-Identifier: LGPL-2.1-or-later
"""A root of another Debian release with all that the tests need, and the command that runs tiers of
tests in it.

Owns the recipe of that root, which is made once and kept in the cache (one of unstable, which
moves, for a day), and what a run sees of the machine. What a run writes goes with it, but for the
build: the root stays as it was made. Which packages are needed says ./run.

    debian.py SUITE    makes the root and prints its folder
"""

import datetime
import os
import pathlib
import shutil
import subprocess
import sys

import cache
from image import ENVIRONMENT_OF_APT, ImageError, apt_archive, output, step

HERE = pathlib.Path(__file__).resolve().parent

# Whose versions are told: what the project is built upon.
TOLD = ["libc6", "libglib2.0-0t64", "systemd", "libkmod2", "libvirt0", "qemu-system-x86", "gcc", "clang", "python3", "ansible-core",
        "libgtk-4-1", "libadwaita-1-0", "cockpit-ws", "chromium"]

# A copy-on-write view of the root, with the machine's kernel, and with processes and mounts of its
# own, of which it is the root: what nsenter(1) comes to and paths below /proc are as on a machine.
# Interfaces of the kernel are the machine's: what the tests change there, they change in name
# spaces of theirs. The shell stays as the first process, which reaps what daemons leave behind: of
# a QEMU that nobody reaps libvirt says that it can't be ended.
ENTER = """
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
cd "$1/root"
mkdir -p src build
mount --bind -o ro "$3" src
mount --bind "$4" build
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
shift 4
pivot_root . mnt
umount -l /mnt
"$@"
exit 0
"""

# Tools of the release, whatever the machine's are.
ENVIRONMENT = ["env", "-i", "HOME=/root", "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               "NESTVIRT_BUILD=/build", "PYTHONDONTWRITEBYTECODE=1"]


def packages(variable="NESTVIRT_PACKAGES"):
    """What ./run says is needed."""
    names = os.environ.get(variable, "").split()
    if not names:
        raise ImageError("./run tells which packages the tests need: ./run test trixie")
    return sorted(set(names))


def apt_options():
    """Whether a list of packages may be old is the machine's to say, whose archive may be a mirror
    of some day's."""
    for line in output("apt-config", "dump", "Acquire::Check-Valid-Until").splitlines():
        yield f"--aptopt={line}"


def make_root(folder, suite, names, without):
    """A root with these packages, but for what they have in `without` of /usr/share."""
    if os.geteuid() != 0:
        raise ImageError(f"a root of Debian {suite} can only be made as root")
    root = folder / "root"
    command = [
        # As image.py says.
        *("unshare", "--mount"),
        "mmdebstrap",
        "--mode=root",
        "--variant=apt",
        "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg",
        "--aptopt=APT::Install-Recommends \"false\"",
        "--dpkgopt=force-unsafe-io",  # what is not whole is thrown away
        "--include=" + ",".join(names),
        *apt_options(),
    ]
    command += [f"--dpkgopt=path-exclude=/usr/share/{path}/*" for path in without]
    step(folder / "build.log", *command, suite, str(root), f"deb {apt_archive()} {suite} main", env=ENVIRONMENT_OF_APT)
    return root


def build(folder, suite, names):
    print(f"Making a root of Debian {suite} with what the tests need (some minutes)…", file=sys.stderr, flush=True)
    root = make_root(folder, suite, names, ("doc", "info", "locale"))
    # Nothing is installed from inside.
    (root / "etc/apt/sources.list").write_text("")
    shutil.rmtree(root / "var/cache/apt", ignore_errors=True)


def get(suite, names):
    """The root of the release with these packages, made first when it is not there."""
    day = datetime.date.today().isoformat() if suite == "sid" else ""
    recipe = cache.key(suite, day, *names, files=[HERE / "debian.py"])
    return cache.get("debian", f"{suite}-{recipe}", lambda folder: build(folder, suite, names)) / "root"


def versions(root):
    """A line: the packages of TOLD and their versions."""
    command = ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f", "${db:Status-Abbrev} ${Package} ${Version}\n"]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    found = {name: version for status, name, version in map(str.split, lines) if status == "ii"}
    return ", ".join(f"{name} {found[name]}" for name in TOLD if name in found)


def command(root, checkout, build, *inner):
    """What runs a command in the root: the checkout is its /src, which it can't write to, and the
    folder `build`, which is made, its /build."""
    place = root.parent / "run"
    for folder in (place, build):
        folder.mkdir(exist_ok=True)
    apart = ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child"]
    return [*apart, "sh", "-ec", ENTER, "-", place, root, checkout, build, *ENVIRONMENT, *inner]


if __name__ == "__main__":
    try:
        print(get(sys.argv[1], packages()))
    except ImageError as error:
        sys.exit(f"debian.py: {error}")
