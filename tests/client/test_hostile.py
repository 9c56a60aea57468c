# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the daemon passes on may be anything, and so may the daemon be: what is made of it then."""

import json

from ctl import run
from daemon import FakeDaemon, change, manager, module, variants
from harness import GLib
from tap import main
from test_reading import Reading


class Hostile(Reading):
    """What the daemon passes on may be anything, and so may the daemon be."""

    def test_no_control_characters_reach_the_terminal(self):
        holder = variants({"Pid": 1, "Uid": 0, "Command": "\x1b[2J\x07\n\u202e\u009b", "Unit": "", "Guest": ""})
        daemon = FakeDaemon(self.bus.address, manager(CpuModel="A\x1b[31m\nB"), answers={"ListUsers": lambda request: ("aa{sv}", [holder])})
        self.addCleanup(daemon.close)
        self.assertIn("A\\x1b[31m\\x0aB", self.text())
        self.assertIn("\\x1b[2J\\x07\\x0a\\u202e\\x9b", self.text("users"))
        self.assertEqual(self.json("users")["users"][0]["command"], "\x1b[2J\x07\n\u202e\u009b")

    def test_nor_do_what_ends_lines_and_turns_them(self):
        name = "a\u2028b\u2029c\u202ed\u2066e\u009bf\x7fg\U000e0041h\u00e9"
        holder = variants({"Pid": 1, "Uid": 0, "Command": name, "Unit": "", "Guest": ""})
        daemon = FakeDaemon(self.bus.address, answers={"ListUsers": lambda request: ("aa{sv}", [holder])})
        self.addCleanup(daemon.close)
        self.assertIn("a\\u2028b\\u2029c\\u202ed\\u2066e\\x9bf\\x7fg\\U000e0041h\u00e9 ", self.text("users"))
        for form in ("short", "pretty"):
            text = run("users", f"--json={form}", address=self.bus.address).out
            self.assertEqual([c for c in text if not c.isprintable() and c != "\n"], [])
            self.assertEqual(json.loads(text)["users"][0]["command"], name)

    def test_a_long_name_leaves_the_columns_where_they_are(self):
        def holder(pid, command):
            return variants({"Pid": pid, "Uid": 0, "Command": command, "Unit": "u.service", "Guest": "\u6f22" * 300_000})
        commands = {1: ("short", "short"), 2: ("n" * 300_000, "n" * 63 + "\u2026"), 3: ("n" * 64, "n" * 64), 4: ("\x1b" * 64, "\\x1b" * 15 + "\\x1\u2026"),
                    5: ("\u6f22" * 33, "\u6f22" * 31 + "\u2026")}
        daemon = FakeDaemon(self.bus.address, answers={
            "ListUsers": lambda request: ("aa{sv}", [holder(pid, command) for pid, (command, _) in commands.items()])})
        self.addCleanup(daemon.close)
        lines = self.text("users").splitlines()
        self.assertEqual([line.split()[2] for line in lines[1:]], [shown for _, shown in commands.values()])
        self.assertLess(max(map(len, lines)), 200)
        self.assertEqual([row["command"] for row in self.json("users")["users"]], [command for command, _ in commands.values()])

    def test_what_is_left_out(self):
        holder = {"Pid": 1, "Uid": 0, "Command": "qemu", "Unit": "", "Guest": ""}
        finding = {"Id": "cpu", "Status": "fail", "Subject": "host", "Message": "No", "Fix": ""}
        daemon = FakeDaemon(self.bus.address, modules=[module("kvm"), module("kvm_amd", ["nested"], in_use=True)], answers={
            "ListUsers": lambda request: ("aa{sv}", [variants(holder), variants({"Omitted": 7})]),
            "Check": lambda request: ("aa{sv}", [variants(finding), variants({"Omitted": 8})]),
            "SetParameters": lambda request: change("planned", impact=[{"Subject": "pid 1", "Kind": "blocks", "Message": "It"}, {"Omitted": 9}]),
            "ListGuests": lambda request: ("a(osbssssssbs)", [("/", "10", False, *[""] * 6, False, "")])})
        self.addCleanup(daemon.close)
        self.assertTrue(self.text("users").endswith("\n\u2026 and 7 more\n"))
        self.assertEqual(self.json("users")["users"][1], {"omitted": 7})
        for rows, said in (([holder, {"Omitted": 0}], "\n\u2026 and perhaps more\n"),
                           ([{"Omitted": 0}], "KVM is in use by perhaps somebody who was not looked at.\n")):
            daemon.answers["ListUsers"] = lambda request, rows=rows: ("aa{sv}", [variants(row) for row in rows])
            self.assertTrue(self.text("users").endswith(said))
        daemon.answers["ListUsers"] = lambda request: ("aa{sv}", [variants(holder), variants({"Omitted": 7})])
        self.assertRegex(self.text(), r"(?m)^ +Users: qemu \(pid 1\)\n +: \u2026 and 7 more$")
        self.assertTrue(self.text("check", status=3).endswith("\n\u2026 and 8 more\n"))
        self.assertIn("\n  \u2026 and 9 more\n", self.text("set", "--dry-run", "nested=0"))
        self.assertEqual(self.text("guests"), "\u2026 and 10 more, which are too many to be shown\n")
        self.assertEqual(self.json("guests"), {"guests": [{"omitted": 10}]})

    def test_every_type_becomes_json(self):
        values = {"Big": GLib.Variant("t", 2**63 - 1), "Low": GLib.Variant("x", -2**63), "Byte": GLib.Variant("y", 200),
                  "Short": GLib.Variant("n", -5), "Word": GLib.Variant("q", 65535), "Real": GLib.Variant("d", 0.1),
                  "Nan": GLib.Variant("d", float("nan")), "Path": GLib.Variant("o", "/a"), "Sig": GLib.Variant("g", "a{sv}"),
                  "Pair": GLib.Variant("(sb)", ("a", True)), "InDeep": GLib.Variant("v", GLib.Variant("v", GLib.Variant("i", -1))),
                  "ByNumber": GLib.Variant("a{us}", {7: "x"}), "Empty": GLib.Variant("a{ss}", {}),
                  "CountsByName": GLib.Variant("a{sa{sv}}", {"SomeThing": {"InnerName": GLib.Variant("s", "\"\\\x01é")}})}
        daemon = FakeDaemon(self.bus.address, manager(**values))
        self.addCleanup(daemon.close)
        expected = {"big": 2**63 - 1, "low": -2**63, "byte": 200, "short": -5, "word": 65535, "real": 0.1, "nan": None,
                    "path": "/a", "sig": "a{sv}", "pair": ["a", True], "in_deep": -1, "by_number": {"7": "x"}, "empty": {},
                    "counts_by_name": {"SomeThing": {"inner_name": "\"\\\x01é"}}}
        self.assertLessEqual(expected.items(), self.json("status").items())
        self.assertEqual(json.loads(self.ctl("--json=pretty").out), self.json("status"))

    def test_answers_that_are_not_as_they_should_be(self):
        other = {"another type": ("u", 5), "nothing": (), "two values": ("a{sv}s", {}, "x")}
        objects = {"another type": ("s", "hello"), "nothing": (), "two values": ("a{oa{sa{sv}}}s", {}, "x")}
        for member, form, answers in (("GetAll", "off", other), ("Introspect", "off", other), ("GetManagedObjects", "short", objects)):
            for what, answer in answers.items():
                if member == "Introspect" and what == "two values":
                    continue
                with self.subTest(member, what=what):
                    daemon = FakeDaemon(self.bus.address, answers={member: lambda request, answer=answer: answer})
                    result = self.ctl("status", f"--json={form}")
                    said = result.out if form == "short" else result.err
                    self.assertEqual(result.status, 1, result)
                    self.assertTrue(said.startswith('{"error":{"name":' if form == "short" else "Cannot read the status: "), result)
                    daemon.close()

    def test_lists_of_guests_that_are_none(self):
        daemon = FakeDaemon(self.bus.address)
        self.addCleanup(daemon.close)
        for answer in (("s", "hello"), (), ("a{ss}", {"a": "b"}), ("a(os)", [("/", "1")])):
            daemon.answers["ListGuests"] = lambda request, answer=answer: answer
            self.assertNotIn("Guests", self.text())
            self.assertEqual(self.ctl("guests").status, 1)

    def test_properties_of_wrong_types_are_none(self):
        daemon = FakeDaemon(self.bus.address, {"CpuModel": GLib.Variant("u", 5), "Nested": GLib.Variant("u", 5)},
                            [{"Name": GLib.Variant("s", "kvm"), "Parameters": GLib.Variant("s", "none"), "Pending": GLib.Variant("as", ["x"])}])
        self.addCleanup(daemon.close)
        self.assertIn("unknown CPU", self.text())
        self.text("show")
        self.assertEqual(self.ctl("--quiet").status, 3)

    def test_a_daemon_that_leaves_without_a_word(self):
        daemon = FakeDaemon(self.bus.address)
        daemon.answers["Introspect"] = lambda request: daemon.connection.close(None, None) and None
        result = self.ctl("status")
        self.assertEqual((result.status, result.out), (8, ""), result)
        self.assertIn("journalctl -u nestvirtd", result.err)

    def test_nobody_has_the_name(self):
        result = self.ctl("status")
        self.assertEqual((result.status, result.out), (8, ""), result)
        self.assertIn("systemctl status nestvirtd", result.err)
        self.assertEqual(self.json("check", status=8)["error"]["name"], "org.freedesktop.DBus.Error.ServiceUnknown")


if __name__ == "__main__":
    main()
