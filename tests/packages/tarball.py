# SPDX-License-Identifier: LGPL-2.1-or-later
"""The source tarball of what is committed: the same bytes for the same commit, whoever makes it.

meson dist gives each file the time of the checkout, which git archive takes from the commit.

    tarball.py FOLDER    makes it in there and prints its path
"""

import os
import pathlib
import re
import subprocess
import sys

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]

# Whoever owns the checkout, and whatever git and xz are otherwise told.
GIT = ["git", "-c", "safe.directory=*", "-C", CHECKOUT, "-c", "tar.umask=0022", "-c", "core.autocrlf=false"]
XZ = ["xz", "-6", "--threads=1", "--check=crc64", "--stdout"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("XZ_", "GIT_"))}


class TarballError(Exception):
    """The tarball can't be made; the text says why."""


def output(*command, **kwargs):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT, **kwargs)
    if done.returncode:
        raise TarballError(f"{command[0]} failed with status {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def git(*arguments):
    return output(*GIT, *arguments)


def commit():
    return git("rev-parse", "HEAD").decode().strip()


def not_committed():
    """The files that differ from those of the tarball, or are missing in it."""
    return [line[3:] for line in git("status", "--porcelain").decode().splitlines()]


def version():
    return re.search(r"^\s*version : '([^']+)'", git("show", "HEAD:meson.build").decode(), re.M)[1]


def make(folder):
    """The tarball, in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"nestvirtd-{version()}"
    archive = git("archive", "--format=tar", f"--prefix={name}/", commit())
    target = folder / f"{name}.tar.xz"
    target.write_bytes(output(*XZ, input=archive))
    return target


if __name__ == "__main__":
    try:
        for name in not_committed():
            print(f"tarball.py: {name} is not committed as it is here: the tarball is without that", file=sys.stderr)
        print(make(pathlib.Path(sys.argv[1])))
    except TarballError as error:
        sys.exit(f"tarball.py: {error}")
