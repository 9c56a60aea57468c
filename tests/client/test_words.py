# SPDX-License-Identifier: LGPL-2.1-or-later
"""Help, manual, completion and daemon know the same words: verbs, options, findings, members of the
API."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

from ctl import SOURCES, help_sections
from manual import MANUALS, page, plain, section, tags
from tap import main

API = pathlib.Path(os.environ["API"])
DAEMON = SOURCES.parent / "daemon"


class Client(unittest.TestCase):
    def setUp(self):
        self.verbs, self.options = help_sections()
        self.assertGreater(len(self.verbs), 10)
        self.assertGreater(len(self.options), 10)

    def test_manual_verbs(self):
        self.assertEqual([tag.split()[0] for tag in tags(section("nestvirtctl.1", "VERBS"))], self.verbs)

    def test_manual_options(self):
        described = {word for tag in tags(section("nestvirtctl.1", "OPTIONS"))
                     for word in re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", tag.replace(" ,  ", ", "))}
        self.assertEqual(sorted(described), self.options)

    def test_manual_errors(self):
        tags_of_status = tags(section("nestvirtctl.1", "EXIT STATUS"))
        self.assertEqual(tags_of_status, [str(number) for number in range(9)])

    def test_bash(self):
        text = (SOURCES / "completion/nestvirtctl.bash").read_text(encoding="utf-8")
        self.assertEqual(re.search(r'verbs="([^"]*)"', text).group(1).split(), self.verbs)
        words = " ".join(re.findall(r'local (?:common|all|many|root|applying|setting|patching|times|repeating)="([^"]*)"', text)).split()
        self.assertEqual(sorted({word.partition("=")[0] for word in words}), self.options)

    def test_zsh(self):
        text = (SOURCES / "completion/_nestvirtctl").read_text(encoding="utf-8")
        verbs = re.search(r"verbs=\((.*?)\n\s*\)\n", text, re.DOTALL).group(1)
        self.assertEqual(re.findall(r"^\s+'([a-z-]+):", verbs, re.MULTILINE), self.verbs)
        arguments = text.partition("dry=(")[2]
        options = re.findall(r"(?:\)|'\*?)(--?[a-zA-Z][a-z-]*?)-?(?==-|\[)", arguments)
        options += [re.sub(r"[+=]$", "", word) for pair in re.findall(r"\{([^}]*)\}'", arguments) for word in pair.split(",")]
        self.assertEqual(sorted(set(options)), self.options)

    def test_recipes_and_releases(self):
        """What the table has is in the manual, in the help and in what a Tab offers."""
        table = re.search(r"recipes\[\] = \{\n(.*?)^\};", (DAEMON / "domain/recipe.c").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        rows = re.findall(r'\{"([a-z]+)", (?:NULL|"([0-9.]+)")', table.group(1))
        recipes, releases = {recipe for recipe, _ in rows}, sorted(release for _, release in rows if release)
        self.assertGreater(len(recipes), 3)
        options = section("nestvirtctl.1", "OPTIONS")
        for recipe in recipes:
            self.assertRegex(options, rf"\b{recipe}\b")
        self.assertIn(f"{', '.join(releases[:-1])} or {releases[-1]}", options)
        bash, zsh = ((SOURCES / "completion" / name).read_text(encoding="utf-8") for name in ("nestvirtctl.bash", "_nestvirtctl"))
        self.assertIn(f'--release) echo "{" ".join(releases)}"', bash)
        self.assertIn(f":release:({' '.join(releases)})", zsh)
        for pattern, text in ((r'--recipe\) echo "([^"]*)"', bash), (r":recipe:\(([^)]*)\)", zsh)):
            self.assertEqual(set(re.search(pattern, text).group(1).split()), recipes)


class Findings(unittest.TestCase):
    def test_all_are_in_the_manual(self):
        table = re.search(r"rules\[\] = \{\n(.*?)^\};", (DAEMON / "findings/check.c").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        ids = re.findall(r'^\s*\{\s*"([a-z0-9-]+)",', table.group(1), re.MULTILINE)
        self.assertGreater(len(ids), 20)
        self.assertEqual(tags(section("nestvirtctl.1", "FINDINGS")), ids)


class Daemon(unittest.TestCase):
    def test_options(self):
        said = subprocess.run([os.environ["NESTVIRTD"], "--help"], check=True, capture_output=True, text=True).stdout
        options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", said))
        described = {word for tag in tags(section("nestvirtd.8", "OPTIONS")) for word in re.findall(r"--[a-z][a-z-]*", tag)}
        self.assertGreater(len(options), 5)
        self.assertEqual(described, options)

    def test_actions(self):
        text = (SOURCES.parent / "daemon/bus/question.c").read_text(encoding="utf-8")
        names = (SOURCES.parent / "dbus/names.h").read_text(encoding="utf-8")
        used = {re.search(rf'{macro} "([^"]+)"', names).group(1) for macro in set(re.findall(r"ACTION_[A-Z_]+", text))}
        self.assertEqual(set(tags(section("nestvirtd.8", "POLKIT ACTIONS"))), used)

    def test_log_fields(self):
        fields = set(re.findall(r"NESTVIRT_[A-Z_]+", (DAEMON / "service/log-change.h").read_text(encoding="utf-8")))
        self.assertGreater(len(fields), 5)
        self.assertEqual(set(re.findall(r"NESTVIRT_[A-Z_]+", section("nestvirtd.8", "LOG"))), fields)


class Api(unittest.TestCase):
    def test_every_member_is_in_the_manual(self):
        text = plain(page("org.nestvirt1.5"))
        for interface in xml.etree.ElementTree.parse(API).getroot().findall("interface"):
            own = text.partition(f".SH {interface.get('name')}\n")[2].partition("\n.SH ")[0]
            self.assertGreater(len(own), 1000)
            for tag in ("property", "method", "signal"):
                for member in interface.findall(tag):
                    with self.subTest(member.get("name")):
                        self.assertRegex(own, rf"(?m)^\.TP\n(\.B )?{member.get('name')}\b")

    def render(self, text):
        with tempfile.TemporaryDirectory() as folder:
            source, target = pathlib.Path(folder, "in.xml"), pathlib.Path(folder, "out")
            source.write_text(text, encoding="utf-8")
            result = subprocess.run(["/usr/bin/python3", SOURCES / "man/render-api.py", source, "1", target], text=True,
                                    capture_output=True, check=False)
            return result, target.read_text(encoding="utf-8") if target.exists() else ""

    def test_what_is_not_documented_is_an_error(self):
        result, page = self.render('<node><interface name="a.B"><property name="Silent" type="s" access="read"/></interface></node>')
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("a.B is not documented", result.stderr)
        self.assertEqual(page, "")

    def test_prose_can_not_become_a_request(self):
        doc = "<annotation name='org.gtk.GDBus.DocString' value='%s'/>"
        result, page = self.render("<node><interface name='a.B'>" + doc % ".so /etc/passwd\n\nSecond. .TH x \\(co"
                                   + "</interface></node>")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotRegex(page.partition(".SH a.B")[2], r"(?m)^\.(so|TH)")
        self.assertIn("\n.PP\nSecond.\n", page)
        self.assertIn("\\e(co", page)


class Manuals(unittest.TestCase):
    def test_mandoc_finds_nothing(self):
        pages = sorted(MANUALS.glob("*.[0-9]"))
        self.assertEqual([path.name for path in pages], ["nestvirt.7", "nestvirt.conf.5", "nestvirtctl.1", "nestvirtd.8", "org.nestvirt1.5"])
        for path in pages:
            with self.subTest(path.name):
                result = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True, text=True,
                                        check=False)
                self.assertEqual((result.returncode, result.stdout), (0, ""), result)


if __name__ == "__main__":
    main()
