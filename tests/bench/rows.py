# SPDX-License-Identifier: LGPL-2.1-or-later
"""A line of the benchmark's table, and the table. What is measured is elsewhere."""

import statistics
from dataclasses import dataclass


@dataclass
class Row:
    """One line of the table. `goal` is the largest ratio, or the largest value of ours when
    `absolute`."""

    what: str
    ours: float
    anchor: float | None = None
    anchor_name: str = ""
    goal: float | None = None
    absolute: bool = False
    unit: str = "ms"
    digits: int = 2
    note: str = ""
    of_pairs: float | None = None  # the median of the ratios of pairs, which what else the machine does spoils least

    def ratio(self):
        if self.of_pairs is not None or not self.anchor:
            return self.of_pairs
        return self.ours / self.anchor

    def met(self):
        if self.goal is None:
            return None
        return (self.ours if self.absolute else self.ratio()) <= self.goal

    def cells(self):
        ratio = self.ratio()
        goal = "" if self.goal is None else f"{self.goal:g} {self.unit}" if self.absolute else f"{self.goal:.2f} ×"
        return [
            self.what,
            f"{self.ours:.{self.digits}f} {self.unit}",
            "" if self.anchor is None else f"{self.anchor:.{self.digits}f} {self.unit}",
            self.anchor_name,
            "" if ratio is None else f"{ratio:.2f} ×",
            "≤ " + goal if goal else "",
            {True: "yes", False: "NO", None: ""}[self.met()],
        ]


HEAD = ["what", "ours", "anchor", "which is", "ratio", "goal", "met"]


def pair(text, ours=0, anchor=1):
    """Ours, the anchor (ms) and the ratio, from two columns (ns) of a program's output, a line for
    each pair."""
    rows = [[int(cell) for cell in line.split()] for line in text.splitlines()]
    return {
        "ours": statistics.median(row[ours] for row in rows) / 1e6,
        "anchor": statistics.median(row[anchor] for row in rows) / 1e6,
        "of_pairs": statistics.median(row[ours] / row[anchor] for row in rows),
    }


def print_table(rows):
    lines = [HEAD] + [row.cells() for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    print()
    for number, line in enumerate(lines):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
        if number == 0:
            print("  ".join("─" * width for width in widths))
    print("\nMedians; where two things were measured in turns, of the ratios, too. " + "; ".join(dict.fromkeys(f"{row.what}: {row.note}" for row in rows if row.note)) + ".")
