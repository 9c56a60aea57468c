# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a test in meson's log, testlog.json, comes to: counts of its TAP cases, and of those that
failed what was said. Which tests there are is none of its business."""

import re
from collections import Counter


def case_counts(test):
    """Counts of one test in meson's log: its TAP cases, or itself when it prints none."""
    counts = Counter()
    for line in test.get("stdout", "").splitlines():
        if line.startswith("not ok"):
            counts["failed"] += 1
        elif re.match(r"ok\b.*# *skip", line, re.I):
            counts["skipped"] += 1
        elif re.match(r"ok\b", line):
            counts["passed"] += 1
    if test["result"] == "SKIP" and not counts["skipped"]:
        counts["skipped"] += 1
    elif test["result"] not in ("OK", "SKIP") and not counts["failed"]:
        counts["failed"] += 1  # it died, or took too long
    return counts or Counter(passed=1)


def case_failures(test):
    """Of one test in meson's log: each case that failed with what was said of it, or the end of
    what one said that died."""
    found, case = [], None
    for line in test.get("stdout", "").splitlines():
        if re.match(r"(not )?ok\b", line):
            case = [line] if line.startswith("not ok") else None
            found += [case] if case else []
        elif case and line.startswith("#"):
            case.append(line)
    if not found and test["result"] not in ("OK", "SKIP"):
        found.append([test["result"], *test.get("stdout", "").splitlines()[-20:], *test.get("stderr", "").splitlines()[-40:]])
    return ["\n".join([f"{test['name']}: {first}", *rest]) for first, *rest in found]
