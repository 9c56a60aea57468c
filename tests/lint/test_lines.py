#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""check-lines: what is prose and what is code in each kind of file, how wide each may be, and what
may be wider."""

import made_tree
import tap

WIDE = "word " * 20 + "end"  # 103 columns, which code may have
WIDER = "word " * 24 + "end"  # 123
LINK = "https://docs.kernel.org/" + "x" * 100


class LinesTest(made_tree.TreeTest):
    def check(self, name, lines, *wrong):
        """@wrong are the numbers of the lines that are refused, and as what."""
        self.write({name: "\n".join(lines) + "\n"})
        status, said = self.run_check("check-lines")
        self.assertEqual([line.split(" of ")[0] for line in said], [f"{name}:{number}: {what}" for number, what in wrong])
        self.assertEqual(status, 1 if wrong else 0)

    def test_comments_of_c(self):
        self.check("daemon/a.c", [f"/* {WIDE} */", "/* short,", f" * {WIDE}", f" * {WIDE} */", f"        // {WIDE}"],
                   *((number, "prose") for number in (1, 3, 4, 5)))

    def test_code_of_c(self):
        self.check("daemon/a.c", [f'char *a = "{WIDE}";', f'        "{WIDE}"', f'char *c = "{WIDER}";',
                                  'char *d = "/*";', f'char *e = "{WIDE}";', f'f(); /* "{WIDER}" */'],
                   (3, "code"), (6, "code"))

    def test_tables_of_c(self):
        self.check("daemon/a.c", ["/* clang-format off */", f'{{ "{WIDER}" }},', f"/* {WIDE} */", "/* clang-format on */",
                                  f'char *a = "{WIDER}";'], (5, "code"))

    def test_comment_behind_code(self):
        self.check("daemon/a.h", ["int a; /* begins here", f"        * {WIDE}", f"        * {WIDER} */", f"/* {WIDE} */"],
                   (3, "code"), (4, "prose"))

    def test_exact(self):
        self.check("daemon/a.c", ["/* " + "x" * 94 + " */", "/* " + "é" * 95 + " */", "x" * 120, "x" * 121],
                   (2, "prose"), (4, "code"))

    def test_python(self):
        self.check("client/a.py", [f'"""{WIDE}"""', f"# {WIDE}", f'A = "{WIDE}"', "def b():", '    """Short,', f"    {WIDE}",
                                   '    """', f'    return """{WIDER}"""', f"C = 1  # {WIDE}"],
                   (1, "prose"), (2, "prose"), (6, "prose"), (8, "code"))

    def test_scripts(self):
        self.check("run", ["#!/bin/sh", f"# {WIDE}", f"echo {WIDE} # here", f"echo {WIDER}"], (2, "prose"), (4, "code"))
        (self.root / "run").unlink()
        self.check("daemon/meson.build", [f"a = '{WIDE}'", f"b = '{WIDER}'", f"# {WIDE}"], (2, "code"), (3, "prose"))

    def test_units(self):
        """Comments alone are ours to break."""
        self.check("systemd/a.service.in", [f"# {WIDE}", f"ExecStart={WIDER}"], (1, "prose"))

    def test_tests(self):
        """Their code is as wide as what they expect."""
        self.check("tests/a.c", [f"/* {WIDE} */", f'"{WIDER}"'], (1, "prose"))

    def test_markdown(self):
        self.check("README.md", [WIDE, "", f"- {WIDE}", f"  {WIDE}", "", f"    - {WIDE}"],
                   *((number, "prose") for number in (1, 3, 4, 6)))

    def test_markdown_quoted(self):
        self.check("README.md", [f"| {WIDE} | {WIDE} |", "", "```", WIDER, "", WIDER, "```", "", f"    {WIDER}", f"    {WIDER}", "",
                                 "- A list", f"    {WIDE}"], (13, "prose"))

    def test_links(self):
        self.check("README.md", [LINK, f"- [there]({LINK})", f"{WIDE} https://docs.kernel.org/"], (3, "prose"))
        (self.root / "README.md").unlink()
        self.check("daemon/a.c", [f"/* {LINK} */"])

    def test_foreign(self):
        self.write({"README.md": "Short.\n"})
        self.check("dbus/a.xml", [f"<!-- {WIDER} -->"])
        self.check("client/man/a.8.in", [f"# {WIDER}"])
        self.check("LICENSE", [f"# {WIDER}"])
        self.check("tests/fixtures/a.c", [f"/* {WIDER} */"])


if __name__ == "__main__":
    tap.main()
