#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""check-layers in a tree of two floors and another program: what it lets pass, and how each thing
that it is there for is refused, by the names of the files."""

import json
import os
import shlex
import subprocess

import made_tree
import tap

TABLE = """
[libraries]
libc = ["stdio.h", "sys/"]
kernel = ["linux/"]
kvm = ["linux/kvm.h"]

[folders."house/low"]
sees = []
libraries = ["libc"]

[folders."house/high"]
sees = ["house/low"]
libraries = ["libc", "kernel"]

[folders."shed"]
sees = []
libraries = ["libc"]
"""

CLEAN = {
    "house/low/stone.h": "#include <stdio.h>\nint stone(void);\n",
    "house/low/stone.c": '#include "stone.h"\nint stone(void)\n{\n        return 1;\n}\n',
    "house/low/brick.h": "int brick(void);\n",
    "house/low/brick.c": '#include "brick.h"\n#include "stone.h"\nint brick(void)\n{\n        return stone();\n}\n',
    "house/high/roof.h": "#include <linux/types.h>\nint roof(void);\n",
    "house/high/roof.c": '#include "roof.h"\n#include "brick.h"\nint roof(void)\n{\n        return brick();\n}\n',
    # Another program's, by a name that is there.
    "shed/stone.h": "int stone(void);\n",
    "shed/main.c": '#include <sys/types.h>\n#include "stone.h"\nint main(void)\n{\n        return stone();\n}\n',
    "tests/test-roof.c": '#include "roof.h"\n#include "../house/low/stone.h"\n#include <linux/kvm.h>\n',
}


class LayersTest(made_tree.TreeTest):
    def setUp(self):
        super().setUp()
        self.table = TABLE
        self.write(CLEAN)

    def said(self, *arguments):
        path = self.place / "floors.toml"
        path.write_text(self.table, encoding="utf-8")
        status, said = self.run_check("check-layers", f"--table={path}", *arguments)
        self.assertEqual(status, 1 if said else 0)
        return said

    def build(self):
        """A folder that looks as meson leaves it, with all that is not of tests compiled."""
        build, database = self.place / "build", []
        build.mkdir()
        cc = shlex.split(os.environ.get("CC", "cc"))
        folders = [f"-I{path}" for path in sorted(self.root.glob("house/*"))]
        for path in sorted(path for path in self.root.rglob("*.[cS]") if "tests" not in path.parts):
            made = "_".join(path.relative_to(self.root).parts) + ".o"
            command = [*cc, *folders, "-o", made, "-c", str(path)]
            subprocess.run(command, cwd=build, check=True)
            database.append({"directory": str(build), "command": shlex.join(command), "file": str(path)})
        (build / "compile_commands.json").write_text(json.dumps(database), encoding="utf-8")
        return build

    def test_clean(self):
        self.assertEqual(self.said(), [])
        self.assertEqual(self.said(str(self.build())), [])

    def test_upward(self):
        self.write({"house/low/mud.c": '#include "roof.h"\n'})
        self.assertEqual(self.said(), ["house/low/mud.c: includes house/high/roof.h, which house/low does not see"])

    def test_other_program(self):
        self.write({"shed/tool.c": '#include "brick.h"\n'})
        self.assertEqual(self.said(), ["shed/tool.c: includes house/low/brick.h, which shed does not see"])

    def test_circle_of_includes(self):
        self.write({"house/low/stone.c": '#include "brick.h"\n'})
        self.assertEqual(self.said(), ["a circle of includes: house/low/brick → house/low/stone (stone.h) → "
                                       "house/low/brick (brick.h)"])

    def test_circle_of_calls(self):
        # Nothing is included that may not be.
        self.write({"house/low/stone.c": "int brick(void);\nint stone(void)\n{\n        return brick();\n}\n"})
        self.assertEqual(self.said(), [])
        self.assertEqual(self.said(str(self.build())), ["a circle of calls: house/low/brick → house/low/stone (stone) → "
                                                        "house/low/brick (brick)"])

    def test_circle_of_three(self):
        self.write({"house/low/stone.c": "int roof(void);\nint stone(void)\n{\n        return roof();\n}\n"})
        self.assertEqual(self.said(str(self.build())), ["a circle of calls: house/high/roof → house/low/brick (brick) → "
                                                        "house/low/stone (stone) → house/high/roof (roof)"])

    def test_circle_of_assembly(self):
        self.write({"house/low/stone.c": "int pit(void);\nint stone(void)\n{\n        return pit();\n}\n",
                    "house/low/pit.S": ".globl pit\npit:\n        .long brick\n.section .note.GNU-stack\n"})
        self.assertEqual(self.said(str(self.build())), ["a circle of calls: house/low/brick → house/low/stone (stone) → "
                                                        "house/low/pit (pit) → house/low/brick (brick)"])

    def test_one_header(self):
        self.write({"house/low/brick.h": "int brick(void);\nint stone(void);\n",
                    "house/low/stone.c": '#include "brick.h"\nint stone(void)\n{\n        return brick();\n}\n',
                    "house/low/brick.c": '#include "brick.h"\nint brick(void)\n{\n        return stone();\n}\n'})
        self.assertEqual(self.said(str(self.build())), [])

    def test_pointer(self):
        self.write({"house/low/stone.c": "int (*callback)(void);\nint stone(void)\n{\n        return callback();\n}\n"})
        self.assertEqual(self.said(str(self.build())), [])

    def test_program_of_its_own(self):
        """What is compiled and linked by one command is compiled apart."""
        build = self.build()
        self.write({"shed/guest/one.c": "int two(void);\nint one(void)\n{\n        return two();\n}\n",
                    "shed/guest/two.c": "int one(void);\nint two(void)\n{\n        return one();\n}\n"})
        self.table += '[folders."shed/guest"]\nsees = []\nlibraries = []\n'
        sources = [str(self.root / "shed/guest" / name) for name in ("one.c", "two.c")]
        command = ["cc", "-O0", "-static", "-Wl,-e,one", "-o", "@OUTPUT@", "@INPUT@"]
        (build / "meson-info").mkdir()
        (build / "meson-info/intro-targets.json").write_text(json.dumps([
            {"name": "guest.bin", "type": "custom", "target_sources": [{"compiler": command, "sources": sources}]}]), encoding="utf-8")
        self.assertEqual(self.said(str(build)), ["a circle of calls: shed/guest/one → shed/guest/two (two) → shed/guest/one (one)"])

    def test_not_built(self):
        """It is compiled apart."""
        self.write({"house/low/stone.c": "int brick(void);\nint stone(void)\n{\n        return brick();\n}\n"})
        build = self.build()
        (build / "house_low_stone.c.o").unlink()
        self.assertEqual(self.said(str(build)), ["a circle of calls: house/low/brick → house/low/stone (stone) → "
                                                 "house/low/brick (brick)"])
        (build / "compile_commands.json").write_text("[]", encoding="utf-8")
        self.assertEqual(self.said(str(build)), ["the build has none of the files"])

    def test_library(self):
        self.write({"house/low/mud.c": "#include <linux/types.h>\n", "house/high/tile.c": "#include <linux/kvm.h>\n"})
        self.assertEqual(self.said(), ["house/high/tile.c: includes <linux/kvm.h>, and house/high does not see kvm",
                                       "house/low/mud.c: includes <linux/types.h>, and house/low does not see kernel"])

    def test_library_by_a_header(self):
        self.table += '[folders."house/top"]\nsees = ["house/high"]\nlibraries = []\n'
        self.write({"house/top/flag.c": '#include "roof.h"\n'})
        self.assertEqual(self.said(), ["house/top/flag.c: reads <linux/types.h> in house/high/roof.h, and house/top does not see kernel"])

    def test_unknown_library(self):
        self.write({"house/low/mud.c": "#include <mud/mud.h>\n"})
        self.assertEqual(self.said(), ["house/low/mud.c: includes <mud/mud.h>, which is of no library in floors.toml"])

    def test_nobodys_header(self):
        self.write({"house/low/mud.c": '#include "mud.h"\n'})
        self.assertEqual(self.said(), ['house/low/mud.c: includes "mud.h", which is no header of the tree'])

    def test_two_headers(self):
        self.write({"house/high/stone.h": ""})
        self.assertEqual(self.said(), ["house/high/stone.h and house/low/stone.h: two headers of one name"])

    def test_manner(self):
        self.write({"house/high/tile.c": '#include "../low/stone.h"\n#include "roof.c"\n', "tests/test-all.c": '#include "roof.c"\n'})
        said = self.said()
        self.assertIn("house/high/tile.c: includes ../low/stone.h by a path: meson knows the folders", said)
        self.assertIn("house/high/tile.c: includes roof.c, a source file", said)
        self.assertIn("tests/test-all.c: includes roof.c, a source file", said)

    def test_table_upward(self):
        self.table = TABLE.replace("sees = []", 'sees = ["house/high"]', 1)
        self.assertEqual(self.said(), ["floors.toml: house/low sees house/high, which is not below it"])

    def test_table_unknown(self):
        self.table = TABLE.replace('libraries = ["libc"]', 'libraries = ["libc", "mud"]', 1)
        self.table += '[folders."attic"]\nsees = ["cellar"]\nlibraries = []\n'
        self.assertEqual(self.said(), ["floors.toml: house/low sees mud, which is no library of the table",
                                       "floors.toml: attic sees cellar, which is not in the table",
                                       "floors.toml: attic has no C in it"])

    def test_folder_without_floor(self):
        self.write({"house/attic/box.c": ""})
        self.assertEqual(self.said(), ["house/attic: has C in it, and is not in floors.toml"])


if __name__ == "__main__":
    tap.main()
