# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a command that goes to the background, says so, and takes in the orphans of what runs there
until none is left.

libvirtd kills the QEMU that it has asked, whose parent has ended, and waits until nothing is left
of it. Whoever is process 1 of a container may leave that lying about for a while.
"""

import ctypes
import os
import subprocess
import sys

PR_SET_CHILD_SUBREAPER = 36

ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
print(subprocess.run(sys.argv[1:], check=False, stdin=subprocess.DEVNULL).returncode, flush=True)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
