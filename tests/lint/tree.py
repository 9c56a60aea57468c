# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files of the source tree, for the checks beside it. It judges nothing."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _walk(root):
    for folder, folders, names in os.walk(root):
        here = pathlib.Path(folder).relative_to(root)
        folders[:] = [f for f in folders if f not in (".git", "__pycache__") and not (here.name == "" and f.startswith("build"))]
        yield from (here / name for name in names)


def files(*patterns, root=ROOT):
    """Paths below the root of all files that are part of the project, or of those whose name fits
    one of @patterns."""
    if (root / ".git").exists():
        listing = subprocess.run(
            ["git", "-c", "safe.directory=*", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            check=True, capture_output=True, text=True).stdout
        found = [pathlib.Path(name) for name in listing.split("\0") if name]
    else:
        found = list(_walk(root))
    found = sorted(path for path in set(found) if (root / path).is_file() and not (root / path).is_symlink())
    if patterns:
        found = [path for path in found if any(path.match(pattern) for pattern in patterns)]
    return found


def is_material(path):
    """Files that are input of tests, byte by byte."""
    return (path.parts[:2] in {("tests", "fixtures"), ("tests", "fuzz")} or path.parts[:3] == ("tests", "hosts", "root")
            or path.name == "LICENSE")


def text(path, root=ROOT):
    """The content of a file as text; None when it is none (an image, a corpus)."""
    try:
        return (root / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def finish(what, problems, looked_at, notes=()):
    """Says what was found, then @notes, and ends with the exit status; nothing to look at is a
    failure, too."""
    if not looked_at:
        problems = problems + ["there was nothing to look at"]
    for problem in problems:
        print(problem)
    for note in notes:
        print(note)
    print(f"{what}: {looked_at} looked at, {len(problems)} wrong")
    sys.exit(1 if problems else 0)
