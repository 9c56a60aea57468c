# SPDX-License-Identifier: LGPL-2.1-or-later
"""A thousand hosts as trees of files, each checked, and held against its desired state, by one
process of nestvirtctl and one of nestvirtd: what a tree costs, and whether memory grows with them.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

from agent import HostError
from instructions import RELEASE, build_release
from local import FIXTURES
from rows import Row

TREES, FEWER = 1000, 100
MIB = 1024 * 1024
DESIRED = "[Parameters]\nnested=on\n[Guests]\nNested=no\n"
VERBS = {"check": ["check"], "apply --check": ["apply", "--check"]}


def make(folder, number):
    """Hosts of all kinds, in turns."""
    fixtures = sorted(path for path in FIXTURES.iterdir() if path.is_dir())
    for i in range(number):
        tree = folder / str(i)
        shutil.copytree(fixtures[i % len(fixtures)], tree, symlinks=True)
        target = tree / "etc/nestvirt/50-site.conf"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(DESIRED)
        yield f"--root={tree}"


def run(words, roots):
    """CPU time of both processes, and the memory of the larger one. By time(1): a process that
    Python starts has the most that Python has had."""
    done = subprocess.run(["/usr/bin/time", "--quiet", "--format=%U %S %M", RELEASE / "client/nestvirtctl", *words, "--json=short", *roots],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env={**os.environ, "NESTVIRTD": str(RELEASE / "daemon/nestvirtd")})
    answers = len(done.stdout.splitlines())
    if answers != len(roots):
        raise HostError(f"{' '.join(words)} of {len(roots)} trees gave {answers} answers: {done.stderr[-1000:]}")
    user, system, kilobytes = done.stderr.splitlines()[-1].split()
    return float(user) + float(system), int(kilobytes) * 1024


def measure():
    build_release()
    with tempfile.TemporaryDirectory(prefix="nestvirt-trees-") as folder:
        roots = list(make(pathlib.Path(folder), TREES))
        for name, words in VERBS.items():
            _, few = run(words, roots[:FEWER])
            seconds, many = run(words, roots)
            yield Row(f"{name}, CPU for each of {TREES} trees", seconds * 1000 / TREES, goal=10, absolute=True,
                      note="client and daemon, two processes in all")
            yield Row(f"{name}, peak memory with {TREES} trees", many / MIB, few / MIB, f"with {FEWER} trees", 1.1, unit="MiB")
