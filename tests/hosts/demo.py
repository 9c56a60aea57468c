# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main job, shown on the emulated host: each command as it is typed there, and what it printed.

Owns the list of commands and what status each has to end with. Ends with 1 when one of them ended otherwise.
"""

import pathlib
import sys
import tempfile
import textwrap

import emulator
import payload
from agent import HostError
from image import ImageError

HOLDER = "sh -c 'exec 3<>/dev/kvm; echo open; exec sleep 600'"

# A comment, or: the user, the command, its exit status, and words that its output has to have. The host has three users: polkit says yes
# to alice, no to bob, and would ask carol for a password.
SCRIPT = [
    "What is the state of this host?",
    ("alice", "nestvirtctl status", 0),
    ("alice", "nestvirtctl show nested", 0),
    "What would switching nested virtualization off do?",
    ("alice", "nestvirtctl set nested=off --dry-run", 0),
    "Do it: polkit asks its rules, kvm_amd is reloaded, the value is read back and kept.",
    ("alice", "nestvirtctl set nested=off", 0),
    ("alice", "cat /sys/module/kvm_amd/parameters/nested", 0, "0"),
    ("alice", "cat /etc/modprobe.d/zz-nestvirt.conf", 0, "options kvm_amd nested=0"),
    ("alice", "busctl get-property org.nestvirt1 /org/nestvirt1 org.nestvirt1.Manager Nested", 0, 's "off"'),
    "Somebody whom polkit refuses changes nothing.",
    ("bob", "nestvirtctl set nested=on", 4),
    "While a program has /dev/kvm open, the module can't be reloaded, and it is named.",
    ("hold", HOLDER, None),
    ("alice", "nestvirtctl set nested=on", 5),
    ("alice", "nestvirtctl users", 0),
    ("release", HOLDER, None),
    "It has ended: now it works.",
    ("alice", "nestvirtctl set nested=on", 0),
    ("alice", "cat /sys/module/kvm_amd/parameters/nested", 0, "1"),
    ("alice", "nestvirtctl show nested", 0),
    "A feature that this CPU has not is refused before anything is touched.",
    ("alice", "nestvirtctl set vgif=on", 6),
    ("alice", "nestvirtctl check", 0),
    "All is as it was.",
    ("alice", "nestvirtctl reset", 0),
]


class Stage:
    """Plays the script on one host, and counts what went otherwise."""

    def __init__(self, host):
        self.host = host
        self.holder = None
        self.wrong = 0

    def play(self, line):
        if isinstance(line, str):
            print(f"\n# {line}", flush=True)
        elif line[0] == "hold":
            print(f"root# {line[1]} &", flush=True)
            self.holder = self.host.start(line[1])
            self.holder.wait_for("^open$")
        elif line[0] == "release":
            print("root# kill %1", flush=True)
            self.holder.stop()
        else:
            self.command(*line)

    def command(self, user, command, expected, words=""):
        print(f"{user}$ {command}", flush=True)
        result = self.host.run(command, user=user)
        sys.stdout.write(textwrap.indent(result.stdout + result.stderr, "  "))
        if result.status != 0:
            print(f"  (exit status {result.status})")
        if result.status != expected or words not in result.stdout:
            self.wrong += 1
            print(f"  *** it should have ended with {expected}" + (f" and printed {words}" if words else ""))
        sys.stdout.flush()


def main():
    with tempfile.TemporaryDirectory(prefix="nestvirt-payload-") as folder:
        tar = payload.from_build(pathlib.Path(folder) / "payload.tar")
        with emulator.Host(tar) as host:
            print("Booting the emulated AMD host…", file=sys.stderr, flush=True)
            host.boot()
            stage = Stage(host)
            for line in SCRIPT:
                stage.play(line)
    print(f"{stage.wrong} commands did not do what they should." if stage.wrong else "All commands did what they should.")
    return 1 if stage.wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (HostError, ImageError) as error:
        sys.exit(f"demo.py: {error}")
