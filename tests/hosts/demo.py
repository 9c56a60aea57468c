# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main job, shown on an emulated host: each command as it is typed there, and what it printed.

    demo.py [amd | intel]

Owns the list of commands and what status each has to end with. Ends with 1 when one of them ended
otherwise.
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

# A comment, or: the user, the command, its exit status, and words that its output has to have. The
# host has three users: polkit says yes to alice, no to bob, and would ask carol for a password.
AMD = [
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

# Intel's four switches, and what hangs together among them.
INTEL = [
    "What is the state of this host?",
    ("alice", "nestvirtctl status", 0),
    "Nested virtualization off: kvm_intel is reloaded, the value is read back and kept.",
    ("alice", "nestvirtctl set nested=off --dry-run", 0),
    ("alice", "nestvirtctl set nested=off", 0),
    ("alice", "cat /sys/module/kvm_intel/parameters/nested", 0, "N"),
    "The kernel goes on to say Y for VMCS shadowing, which only nested guests could use. What is in effect is another matter.",
    ("alice", "cat /sys/module/kvm_intel/parameters/enable_shadow_vmcs", 0, "Y"),
    ("alice", "nestvirtctl show shadow-vmcs", 0, "Effective: off"),
    "Several at once cost one reload. EPT takes with it what is built on it.",
    ("alice", "nestvirtctl set nested=on shadow-vmcs=off apicv=off ept=off", 0),
    ("alice", "cd /sys/module/kvm_intel/parameters && grep . nested enable_shadow_vmcs enable_apicv ept unrestricted_guest pml", 0, "unrestricted_guest:N"),
    ("alice", "nestvirtctl show unrestricted-guest", 0, "Effective: off"),
    ("alice", "cat /etc/modprobe.d/zz-nestvirt.conf", 0, "options kvm_intel"),
    "Somebody whom polkit refuses changes nothing, nor does anybody while a program has /dev/kvm open.",
    ("bob", "nestvirtctl set ept=on", 4),
    ("hold", HOLDER, None),
    ("alice", "nestvirtctl set ept=on", 5),
    ("release", HOLDER, None),
    "What this CPU has not, and what is another vendor's, is refused before anything is touched.",
    ("alice", "nestvirtctl set enable_ipiv=on", 6),
    ("alice", "nestvirtctl set npt=off", 6),
    "All is as it was.",
    ("alice", "nestvirtctl reset", 0),
    ("alice", "cd /sys/module/kvm_intel/parameters && grep . nested enable_shadow_vmcs enable_apicv ept", 0, "enable_apicv:Y"),
    ("alice", "nestvirtctl check", 0),
]

SCRIPTS = {"amd": AMD, "intel": INTEL}


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
            self.holder = self.host.start(f"exec {line[1]}")
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


def main(machine="amd"):
    if machine not in SCRIPTS:
        sys.exit(f"demo.py: no host {machine}; there are {', '.join(SCRIPTS)}")
    with tempfile.TemporaryDirectory(prefix="nestvirt-payload-") as folder:
        tar = payload.from_build(pathlib.Path(folder) / "payload.tar")
        with emulator.Host(tar, machine=machine) as host:
            print(f"Booting the emulated {host.machine.vendor} host (about {host.machine.boot_seconds} s)…", file=sys.stderr, flush=True)
            host.boot()
            stage = Stage(host)
            for line in SCRIPTS[machine]:
                stage.play(line)
    print(f"{stage.wrong} commands did not do what they should." if stage.wrong else "All commands did what they should.")
    return 1 if stage.wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:2]))
    except (HostError, ImageError) as error:
        sys.exit(f"demo.py: {error}")
