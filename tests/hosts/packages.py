# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packages of another Debian release, unpacked into a folder: newer kernels, newer emulators.

Owns the way from names to files: a private apt (its own sources, lists and status, gone afterwards)
that knows only the other release, from the archive that the machine's own apt uses, and checks its
signature. Installs nothing, and leaves the machine's apt alone.

    packages.py SUITE FOLDER [--dependencies=PATTERN] NAME…
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

from image import ImageError, apt_archive, output, step

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

CONFIGURATION = """
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Acquire::Languages "none";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
"""


class Apt:
    """An apt of its own below `folder` that knows the release `suite`."""

    def __init__(self, folder, suite):
        self.folder = folder
        self.log = folder / "log"
        for path in ("state/lists/partial", "cache/archives/partial", "debs"):
            (folder / path).mkdir(parents=True)
        (folder / "status").touch()
        (folder / "sources.list").write_text(f"deb [signed-by={KEYRING}] {apt_archive()} {suite} main\n")
        (folder / "apt.conf").write_text(CONFIGURATION.format(folder=folder))
        # An update that got only a part is a warning to apt.
        step(self.log, "apt-get", *self.private, "-o", "APT::Update::Error-Mode=any", "update")

    @property
    def private(self):
        return ["-c", str(self.folder / "apt.conf")]

    def newest(self, pattern):
        """The package whose name matches: of several, the one with the highest numbers in it."""
        names = output("apt-cache", *self.private, "pkgnames").split()
        matches = [name for name in names if re.fullmatch(pattern, name)]
        if not matches:
            raise ImageError(f"the release has no package like {pattern}")
        return max(matches, key=numbers)

    def with_dependencies(self, names, pattern):
        """The names, and what they depend on, as far as it matches."""
        plan = output("apt-get", *self.private, "-qq", "--simulate", "install", *names)
        found = re.findall(r"^Inst (\S+)", plan, re.M)
        return sorted({*names, *(name for name in found if re.fullmatch(pattern, name))})

    def unpack(self, names, target):
        step(self.log, "apt-get", *self.private, "download", *names, cwd=self.folder / "debs")
        for path in sorted((self.folder / "debs").iterdir()):
            step(self.log, "dpkg-deb", "-x", path, target)


def numbers(name):
    """Sorts names by the numbers in them: 6.12.9 comes before 6.12.48."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def unpack(suite, names, target, dependencies=""):
    """Unpack packages of the release `suite` (trixie, sid) below `target`.

    Each name is a pattern of a whole name, of which the newest match counts. Of what they depend
    on, those come too whose whole name matches the pattern `dependencies` (".*": all). Nobody has
    to take turns for this; to keep what was unpacked, see cache.get().
    """
    with tempfile.TemporaryDirectory(prefix="nestvirt-apt-") as folder:
        apt = Apt(pathlib.Path(folder), suite)
        names = [apt.newest(name) for name in names]
        if dependencies:
            names = apt.with_dependencies(names, dependencies)
        apt.unpack(names, target)
    return names


def main():
    parser = argparse.ArgumentParser(prog="packages.py", description="Packages of another Debian release, unpacked.")
    parser.add_argument("suite")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--dependencies", default="", metavar="PATTERN")
    parser.add_argument("names", nargs="+", metavar="NAME")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    print("\n".join(unpack(args.suite, args.names, args.folder, args.dependencies)))


if __name__ == "__main__":
    try:
        main()
    except (ImageError, subprocess.CalledProcessError) as error:
        sys.exit(f"packages.py: {error}")
