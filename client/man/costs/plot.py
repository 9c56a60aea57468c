#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Draws what a guest's guest costs: reports of the probe in, one SVG out, the same for the same
reports.

Owns the layout of the picture. Every number in it is a report's, and so is each name of a way in
which page tables are made.

    plot.py [-o SVG] REPORT…

A report is what `nestvirtctl --json=short probe` prints.
"""

import argparse
import html
import json
import math
import pathlib
import sys

# What decides about the counts: the parameters of each module, and how a heading calls them.
SETTINGS = {
    "kvm_amd": {"npt": "npt"},
    "kvm_intel": {"ept": "ept", "enable_shadow_vmcs": "shadow VMCS"},
}
# Ways, from the cheapest for the reader to the dearest for the host; each has a colour that those
# who see few colours can tell apart.
KINDS = {
    "one-level": ("#8c8c8c", "one level: a guest without a guest of its own"),
    "shadow-on-shadow": ("#d55e00", "both hypervisors shadow page tables"),
    "shadow-on": ("#e69f00", "L1 shadows them, the host has EPT or NPT"),
    "nested": ("#0072b2", "both have EPT or NPT"),
}
WAYS = {
    "one-level": "one-level", "shadow-on-shadow": "shadow-on-shadow", "shadow-on-ept": "shadow-on",
    "shadow-on-npt": "shadow-on", "ept-on-ept": "nested", "npt-on-npt": "nested",
}
# Columns: a count, what it is, and who shares a scale.
COLUMNS = [
    ("round_trip", "cpuid, to L1 and back", "one"),
    ("fresh_page", "first access to a page", "one"),
    ("cr3_reload", "CR3 read and written", "one"),
    ("fault", "page fault, unmapping", "one"),
    ("workload", "16 processes × 64 faults", "many"),
]

LABEL, COLUMN, GAP, BAR, PITCH, HEADING, MARGIN = 190, 132, 34, 12, 18, 30, 20
TOP = 130
INK, PALE, LINE = "#202020", "#666666", "#dddddd"


class PlotError(Exception):
    pass


class Report:
    """One host with one setting."""

    def __init__(self, path):
        self.name = path.stem
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
            self.counts, parameters = report["counts"], report["parameters"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PlotError(f"{path} is no report of the probe ({error}): "
                            "make one with nestvirtctl --json=short probe") from error
        self.ways = [way for way in WAYS if f"{way}.round_trip" in self.counts]
        self.module = next((module for module in SETTINGS if f"{module}.nested" in parameters), None)
        if not self.ways or not self.module:
            raise PlotError(f"{path} has no counts: the probe says {report.get('message', 'nothing')!r}")
        self.on = {word: parameters.get(f"{self.module}.{name}") in ("Y", "1")
                   for name, word in SETTINGS[self.module].items()}

    def order(self):
        """What is as it should be comes first, however the files are named and given."""
        return self.module, [not on for on in self.on.values()], self.name

    def settings(self):
        return f"{self.module}: " + ", ".join(f"{word} {'on' if on else 'off'}" for word, on in self.on.items())


def scale_end(values):
    """The end of an axis: the next 1, 2, 4 or 5 of a power of ten that is not less, and four steps
    to it."""
    most = max(values, default=0) or 1
    power = 10 ** math.floor(math.log10(most))
    return next(power * n for n in (1, 2, 4, 5, 10) if power * n >= most)


def text(x, y, words, size=11, anchor="start", fill=INK, bold=False):
    weight = ' font-weight="bold"' if bold else ""
    return (f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" fill="{fill}"{weight}>'
            f'{html.escape(words, quote=False)}</text>')


def draw_head():
    yield text(MARGIN, 30, "What a guest's guest (L2) costs: exits to the host (L0)", 17, bold=True)
    yield text(MARGIN, 50, "Counted by nestvirt-probe for one operation of L2, and for a workload; exact, and no times."
                           " Fewer is better.", fill=PALE)
    x = MARGIN
    for colour, words in KINDS.values():
        yield f'<rect x="{x}" y="66" width="12" height="12" fill="{colour}"/>'
        yield text(x + 17, 76, words)
        x += round(6 * len(words)) + 36


def draw_axis(x, end, bottom):
    """Four steps, with the number at each second one."""
    for step in range(5):
        at = x + COLUMN * step / 4
        yield f'<line x1="{at:g}" y1="{TOP - 8}" x2="{at:g}" y2="{bottom}" stroke="{LINE}"/>'
        if step % 2 == 0:
            yield text(at, bottom + 15, f"{end * step / 4:,g}", 10, "middle", PALE)
    yield text(x + COLUMN / 2, bottom + 31, "exits", 10, "middle", PALE)


def draw_row(report, way, y, ends):
    colour = KINDS[WAYS[way]][0]
    yield text(MARGIN + LABEL - 10, y + BAR - 2, way, anchor="end")
    for i, (count, _, scale) in enumerate(COLUMNS):
        value = report.counts.get(f"{way}.{count}")
        if value is None:
            continue
        x, length = MARGIN + LABEL + i * (COLUMN + GAP), COLUMN * value / ends[scale]
        yield f'<rect x="{x}" y="{y}" width="{length:.2f}" height="{BAR}" fill="{colour}"/>'
        yield text(round(x + length + 4, 2), y + BAR - 2, f"{value:,}", 10)


def draw(reports):
    """All lines of the SVG."""
    ends = {scale: scale_end([report.counts.get(f"{way}.{count}", 0) for report in reports for way in report.ways
                              for count, _, of in COLUMNS if of == scale]) for scale in ("one", "many")}
    width = 2 * MARGIN + LABEL + len(COLUMNS) * (COLUMN + GAP)
    bottom = TOP + sum(HEADING + PITCH * len(report.ways) for report in reports)
    height = bottom + 31 + MARGIN
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield "<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->"
    yield "<!-- Drawn by plot.py: what is to be changed is changed there. -->"
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
           ' font-family="DejaVu Sans, Verdana, Arial, sans-serif">')
    yield "<title>What a guest's guest costs: exits to the host</title>"
    yield f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    yield from draw_head()
    for i, (_, words, scale) in enumerate(COLUMNS):
        x = MARGIN + LABEL + i * (COLUMN + GAP)
        yield text(x, TOP - 18, words, bold=True)
        yield from draw_axis(x, ends[scale], bottom)
    y = TOP
    for report in reports:
        yield f'<rect x="{MARGIN}" y="{y}" width="{width - 2 * MARGIN}" height="{HEADING - 8}" fill="#ffffff"/>'
        yield text(MARGIN, y + 16, report.name, 12, bold=True)
        yield text(MARGIN + LABEL, y + 16, report.settings(), fill=PALE)
        y += HEADING - 6
        for way in report.ways:
            yield from draw_row(report, way, y, ends)
            y += PITCH
        y += 6
    yield "</svg>"


def main():
    parser = argparse.ArgumentParser(
        prog="plot.py", description="Draws what a guest's guest costs, from reports of the probe.")
    parser.add_argument("-o", "--output", type=pathlib.Path, metavar="SVG",
                        help="the picture; standard output if not given")
    parser.add_argument("reports", type=pathlib.Path, nargs="+", metavar="REPORT")
    args = parser.parse_args()
    try:
        picture = "\n".join(draw(sorted(map(Report, args.reports), key=Report.order))) + "\n"
        if args.output:
            args.output.write_text(picture, encoding="utf-8")
        else:
            sys.stdout.write(picture)
    except (PlotError, OSError) as error:
        sys.exit(f"plot.py: {error}")


if __name__ == "__main__":
    main()
