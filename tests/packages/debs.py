# SPDX-License-Identifier: LGPL-2.1-or-later
"""The packages of Debian, built from the source tarball in a clean root of one of its releases.

Owns what that root has, and the folder that the packages come to, build-packages/RELEASE. What is
built is what is committed, and is built once for a commit. What is checked of the packages says
test_packages.py.

    debs.py [RELEASE]    builds for bookworm, trixie, or the machine's own, and prints the files
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import tarball
from tarball import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "tests" / "hosts"))
import debian  # noqa: E402
import image  # noqa: E402

# What any build takes; what looks at packages; what the tools of a root take (debian.py); and what
# the binary packages need that nobody links with.
ALWAYS = ["build-essential", "fakeroot", "lintian", "mount", "default-dbus-system-bus", "cockpit-bridge"]
# For them there is a package of its own since Debian 13; see debian/control.
FIRST_OF_TWO = {"bookworm": {"systemd-dev": "systemd"}}

# As whoever builds packages in a chroot does: nobody, with no home, and the folder is all there is
# to write to.
BUILD = """
cd /build/source
exec setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME=/nonexistent LC_ALL=C.UTF-8 "DEB_BUILD_OPTIONS=$1" \\
        dpkg-buildpackage --build=full --no-sign
"""


class BuildError(Exception):
    """The packages can't be built; the text says why."""


def control():
    return (CHECKOUT / "debian/control").read_text()


def build_packages(suite):
    """The names of what Build-Depends says, of alternatives the one that the release has."""
    field = re.search(r"^Build-Depends:\n((?: .*\n)+)", control(), re.M)[1]
    names = []
    for entry in filter(None, (text.strip() for text in re.sub(r"<[^>]*>|\([^)]*\)", "", field).split(","))):
        name = entry.split("|")[0].split(":")[0].strip()
        names.append("debhelper" if name == "debhelper-compat" else FIRST_OF_TWO.get(suite, {}).get(name, name))
    return names


def root(suite):
    """The clean root of the release."""
    return debian.get(suite, sorted({*ALWAYS, *build_packages(suite)}))


def folder(suite):
    return CHECKOUT / "build-packages" / suite


def enter(suite, *inner):
    """What runs a command in the root, where the folder of the packages is /build."""
    return debian.command(root(suite), CHECKOUT, folder(suite), *inner)


def run_in(suite, *inner):
    """The exit status of a command in the root, and what it said."""
    done = subprocess.run(enter(suite, *inner), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace")
    return done.returncode, done.stdout


def unpack_source(target):
    """The tarball, named as Debian wants it, and its tree beside it."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    made = tarball.make(target)
    name, version = made.name.removesuffix(".tar.xz").rsplit("-", 1)
    original = made.rename(target / f"{name}_{version}.orig.tar.xz")
    (target / "source").mkdir()
    subprocess.run(["tar", "-xf", original, "--strip-components=1", "-C", target / "source"], check=True)
    subprocess.run(["chown", "-R", "nobody:nogroup", target], check=True)


def options():
    """Tests run where they are run for that, and the packages' own when somebody asks."""
    asked = os.environ.get("DEB_BUILD_OPTIONS", "nocheck")
    return f"{asked} parallel={os.cpu_count() or 1}"


def build(suite):
    target = folder(suite)
    print(f"Building the packages in a clean root of Debian {suite} (some minutes)…", file=sys.stderr, flush=True)
    unpack_source(target)
    status, said = run_in(suite, "sh", "-ec", BUILD, "-", options())
    (target / "build.log").write_text(said)
    if status:
        raise BuildError("\n".join(["dpkg-buildpackage failed:", *said.splitlines()[-40:]]))
    shutil.rmtree(target / "source")
    (target / "built").write_text(f"{tarball.commit()} {options()}\n")


def get(suite=None):
    """The folder of the packages of this commit, which are built first when they are not there."""
    suite = suite or image.release()
    stamp = folder(suite) / "built"
    if not stamp.exists() or stamp.read_text() != f"{tarball.commit()} {options()}\n":
        for name in tarball.not_committed():
            print(f"{name} is not committed as it is here: the packages are without that", file=sys.stderr)
        build(suite)
    return folder(suite)


def packages(suite=None):
    """The binary packages, but for those of symbols."""
    return sorted(path for path in get(suite).glob("*.deb") if "-dbgsym_" not in path.name)


def main():
    try:
        print("\n".join(map(str, packages(*sys.argv[1:2]))))
    except (BuildError, tarball.TarballError, image.ImageError) as error:
        sys.exit(f"debs.py: {error}")


if __name__ == "__main__":
    main()
