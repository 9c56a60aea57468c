# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.freedesktop.LogControl1: how much the daemon tells, and where, is root's to set and anybody's
to read."""

from clients import DBUS_ERROR, NOBODY, PROPERTIES, GLib
from harness import BusTest
from journal import Journal
from tap import main

PATH, INTERFACE = "/org/freedesktop/LogControl1", "org.freedesktop.LogControl1"
OFF = {"kvm_amd": {"nested": "0"}}
NOTICE, DEBUG = "5", "7"


class LogControl(BusTest):
    def setUp(self):
        super().setUp()
        self.journal = Journal(self.folder)
        self.addCleanup(self.journal.close)
        self.daemon = self.start_fake(wrap=self.journal.wrap)
        self.root = self.client()

    def shown(self, client=None):
        return (client or self.root).get_all(INTERFACE, PATH)

    def set(self, name, value, client=None):
        (client or self.root).call("Set", ("ssv", INTERFACE, name, GLib.Variant("s", value)), path=PATH, interface=PROPERTIES)

    def told(self):
        """How urgent what was told meanwhile was."""
        return {entry["PRIORITY"] for entry in self.journal.rest()}

    def wait_for_debug(self, message):
        """The change of before may still be noticed meanwhile."""
        while (entry := self.journal.entry())["MESSAGE"] != message:
            pass
        self.assertEqual(entry["PRIORITY"], DEBUG)

    def test_anybody_reads(self):
        expected = {"LogLevel": "info", "LogTarget": "journal", "SyslogIdentifier": "nestvirtd-fake"}
        for client in (self.root, self.client(NOBODY)):
            self.assertEqual(self.shown(client), expected)

    def test_root_alone_sets(self):
        before, nobody = self.shown(), self.client(NOBODY)
        for name, value in (("LogLevel", "debug"), ("LogTarget", "console")):
            with self.refused(DBUS_ERROR + "AccessDenied"):
                self.set(name, value, nobody)
        for client in (nobody, self.root):
            with self.refused(DBUS_ERROR + "PropertyReadOnly"):
                self.set("SyslogIdentifier", "frob", client)
        self.assertEqual(self.shown(), before)

    def test_systemd_is_told_that_it_takes_a_privilege(self):
        xml = self.root.call("Introspect", path=PATH, interface="org.freedesktop.DBus.Introspectable")[0]
        self.assertEqual(xml.count('name="org.freedesktop.systemd1.Privileged" value="true"'), 2)

    def test_words(self):
        for level in ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"):
            self.set("LogLevel", level)
            self.assertEqual(self.shown()["LogLevel"], level)
        for name, wrong in (("LogLevel", "loud"), ("LogLevel", "7"), ("LogLevel", ""), ("LogTarget", "kmsg"), ("LogTarget", "syslog")):
            with self.refused(DBUS_ERROR + "InvalidArgs", f'"{wrong}"', "debug" if name == "LogLevel" else "journal, console"):
                self.set(name, wrong)
        self.assertEqual((self.shown()["LogLevel"], self.shown()["LogTarget"]), ("debug", "journal"))

    def test_debug_says_what_makes_the_daemon_work(self):
        self.root.set(OFF)
        self.assertEqual(self.told(), {NOTICE})
        self.set("LogLevel", "debug")
        self.shown()
        self.wait_for_debug(f"{self.root.name} calls GetAll of {PATH}")
        (self.host / "etc/modprobe.d").mkdir(parents=True, exist_ok=True)
        (self.host / "etc/modprobe.d/by-hand.conf").write_text("options kvm_amd npt=0\n")
        self.wait_for_debug("A file of the host has changed")
        self.wait_for_debug("The host is read anew")
        self.set("LogLevel", "info")
        self.journal.rest()
        self.shown()
        self.assertEqual(self.told(), set())

    def test_what_is_less_urgent_is_left_out(self):
        self.set("LogLevel", "warning")
        self.root.set(OFF)
        self.assertEqual(self.told(), set())
        self.set("LogLevel", "notice")
        self.root.set({"kvm_amd": {"nested": "1"}})
        self.assertEqual(self.told(), {NOTICE})

    def test_the_console_is_standard_error(self):
        self.set("LogTarget", "console")
        self.root.set(OFF)
        self.assertEqual(self.told(), set())
        self.assertRegex(self.daemon.log.read_text(), r"^nestvirtd-fake: kvm_amd\.nested=0 \(asked for by uid 0, pid \d+\): applied\n$")
        self.set("LogTarget", "journal")
        self.root.set({"kvm_amd": {"nested": "1"}})
        self.assertEqual(self.told(), {NOTICE})


if __name__ == "__main__":
    main()
