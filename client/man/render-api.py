# SPDX-License-Identifier: LGPL-2.1-or-later
"""Renders the D-Bus API as a manual page: its XML with documentation in annotations in, man(7) out.

Owns the layout of org.nestvirt1(5); every word about the API itself is the XML's.

    render-api.py XML VERSION OUTPUT
"""

import re
import sys
import xml.etree.ElementTree

DOC = "org.gtk.GDBus.DocString"
EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"

HEAD = r""".\" SPDX-License-Identifier: LGPL-2.1-or-later
.\" Rendered from org.nestvirt1.xml: what is to be changed is changed there.
.TH ORG.NESTVIRT1 5 "2026-11-23" "nestvirtd %s" "File Formats and Conventions"
.SH NAME
org.nestvirt1 \- the D\-Bus interface of nestvirtd
.SH SYNOPSIS
.EX
$ busctl tree org.nestvirt1
$ busctl introspect org.nestvirt1 /org/nestvirt1
$ busctl call org.nestvirt1 /org/nestvirt1 \e
      org.nestvirt1.Manager Check t 0
$ busctl monitor org.nestvirt1
.EE
.SH DESCRIPTION
.BR nestvirtd (8)
has the name
.I org.nestvirt1
on the system bus, and is started by the first call to it.
Types are written as D\-Bus signatures.
"""

TAIL = r""".SH SEE ALSO
.BR nestvirtctl (1),
.BR nestvirtd (8),
.BR busctl (1)
"""


class Undocumented(Exception):
    pass


def escape(text):
    """Text for a line that is no request."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("\N{HORIZONTAL ELLIPSIS}", "...")
    return "\\&" + text if text.startswith((".", "'")) else text


def annotation(element, name):
    found = element.find(f"annotation[@name='{name}']")
    return None if found is None else found.get("value")


def paragraphs(element, what):
    text = (annotation(element, DOC) or "").strip()
    if not text:
        raise Undocumented(f"{what} is not documented")
    # XML makes blanks of the newlines in an attribute: an empty line is two of them.
    return [" ".join(part.split()) for part in re.split(r"\s{2,}", text)]


def sentences(text):
    """A line each, so that the formatter knows where sentences end."""
    return escape(text).replace(". ", ".\n").replace("\n.", "\n\\&.").replace("\n'", "\n\\&'")


def prose(parts, separator):
    return f"\n{separator}\n".join(sentences(part) for part in parts) + "\n"


def render_property(element, where):
    constant = ", constant" if annotation(element, EMITS) == "const" else ""
    return (f".TP\n\\fB{escape(element.get('name'))}\\fR ({element.get('type')}{constant})\n"
            + prose(paragraphs(element, where), ".IP"))


def signature(element):
    arguments = [f"{'out ' if arg.get('direction') == 'out' else ''}{arg.get('type')} {arg.get('name')}"
                 for arg in element.findall("arg")]
    return f"{element.get('name')}({', '.join(arguments)})"


def render_callable(element, where):
    """A method or a signal, with its arguments below it."""
    text = f".TP\n.B {escape(signature(element))}\n" + prose(paragraphs(element, where), ".IP")
    arguments = element.findall("arg")
    if arguments:
        text += ".RS\n"
        for arg in arguments:
            name = arg.get("name")
            text += f".TP\n.I {escape(name)}\n" + prose(paragraphs(arg, f"{where}: {name}"), ".IP")
        text += ".RE\n"
    return text


SECTIONS = (("Properties", "property", render_property), ("Methods", "method", render_callable),
            ("Signals", "signal", render_callable))


def render_interface(element):
    name = element.get("name")
    text = f".SH {escape(name)}\n" + prose(paragraphs(element, name), ".PP")
    for title, tag, render in SECTIONS:
        members = element.findall(tag)
        if members:
            text += f".SS {title}\n" + "".join(render(member, f"{name}.{member.get('name')}") for member in members)
    return text


def main(source, version, target):
    root = xml.etree.ElementTree.parse(source).getroot()
    try:
        body = "".join(render_interface(element) for element in root.findall("interface"))
    except Undocumented as problem:
        sys.exit(f"{source}: {problem}")
    with open(target, "w", encoding="utf-8") as stream:
        stream.write(HEAD % version + body + TAIL)


if __name__ == "__main__":
    main(*sys.argv[1:])
