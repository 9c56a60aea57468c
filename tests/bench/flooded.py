# SPDX-License-Identifier: LGPL-2.1-or-later
"""What one user who asks without end costs all others: whole processes of nestvirtctl, run by
another user, beside the same without the flood; and the daemon's memory meanwhile.

It runs on this machine; the host of the daemon is a tree of files, and its guests are those of
libvirt's test driver.
"""

import os
import signal
import statistics
import subprocess
import time

from agent import HostError
from local import BUILD, Place
from many_guests import TestDriver
from rows import Row

FLOODER, OTHER = 65534, 1
CONNECTIONS, CALLS = 250, 16
GUESTS = 100
ROUNDS = 9
KINDS = ["dry-run", "not-allowed", "refused", "refresh", "check", "users", "statistics", "guests", "guest"]
# What the other user does, and what it may take at most, of what it takes without the flood.
ASKED = {"status": (["status"], 10), "dry run": (["set", "kvm_amd.nested=0", "--dry-run"], 20)}
MEMORY_MIB = 16


def anonymous(process):
    """MiB that are the process's own, now."""
    with open(f"/proc/{process.pid}/status", encoding="utf-8") as stream:
        fields = dict(line.split(":", 1) for line in stream if ":" in line)
    return int(fields["RssAnon"].split()[0]) / 1024


class Flooded(Place):
    def setUp(self):
        super().setUp()
        self.libvirt = TestDriver(self.folder, GUESTS)
        self.daemon = self.start_real("amd-epyc-6.1", f"--libvirt={self.libvirt.uri}")
        self.client().call("RefreshGuests", ("t", 0))

    def environment(self):
        return {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.bus.address}

    def timed(self, words):
        """Milliseconds of a whole process of the other user's; what stands in its way has been
        told, too."""
        before = time.perf_counter()
        done = subprocess.run([BUILD / "client/nestvirtctl", *words], user=OTHER, group=OTHER, extra_groups=[], env=self.environment(),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        took = (time.perf_counter() - before) * 1000
        if done.returncode:
            raise HostError(f"nestvirtctl {' '.join(words)} ended with {done.returncode}: {done.stderr}")
        return took

    def rounds(self):
        """The median of each, and the most memory that the daemon was seen with."""
        memory, times = anonymous(self.daemon), {name: [] for name in ASKED}
        for _ in range(ROUNDS):
            for name, (words, _goal) in ASKED.items():
                times[name].append(self.timed(words))
                memory = max(memory, anonymous(self.daemon))
        return {name: statistics.median(many) for name, many in times.items()}, memory

    def flooded(self, kind):
        command = [BUILD / "tests/bench/flood", str(FLOODER), str(CONNECTIONS), str(CALLS), kind]
        with subprocess.Popen(command, env=self.environment(), stdout=subprocess.PIPE, text=True) as flood:
            try:
                if flood.stdout.readline() != "ready\n":
                    raise HostError(f"the flood of {kind} has not begun")
                found = self.rounds()
                if flood.poll() is not None:
                    raise HostError(f"the flood of {kind} ended with {flood.returncode}")
            finally:
                flood.send_signal(signal.SIGKILL)
        return found


def measure():
    """Each kind on a daemon of its own, beside the same daemon before."""
    note = f"{CONNECTIONS} connections of one user with {CALLS} calls each; {ROUNDS} rounds"
    for kind in KINDS:
        with Flooded() as side:
            quiet, _ = side.rounds()
            busy, memory = side.flooded(kind)
        for name, (_words, goal) in ASKED.items():
            yield Row(f"{name} under a flood: {kind}", busy[name], quiet[name], "without it", goal, note=note)
        yield Row(f"memory under a flood: {kind}", memory, goal=MEMORY_MIB, absolute=True, unit="MiB")
