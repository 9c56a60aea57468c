# SPDX-License-Identifier: LGPL-2.1-or-later
"""How many instructions of user space something takes, counted by callgrind: the machinery of
client_counts.py and daemon_counts.py. What else the machine does and where the checkout lies is not
in them, so that two commits can be compared.

A release build of its own, over a tree of files. What would make two runs differ is taken away: the
environment, the length of names, and, by steady.c, what is random. Compiler, libraries and the
CPU's features do count: both commits want the same.
"""

import contextlib
import shutil
import signal
import statistics
import subprocess

from agent import HostError
from local import BUILD, FIXTURES, TESTS, TIMEOUT, Place
from rows import Row

FIXTURE = "amd-epyc-6.1"
RELEASE = BUILD / "release"
# What is counted, and what they load and run.
PROGRAMS = ["client/nestvirtctl", "client/nestvirtctl-json.so", "client/nestvirtctl-xml.so", "daemon/nestvirtd",
            "daemon/nestvirt-libvirt.so", "daemon/nestvirt-device", "tests/bench/steady.so", "tests/bench/dispatch.so"]

ROUNDS = 3
# The daemon has no handler for it: what ends it does not count.
END = signal.SIGUSR1
# What malloc() takes depends on what has been freed in which order since the start, which for a Get
# makes 0.3 %. With a cache that never overflows it is the same for each call.
LARGE_CACHE = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=60000"}

UNITS = {"M": 1e6, "k": 1e3}


def build_release():
    """Only what is counted; where it has been built before, only what has changed."""
    commands = [["ninja", "--quiet", "-C", RELEASE, *PROGRAMS]]
    if not (RELEASE / "build.ninja").exists():
        commands.insert(0, ["meson", "setup", "--buildtype=release", RELEASE, TESTS.parent])
    for command in commands:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise HostError(f"the release build failed:\n{done.stdout}")


class Counted(Place):
    """A bus, a tree of files, and the programs, in a folder that what is counted is told no path
    of."""

    def setUp(self):
        super().setUp()
        shutil.copytree(FIXTURES / FIXTURE, self.host, symlinks=True)
        for name in PROGRAMS:
            shutil.copy(RELEASE / name, self.folder)

    def callgrind(self, **more):
        """What goes before a command that is to be counted."""
        variables = {"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C.UTF-8",
                     "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=bus/socket", **more}
        return ["env", "--ignore-environment", f"--chdir={self.folder}",
                *(f"{name}={value}" for name, value in variables.items()),
                "valgrind", "--quiet", "--tool=callgrind", "--vgdb=no", "--callgrind-out-file=counts"]

    def counted(self):
        """The instructions of all threads of the process that has ended."""
        for line in (self.folder / "counts").read_text().splitlines():
            if line.startswith("totals:"):
                return int(line.split()[1])
        raise HostError("callgrind has written no total")

    @contextlib.contextmanager
    def daemon(self, wrap):
        """It has its name, and is ended when all that it was asked is answered."""
        process = self.start("./nestvirtd", "--root=host", "--helper-dir=.", wrap=wrap)
        process.expected = -END
        yield
        process.send_signal(END)
        if process.wait(TIMEOUT) != -END:
            raise HostError(f"the daemon has ended by itself: {process.log.read_text()}")


def count(what, function, *arguments, unit="M", goal=None, note=""):
    """A row, whose note says how far the runs are from each other: a smaller difference says
    nothing."""
    counts = [function(*arguments) for _ in range(ROUNDS)]
    spread = (max(counts) - min(counts)) / min(counts)
    return Row(f"instructions: {what}", statistics.median(counts) / UNITS[unit], goal=goal, absolute=True, unit=unit, digits=3,
               note=f"{note}{ROUNDS} runs, which differ by {spread:.3%}")
