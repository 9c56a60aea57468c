# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the daemon begins and ends, what it tells systemd, and what it writes to the journal."""

import os
import re
import signal
import socket
import subprocess

from gi.repository import GLib
from clients import DRY_RUN, ERROR, NAME, NEXT_BOOT, NOBODY, TIMEOUT, WHEN_IDLE, wait_for
from harness import BusTest, snapshot
from journal import LOG_H, Journal
from tap import main

OFF = {"kvm_amd": {"nested": "0"}}
ON = {"kvm_amd": {"nested": "1"}}


class Beginning(BusTest):
    def run_daemon(self, *options, address=None):
        return subprocess.run([os.environ["NESTVIRTD"], *options], check=False, capture_output=True, text=True, timeout=TIMEOUT,
                              env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address or self.bus.address})

    def test_arguments(self):
        self.assertEqual(self.run_daemon("--version").stdout.split()[0], "nestvirtd")
        self.assertIn("--root=DIR", self.run_daemon("--help").stdout)
        for options in (("--explode",), ("extra",), ("--root",)):
            result = self.run_daemon(*options)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertIn("Usage", result.stderr)
        result = self.run_daemon("--root=/nonexistent")
        self.assertEqual(result.returncode, 1)
        self.assertIn("/nonexistent", result.stderr)

    def test_no_bus(self):
        result = self.run_daemon(f"--root={self.folder}", address="unix:path=/nonexistent")
        self.assertEqual(result.returncode, 1)
        self.assertIn("system bus", result.stderr)

    def test_the_name_is_taken(self):
        self.service(NAME, {})
        result = self.run_daemon(f"--root={self.folder}")
        self.assertEqual(result.returncode, 1)
        self.assertIn(NAME, result.stderr)

    def test_one_daemon_for_a_host(self):
        """Another one would undo what the first is at: it ends at once, says why, and touches
        nothing."""
        first = self.start_fake()
        self.close_gate()
        self.client().start_set(OFF)
        open_gate = self.wait_at_gate()
        during = snapshot(self.host)
        self.assertIn("var/lib/nestvirt/change", during)
        result = self.run_daemon(f"--root={self.host}")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("Another nestvirtd", result.stderr)
        self.assertEqual(snapshot(self.host), during)
        open_gate()
        self.stop(first)
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin()), ("0", ["options kvm_amd nested=0"]))
        self.start_fake()

    def test_nothing_is_said_at_the_start(self):
        daemon = self.start_real("amd-epyc-6.1")
        self.client().get_all()
        self.stop(daemon)
        self.assertEqual(daemon.log.read_text(), "")

    def test_systemd_is_told(self):
        path = self.folder / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(path))
            notify.settimeout(TIMEOUT)
            daemon = self.start_fake(wrap=("env", f"NOTIFY_SOCKET={path}"))
            self.assertEqual(notify.recv(4096), b"READY=1")
            daemon.send_signal(signal.SIGTERM)
            self.assertEqual(notify.recv(4096), b"STOPPING=1")

    def test_the_watchdog_is_fed(self):
        path = self.folder / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(path))
            notify.settimeout(TIMEOUT)
            self.start_fake(wrap=("env", f"NOTIFY_SOCKET={path}", "WATCHDOG_USEC=400000"))
            told = {notify.recv(4096) for _ in range(4)}
            self.assertEqual(told, {b"READY=1", b"WATCHDOG=1"})


class End(BusTest):
    def test_stopping_changes_nothing(self):
        daemon = self.start_fake()
        self.client().set(OFF)
        before = snapshot(self.host)
        for number in (signal.SIGTERM, signal.SIGINT):
            daemon.send_signal(number)
            self.assertEqual(daemon.wait(TIMEOUT), 0)
            self.assertEqual(snapshot(self.host), before)
            daemon = self.start_fake()

    def test_the_bus_goes(self):
        daemon = self.start_fake()
        daemon.expected = 1
        self.bus.process.kill()
        self.assertEqual(daemon.wait(TIMEOUT), 1)

    def test_the_bus_goes_during_a_change(self):
        """The change is carried to its end all the same."""
        daemon = self.start_fake()
        daemon.expected = 1
        self.close_gate()
        self.client().start_set(OFF)
        open_gate = self.wait_at_gate()
        self.bus.process.kill()
        open_gate()
        self.assertEqual(daemon.wait(TIMEOUT), 1)
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin()), ("0", ["options kvm_amd nested=0"]))
        self.assertFalse((self.host / "var/lib/nestvirt/change").exists())


class Log(BusTest):
    def setUp(self):
        super().setUp()
        self.journal = Journal(self.folder)
        self.addCleanup(self.journal.close)
        self.assertEqual(len(self.journal.ids), 8)

    def entry(self, kind):
        fields = self.journal.entry()
        self.assertEqual(fields.get("MESSAGE_ID"), self.journal.ids[kind], fields)
        return fields

    def begin(self, *options):
        return self.start_fake(*options, wrap=self.journal.wrap)

    def test_made(self):
        self.begin()
        caller = self.client()
        caller.set(OFF, DRY_RUN)
        caller.set(OFF)
        caller.set(OFF)
        caller.set(ON, NEXT_BOOT)
        entry = self.entry("CHANGE_MADE")
        self.assertEqual({name: entry[name] for name in entry if name.startswith("NESTVIRT_")},
                         {"NESTVIRT_REQUEST": "kvm_amd.nested=0", "NESTVIRT_OUTCOME": "applied", "NESTVIRT_CALLER": caller.name,
                          "NESTVIRT_CALLER_UID": "0", "NESTVIRT_CALLER_PID": str(os.getpid())})
        self.assertEqual(entry["PRIORITY"], "5")
        self.assertIn("kvm_amd.nested=0", entry["MESSAGE"])
        # A plan, and what was so already, are no changes.
        self.assertEqual(self.entry("CHANGE_MADE")["NESTVIRT_OUTCOME"], "configured")

    def test_done_by_somebody_else_meanwhile(self):
        """Nothing is left to be done when polkit has said yes: that is no change."""
        polkit = self.service("org.freedesktop.PolicyKit1", {"CheckAuthorization": lambda request: None})
        self.begin()
        waiting = self.client(uid=NOBODY).start_set(OFF)
        wait_for(lambda: polkit.asked("CheckAuthorization"), "polkit to be asked")
        root = self.client()
        root.set(OFF)
        polkit.answer(polkit.asked("CheckAuthorization")[0], ("(bba{ss})", (True, False, {})))
        self.assertEqual(waiting.result()[0]["Outcome"], "unchanged")
        root.set(ON)
        self.assertEqual([self.entry("CHANGE_MADE")["NESTVIRT_REQUEST"] for _ in range(2)],
                         ["kvm_amd.nested=0", "kvm_amd.nested=1"])

    def test_refused(self):
        self.begin()
        with self.assertRaises(GLib.Error):
            self.client(uid=NOBODY).set(OFF)
        entry = self.entry("CHANGE_REFUSED")
        self.assertEqual((entry["NESTVIRT_CALLER_UID"], entry["NESTVIRT_ERROR"], entry["PRIORITY"]),
                         (str(NOBODY), "org.freedesktop.DBus.Error.AccessDenied", "5"))
        self.assertNotIn("NESTVIRT_OUTCOME", entry)

    def ask_in_vain(self, client, times):
        """The entries of that; the socket has room for a few only."""
        entries = []
        for _ in range(times):
            with self.refused("org.freedesktop.DBus.Error.AccessDenied"):
                client.set(OFF)
            entries += self.journal.rest()
        return entries

    def of_kind(self, kind, entries):
        return [entry for entry in entries if entry.get("MESSAGE_ID") == self.journal.ids[kind]]

    def test_refused_without_end(self):
        """Each user has so many entries; what is left out is told in the end, and nothing of
        others is."""
        daemon = self.begin()
        nobody, other, root = self.client(uid=NOBODY), self.client(uid=1), self.client()
        entries = self.ask_in_vain(nobody, 60) + self.ask_in_vain(other, 3)
        for value in (OFF, ON) * 15:
            root.set(value)
            entries += self.journal.rest()
        self.stop(daemon)
        entries += self.journal.rest()
        refused = [entry["NESTVIRT_CALLER_UID"] for entry in self.of_kind("CHANGE_REFUSED", entries)]
        self.assertEqual((refused.count(str(NOBODY)), refused.count("1")), (20, 3))
        self.assertEqual(len(self.of_kind("CHANGE_MADE", entries)), 30)
        left_out = self.of_kind("CHANGES_LEFT_OUT", entries)
        self.assertEqual([(entry["NESTVIRT_CALLER_UID"], entry["NESTVIRT_LEFT_OUT"], entry["PRIORITY"]) for entry in left_out],
                         [(str(NOBODY), "40", "4")])

    def test_root_is_refused_without_end(self):
        self.begin("--always-ask")
        root = self.client()
        entries = self.ask_in_vain(root, 30)
        self.assertEqual(len(self.of_kind("CHANGE_REFUSED", entries)), 30)

    def test_left_out_is_told_by_itself(self):
        """The entries that there are and the numbers of those that there are not come to what was
        refused."""
        self.begin("--log-refill=300000")
        entries = self.ask_in_vain(self.client(uid=NOBODY), 60)
        while (told := len(self.of_kind("CHANGE_REFUSED", entries)) + sum(
                int(entry["NESTVIRT_LEFT_OUT"]) for entry in self.of_kind("CHANGES_LEFT_OUT", entries))) < 60:
            entries.append(self.journal.entry())
        self.assertEqual(told, 60)

    def test_undone(self):
        self.begin()
        (self.host / "fake/fail").write_text("load kvm_amd")
        with self.refused(ERROR + "ReloadFailed"):
            self.client().set(OFF)
        entry = self.entry("CHANGE_FAILED")
        self.assertEqual((entry["NESTVIRT_ERROR"], entry["PRIORITY"]), (ERROR + "ReloadFailed", "3"))
        self.assertIn("Exec format error", entry["NESTVIRT_ERROR_MESSAGE"])

    def test_waited(self):
        self.begin()
        self.hold(1234)
        (self.host / "dev/kvm").write_text("")
        self.client().set(OFF, WHEN_IDLE)
        self.assertEqual(self.entry("CHANGE_MADE")["NESTVIRT_OUTCOME"], "deferred")
        self.release(1234)
        with open(self.host / "dev/kvm", encoding="utf-8"):
            pass
        entry = self.entry("CHANGE_MADE")
        self.assertEqual((entry["NESTVIRT_OUTCOME"], "NESTVIRT_CALLER" in entry), ("applied", False))

    def test_recovered(self):
        daemon = self.begin()
        self.close_gate()
        self.client().start_set(OFF)
        self.wait_at_gate()
        daemon.kill()
        daemon.expected = -signal.SIGKILL
        daemon.wait()
        self.begin()
        entry = self.entry("CHANGE_RECOVERED")
        self.assertIn("kvm_amd.nested=0", entry["MESSAGE"])
        self.assertEqual(entry["PRIORITY"], "4")

    def test_the_catalog_knows_every_message(self):
        catalog = (LOG_H.parents[2] / "systemd/nestvirtd.catalog").read_text()
        self.assertEqual(set(re.findall(r"^-- ([0-9a-f]{32})$", catalog, re.MULTILINE)), set(self.journal.ids.values()))


if __name__ == "__main__":
    main()
