#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Translations as Cockpit reads them, from a catalogue of gettext's: a call of cockpit.locale().

    po.py CATALOGUE OUTPUT…
"""

import ast
import json
import pathlib
import re
import sys

RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}
ENTRY = re.compile(r'^(msgid|msgid_plural|msgstr)(?:\[\d\])? ((?:".*"\n?)+)', re.MULTILINE)


def read(text):
    """The texts by msgid, each [plural's msgid or None, translation…]; that of "" is the header."""
    entries, now = {}, None
    for keyword, quoted in ENTRY.findall(text):
        string = "".join(ast.literal_eval(line) for line in quoted.splitlines())
        if keyword == "msgid":
            now = entries.setdefault(string, [None])
        elif keyword == "msgid_plural":
            now[0] = string
        else:
            now.append(string)
    return entries


def quoted(value):
    return json.dumps(value, ensure_ascii=False)


def script(entries):
    header = dict(line.split(": ", 1) for line in entries.pop("")[1].splitlines())
    language = header["Language"]
    plural = re.search(r"plural=\(?([n0-9 !=<>%&|?:()]+?)\)?;", header["Plural-Forms"])[1]
    direction = "rtl" if language.split("_")[0] in RIGHT_TO_LEFT else "ltr"
    about = f'"plural-forms": n => {plural}, "language": "{language}", "language-direction": "{direction}"'
    lines = [f'"": {{{about}}}']
    lines += [f"{quoted(name)}: {quoted(texts)}" for name, texts in entries.items()]
    return "cockpit.locale({\n" + ",\n".join(lines) + "\n});\n"


if __name__ == "__main__":
    source = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    for output in sys.argv[2:]:
        pathlib.Path(output).write_text(script(read(source)), encoding="utf-8")
