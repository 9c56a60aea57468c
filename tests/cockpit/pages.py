# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the page share: a host with its service, and the page that is open over it."""

import os
import pathlib
import shutil

from browser import Browser
from harness import BusTest, write
from polkit import start_polkitd
from scene import define, uuid
from server import BRIDGE, RELEASE, WebServer

ARTEFACTS = os.environ.get("COCKPIT_ARTEFACTS")
AS_NOBODY = ["runuser", "-u", "nobody", "--", *BRIDGE]
NO_RULES = ""
# The page within Cockpit.
FRAME = "iframe[name='cockpit1:localhost/nestvirt']"
# As a desktop's administrator would be.
NOBODY_MAY = """
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.nestvirt1.") == 0 && subject.user == "nobody")
                return polkit.Result.YES;
        return polkit.Result.NOT_HANDLED;
});
"""


class PageTest(BusTest):
    """@browser is one for all tests of the file."""

    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        super().setUp()
        self.browser.reset()

    def show(self, bridge=BRIDGE, address=None, calm=True):
        """Opens the page in a session of its own."""
        server = WebServer(self.folder, self.bus.address, bridge)
        self.addCleanup(server.stop)
        self.addCleanup(self.browser.driver.get, "about:blank")
        self.addCleanup(self.assert_no_errors)
        self.browser.driver.get(address(server) if address else server.address)
        if calm:
            self.browser.calm()
        return server

    def enter(self, style="light", language="en-us", bridge=BRIDGE):
        """The same among Cockpit's menus."""
        def address(server):
            self.speak(server, language)
            self.browser.driver.get(server.address)
            self.browser.run("localStorage.setItem('shell:style', arguments[0])", style)
            return f"{server.origin}/nestvirt"

        self.addCleanup(self.browser.driver.switch_to.default_content)
        self.show(bridge, address, calm=False)
        self.browser.await_("[...document.querySelectorAll('nav a')].some(link => link.textContent.trim() === 'Nested virtualization')",
                            "a place in the menu")
        self.browser.driver.switch_to.frame(self.browser.find(FRAME))
        self.browser.calm()

    def speak(self, server, language):
        """As somebody has chosen when they logged in."""
        self.browser.command("Network.setCookie", name="CockpitLang", value=language, url=server.origin)
        return server.address

    def assert_mirrored(self):
        title, switch = (self.browser.run("const box = document.querySelector(arguments[0]).getBoundingClientRect();"
                                          "return [box.left, box.right]", selector) for selector in ("h1", "#nested"))
        width = self.browser.run("return document.documentElement.clientWidth")
        self.assertGreater(switch[0], width / 2)
        self.assertAlmostEqual(switch[1], title[1], delta=1)

    def assert_no_errors(self):
        self.assertEqual(self.browser.errors(), [])

    def define(self, number, name, **keys):
        define(self, number, name, **keys)

    def definition(self, number):
        return (self.host / "fake/xml" / uuid(number)).read_text()

    def polkit(self, rules):
        start_polkitd(self, rules)

    def by_hand(self, module="kvm_amd", **values):
        """As modprobe would: the kernel shows no value half written."""
        for name, value in values.items():
            path, new = self.host / "sys/module" / module / "parameters" / name, self.host / f"{name}.new"
            write(new, f"{value}\n")
            shutil.copymode(path, new)
            new.replace(path)

    def picture(self, name):
        """Kept for people to look at."""
        if ARTEFACTS:
            folder = pathlib.Path(ARTEFACTS) / (RELEASE or "here")
            folder.mkdir(parents=True, exist_ok=True)
            self.browser.picture(folder / f"{name}.png")
