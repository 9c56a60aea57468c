# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirtctl without a bus: wrong usage is told in one line and ends with 2, a bus that can't be
reached with 8, JSON stays JSON."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from ctl import NOWHERE, environment, help_sections, run, script
from tap import main

WORDS = {"set": ["nested=on"], "guest": ["web1"], "set-cpu": ["web1", "--nested=yes"], "prepare": ["web1", "kvm"]}
# The probe needs a bus only for those who may not open /dev/kvm (test_probe.py), exits only for a
# guest's name; compare has its file first (test_fingerprint.py).
WITHOUT_BUS = {"help", "patch-xml", "probe", "exits", "compare"}


class NoBus(unittest.TestCase):
    def test_every_verb_ends_with_8(self):
        verbs, _ = help_sections()
        self.assertIn("status", verbs)
        for verb in set(verbs) - WITHOUT_BUS:
            with self.subTest(verb):
                result = run(verb, *WORDS.get(verb, []))
                self.assertEqual((result.status, result.out), (8, ""), result)
                self.assertRegex(result.err, r"^Cannot .*: the system bus can't be reached: No such file or directory\n$")

    def test_every_verb_says_so_in_json(self):
        for verb in set(help_sections()[0]) - WITHOUT_BUS:
            with self.subTest(verb):
                result = run("--json=short", verb, *WORDS.get(verb, []))
                self.assertEqual((result.status, result.err), (8, ""), result)
                self.assertEqual(set(result.json), {"error"})
                self.assertEqual(result.json["error"]["name"], "org.freedesktop.DBus.Error.NoServer")
                self.assertIn("the system bus can't be reached", result.json["error"]["message"])

    def test_quiet_does_not_hide_it(self):
        self.assertIn("bus can't be reached", run("--quiet").err)
        self.assertIn("error", run("--quiet", "-j").json)

    def test_a_host_that_ssh_does_not_reach(self):
        with tempfile.TemporaryDirectory() as folder:
            script(pathlib.Path(folder), "ssh", "raise SystemExit(255)")
            result = run("-H", "somebody@elsewhere", "status", PATH=f"{folder}:{os.environ['PATH']}")
        self.assertEqual(result.status, 8, result)
        self.assertIn("somebody@elsewhere", result.err)


class Usage(unittest.TestCase):
    wrong = [
        (["frobnicate"], 'no verb is called "frobnicate"'),
        (["stauts"], 'did you mean "status"'),
        (["x" * 5000], "no verb"),
        (["\x1b[2J"], "\\x1b[2J"),
        (["status", "extra"], '"extra"'),
        (["check", "extra"], '"extra"'),
        (["set"], "PARAMETER=VALUE"),
        (["set", "nested"], '"nested" is not PARAMETER=VALUE'),
        (["set", "=on"], '"=on" is not PARAMETER=VALUE'),
        (["set", b"nested=\xff"], "is not UTF-8"),
        (["reset", "nested=on"], '"nested=on" is not the name of a parameter'),
        (["reset", ""], "is not the name of a parameter"),
        (["--frobnicate"], "no option --frobnicate"),
        (["-x"], "no option -x"),
        (["--dry-run", "set", "nested=1", "-x"], "no option -x"),
        (["--no"], "no option --no, or it could be several"),
        (["--host"], "--host needs a value"),
        (["-H"], "-H needs a value"),
        (["--quiet=1"], "--quiet takes no value"),
        (["--json=loud"], '--json is short, pretty or off, not "loud"'),
        (["status", "--dry-run"], "status takes no --dry-run"),
        (["show", "--runtime"], "show takes no --runtime"),
        (["show", "--all", "nested"], "--all shows every parameter, so none can be named"),
        (["status", "--all"], "status takes no --all"),
        (["reload", "--when-idle"], "reload takes no --when-idle"),
        (["ensure-device", "--next-boot"], "ensure-device takes no --next-boot"),
        (["--wait"], "status takes no --wait"),
        (["set", "nested=1", "--runtime", "--next-boot"], "exclude each other"),
        (["set", "nested=1", "--runtime", "--when-idle"], "exclude each other"),
        (["reset", "--when-idle", "--next-boot"], "exclude each other"),
        (["set", "nested=1", "--wait"], "--wait is for --when-idle"),
        (["patch-xml"], "needs --nested, --mode, --model or --recipe"),
        (["patch-xml", "--vendor=amd"], "needs --nested"),
        (["patch-xml", "--nested=yes", "a", "b"], 'takes nothing more, but there is "b"'),
        (["patch-xml", "--nested=maybe"], '--nested is yes or no, not "maybe"'),
        (["patch-xml", "--nested="], "--nested is yes or no"),
        (["patch-xml", "--nested"], "--nested needs a value"),
        (["patch-xml", "--nested=yes", "--vendor=via"], '--vendor is intel, amd, hygon or zhaoxin, not "via"'),
        (["patch-xml", "--nested=yes", "--release=7.0"], "--release is for --recipe"),
        (["patch-xml", "--nested=no", "--recipe=kvm"], "--nested=no contradicts --recipe"),
        (["patch-xml", "--nested=yes", "--runtime"], "patch-xml takes no --runtime"),
        (["-H", "there", "patch-xml", "--nested=yes"], "patch-xml takes no --host"),
        (["status", "--nested=yes"], "status takes no --nested"),
        (["set", "nested=1", "--verify", "--dry-run"], "--verify is for what is in effect"),
        (["status", "--verify"], "status takes no --verify"),
        (["-H", "there", "exits"], "exits takes no --host"),
        (["exits", "--interval=soon"], '--interval takes seconds, from 0.05 to 86400, not "soon"'),
        (["exits", "--count=0"], '--count takes a number from 1 on, not "0"'),
        (["exits", "web1", "web2"], 'takes nothing more, but there is "web2"'),
        (["-q", "exits"], "exits does nothing but print"),
        (["probe", "--count=2"], "probe takes no --count"),
        (["set-cpu"], "NAME"),
        (["set-cpu", "--all", "web1", "--nested=no"], "--all means every guest, so none can be named"),
        (["guest", "web1", "--except=web2"], "guest takes no --except"),
        (["set-cpu", "web1"], "needs --nested, --mode or --model"),
        (["set-cpu", "web1", "--nested=perhaps"], '--nested is yes or no, not "perhaps"'),
        (["set-cpu", "web1", "--recipe=kvm"], "set-cpu takes no --recipe"),
        (["prepare", "web1"], "NAME RECIPE"),
        (["prepare", "web1", "kvm", "--nested=yes"], "prepare takes no --nested"),
    ]

    def test_one_line_and_2(self):
        for arguments, words in self.wrong:
            with self.subTest(arguments):
                result = run(*map(os.fsdecode, arguments))
                self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertRegex(result.err, r"^nestvirtctl: [^\n]*; see nestvirtctl --help\n$")
                self.assertIn(words, result.err)

    def test_as_json(self):
        for arguments, words in self.wrong:
            with self.subTest(arguments):
                result = run("--json=short", *map(os.fsdecode, arguments))
                self.assertEqual((result.status, result.err), (2, ""), result)
                self.assertEqual(result.json["error"]["name"], "org.nestvirt1.Error.InvalidArgs")
                if "\\" not in words:
                    self.assertIn(words, result.json["error"]["message"])

    def test_json_may_come_after_what_is_wrong(self):
        for arguments in (["--frobnicate", "--json=short"], ["--json=loud", "-j"], ["set", "-j"]):
            with self.subTest(arguments):
                self.assertIn("error", run(*arguments).json)


class Help(unittest.TestCase):
    def test_four_ways_to_it(self):
        texts = {run(word).out for word in ("--help", "-h", "help")} | {run("set", "--help").out, run("-q", "help").out}
        self.assertEqual(len(texts), 1)
        self.assertIn("ensure-device", texts.pop())

    def test_it_needs_neither_bus_nor_words(self):
        for arguments in (["--help"], ["set", "--help"], ["--version"]):
            with self.subTest(arguments):
                result = run(*arguments)
                self.assertEqual((result.status, result.err), (0, ""), result)

    def test_version(self):
        self.assertRegex(run("--version").out, r"^nestvirtctl [0-9][0-9.]*\n$")

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run([os.environ["NESTVIRTCTL"], "--help"], env=environment(NOWHERE, {}), stdout=full,
                                    stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("Cannot write to standard output: No space left on device", result.stderr)


if __name__ == "__main__":
    main()
