# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is made once and kept outside the checkout: a folder each, named by what it is and a hash of
its recipe.

Owns the cache's place, the turns of those who make something, and the removal of what nobody used
for a while. What is in a folder is the business of whoever has it made.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import time

UNUSED_DAYS = 14


def place():
    base = os.environ.get("NESTVIRT_CACHE")
    if not base:
        base = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "nestvirtd")
    path = pathlib.Path(base)
    path.mkdir(parents=True, exist_ok=True)
    return path


def key(*words, files=()):
    """The hash of a recipe: changes whenever one of the words, or a file's name, text or execute
    bits do."""
    digest = hashlib.sha256("\0".join(words).encode())
    for path in files:
        digest.update(f"\0{path.name}\0{path.stat().st_mode & 0o111}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def turn(kind):
    """One maker of a kind at a time; the others wait and then find its work. Kinds may nest, as
    long as it is always the same one in the other."""
    with open(place() / f"lock-{kind}", "w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def prune(kind, keep):
    """Folders of other recipes that nothing has used for a while. A running emulator keeps its
    files open."""
    limit = time.time() - UNUSED_DAYS * 86400
    for path in place().glob(f"{kind}-*"):
        if path != keep and path.is_dir() and path.stat().st_mtime < limit:
            shutil.rmtree(path, ignore_errors=True)


def get(kind, name, make, rebuild=False):
    """The folder `kind-name`. When it is not there, make(folder) fills it first; what fails leaves
    nothing behind that looks finished."""
    final = place() / f"{kind}-{name}"
    with turn(kind):
        if rebuild:
            shutil.rmtree(final, ignore_errors=True)
        if not final.is_dir():
            for dead in place().glob(f"half-{kind}-*"):  # it's our turn, so nobody is at work on them
                shutil.rmtree(dead)
            half = place() / f"half-{final.name}"
            half.mkdir()
            make(half)
            os.sync()
            half.rename(final)
        os.utime(final)
        prune(kind, final)
    return final
