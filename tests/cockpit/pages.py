# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the page share: a host with its service, and the page that is open over it."""

import os
import pathlib

from browser import BRIDGE, Browser, WebServer
from clients import NAME, wait_for
from harness import BusTest, write
from polkit import start_polkitd

ARTEFACTS = os.environ.get("COCKPIT_ARTEFACTS")
AS_NOBODY = ("runuser", "-u", "nobody", "--", BRIDGE)
NO_RULES = ""
# As a desktop's administrator would be.
NOBODY_MAY = """
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.nestvirt1.") == 0 && subject.user == "nobody")
                return polkit.Result.YES;
        return polkit.Result.NOT_HANDLED;
});
"""

GUEST = """<domain type='kvm'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='KiB'>1048576</memory>
  <vcpu placement='static'>2</vcpu>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
  </os>
  <cpu mode='custom' match='exact' check='partial'>
    <model fallback='forbid'>EPYC</model>
  </cpu>
</domain>
"""


def uuid(number):
    return f"3b5b08e4-3dca-4ff9-9a1d-{number:012}"


class PageTest(BusTest):
    """@browser is one for all tests of the file."""

    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        super().setUp()
        self.browser.reset()

    def show(self, bridge=(BRIDGE,), address=None, calm=True):
        """Opens the page in a session of its own."""
        server = WebServer(self.folder, self.bus.address, bridge)
        self.addCleanup(server.stop)
        self.addCleanup(self.browser.driver.get, "about:blank")
        self.addCleanup(self.assert_no_errors)
        self.browser.driver.get(address(server) if address else server.address)
        if calm:
            self.browser.calm()
        return server

    def assert_no_errors(self):
        self.assertEqual(self.browser.errors(), [])

    def define(self, number, name, **keys):
        """A guest of the hypervisor that is made of files."""
        write(self.host / "fake/xml" / uuid(number), GUEST.format(name=name, uuid=uuid(number)))
        self.guest(uuid(number), name=name, **keys)

    def definition(self, number):
        return (self.host / "fake/xml" / uuid(number)).read_text()

    def polkit(self, rules):
        start_polkitd(self, rules)

    def await_file(self, function, what):
        """What becomes of files has no place in any main loop; the service's signals have."""
        observer = self.client(watch=True)
        wait_for(lambda: function() or observer is None, what)

    def picture(self, name):
        """Kept for people to look at."""
        if ARTEFACTS:
            folder = pathlib.Path(ARTEFACTS)
            folder.mkdir(parents=True, exist_ok=True)
            self.browser.picture(folder / f"{name}.png")


__all__ = ["AS_NOBODY", "NAME", "NOBODY_MAY", "NO_RULES", "PageTest", "uuid"]
