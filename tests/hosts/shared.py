# SPDX-License-Identifier: LGPL-2.1-or-later
"""The one running host that all test classes of a run share, and what tests have in common.

A test leaves the shared host as it found it. One that needs a power cut or words on the kernel command line takes a
host of its own from `own_host`.
"""

import atexit
import functools
import pathlib
import shutil
import tempfile
import unittest

import emulator
import payload
from agent import HostError

_host = None
_broken = None


@functools.cache
def payload_tar():
    """The tar of the build under test, made once a run."""
    folder = tempfile.mkdtemp(prefix="nestvirt-payload-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return payload.from_build(pathlib.Path(folder) / "payload.tar")


def own_host(kernel=None, cpu=emulator.CPU):
    """A host that has not been started: for `with own_host() as host: host.boot([...])`."""
    return emulator.Host(payload_tar(), kernel, cpu)


def host():
    """The shared host, running; another is booted when a test has lost it."""
    global _host, _broken
    if _broken:
        raise HostError(f"the shared host can't be booted: {_broken}")
    if _host is not None and not _host.alive():
        _host.close()
        _host = None
    if _host is None:
        _host = own_host()
        atexit.register(_host.close)
        try:
            _host.boot()
        except Exception as error:
            _broken = error
            raise
    return _host


class HostTest(unittest.TestCase):
    """A test on the shared host, which is `self.host`."""

    def setUp(self):
        self.host = host()
