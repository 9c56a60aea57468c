# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files of the source tree, for the checks beside it. It judges nothing."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _walk():
    for folder, folders, names in os.walk(ROOT):
        here = pathlib.Path(folder).relative_to(ROOT)
        folders[:] = [f for f in folders if f not in (".git", "__pycache__") and not (here.name == "" and f.startswith("build"))]
        yield from (here / name for name in names)


def files(*patterns):
    """Paths below the root of all files that are part of the project, or of those whose name fits
    one of @patterns."""
    if (ROOT / ".git").exists():
        listing = subprocess.run(
            ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            check=True, capture_output=True, text=True).stdout
        found = [pathlib.Path(name) for name in listing.split("\0") if name]
    else:
        found = list(_walk())
    found = sorted(path for path in set(found) if (ROOT / path).is_file() and not (ROOT / path).is_symlink())
    if patterns:
        found = [path for path in found if any(path.match(pattern) for pattern in patterns)]
    return found


def text(path):
    """The content of a file as text; None when it is none (an image, a corpus)."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def finish(what, problems, looked_at):
    """Says what was found and ends with the exit status; nothing to look at is a failure, too."""
    if not looked_at:
        problems = problems + ["there was nothing to look at"]
    for problem in problems:
        print(problem)
    print(f"{what}: {looked_at} looked at, {len(problems)} wrong")
    sys.exit(1 if problems else 0)
