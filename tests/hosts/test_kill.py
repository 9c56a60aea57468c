# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIGKILL and power cuts at each step of a change, on the real loader. The moments are the daemon's
own system calls, hit by strace."""

import os
import unittest

from nestvirt import Nestvirt, NestvirtTest
from shared import own_host

# The calls that make up a change, as strace names them.
CALLS = ("fsync", "renameat,renameat2", "delete_module", "init_module,finit_module", "unlinkat")
# Where the power fails; the other moments differ in memory alone.
CUTS = (("fsync", 1), ("renameat,renameat2", 1), ("delete_module", 1), ("delete_module", 2), ("init_module,finit_module", 1),
        ("init_module,finit_module", 2), ("renameat,renameat2", 2), ("renameat,renameat2", 3), ("unlinkat", 1))
# An apply has one more record, of what it has set; the rest is the same transaction, whose moments
# are all tried by the tier `packages-whole`.
CUTS_OF_APPLY = (("delete_module", 2), ("renameat,renameat2", 4))
WHOLE_CUTS_OF_APPLY = (*CUTS, ("renameat,renameat2", 4), ("fsync", 4), ("unlinkat", 4), ("unlinkat", 5))


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


class PowerCutTest(unittest.TestCase):
    """A test that cuts the power during a change, on a host of its own."""

    make = staticmethod(own_host)  # how nestvirtd comes to it

    def setUp(self):
        self.host = self.make()
        self.addCleanup(self.host.finish)
        self.host.boot()
        self.nestvirt = Nestvirt(self, self.host)
        self.ctl = self.nestvirt.ctl

    def cut_at(self, calls, nth, command):
        """Returns when the host has booted again."""
        tracer = Tracer(self.host, calls, nth, "delay_enter=1000000000")
        self.host.start(command, user="alice")
        tracer.wait_stopped()
        self.host.power_cut()
        self.host.boot()


class PowerCut(PowerCutTest):
    def test_power_cut_at_each_step(self):
        for calls, nth in CUTS:
            self.cut_at(calls, nth, "nestvirtctl set nested=0")
            with self.subTest(f"{calls} {nth}"):
                self.ctl("status")
                self.nestvirt.assert_whole()
                self.nestvirt.assert_old_or_new()
                self.ctl("check")
            self.ctl("reset")


class PowerCutOfApply(PowerCutTest):
    """The unit of the boot finishes, or does again, what the power failed in."""

    def test_power_cut_of_an_apply(self):
        self.host.check("systemctl enable nestvirt-apply.service && mkdir -p /etc/nestvirt")
        for calls, nth in WHOLE_CUTS_OF_APPLY if os.environ.get("NESTVIRT_CUTS") == "whole" else CUTS_OF_APPLY:
            self.host.check("printf '[Parameters]\\nnested=off\\n' > /etc/nestvirt/50-site.conf && sync")
            self.cut_at(calls, nth, "nestvirtctl apply")
            with self.subTest(f"{calls} {nth}"):
                self.host.check("systemctl is-active nestvirt-apply")
                self.nestvirt.assert_whole()
                self.assertTrue(self.nestvirt.assert_old_or_new(), "the file is there, but not what it says")
                self.ctl("apply --check=effective")
                self.ctl("check")
            self.host.check("rm /etc/nestvirt/50-site.conf")
            self.ctl("apply")  # what it has set, and nobody says any more
            self.assertEqual((self.nestvirt.lines(), self.nestvirt.value("nested")), ([], "1"))


if __name__ == "__main__":
    unittest.main()
