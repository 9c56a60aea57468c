# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIGKILL and power cuts at each step of a change, on the real loader: strace makes the daemon's own system calls the moments."""

import unittest

from nestvirt import Nestvirt, NestvirtTest
from shared import own_host

# The calls that a change makes, in words of strace; each is hit at its first, second, … occurrence until the change gets through.
STEPS = ("fsync", "renameat,renameat2", "delete_module", "init_module,finit_module", "unlinkat")
CUTS = (("fsync", 1), ("renameat,renameat2", 1), ("delete_module", 1), ("delete_module", 2), ("init_module,finit_module", 1),
        ("init_module,finit_module", 2), ("renameat,renameat2", 2), ("renameat,renameat2", 3), ("unlinkat", 1))


def tracer(host, calls, action):
    """An strace that is attached to the running daemon; it sees the change alone, as nothing else makes these calls."""
    pid = host.check("systemctl show -P MainPID nestvirtd").strip()
    job = host.start(f"exec strace -f -q -o /root/strace -p {pid} -e trace={calls} -e inject={calls}:{action}")
    host.check(f"until ! grep -L 'TracerPid:[[:space:]]*[1-9]' /proc/{pid}/task/*/status | grep -q .; do :; done")
    return job


class Kill(NestvirtTest):
    def kill_at(self, calls, nth):
        """False when the change made fewer of these calls."""
        self.host.check("systemctl reset-failed nestvirtd 2>/dev/null; systemctl start nestvirtd")
        with tracer(self.host, calls, f"signal=SIGKILL:when={nth}") as strace:
            result = self.host.run("nestvirtctl set nested=0", user="alice", timeout=120)
            strace.stop()
        killed = result.status != 0
        where = f"{calls} {nth}"
        with self.subTest(where):
            self.ctl("status", timeout=120)
            self.nestvirt.assert_whole()
            self.assertEqual(self.nestvirt.assert_old_or_new() or killed, True)
            self.ctl("check")
        self.ctl("reset", timeout=120)
        return killed

    def test_sigkill_at_each_step(self):
        for calls in STEPS:
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
                host.check("systemctl start nestvirtd")
                tracer(host, calls, f"delay_enter=1000000000:when={nth}")
                host.start("nestvirtctl set nested=0", user="alice")
                host.check(f"until test $(grep -cE '{calls.replace(',', '|')}' /root/strace) -ge {nth}; do sleep 0.1; done")
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
