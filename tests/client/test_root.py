# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirtctl --root=DIR: what is said of a tree of files without a bus, and what is not."""

import os
import shutil
import unittest

from ctl import help_sections, run
from harness import FIXTURES, BusTest, snapshot, write
from tap import main

VERBS = {"status", "show", "check", "guests", "guest"}
QUESTIONS = [["status"], ["status", "--json=pretty"], ["show"], ["show", "--json=short"], ["check"], ["check", "--json=short"],
             ["guests", "--json=short"]]


class Fixtures(BusTest):
    """The same as over a bus, to the byte."""

    def compare(self, name):
        self.start_real(name)
        for question in QUESTIONS:
            over_bus, over_files = run(*question, address=self.bus.address), run(f"--root={self.host}", *question)
            self.assertEqual(str(over_files), str(over_bus), question)
            self.assertTrue(over_files.out or over_files.err or "--quiet" in question, question)


for each in sorted(path.name for path in FIXTURES.iterdir() if path.is_dir()):
    setattr(Fixtures, "test_" + each.replace("-", "_").replace(".", "_"), lambda self, name=each: self.compare(name))


class Several(BusTest):
    def setUp(self):
        super().setUp()
        self.first, self.second = FIXTURES / "amd-epyc-6.1", FIXTURES / "intel-nehalem"

    def test_for_people_each_has_a_heading(self):
        one, other = (run(f"--root={root}", "status").out for root in (self.first, self.second))
        both = run(f"--root={self.first}", "status", f"--root={self.second}")
        self.assertEqual(both.out, f"{self.first}:\n{one}\n{self.second}:\n{other}")

    def test_for_programs_each_is_an_object_that_names_it(self):
        for verb in ("status", "show", "check"):
            with self.subTest(verb):
                lines = run("--json=short", verb, f"--root={self.first}", f"--root={self.second}").out.splitlines()
                self.assertEqual(len(lines), 2)
                for line, root in zip(lines, (self.first, self.second)):
                    one = run("--json=short", verb, f"--root={root}").out
                    self.assertEqual(line, f'{{"root":"{root}",' + one.strip()[1:])

    def test_one_that_can_not_be_looked_at_keeps_no_other_from_being_told_of(self):
        missing = self.folder / "missing"
        result = run("status", f"--root={missing}", f"--root={self.first}")
        self.assertEqual(result.status, 1, result)
        self.assertIn(f"{missing}: Cannot read the status: {missing} can't be looked at: No such file or directory", result.err)
        self.assertIn(f"\n{self.first}:\n", result.out)
        lines = run("-j", "status", f"--root={missing}", f"--root={self.first}").out.splitlines()
        self.assertIn(f'{{"root":"{missing}","error":{{"name":"org.freedesktop.DBus.Error.FileNotFound"', lines[0])
        self.assertIn('"nested":"on"', lines[1])

    def test_the_highest_exit_status_is_that_of_all(self):
        off = FIXTURES / "firmware-off-amd"
        self.assertEqual(run("-q", "status", f"--root={off}", f"--root={self.first}").status, 3)
        self.assertEqual(run("-q", "status", f"--root={self.first}", f"--root={self.second}").status, 0)


class Files(BusTest):
    def test_nothing_is_changed_nor_locked_and_no_bus_is_looked_for(self):
        shutil.copytree(FIXTURES / "amd-epyc-6.1", self.host, symlinks=True)
        write(self.host / "var/lib/nestvirt/change", "a change that was cut short")
        write(self.host / "etc/nestvirt/nestvirtd.conf", "[Guests]\nLibvirt=test:///default\n")
        before = snapshot(self.host)
        self.assertEqual(run(f"--root={self.host}").status, 0)
        self.assertIn("No libvirt is configured", run(f"--root={self.host}", "guests").err)
        self.assertEqual(run(f"--root={self.host}", "check").status, 3)
        self.assertEqual(snapshot(self.host), before)

    def test_a_relative_folder_and_one_without_anything(self):
        self.host.mkdir()
        there = os.getcwd()
        self.addCleanup(os.chdir, there)
        os.chdir(self.folder)
        result = run("--root=host")
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertIn("Nested: unavailable", result.out)

    def test_what_is_no_folder(self):
        file = self.folder / "file"
        file.write_text("")
        for path, why in ((file, "Not a directory"), (self.folder / "missing", "No such file or directory"), ("", "No such file or directory")):
            for verb in VERBS - {"guest"}:
                with self.subTest(path=path, verb=verb):
                    result = run(f"--root={path}", verb)
                    self.assertEqual((result.status, result.out), (1, ""), result)
                    self.assertIn(f"can't be looked at: {why}", result.err)

    def test_a_daemon_that_is_not_there_or_ends_at_once(self):
        for program, words in (("/nonexistent/nestvirtd", "/nonexistent/nestvirtd, which looks at it, can't be started"),
                               ("/bin/true", "has ended")):
            with self.subTest(program):
                result = run(f"--root={FIXTURES / 'no-kvm'}", NESTVIRTD=program)
                self.assertEqual((result.status, result.out), (8, ""), result)
                self.assertIn(words, result.err)
                self.assertNotIn("systemctl", result.err)


class Usage(unittest.TestCase):
    def refused(self, *arguments):
        result = run(*arguments)
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertRegex(result.err, r"^nestvirtctl: [^\n]*; see nestvirtctl --help\n$")
        return result.err

    def test_verbs_that_need_a_system_that_runs(self):
        verbs, _ = help_sections()
        for verb in set(verbs) - VERBS - {"help"}:
            with self.subTest(verb):
                self.assertIn(f"{verb} needs a system that runs", self.refused("--root=/tmp", verb, "x=y", "z"))

    def test_another_host(self):
        self.assertIn("--root is for files that are here", self.refused("--root=/tmp", "-H", "there", "status"))

    def test_it_needs_a_folder(self):
        self.assertIn("--root needs a value", self.refused("status", "--root"))


if __name__ == "__main__":
    main()
