# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of nestvirtctl share: running it, on a terminal or not, as any user, and a daemon
that says whatever a test wants.

Where the program is is told by the environment: NESTVIRTCTL; the folder of its sources by CLIENT.
"""

import fcntl
import json
import os
import pathlib
import pty
import re
import shutil
import struct
import subprocess
import termios
import threading

NESTVIRTCTL = os.environ["NESTVIRTCTL"]
SOURCES = pathlib.Path(os.environ["CLIENT"])
NOWHERE = "unix:path=/nonexistent/bus"
# Nothing waits for it unless it fails.
TIMEOUT = 60


class Result:
    def __init__(self, status, out, err=""):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return f"status {self.status}\n--- out\n{self.out}\n--- err\n{self.err}"

    @property
    def json(self):
        return json.loads(self.out)


def environment(address, changes):
    """That of the test, without what would change the client's ways."""
    base = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "PAGER", "LESS")}
    return {**base, "DBUS_SYSTEM_BUS_ADDRESS": address, "TERM": "xterm", "LC_ALL": "C.UTF-8", **changes}


def command(arguments):
    return [NESTVIRTCTL, *map(str, arguments)]


def run(*arguments, address=NOWHERE, program=None, user=None, **changes):
    """One run to its end; `changes` of the environment."""
    words = command(arguments)
    result = subprocess.run([program or words[0], *words[1:]], env=environment(address, changes), stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=TIMEOUT, check=False, user=user, group=user,
                            extra_groups=None if user is None else [])
    return Result(result.returncode, result.stdout, result.stderr)


def start(*arguments, address):
    """A run that goes on; its output can be read line by line."""
    return subprocess.Popen(command(arguments), env=environment(address, {}), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run_on_terminal(*arguments, address, rows=100, columns=200, program=None, user=None, **changes):
    """One run with a terminal of its own; `out` is all that came on it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    words = command(arguments)
    process = subprocess.Popen([program or words[0], *words[1:]], env=environment(address, changes), stdin=theirs,
                               stdout=theirs, stderr=theirs, start_new_session=True, user=user, group=user,
                               extra_groups=None if user is None else [])
    os.close(theirs)
    late = threading.Timer(TIMEOUT, process.kill)
    late.start()
    chunks = []
    try:
        while chunk := os.read(ours, 4096):
            chunks.append(chunk)
    except OSError:
        pass  # the last one has closed it
    os.close(ours)
    late.cancel()
    return Result(process.wait(TIMEOUT), b"".join(chunks).decode().replace("\r\n", "\n"))


def copy_for_others(folder):
    """The client where any user can run it, with what it loads: a build tree may be private."""
    for module in pathlib.Path(NESTVIRTCTL).parent.glob("*.so"):
        shutil.copy(module, folder)
    return shutil.copy(NESTVIRTCTL, folder / "nestvirtctl")


def script(folder, name, *lines):
    """An executable of that name."""
    path = folder / name
    path.write_text("\n".join(["#!/usr/bin/python3", *lines, ""]))
    path.chmod(0o755)
    return path


def help_sections():
    """What --help lists: verbs, and the spellings of options."""
    text = run("--help").out
    verbs = re.findall(r"^  ([a-z-]+)", text.partition("Verbs:")[2].partition("Options:")[0], re.MULTILINE)
    options = re.findall(r"(?<![\w-])(--?[a-zA-Z][a-z-]*)", " ".join(
        line[:30] for line in text.partition("Options:")[2].splitlines()))
    return verbs, sorted(set(options))
