# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long the daemon's loop has time for nobody else while it answers about ten thousand guests
and a thousand machines: the longest turn, in CPU time of its thread (dispatch.c).

GetManagedObjects is one turn whatever there is. It is held against what it took of version 0.1.
"""

import os
import statistics
import struct

import daemon_counts
import many_guests
from client_counts import COUNTERS, make_machines
from daemon_counts import get_managed
from instructions import END, LARGE_CACHE, TIMEOUT, build_release
from many_guests import TestDriver
from rows import Row

GUESTS, COUNTED_GUESTS, MACHINES = 10000, 200, 1000
ROUNDS = 3
NUMBER = struct.Struct("=Q")
TURN_MS = 20
# One GetManagedObjects of version 0.1: milliseconds of its loop with GUESTS guests, when that was
# released, and instructions with COUNTED_GUESTS, counted as below on Debian 12, which say more on
# another machine, but nothing of what they wait for.
OLD_MANAGED_MS, OLD_MANAGED, OLD_GOAL = 530, 50.4e6, 0.25


class Side(daemon_counts.Side):
    """The daemon over so many guests."""

    settle = many_guests.Side.settle

    def begin(self, guests, wrap):
        driver = TestDriver(self.folder, guests)
        self.running = self.start("./nestvirtd", "--root=host", "--helper-dir=.", f"--libvirt={driver.uri}", wrap=wrap)
        self.running.expected = -END
        self.addCleanup(self.end)
        self.caller = self.client()
        self.settle()

    def end(self):
        self.running.send_signal(END)
        self.running.wait(TIMEOUT)

    def watched(self):
        """What goes before a daemon whose turns are to be looked at."""
        path = self.folder / "longest"
        path.write_bytes(bytes(NUMBER.size))
        self.longest = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, self.longest)
        return ["env", f"--chdir={self.folder}", "LD_PRELOAD=./dispatch.so", f"DISPATCH_FILE={path}"]

    def longest_turn(self, *call, **keywords):
        """Milliseconds of the longest one, in the median of some rounds."""
        found = []
        for _ in range(ROUNDS):
            self.caller.get("Nested")  # the turn before has come to its end
            os.pwrite(self.longest, bytes(NUMBER.size), 0)
            self.caller.call(*call, **keywords)
            self.caller.get("Nested")
            found.append(NUMBER.unpack(os.pread(self.longest, NUMBER.size, 0))[0] / 1e6)
        return statistics.median(found)


def measure_turns():
    with Side() as place:
        make_machines(place, MACHINES)
        place.begin(GUESTS, place.watched())
        note = f"CPU time of the loop's thread, the median of {ROUNDS} rounds' longest"
        for what, call in ((f"ListGuests, {GUESTS} guests", ("ListGuests", ("t", 0))),
                           (f"GetStatistics, {MACHINES} machines with {COUNTERS} counters", ("GetStatistics", ("ast", [], 0)))):
            yield Row(f"longest turn of the loop: {what}", place.longest_turn(*call), goal=TURN_MS, absolute=True, note=note)
        yield Row(f"longest turn of the loop: GetManagedObjects, {GUESTS} guests",
                  place.longest_turn("GetManagedObjects", interface=daemon_counts.OBJECT_MANAGER), OLD_MANAGED_MS, "version 0.1's",
                  OLD_GOAL, note=note)


def managed_times(times):
    with Side() as place:
        place.begin(COUNTED_GUESTS, place.callgrind(LD_PRELOAD="./steady.so", **LARGE_CACHE))
        for _ in range(times):
            get_managed(place.caller)
        place.end()
        return place.counted()


def measure():
    build_release()
    yield from measure_turns()
    yield Row(f"instructions: GetManagedObjects, {COUNTED_GUESTS} guests", (managed_times(2) - managed_times(1)) / 1e6, OLD_MANAGED / 1e6,
              "version 0.1's", unit="M", digits=1, note="the second of two")
