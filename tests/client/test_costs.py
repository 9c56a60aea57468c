# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirt(7): the numbers in it are those of the reports beside it, these are what the tests of
the probe demand, and the picture is made of them; what it tells people to type is there."""

import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

from ctl import SOURCES, help_sections
from manual import page, plain, section
from tap import main

COSTS = SOURCES / "man/costs"
PLOT = COSTS / "plot.py"
HOSTS = SOURCES.parent / "tests/hosts"
SETTINGS = {"kvm_amd": ["npt"], "kvm_intel": ["ept", "enable_shadow_vmcs"]}
# What tests on the emulated hosts demand of each report: file and table there.
DEMANDED = {
    "amd": ("test_probe.py", "COUNTS"),
    "amd-npt-off": ("test_probe.py", "SHADOW_COUNTS"),
    "intel": ("intel/test_intel_probe.py", "COUNTS"),
    "intel-shadow-vmcs-off": ("intel/test_intel_probe.py", "WITHOUT_SHADOW_VMCS"),
    "intel-ept-off": ("intel/test_intel_probe.py", "WITHOUT_EPT"),
    "intel-both-off": ("intel/test_intel_probe.py", "WITHOUT_BOTH"),
}
DRAWN = ("round_trip", "fresh_page", "cr3_reload", "fault", "workload")
SVG = "{http://www.w3.org/2000/svg}"


def reports():
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(COSTS.glob("*.json"))}


def setting(report):
    """The report's settings as a heading in the page has them."""
    module = next(name for name in SETTINGS if f"{name}.nested" in report["parameters"])
    values = [(name, report["parameters"][f"{module}.{name}"]) for name in SETTINGS[module]]
    return " ".join([module, *(f"{name}={int(value in ('Y', '1'))}" for name, value in values)])


def table(report):
    """The report's counts as a table in the page has them: numbers by column, by row."""
    rows = {"proof": {"round_trip": report["counts"]["round_trip"]}}
    for name, value in report["counts"].items():
        way, dot, column = name.partition(".")
        if dot:
            rows.setdefault(way, {})[column] = value
    return rows


def cells(line):
    """The words of a line, by the column in which each of them ends."""
    return {word.end(): word.group() for word in re.finditer(r"\S+", line)}


def tables():
    """What the page says was measured: tables by heading. Columns are told by where their numbers
    end, and so are the pieces of their names."""
    text = re.search(r"^\.EX\n(.*?)^\.EE$", section("nestvirt.7", "MEASURED"), re.MULTILINE | re.DOTALL).group(1)
    head, *blocks = text.rstrip().split("\n\n")
    columns = {}
    for line in head.splitlines():
        for end, piece in cells(line).items():
            columns[end] = columns.get(end, "") + piece
    found = {}
    for block in blocks:
        heading, *lines = block.splitlines()
        found[heading] = {line.split()[0]: {columns[end]: int(word) for end, word in list(cells(line).items())[1:]} for line in lines}
    return found


def load(path):
    """A test module of the emulated hosts, none of which it boots by that."""
    sys.path.insert(0, str(HOSTS))
    try:
        spec = importlib.util.spec_from_file_location(f"hosts_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(HOSTS))


def plot(*arguments):
    return subprocess.run([PLOT, *arguments], capture_output=True, text=True, check=False)


class Numbers(unittest.TestCase):
    def test_the_page_has_what_the_reports_have(self):
        self.assertEqual(tables(), {setting(report): table(report) for report in reports().values()})

    def test_the_reports_are_what_is_demanded_of_the_probe(self):
        found = reports()
        self.assertEqual(set(found), set(DEMANDED))
        for name, (path, demanded) in DEMANDED.items():
            with self.subTest(name):
                self.assertEqual(found[name]["counts"], getattr(load(HOSTS / path), demanded))

    def test_the_reports_are_as_the_probe_prints_them(self):
        for path in COSTS.glob("*.json"):
            with self.subTest(path.name):
                text, report = path.read_text(encoding="utf-8"), json.loads(path.read_text(encoding="utf-8"))
                self.assertEqual(text, json.dumps(report, separators=(",", ":")) + "\n")
                self.assertEqual((report["result"], report["stale"]), ("on", False))
                self.assertIn("a guest of a guest ran", report["message"])


class Picture(unittest.TestCase):
    def test_it_is_made_of_the_reports(self):
        paths = sorted(COSTS.glob("*.json"))
        for order in (paths, reversed(paths)):
            done = plot(*order)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(done.stdout.encode(), (COSTS / "exits.svg").read_bytes())

    def test_into_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            target = pathlib.Path(folder, "exits.svg")
            self.assertEqual(plot("-o", target, *COSTS.glob("*.json")).returncode, 0)
            self.assertEqual(target.read_bytes(), (COSTS / "exits.svg").read_bytes())

    def test_it_shows_the_numbers_and_bars_as_long(self):
        """A row for each way of each report; each number belongs to the bar before it."""
        rows, name, width = {}, None, 0
        for element in xml.etree.ElementTree.parse(COSTS / "exits.svg").getroot():
            words = element.text or ""
            if element.tag == SVG + "rect":
                width = float(element.get("width"))
            elif words in DEMANDED:
                name = words
            elif words in table(reports()[name or "amd"]):
                rows[name, words] = []
            elif rows and element.tag == SVG + "text" and re.fullmatch(r"[\d,]+", words):
                rows[next(reversed(rows))].append((int(words.replace(",", "")), width))
        demanded = {(name, way): [values[column] for column in DRAWN]
                    for name, report in reports().items() for way, values in table(report).items() if way != "proof"}
        self.assertEqual({key: [value for value, _ in row] for key, row in rows.items()}, demanded)
        for columns in (slice(0, 4), slice(4, 5)):
            shown = [pair for row in rows.values() for pair in row[columns]]
            longest = max(shown)
            for value, length in shown:
                self.assertAlmostEqual(length, longest[1] * value / longest[0], delta=0.02)

    def test_what_is_no_report(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "other.json")
            off = {"result": "off", "parameters": {"kvm_amd.nested": "0"}, "counts": {}, "message": "Nested virtualization is off"}
            for text, said in (("", "make one with nestvirtctl --json=short probe"), ("[]", "is no report"), (json.dumps(off), "off")):
                path.write_text(text, encoding="utf-8")
                done = plot(path)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertRegex(done.stderr, rf"^plot.py: {re.escape(str(path))} .*{said}")
            self.assertIn(f"{folder}/none.json", plot(f"{folder}/none.json").stderr)


class Commands(unittest.TestCase):
    def setUp(self):
        self.text = plain(page("nestvirt.7"))
        self.commands = re.findall(r"nestvirtctl ((?:--?[a-z][a-z=-]* )*)([a-z][a-z-]*)([^\n\"|>]*)", self.text)
        self.assertGreater(len(self.commands), 20)

    def test_verbs_and_options(self):
        verbs, options = help_sections()
        for before, verb, after in self.commands:
            self.assertIn(verb, verbs)
            for option in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", before + after):
                self.assertIn(option, options)

    def test_parameters(self):
        catalog = (SOURCES.parent / "daemon/catalog/catalog-table.c").read_text(encoding="utf-8")
        known = {name.removeprefix("enable_").replace("_", "-") for name in re.findall(r'(?:INTEL|AMD|KVM)\("([a-z0-9_]+)"', catalog)}
        named = [word.partition("=")[0].rstrip(" .") for _, verb, after in self.commands if verb in ("set", "reset", "show")
                 for word in after.split() if not word.startswith("-")]
        self.assertGreater(len(named), 10)
        self.assertLessEqual(set(named), known)

    def test_files(self):
        """What the page says is there is what gets installed, and executable where people are to
        run it."""
        installed = json.loads(pathlib.Path(os.environ["NESTVIRT_BUILD"], "meson-info/intro-installed.json").read_text(encoding="utf-8"))
        there = {pathlib.Path(path) for path in installed.values()}
        named = {word.rstrip(".;") for word in re.findall(r"/usr/\S+", self.text)}
        self.assertGreater(len(named), 2)
        for name in named:
            self.assertTrue(any(path.match(name) for path in there), name)
        self.assertLessEqual({path.name for path in COSTS.iterdir() if path.is_file()}, {path.name for path in there})


if __name__ == "__main__":
    main()
