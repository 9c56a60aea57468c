# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is different on a terminal: colours, the pager, JSON for eyes, and polkit's agent for a
password."""

import json
import os
import re
import unittest

from clients import NOBODY
from ctl import copy_for_others, run, run_on_terminal, script
from daemon import AMD, FakeDaemon, change, entry, module
from harness import BusTest
from tap import main

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(BusTest):
    def setUp(self):
        super().setUp()
        answers = dict.fromkeys(("SetParameters", "ResetParameters", "Reload", "EnsureDevice"), lambda request: self.answer(request))
        self.daemon = FakeDaemon(self.bus.address, answers=answers)
        self.addCleanup(self.daemon.close)

    def answer(self, request):
        return change("applied")

    def see(self, *arguments, **keywords):
        result = run_on_terminal(*arguments, address=self.bus.address, **keywords)
        self.assertEqual(result.status, 0, result)
        return result.out


class Colours(Terminal):
    def test_only_the_colours_differ(self):
        for words in ([], ["show"], ["show", "--all"], ["set", "nested=1"]):
            with self.subTest(words):
                seen = self.see(*words, "--no-pager")
                self.assertRegex(seen, COLOUR)
                self.assertEqual(COLOUR.sub("", seen), run(*words, address=self.bus.address).out)

    def test_those_who_want_none(self):
        plain = run(address=self.bus.address).out
        self.assertEqual(self.see(NO_COLOR="1"), plain)
        self.assertEqual(self.see(TERM="dumb"), plain)
        self.assertNotEqual(self.see(NO_COLOR=""), plain)

    def test_json_has_none(self):
        self.assertNotRegex(self.see("-j"), COLOUR)


class Json(Terminal):
    def test_j_is_for_eyes_on_a_terminal(self):
        pretty, short = self.see("-j"), run("-j", address=self.bus.address).out
        self.assertGreater(pretty.count("\n"), 20)
        self.assertEqual(short.count("\n"), 1)
        self.assertEqual(json.loads(pretty), json.loads(short))
        self.assertEqual(self.see("--json"), pretty)
        self.assertEqual(self.see("--json=short"), short)
        self.assertEqual(self.see("--json=short", "--json=off", NO_COLOR="1"), run(address=self.bus.address).out)


class Pager(Terminal):
    def setUp(self):
        super().setUp()
        self.shown = self.folder / "shown"
        self.pager = script(self.folder, "pager", "import os, sys", f"open('{self.shown}', 'w').write(sys.stdin.read())",
                            "print(*sys.argv[1:], os.environ.get('LESS'))")

    def test_for_what_is_longer_than_the_screen(self):
        whole = self.see("show", "--no-pager", rows=5)
        self.assertFalse(self.shown.exists())
        self.assertEqual(self.see("show", rows=5, PAGER=f"{self.pager} 'a b' c"), "a b c FRSX\n")
        self.assertEqual(self.shown.read_text(), whole)

    def test_a_long_line_takes_more_rows(self):
        lines = len(run(address=self.bus.address).out.splitlines())
        self.see(rows=lines + 1, PAGER=str(self.pager))
        self.assertFalse(self.shown.exists())
        self.see(rows=lines, PAGER=str(self.pager))
        self.assertTrue(self.shown.exists())
        self.shown.unlink()
        self.see(rows=lines + 1, columns=20, PAGER=str(self.pager))
        self.assertTrue(self.shown.exists())

    def test_not_for_what_fits(self):
        self.assertIn("Nested:", self.see(rows=60, PAGER=str(self.pager)))
        self.assertFalse(self.shown.exists())

    def test_less_is_the_default(self):
        os.link(self.pager, self.folder / "less")
        self.see("show", rows=5, PATH=f"{self.folder}:{os.environ['PATH']}")
        self.assertTrue(self.shown.exists())

    def test_the_users_own_less(self):
        self.assertEqual(self.see("show", rows=5, PAGER=str(self.pager), LESS="M"), "M\n")

    def test_lent_rights_are_not_given_away(self):
        script(self.folder, "less", "import os, sys", f"open('{self.shown}', 'w').write(sys.stdin.read())",
               "print(os.environ['LESSSECURE'], os.environ['LESS'])")
        path = f"{self.folder}:{os.environ['PATH']}"
        for user in ("SUDO_UID", "PKEXEC_UID"):
            seen = self.see("show", rows=5, PATH=path, PAGER=str(self.pager), LESS="M", LESSSECURE="0", **{user: "1000"})
            self.assertEqual(seen, "1 FRSX\n")

    def test_none(self):
        whole = self.see("show", "--no-pager", rows=5)
        for pager in ("", "cat", "/nonexistent", "un'balanced"):
            with self.subTest(pager):
                self.assertEqual(self.see("show", rows=5, PAGER=pager), whole)

    def test_a_reader_who_leaves(self):
        many = module("kvm_amd", {f"p{n}": entry(Description="x" * 1000) for n in range(300)})
        self.daemon.modules = [AMD[0], many]
        leaver = script(self.folder, "leaver", "import os", "os.read(0, 1)", "print('seen')")
        self.assertEqual(self.see("show", "--all", rows=5, PAGER=str(leaver)), "seen\n")

    def test_json_is_never_paged(self):
        json.loads(self.see("-j", "show", rows=5, PAGER=str(self.pager)))
        self.assertFalse(self.shown.exists())


class Agent(Terminal):
    """A stand-in for pkttyagent that writes down its life."""

    def setUp(self):
        super().setUp()
        self.life = self.folder / "life"
        self.life.touch()
        self.life.chmod(0o666)
        self.program = copy_for_others(self.folder)
        script(self.folder, "pkttyagent", "import os, signal, sys",
               f"life = os.open('{self.life}', os.O_WRONLY | os.O_APPEND)",
               "def end(*unused):", "    os.write(life, b'ended\\n')", "    os._exit(0)",
               "signal.signal(signal.SIGTERM, end)",
               "os.write(life, ' '.join(sys.argv[3:]).encode() + b'\\n')",
               "assert sys.argv[1] == '--notify-fd'", "os.close(int(sys.argv[2]))",
               "while True:", "    signal.pause()")
        self.path = f"{self.folder}:{os.environ['PATH']}"

    def answer(self, request):
        with open(self.life, "a", encoding="utf-8") as life:
            life.write("asked\n")
        return change("applied")

    def lives(self, *arguments, user=NOBODY, path=None):
        self.life.write_text("")
        self.see(*arguments, program=self.program, user=user, PATH=path or self.path)
        return self.life.read_text().split()

    def test_it_is_ready_before_the_question_and_ended_after_it(self):
        for words in (["set", "nested=1"], ["reset"], ["reload"], ["ensure-device"]):
            with self.subTest(words):
                self.assertEqual(self.lives(*words), ["--fallback", "asked", "ended"])

    def test_not_where_there_is_nothing_to_ask(self):
        self.assertEqual(self.lives("set", "nested=1", "--dry-run"), ["asked"])
        self.assertEqual(self.lives("set", "nested=1", "--no-ask-password"), ["asked"])
        self.assertEqual(self.lives("status"), [])
        self.assertEqual(self.lives("show"), [])

    def test_not_for_root(self):
        self.assertEqual(self.lives("set", "nested=1", user=0), ["asked"])

    def test_not_without_a_terminal(self):
        result = run("set", "nested=1", address=self.bus.address, program=self.program, user=NOBODY, PATH=self.path)
        self.assertEqual((result.status, self.life.read_text()), (0, "asked\n"), result)

    def test_one_that_is_not_installed_is_no_error(self):
        self.assertEqual(self.lives("set", "nested=1", path="/nonexistent"), ["asked"])

    def test_one_that_dies_is_not_waited_for(self):
        script(self.folder, "pkttyagent", "raise SystemExit(1)")
        self.assertEqual(self.lives("set", "nested=1"), ["asked"])


if __name__ == "__main__":
    main()
