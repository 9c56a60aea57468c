# SPDX-License-Identifier: LGPL-2.1-or-later
"""The one running host of each machine that all test classes of a run share, and what tests have in
common.

A test leaves the shared host as it found it. One that needs a power cut or words on the kernel
command line takes a host of its own from `own_host`.
"""

import atexit
import functools
import pathlib
import shutil
import tempfile
import unittest

import emulator
import payload
import refusals
import other_release
from agent import HostError

_hosts = {}
_broken = {}


def kept_folder():
    """A folder for the run."""
    folder = tempfile.mkdtemp(prefix="nestvirt-payload-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return pathlib.Path(folder)


@functools.cache
def payload_tar(suite=None):
    """The tar of the build under test, or of the one for this release, made once a run."""
    target = kept_folder() / "payload.tar"
    return other_release.payload_tar(suite, target) if suite else payload.from_build(target)


class OwnHost(emulator.Host):
    """Whose test fails when something has been refused since its last boot."""

    def finish(self):
        """Its end after a test that has passed so far."""
        try:
            if self.alive():
                refusals.assert_none(self)
        finally:
            self.close()

    def __exit__(self, kind, *_):
        if kind is None:
            self.finish()
        else:
            self.close()


def own_host(kernel=None, cpu=None, machine="amd", suite=None):
    """A host that has not been started: for `with own_host() as host: host.boot([...])`."""
    return OwnHost(payload_tar(suite), kernel, cpu, machine, suite)


def host(machine="amd", suite=None, make=own_host):
    """The shared host of this machine and release, running; another is booted when a test has lost
    it."""
    key = machine, suite, make
    if key in _broken:
        raise HostError(f"the shared host can't be booted: {_broken[key]}")
    if key in _hosts and not _hosts[key].alive():
        _hosts.pop(key).close()
    if key not in _hosts:
        _hosts[key] = make(machine=machine, suite=suite)
        try:
            _hosts[key].boot()
        except Exception as error:
            _broken[key] = error
            raise
    return _hosts[key]


@atexit.register
def close():
    """The shared hosts end; a test that wants one boots another."""
    while _hosts:
        _hosts.popitem()[1].close()


class HostTest(unittest.TestCase):
    """A test on the shared host of its machine and release, which is `self.host`."""

    machine = "amd"
    suite = None  # the machine's own
    make = staticmethod(own_host)  # how nestvirtd comes to it

    def setUp(self):
        self.host = host(self.machine, self.suite, self.make)

    @classmethod
    def tearDownClass(cls):
        """None of its tests may have had the daemon do what its profile or its filter refuses, nor
        leave a unit that has failed."""
        running = _hosts.get((cls.machine, cls.suite, cls.make))
        if running and running.alive():
            refusals.assert_none(running)
            running.assert_running()
