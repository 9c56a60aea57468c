# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manual's pages as the build has made them, for tests that compare what they say. Where they
are is told by MANUALS."""

import os
import pathlib
import re

MANUALS = pathlib.Path(os.environ["MANUALS"])


def plain(text):
    """man(7) without its escapes and fonts."""
    text = re.sub(r"\\f[BIR]", "", text).replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")
    return text


def page(name):
    return (MANUALS / name).read_text(encoding="utf-8")


def section(name, title):
    """The lines of one section of a manual's source."""
    found = re.search(rf"^\.SH {re.escape(title)}\n(.*?)(?=^\.SH |\Z)", page(name), re.MULTILINE | re.DOTALL)
    return plain(found.group(1))


def tags(text):
    """What the paragraphs of a section are about: the lines after .TP."""
    return [re.sub(r"^\.[BIR]+ ", "", line).replace('"', "") for line in re.findall(r"^\.TP\n(.*)$", text, re.MULTILINE)]
