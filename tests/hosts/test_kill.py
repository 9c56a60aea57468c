# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIGKILL and power cuts at each step of a change, on the real loader. The moments are the daemon's
own system calls, hit by strace."""

import unittest

from nestvirt import Nestvirt, NestvirtTest
from shared import own_host

# The calls that make up a change, as strace names them.
CALLS = ("fsync", "renameat,renameat2", "delete_module", "init_module,finit_module", "unlinkat")
# Where the power fails; the other moments differ in memory alone.
CUTS = (("fsync", 1), ("renameat,renameat2", 1), ("delete_module", 1), ("delete_module", 2), ("init_module,finit_module", 1),
        ("init_module,finit_module", 2), ("renameat,renameat2", 2), ("renameat,renameat2", 3), ("unlinkat", 1))

class Tracer:
    """An strace on the thread of the running daemon that carries changes out; it does something at
    one of its calls."""

    def __init__(self, host, calls, nth, action):
        self.host = host
        host.check("systemctl reset-failed nestvirtd; systemctl start nestvirtd", timeout=120)
        pid = host.check("systemctl show -P MainPID nestvirtd").strip()
        self.thread = host.check(f"grep -l '^changes$' /proc/{pid}/task/*/comm").strip().replace("/comm", "")
        inject = f"-e trace={calls} -e inject={calls}:{action}:when={nth}"
        self.job = host.start(f"exec strace -qq -o /root/trace -e signal=none {inject} -p {self.thread.rpartition('/')[2]}")
        host.check(f"until grep -q 'TracerPid:[[:space:]]*[1-9]' {self.thread}/status; do :; done")

    def wait_stopped(self):
        """Until a call is held up (every other stop is over in no time)."""
        held = f"grep -q 'tracing stop' {self.thread}/status"
        self.host.check(f"until {held} && sleep 1 && {held}; do sleep 0.1; done", timeout=120)


class KillTest(NestvirtTest):
    """A test that kills the daemon during a change."""

    def kill_at(self, calls, nth):
        """False when the change made fewer of these calls."""
        tracer = Tracer(self.host, calls, nth, "signal=SIGKILL")
        killed = self.host.run("nestvirtctl set nested=0", user="alice", timeout=120).status != 0
        tracer.job.stop()
        with self.subTest(f"{calls} {nth}"):
            self.ctl("status", timeout=120)
            self.nestvirt.assert_whole()
            changed = self.nestvirt.assert_old_or_new()
            self.assertTrue(changed or killed)
            self.ctl("check")
        self.ctl("reset", timeout=120)
        return killed


class Kill(KillTest):
    def test_sigkill_at_each_step(self):
        for calls in CALLS:
            nth = 1
            while self.kill_at(calls, nth):
                nth += 1
            self.assertGreater(nth, 1, f"a change makes no {calls}")


class PowerCut(unittest.TestCase):
    def test_power_cut_at_each_step(self):
        with own_host() as host:
            nestvirt = Nestvirt(self, host)
            host.boot()
            for calls, nth in CUTS:
                tracer = Tracer(host, calls, nth, "delay_enter=1000000000")
                host.start("nestvirtctl set nested=0", user="alice")
                tracer.wait_stopped()
                host.power_cut()

                host.boot()
                with self.subTest(f"{calls} {nth}"):
                    nestvirt.ctl("status")
                    nestvirt.assert_whole()
                    nestvirt.assert_old_or_new()
                    nestvirt.ctl("check")
                nestvirt.ctl("reset")


if __name__ == "__main__":
    unittest.main()
