# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirtd as a service of a real systemd: started by a call, seen in the journal, answering while
it works, gone without a trace."""

import json
import unittest

import refusals
from nestvirt import NestvirtTest
from payload import build_folder

CLIENTS = 500
# The bus allows each user so many connections.
USERS = "alice,bob,carol,nobody"
# What is no device of KVM's; and prctl(2), the first of the daemon's system calls.
CONFINED = "systemd-run --wait --collect -q -p AppArmorProfile=nestvirt-probe /usr/lib/nestvirt/nestvirt-probe --device=/etc/hostname"
FILTERED = "systemd-run --wait --collect -q -p SystemCallFilter=~prctl -p SystemCallErrorNumber=EPERM /usr/lib/nestvirt/nestvirtd --root=/nonexistent"
MADE = "c67b7c8228b64f64a9bd322f5b29af80"
REFUSED = "ffea5225d6ae4c2aba9dc5bab34fe404"


class Service(NestvirtTest):
    def entries(self, message_id):
        out = self.host.check(f"journalctl --sync; journalctl -q -b -o json MESSAGE_ID={message_id}")
        return [json.loads(line) for line in out.splitlines()]

    def test_a_call_starts_it(self):
        self.host.check("systemctl stop nestvirtd")
        self.assertEqual(self.json("status")["nested"], "on")
        self.assertEqual(self.host.check("systemctl is-active nestvirtd"), "active\n")

    def test_a_second_one_ends_at_once(self):
        self.ctl("status")
        second = self.host.run("/usr/lib/nestvirt/nestvirtd 2>&1", timeout=60)
        self.assertEqual(second.status, 1, second)
        self.assertIn("Another nestvirtd", second.stdout)
        self.assertEqual(self.host.check("stat -c %a:%U /var/lib/nestvirt/lock"), "600:root\n")
        # Nor is there anything to lock for who may not change anything.
        self.assertNotIn("Another", self.host.run("timeout 10 /usr/lib/nestvirt/nestvirtd 2>&1", user="alice", timeout=60).stdout)

    def test_stopping_it_changes_nothing(self):
        self.ctl("set nested=0")
        self.ctl("set npt=0 --runtime")
        before = (self.nestvirt.state(), self.nestvirt.loads())
        self.host.check("systemctl stop nestvirtd")
        self.assertEqual((self.nestvirt.state(), self.nestvirt.loads()), before)

    def test_the_sandbox_is_tight(self):
        exposure = self.host.check("systemd-analyze security --no-pager nestvirtd.service | tail -n 1")
        self.assertRegex(exposure, r"[^0-9][01]\.[0-9] |[^0-9]2\.0 ")

    def test_what_is_refused_is_told(self):
        """By AppArmor, whose profile is enforced, and by the filter of system calls: no other test
        may have any of it."""
        self.ctl("status")
        self.assertEqual(self.host.check("cat /proc/$(systemctl show --property=MainPID --value nestvirtd)/attr/current"),
                         "nestvirtd (enforce)\n")
        refusals.assert_none(self.host)
        for command, told in (
                (CONFINED, 'AVC apparmor="DENIED" operation="open".* profile="nestvirt-probe" name="/etc/hostname"'),
                (FILTERED, r"SECCOMP .* syscall=157 ")):
            self.assertNotEqual(self.host.run(command).status, 0)
            self.assertRegex("\n".join(refusals.since_last(self.host)), rf"\A({told}.*\n?)+\Z")

    def test_one_folder_of_usr_is_writable(self):
        """That of QEMU's modules, whose modification time libvirt looks at; there is one where
        there is QEMU."""
        folder = self.host.check("systemctl cat nestvirtd | sed -n s/^ReadWritePaths=-//p").strip()
        self.host.check(f"mkdir -p {folder} && touch -d @1000000000 {folder} && systemctl restart nestvirtd")
        self.addCleanup(self.host.check, f"rmdir {folder}; systemctl restart nestvirtd")
        inside = "nsenter --mount --target=$(systemctl show --property=MainPID --value nestvirtd)"
        self.host.check(f"{inside} touch {folder}")
        self.assertNotEqual(self.host.check(f"stat -c %Y {folder}"), "1000000000\n")
        self.assertIn("Read-only file system", self.host.run(f"{inside} touch $(dirname {folder})").stderr)

    def test_it_is_published(self):
        """By the units that somebody enables, in their sandbox: whole, and for others to read."""
        for unit, folder, file, line in (
                ("metrics", "/var/lib/prometheus/node-exporter", "nestvirt.prom", 'nestvirt_nested_state{state="on"} 1'),
                ("labels", "/etc/kubernetes/node-feature-discovery/features.d", "nestvirt", "nestvirt.org/nested=on")):
            self.host.check(f"mkdir -p {folder} && systemctl start nestvirt-{unit}.service")
            self.assertEqual(self.host.check(f"cd {folder} && stat -c %n:%a:%U $(ls -A)"), f"{file}:644:root\n")
            self.assertIn(line, self.host.check(f"cat {folder}/{file}").splitlines())
            self.assertEqual(self.host.check(f"systemctl is-enabled nestvirt-{unit}.timer || true"), "disabled\n")
            # A timer whose time has passed has the unit run at once. Its end is waited for, as the
            # daemon that it asks is stopped next.
            self.host.check(f"systemctl start nestvirt-{unit}.timer && systemctl stop nestvirt-{unit}.timer")
            self.host.check(f"systemctl start nestvirt-{unit}.service")

    def test_the_journal_says_who_did_what(self):
        self.ctl("set nested=0")
        self.ctl("set nested=1", user="bob", status=4)
        made, refused = self.entries(MADE)[-1], self.entries(REFUSED)[-1]
        self.assertEqual((made["NESTVIRT_REQUEST"], made["NESTVIRT_OUTCOME"]), ("kvm_amd.nested=0", "applied"))
        self.assertEqual(made["NESTVIRT_CALLER_UID"], self.host.check("id -u alice").strip())
        self.assertEqual(refused["NESTVIRT_REQUEST"], "kvm_amd.nested=1")
        self.assertEqual(refused["NESTVIRT_CALLER_UID"], self.host.check("id -u bob").strip())
        self.assertIn("AccessDenied", refused["NESTVIRT_ERROR"])
        self.host.check("journalctl --update-catalog")
        self.assertIn(MADE, self.host.check("journalctl --list-catalog"))

    def test_root_sets_how_much_is_logged(self):
        """By systemd's own command, which knows every service that way."""
        self.ctl("status")
        self.addCleanup(self.host.check, "systemctl service-log-level nestvirtd info")
        self.assertEqual(self.host.check("systemctl service-log-level nestvirtd; systemctl service-log-target nestvirtd"), "info\njournal\n")
        self.host.check("systemctl service-log-level nestvirtd debug")
        self.assertEqual(self.host.check("systemctl service-log-level nestvirtd"), "debug\n")
        self.ctl("check")
        self.assertIn(" calls Check of /org/nestvirt1", self.host.check("journalctl --sync; journalctl -q -b -u nestvirtd -p 7..7"))
        # No systemctl, which would ask polkit first.
        refused = self.host.run("busctl set-property org.nestvirt1 /org/freedesktop/LogControl1 org.freedesktop.LogControl1 LogLevel s emerg",
                                user="alice")
        self.assertNotEqual(refused.status, 0)
        self.assertIn("Access denied", refused.stderr)
        self.assertEqual(self.host.check("systemctl service-log-level nestvirtd"), "debug\n")

    def test_readers_are_answered_while_it_works(self):
        program = (build_folder() / "tests" / "bench" / "stall").read_bytes()
        self.host.check("cat > /root/stall && chmod 755 /root/stall", input=program)
        self.ctl("status")
        out = self.host.check(f"/root/stall {CLIENTS} {USERS} kvm_amd nested 0", timeout=300)
        answers, failed, _, longest, took = map(int, out.split())
        self.assertEqual(failed, 0)
        self.assertGreaterEqual(answers, CLIENTS)
        # The unload and the load are nearly all of the change; in none of its halves nobody was
        # answered.
        self.assertLess(longest, took / 2, out)
        self.assertEqual(self.value("nested"), "0")


if __name__ == "__main__":
    unittest.main()
