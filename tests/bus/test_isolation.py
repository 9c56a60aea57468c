# SPDX-License-Identifier: LGPL-2.1-or-later
"""Over a tree of files nothing of the machine is touched: every system call of the daemon's that
could is looked at."""

import os
import pathlib
import re
import signal

from gi.repository import GLib
from clients import DRY_RUN, MODULE, NEXT_BOOT, OBJECT_MANAGER, RUNTIME, TIMEOUT, WHEN_IDLE, module_path
from harness import FIXTURES, BusTest
from tap import main

CALLS = ("open,openat,openat2,creat,mknod,mknodat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,chmod,fchmodat,"
         "chown,fchownat,truncate,symlinkat,linkat,execve,socket,ioctl,init_module,finit_module,delete_module,"
         "inotify_add_watch")
OFF = {"kvm_amd": {"nested": "0"}}
# What a program of this kind reads of the machine by being started: libraries, and what glibc,
# libsystemd and libkmod (seen with 34: how the kernel would unpack a module) want to know.
STARTING = re.compile(r"/(lib|lib64|usr/lib|usr/local/lib)/|/etc/ld\.so|/proc/self/|/proc/(filesystems|cmdline)$|/dev/(null|shm/)|/sys/fs/cgroup"
                      r"|/sys/module/compression$|/sys/devices/system/cpu|/proc/sys/(kernel|vm)/|/etc/(localtime|nsswitch|passwd)|/sys/kernel/mm/")


class Isolation(BusTest):
    def exercise(self):
        client = self.client()
        for call in (lambda: client.set(OFF), lambda: client.set(OFF, RUNTIME), lambda: client.set(OFF, WHEN_IDLE),
                     lambda: client.set(OFF, DRY_RUN), lambda: client.set(OFF, NEXT_BOOT),
                     lambda: client.call("Reload", ("t", 0), path=module_path("kvm_amd"), interface=MODULE),
                     lambda: client.call("EnsureDevice", ("t", 0)), lambda: client.call("Check", ("t", 0)),
                     lambda: client.call("ListUsers", ("t", 0), path=module_path("kvm"), interface=MODULE),
                     lambda: client.call("Refresh", ("t", 0)),
                     lambda: client.call("GetManagedObjects", interface=OBJECT_MANAGER)):
            try:
                call()
            except GLib.Error:
                pass  # what is refused is tested elsewhere

    def trace(self, fixture):
        log = self.folder / f"trace-{fixture}"
        # A process that is traced can't look for leaks in itself.
        environment = f"ASAN_OPTIONS={os.environ.get('ASAN_OPTIONS', '')}:detect_leaks=0"
        daemon = self.start_real(fixture, wrap=("env", environment, "strace", "-f", "-y", "-o", str(log), "-e",
                                                f"trace={CALLS}"))
        self.exercise()
        # The tracer keeps signals to itself.
        child = int(pathlib.Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text().split()[0])
        os.kill(child, signal.SIGTERM)
        self.assertEqual(daemon.wait(TIMEOUT), 0, daemon.log.read_text())
        lines = log.read_text(errors="replace").splitlines()
        begun = next(i for i, line in enumerate(lines) if f'"{self.host}"' in line)
        return lines[1:], lines[begun:]

    def test_nothing_of_the_machine(self):
        for fixture in sorted(path.name for path in FIXTURES.iterdir() if path.is_dir()):
            with self.subTest(fixture):
                self.host = self.folder / fixture
                everything, serving = self.trace(fixture)
                self.assertTrue(serving)
                for line in everything:
                    self.assertNotRegex(line, r"\b(f?init_module|delete_module|mknod\w*)\(|NETLINK|KVM_|\"/dev/kvm\"")
                self.look_at(serving)

    def look_at(self, lines):
        """Every absolute path beneath the tree, every relative one by a descriptor of it; nothing
        of the machine is written to."""
        for line in lines:
            self.assertNotIn("execve(", line)
            for path in re.findall(r'"(/[^"]*)"', line):
                if not (pathlib.Path(path).is_relative_to(self.host) or STARTING.match(path)):
                    self.fail(f"touches {path}: {line}")
            at = re.search(r"\b(?:openat2?|mkdirat|unlinkat|renameat2?|fchmodat)\((\d+|AT_FDCWD)<([^>]*)>", line)
            if at and '"/' not in line:
                self.assertTrue(at.group(2).startswith(str(self.host)), line)


if __name__ == "__main__":
    main()
