# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIGKILL and power cuts at each step of a change, on the real loader. The moments are the daemon's own system calls, hit by strace."""

import unittest

from nestvirt import Nestvirt, NestvirtTest
from shared import own_host

# The calls that make up a change, as strace names them.
CALLS = ("fsync", "renameat,renameat2", "delete_module", "init_module,finit_module", "unlinkat")
# Where the power fails; the other moments differ in memory alone.
CUTS = (("fsync", 1), ("renameat,renameat2", 1), ("delete_module", 1), ("delete_module", 2), ("init_module,finit_module", 1),
        ("init_module,finit_module", 2), ("renameat,renameat2", 2), ("renameat,renameat2", 3), ("unlinkat", 1))

DROP_IN = "/run/systemd/system/nestvirtd.service.d/test.conf"
TRACE = "/run/nestvirt/trace"


class Traced:
    """The daemon of a host under strace, which sees some of its calls and does something at one of them."""

    def __init__(self, host):
        self.host = host
        self.starts = {}

    def start(self, calls, inject=""):
        """Start it anew. The sandbox lets strace in, and nothing else is different; it is not restarted by itself."""
        command = self.host.check("sed -n 's/^ExecStart=//p' $(systemctl show -P FragmentPath nestvirtd)").strip()
        strace = f"/usr/bin/strace -D -f --seccomp-bpf -qq -o {TRACE} -e trace={calls} {inject}"
        lines = ["[Service]", "Restart=no", "NotifyAccess=all", "SystemCallFilter=@debug", "ExecStart=", f"ExecStart={strace} {command}"]
        self.host.check(f"mkdir -p $(dirname {DROP_IN}) && cat > {DROP_IN} && systemctl daemon-reload", input="\n".join(lines).encode())
        self.host.check("systemctl restart nestvirtd", timeout=120)

    def at(self, calls, nth, action):
        """Start it so that `action` meets the nth of these calls after its start."""
        if calls not in self.starts:
            self.start(calls)
            self.starts[calls] = int(self.host.run(f"grep -c . {TRACE}").stdout)
        self.start(calls, f"-e inject={calls}:{action}:when={self.starts[calls] + nth}")

    def wait_stopped(self):
        """Until a call is held up (every other stop is over in no time)."""
        held = "grep -qs 'tracing stop' /proc/$(systemctl show -P MainPID nestvirtd)/task/*/status"
        self.host.check(f"until {held} && sleep 1 && {held}; do sleep 0.1; done", timeout=120)

    def end(self):
        self.host.check(f"rm -f {DROP_IN} {TRACE}; systemctl daemon-reload; systemctl reset-failed nestvirtd; systemctl restart nestvirtd", timeout=120)


class Kill(NestvirtTest):
    def kill_at(self, traced, calls, nth):
        """False when the change made fewer of these calls."""
        traced.at(calls, nth, "signal=SIGKILL")
        killed = self.host.run("nestvirtctl set nested=0", user="alice", timeout=120).status != 0
        traced.end()
        with self.subTest(f"{calls} {nth}"):
            self.ctl("status", timeout=120)
            self.nestvirt.assert_whole()
            changed = self.nestvirt.assert_old_or_new()
            self.assertTrue(changed or killed)
            self.ctl("check")
        self.ctl("reset", timeout=120)
        return killed

    def test_sigkill_at_each_step(self):
        traced = Traced(self.host)
        self.addCleanup(traced.end)
        for calls in CALLS:
            nth = 1
            while self.kill_at(traced, calls, nth):
                nth += 1
            self.assertGreater(nth, 1, f"a change makes no {calls}")


class PowerCut(unittest.TestCase):
    def test_power_cut_at_each_step(self):
        with own_host() as host:
            nestvirt, traced = Nestvirt(self, host), Traced(host)
            host.boot()
            for calls, nth in CUTS:
                traced.at(calls, nth, "delay_enter=1000000000")
                host.start("nestvirtctl set nested=0", user="alice")
                traced.wait_stopped()
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
