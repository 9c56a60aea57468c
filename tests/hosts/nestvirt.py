# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of nestvirtd on an emulated host share: the client, the parameters, and the host
put back as it was."""

import contextlib
import json
import re

from shared import HostTest

KEPT = "/etc/modprobe.d/zz-nestvirt.conf"
RUNTIME = "/run/modprobe.d/zzz-nestvirt-runtime.conf"
JOURNAL = "/var/lib/nestvirt/change"
PENDING = "/run/nestvirt/pending"

# Nothing of ours, nor of a test, on disk, and no daemon.
CLEAN = f"""
systemctl stop nestvirtd.service
systemctl reset-failed nestvirtd.service 2>/dev/null
rm -rf {KEPT} {RUNTIME} /etc/modprobe.d/test*.conf /etc/modprobe.d/zzzz*.conf /var/lib/nestvirt/* /run/nestvirt/* /etc/modprobe.d/.zz* /run/modprobe.d/.zz*
"""

# Perl is in every Debian, and can do what a shell can't: make a VM of /dev/kvm (KVM_CREATE_VM), and
# wait to be ended.
WITH_VM = """perl -e 'open(K, "+<", "/dev/kvm") or die; $vm = ioctl(K, 0xAE01, 0) or die "$!"; $| = 1; print "$$ holds\\n"; <STDIN>'"""
WITHOUT_VM = """bash -c 'exec 3<>/dev/kvm; echo "$$ holds"; read'"""


class Nestvirt:
    """The daemon and its client on one host. Works on any Host, shared or own."""

    def __init__(self, test, host):
        self.test = test
        self.host = host
        self.vendor = host.machine.module
        self.object = f"/org/nestvirt1/module/{self.vendor}"

    def ctl(self, arguments, user="alice", status=0, timeout=120):
        """Run nestvirtctl; its exit status must be `status`. Returns the Result."""
        result = self.host.run(f"nestvirtctl {arguments}", user=user, timeout=timeout)
        self.test.assertEqual(result.status, status, f"nestvirtctl {arguments}: {result.stdout}{result.stderr}{self.said()}")
        return result

    def json(self, arguments, user="alice", status=0):
        return json.loads(self.ctl(f"--json=short {arguments}", user, status).stdout)

    def said(self):
        return "\n--- journal:\n" + self.host.run("journalctl -q -n 30 --no-pager -o short-monotonic").stdout

    def clean(self):
        """Nothing of ours on disk any more."""
        self.host.check(CLEAN)

    def reload(self):
        """The modules with what is configured."""
        self.host.check(f"modprobe -r {self.vendor} && modprobe {self.vendor} && udevadm settle", timeout=120)

    def loaded(self):
        """All parameters of both modules, as sysfs shows them."""
        return self.host.run(f"grep -H . /sys/module/kvm/parameters/* /sys/module/{self.vendor}/parameters/*").stdout

    def pristine(self, loaded=""):
        """As a host is after its boot. A reload takes its time, so it is left out where all
        parameters are as `loaded` has them."""
        self.clean()
        if self.loaded() != loaded:
            self.reload()

    def parameter(self, name, module=None):
        """All that `show` knows of a parameter, of the vendor's module when no other is named."""
        module = module or self.vendor
        for entry in self.json(f"show {module}.{name}")["modules"]:
            if entry["name"] == module:
                return entry["parameters"][name]
        self.test.fail(f"show knows nothing of {module}.{name}")

    def value(self, name, module=None):
        return self.host.run(f"cat /sys/module/{module or self.vendor}/parameters/{name}").stdout.strip()

    def lines(self, path=KEPT):
        """The option lines of a file, sorted words; none when there is no file."""
        text = self.host.run(f"cat {path} 2>/dev/null").stdout
        return [line for line in text.splitlines() if line.startswith("options")]

    def loads(self):
        """Changes when the vendor's module is loaded anew, and only then."""
        return self.host.check(f"stat -c %i /sys/module/{self.vendor}/parameters /sys/module/kvm/parameters")

    def state(self):
        """All that a refused or failed change must leave alone (a reload apart). The lock is there
        once a daemon has run."""
        return self.host.check(
            f"for m in kvm {self.vendor}; do cat /sys/module/$m/initstate; grep -H . /sys/module/$m/parameters/*; done;"
            "for d in /etc/modprobe.d /run/modprobe.d /var/lib/nestvirt /run/nestvirt; do"
            " find $d -type f ! -path /var/lib/nestvirt/lock -exec md5sum {} + 2>/dev/null; done; true"
        )

    def assert_whole(self):
        """KVM is loaded, the files are whole, nothing is left of a change."""
        check = self.host.check
        self.test.assertEqual(check(f"cat /sys/module/kvm/initstate /sys/module/{self.vendor}/initstate"), "live\nlive\n")
        left = check(f"find /etc/modprobe.d /run/modprobe.d /var/lib/nestvirt /run/nestvirt -name '.*.new' -o -path {JOURNAL}")
        self.test.assertEqual(left, "")

    def shown(self, on):
        """How sysfs shows `nested`: kvm_amd keeps it as a number."""
        return str(int(on)) if self.vendor == "kvm_amd" else "NY"[on]

    def assert_old_or_new(self):
        """The file and the kernel agree on `nested`: both the old (on), or both the new (off)."""
        lines = self.lines()
        self.test.assertIn(lines, ([], [f"options {self.vendor} nested=0"]))
        self.test.assertEqual(self.value("nested"), self.shown(not lines))
        return bool(lines)


class NestvirtTest(HostTest):
    """A test on the shared host that finds it pristine and leaves it so."""

    def setUp(self):
        super().setUp()
        self.nestvirt = Nestvirt(self, self.host)
        self.ctl, self.json, self.value = self.nestvirt.ctl, self.nestvirt.json, self.nestvirt.value
        self.addCleanup(self.nestvirt.pristine, self.nestvirt.loaded())

    def hold(self, command, user="root"):
        """Start a holder of /dev/kvm; returns the Job and its process id."""
        job = self.host.start(f"exec {command}", user=user)
        self.addCleanup(job.stop)
        return job, re.match(r"\d+", job.wait_for(r"\d+ holds")[0])[0]

    def defer(self, command, words="nested=0"):
        """Set something that waits for the end of this holder; returns its Job."""
        job, _ = self.hold(command)
        self.assertEqual(self.json(f"set {words} --when-idle")["outcome"], "deferred")
        shown = (self.value("nested"), self.nestvirt.parameter("nested")["pending"])
        self.assertEqual(shown, (self.nestvirt.shown(True), "0"))
        return job

    @contextlib.contextmanager
    def monitor(self):
        """What goes to the daemon and comes from it, a line of JSON each. When it has begun busctl
        of systemd 257 does not say together with --json: it has when it shows somebody's call."""
        calls = "while busctl call org.nestvirt1 /org/nestvirt1 org.freedesktop.DBus.Peer Ping; do :; done"
        with self.host.start("exec busctl monitor --json=short org.nestvirt1") as monitor:
            with self.host.start(calls):
                monitor.wait_for('"member":"Ping"')
            yield monitor

    def wait_applied(self, end):
        """What waits happens when `end` is called, and is told."""
        with self.host.start("exec busctl monitor --match \"type='signal',member='ChangeFinished'\"") as monitor:
            monitor.wait_for("Monitoring", stream="stderr")
            end()
            monitor.wait_for("Member=ChangeFinished")
            monitor.wait_for('STRING "applied"')
        self.assertEqual(self.value("nested"), self.nestvirt.shown(False))
        self.assertEqual(self.nestvirt.parameter("nested")["pending"], "")
        self.nestvirt.assert_whole()
