# SPDX-License-Identifier: LGPL-2.1-or-later
"""A virtual machine on an emulated host that exits as often as it is told to."""

from payload import build_folder

DEBUGFS = "/sys/kernel/debug/kvm"


class Ticks:
    """A running machine on a host: tests/hosts/vm-ticks.c."""

    def __init__(self, test, host, command="vm-ticks"):
        self.host = host
        path = f"/run/{command}"
        program = (build_folder() / "tests/hosts/vm-ticks").read_bytes()
        host.check(f"cat > {path}; chmod +x {path}", input=program)
        self.job = host.start(f"exec {path}")
        test.addCleanup(self.job.stop)
        self.name = self.job.wait_for(r"^\d+-\d+$")[0]

    def tick(self, times):
        self.job.send(f"{times}\n")
        self.job.wait_for("done")

    def debugfs(self):
        """All of its files that have one number, the table of large pages and the histograms left
        out."""
        text = self.host.check(f"cd {DEBUGFS}/{self.name} && grep -H . $(ls -p | grep -v -e / -e rmaps -e _hist)")
        return {name: int(value) for name, _, value in (line.partition(":") for line in text.splitlines())}
