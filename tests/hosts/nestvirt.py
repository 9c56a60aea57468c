# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of nestvirtd on an emulated host share: the client, the parameters, and the host put back as it was."""

import json
import re

from shared import HostTest

KEPT = "/etc/modprobe.d/zz-nestvirt.conf"
RUNTIME = "/run/modprobe.d/zzz-nestvirt-runtime.conf"
JOURNAL = "/var/lib/nestvirt/change"
PENDING = "/run/nestvirt/pending"
MODULE = "/org/nestvirt1/module/kvm_amd"

# As a host is after its boot: nothing of ours on disk, the modules loaded with their defaults.
CLEAN = f"""
systemctl stop nestvirtd.service
systemctl reset-failed nestvirtd.service 2>/dev/null
rm -rf {KEPT} {RUNTIME} /etc/modprobe.d/test*.conf /etc/modprobe.d/zzzz*.conf /var/lib/nestvirt/* /run/nestvirt/* /etc/modprobe.d/.zz* /run/modprobe.d/.zz*
"""
RELOAD = "modprobe -r kvm_amd && modprobe kvm_amd && udevadm settle"
PRISTINE = CLEAN + RELOAD

# Perl is in every Debian, and can do what a shell can't: make a VM of /dev/kvm (KVM_CREATE_VM), and wait to be ended.
WITH_VM = """perl -e 'open(K, "+<", "/dev/kvm") or die; $vm = ioctl(K, 0xAE01, 0) or die "$!"; $| = 1; print "$$ holds\\n"; <STDIN>'"""
WITHOUT_VM = """bash -c 'exec 3<>/dev/kvm; echo "$$ holds"; read'"""


class Nestvirt:
    """The daemon and its client on one host. Works on any Host, shared or own."""

    def __init__(self, test, host):
        self.test = test
        self.host = host

    def ctl(self, arguments, user="alice", status=0, timeout=120):
        """Run nestvirtctl; its exit status must be `status`. Returns the Result."""
        result = self.host.run(f"nestvirtctl {arguments}", user=user, timeout=timeout)
        self.test.assertEqual(result.status, status, f"nestvirtctl {arguments}: {result.stdout}{result.stderr}{self.said()}")
        return result

    def json(self, arguments, user="alice", status=0):
        return json.loads(self.ctl(f"--json=short {arguments}", user, status).stdout)

    def said(self):
        return "\n--- journal:\n" + self.host.run("journalctl -q -n 30 --no-pager -o short-monotonic").stdout

    def parameter(self, name, module="kvm_amd"):
        """All that `show` knows of a parameter."""
        for entry in self.json(f"show {module}.{name}")["modules"]:
            if entry["name"] == module:
                return entry["parameters"][name]
        self.test.fail(f"show knows nothing of {module}.{name}")

    def value(self, name, module="kvm_amd"):
        return self.host.run(f"cat /sys/module/{module}/parameters/{name}").stdout.strip()

    def lines(self, path=KEPT):
        """The option lines of a file, sorted words; none when there is no file."""
        text = self.host.run(f"cat {path} 2>/dev/null").stdout
        return [line for line in text.splitlines() if line.startswith("options")]

    def loads(self):
        """Changes when kvm_amd is loaded anew, and only then."""
        return self.host.check("stat -c %i /sys/module/kvm_amd/parameters /sys/module/kvm/parameters")

    def state(self):
        """All that a refused or failed change must leave alone (a reload apart)."""
        return self.host.check(
            "for m in kvm kvm_amd; do cat /sys/module/$m/initstate; grep -H . /sys/module/$m/parameters/*; done;"
            "for d in /etc/modprobe.d /run/modprobe.d /var/lib/nestvirt /run/nestvirt; do"
            " find $d -type f -exec md5sum {} + 2>/dev/null; done; true"
        )

    def assert_whole(self):
        """KVM is loaded, the files are whole, nothing is left of a change."""
        check = self.host.check
        self.test.assertEqual(check("cat /sys/module/kvm/initstate /sys/module/kvm_amd/initstate"), "live\nlive\n")
        left = check(f"find /etc/modprobe.d /run/modprobe.d /var/lib/nestvirt /run/nestvirt -name '.*.new' -o -path {JOURNAL}")
        self.test.assertEqual(left, "")

    def assert_old_or_new(self, parameter="nested", old="1", new="0"):
        """The file and the kernel agree: both the old, or both the new."""
        lines = self.lines()
        self.test.assertIn(lines, ([], [f"options kvm_amd {parameter}={new}"]))
        self.test.assertEqual(self.value(parameter), new if lines else old)
        return bool(lines)


class NestvirtTest(HostTest):
    """A test on the shared host that finds it pristine and leaves it so."""

    def setUp(self):
        super().setUp()
        self.nestvirt = Nestvirt(self, self.host)
        self.ctl, self.json, self.value = self.nestvirt.ctl, self.nestvirt.json, self.nestvirt.value
        self.addCleanup(self.host.check, PRISTINE, timeout=120)

    def hold(self, command, user="root"):
        """Start a holder of /dev/kvm; returns the Job and its process id."""
        job = self.host.start(command, user=user)
        self.addCleanup(job.stop)
        return job, re.match(r"\d+", job.wait_for(r"\d+ holds")[0])[0]
