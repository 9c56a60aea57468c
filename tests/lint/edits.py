# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changes of a text at a place that is found by a pattern, for a test that adds things to a copy of
the tree. It knows no file."""

import re
from typing import NamedTuple


class Edit(NamedTuple):
    """@where: "before" or "after" the first line with the pattern in it, or "instead" of each thing
    that fits it, in which @text may name groups."""
    where: str
    pattern: str
    text: str


def before(pattern, text):
    return Edit("before", pattern, text)


def after(pattern, text):
    return Edit("after", pattern, text)


def instead(pattern, text):
    return Edit("instead", pattern, text)


def apply(edit, text):
    """The text changed, or None when the pattern is not in it."""
    found = re.search(edit.pattern, text, re.MULTILINE)
    if not found:
        return None
    if edit.where == "instead":
        return re.sub(edit.pattern, edit.text, text, flags=re.MULTILINE)
    if edit.where == "before":
        at = text.rfind("\n", 0, found.start()) + 1
    else:
        at = text.index("\n", found.end() - 1) + 1
    return text[:at] + edit.text + text[at:]
