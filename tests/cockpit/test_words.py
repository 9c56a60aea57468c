# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can be said of the page's files without a browser: every text is translated, all files are
installed, nothing is made from markup."""

import ast
import json
import re
import subprocess
import sys
import unittest

from server import BUILD, SOURCES
from tap import main

sys.path.insert(0, str(SOURCES))

import po  # noqa: E402

TEXT = r'"((?:[^"\\]|\\.)*)"'
CALL = re.compile(rf'(?<![\w.])(?:_|ngettext)\(\s*{TEXT}(?:,\s*{TEXT})?')
MARKUP = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|\bstyle:|unsafe-")


def scripts():
    return {path.name: path.read_text() for path in SOURCES.glob("*.js")}


class Words(unittest.TestCase):
    def catalogues(self):
        found = list((SOURCES / "po").glob("*.po"))
        self.assertTrue(found)
        return {path.stem: po.read(path.read_text()) for path in found}

    def test_all_are_translated(self):
        """And none that is not said any more."""
        said = {}
        for name, text in scripts().items():
            for singular, plural in CALL.findall(text):
                said[ast.literal_eval(f'"{singular}"')] = plural or None
            self.assertEqual(len(CALL.findall(text)), len(re.findall(r"(?<![\w.])(?:_|ngettext)\(", text)), f"{name}: a text that is not in double quotes")
        self.assertGreater(len(said), 100)
        for language, entries in self.catalogues().items():
            known = {name: texts[0] for name, texts in entries.items() if name}
            self.assertEqual(known, said, language)
            for name, texts in entries.items():
                self.assertTrue(all(texts[1:]), name)
                for text in texts[1:]:
                    self.assertEqual(set(re.findall(r"\$\d", name)) if name else set(), set(re.findall(r"\$\d", text)), name)

    def test_as_cockpit_reads_them(self):
        for language, entries in self.catalogues().items():
            for name in (f"po.{language}.js", f"po.manifest.{language}.js"):
                text = (BUILD / "cockpit" / name).read_text()
                self.assertTrue(text.startswith("cockpit.locale({\n"), name)
                for message in filter(None, entries):
                    self.assertIn(json.dumps(message, ensure_ascii=False) + ": ", text)

    def test_the_menu(self):
        manifest = json.loads((SOURCES / "manifest.json").read_text())
        label = manifest["menu"]["index"]["label"]
        for language, entries in self.catalogues().items():
            self.assertIn(label, entries, language)
        self.assertNotIn("content-security-policy", manifest)

    def test_nothing_is_made_from_markup(self):
        for name, text in scripts().items():
            self.assertIsNone(MARKUP.search(text), name)
        page = (SOURCES / "index.html").read_text()
        self.assertNotIn("style=", page)
        self.assertEqual(re.findall(r"<script[^>]*>([^<]+)</script>", page), [])

    def test_all_are_installed(self):
        installed = set(re.findall(r"'([\w.]+\.(?:js|css|html))'", (SOURCES / "meson.build").read_text()))
        self.assertEqual(installed, {path.name for pattern in ("*.js", "*.css", "*.html") for path in SOURCES.glob(pattern)})

    def test_metainfo(self):
        result = subprocess.run(["appstreamcli", "validate", "--no-net", SOURCES / "org.nestvirt1.cockpit.metainfo.xml"],
                                capture_output=True, text=True, check=False)
        self.assertIn("Validation ", result.stdout, result.stderr)
        wrong = re.findall(r"^[EW]: .*", result.stdout, re.MULTILINE)
        # Newer validators want a home page, and there is none.
        self.assertEqual([line for line in wrong if "url-homepage-missing" not in line], [], result.stdout)


if __name__ == "__main__":
    main()
