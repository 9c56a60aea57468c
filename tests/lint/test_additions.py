#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""HACKING.md tells how to add things, each by the list of the files to touch. Here one of each is
added to a copy of the tree, in those files alone; the copy is built once, its own tests of what
such things have to be named in run there, and each of what was added is used.
"""

import fnmatch
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import edits
import tap
import tree
from additions import ADDITIONS
from harness import Bus

HEADING = re.compile(r"^### How to add (.+)$")
ITEM = re.compile(r"^\d+\. +`([^`]+)`")
TARGETS = ["daemon/nestvirtd", "daemon/nestvirt-libvirt.so", "client/nestvirtctl", "client/nestvirtctl-xml.so", "client/nestvirt-diff.so",
           "client/nestvirtctl-json.so", "client/man/org.nestvirt1.5", "tests/unit/test-catalog", "tests/unit/test-check",
           "tests/unit/test-recipe"]
# Those that compare the places in which a thing has to be named: suite, tests, and cases where not
# all of them are needed.
COMPARED = [("unit", ["catalog", "check", "recipe", "client-words", "client-patch-xml", "client-usage"], []),
            ("bus", ["client-fixtures"], []),
            ("bus", ["reading"], ["Introspection"]),
            ("unit", ["client-completion"], ["BashOffers.test_verbs", "ZshOffers.test_verbs"])]
GUEST = """<domain type='kvm'>
  <name>a</name>
  <vcpu>1</vcpu>
  <os><type arch='x86_64'>hvm</type></os>
</domain>
"""


def read_lists(text):
    """{what is added: the paths of its list}"""
    lists, here = {}, None
    for line in text.splitlines():
        heading, item = HEADING.match(line), ITEM.match(line)
        if line.startswith("#"):
            here = lists.setdefault(heading.group(1), []) if heading else None
        elif item and here is not None:
            here.append(item.group(1))
    return lists


def compare(what, listed, addition):
    """What of a list does not fit the files that are touched."""
    wanted = [path.replace("NAME", addition.name) for path in listed]
    for path in wanted:
        count = sum(fnmatch.fnmatchcase(touched, path) for touched in addition.files)
        if count != 1:
            yield f"How to add {what}: {path} is in the list, and of the files that have to be touched {count or 'none'} fits it"
    for touched in addition.files:
        if not any(fnmatch.fnmatchcase(touched, path) for path in wanted):
            yield f"How to add {what}: {touched} has to be touched, and is not in the list"


def copy_tree(target):
    for path in tree.files():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(tree.ROOT / path, target / path)


def add(root, what, addition):
    for name, changes in addition.files.items():
        path = root / name
        if isinstance(changes, str):
            assert not path.exists(), f"How to add {what}: {name} is there already"
            path.write_text(changes, encoding="utf-8")
            continue
        assert path.exists(), f"How to add {what}: there is no {name}"
        text = path.read_text(encoding="utf-8")
        for edit in changes:
            text = edits.apply(edit, text)
            assert text is not None, f"How to add {what}: {name} has no place that fits {edit.pattern}"
        path.write_text(text, encoding="utf-8")


def run(*command, said=None, **keywords):
    """What it printed; how it fails is told with all of its words."""
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            stdin=None if "input" in keywords else subprocess.DEVNULL, check=False, **keywords)
    assert result.returncode == 0, f"{' '.join(map(str, command))}: {result.returncode}\n{result.stdout}"
    assert said is None or said in result.stdout, f"{' '.join(map(str, command))}: no {said!r} in\n{result.stdout}"
    return result.stdout


def named(text):
    """The files and folders of the tree that a text names, or links to."""
    yield from re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    for word in re.findall(r"`([\w.-]+/[\w./-]*)`", text):
        if "NAME" not in word:
            yield word


class ListsTest(unittest.TestCase):
    def setUp(self):
        self.text = (tree.ROOT / "HACKING.md").read_text(encoding="utf-8")
        self.lists = read_lists(self.text)

    def test_what_it_names_is_there(self):
        names = set(named(self.text))
        self.assertGreater(len(names), 30)
        self.assertEqual({name for name in names if not (tree.ROOT / name).exists()}, set())

    def test_each_has_one(self):
        self.assertEqual(list(self.lists), list(ADDITIONS))

    def test_files_are_those_that_are_touched(self):
        wrong = [line for what, addition in ADDITIONS.items() for line in compare(what, self.lists.get(what, []), addition)]
        self.assertEqual(wrong, [])


class CopyTest(unittest.TestCase):
    """The copy with all of them."""

    problem = None  # why it could not be made

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="nestvirt-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.folder.chmod(0o755)
        cls.root, cls.build = cls.folder / "tree", cls.folder / "tree/build"
        try:
            cls.make()
        except AssertionError as error:
            cls.problem = str(error)

    @classmethod
    def make(cls):
        copy_tree(cls.root)
        for what, addition in ADDITIONS.items():
            add(cls.root, what, addition)
        run("meson", "setup", "--buildtype=plain", "-Dc_args=-O0", cls.build, cls.root)
        run("ninja", "-C", cls.build, *TARGETS)

    def setUp(self):
        if self.problem:
            self.fail(self.problem)

    def start(self, fixture, more=None):
        """The copy's daemon, over a fixture with the files @more."""
        place = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        host, bus = place / "host", Bus(place / "bus")
        self.addCleanup(bus.stop)
        shutil.copytree(self.root / "tests/fixtures" / fixture, host)
        for name, text in (more or {}).items():
            (host / name).write_text(text, encoding="utf-8")
        self.environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": bus.address, "LC_ALL": "C.UTF-8"}
        daemon = subprocess.Popen([self.build / "daemon/nestvirtd", f"--root={host}"], env=self.environment)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.terminate)
        run("gdbus", "wait", "--system", "--timeout=60", "org.nestvirt1", env=self.environment)

    def client(self, *arguments, **keywords):
        return run(self.build / "client/nestvirtctl", *arguments, env=self.environment, **keywords)

    def test_places_agree(self):
        for suite, tests, cases in COMPARED:
            with self.subTest(tests):
                arguments = ["--test-args=" + " ".join(cases)] if cases else []
                said = run("meson", "test", "-C", self.build, "--no-rebuild", "--print-errorlogs", f"--suite={suite}", *arguments, *tests)
                self.assertRegex(said, rf"(?m)^Ok: +{len(tests)}\s*$")

    def test_parameter(self):
        self.start("amd-epyc-6.1", {"sys/module/kvm_amd/parameters/made_up": "Y\n"})
        self.client("show", "made-up", said="Is made up by a test")

    def test_finding(self):
        self.start("builtin-kvm-pvm")
        self.client("check", said="kvm_pvm is made up")

    def test_verb(self):
        self.start("amd-epyc-6.1")
        self.client("made-up", said="Made up of 2 modules.")
        self.client("help", said="made-up")

    def test_method(self):
        self.start("amd-epyc-6.1")
        run("busctl", "--system", "call", "org.nestvirt1", "/org/nestvirt1", "org.nestvirt1.Manager", "MadeUp", "t", "0",
            env=self.environment, said='s "made up"')

    def test_recipe(self):
        patched = run(self.build / "client/nestvirtctl", "patch-xml", "--recipe=madeup", "--vendor=amd", input=GUEST)
        self.assertIn("<vcpu>3</vcpu>", patched)
        self.assertIn("mode='host-passthrough'", patched)


if __name__ == "__main__":
    tap.main()
