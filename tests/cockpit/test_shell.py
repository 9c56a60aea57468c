# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page within Cockpit: among its menus, in its frame, and only where the service is."""

import os
import subprocess

from harness import write
from pages import PageTest
from server import BRIDGE, PAGES, RELEASE, install
from tap import main

FRAME = "iframe[name='cockpit1:localhost/nestvirt']"


def is_old():
    """Whether the bridge is one in C, which knows of no conditions."""
    if RELEASE:
        return False
    with open(BRIDGE[0], "rb") as stream:
        return stream.read(4) == b"\x7fELF"


class Shell(PageTest):
    def enter(self, style):
        def address(server):
            self.browser.driver.get(f"{server.origin}/cockpit/@localhost/nestvirt/index.html")
            self.browser.run("localStorage.setItem('shell:style', arguments[0])", style)
            return f"{server.origin}/nestvirt"

        self.addCleanup(self.browser.driver.switch_to.default_content)
        self.show(address=address, calm=False)
        self.browser.await_("[...document.querySelectorAll('nav a')].some(link => link.textContent.trim() === 'Nested virtualization')",
                            "a place in the menu")
        self.browser.driver.switch_to.frame(self.browser.find(FRAME))
        self.browser.calm()

    def test_in_its_frame(self):
        write(self.host / "fake/libvirt", "")
        self.define(1, "web1")
        self.start_fake("--guests")
        self.enter("dark")
        self.browser.see("Guests started now can run virtual machines.", "web1")
        self.assertTrue(self.browser.run("return document.documentElement.classList.contains('dark')"))
        self.browser.click("#nested")
        self.browser.await_("document.querySelector('#dialog-do:enabled')", "a plan")
        self.browser.click("#dialog-do")
        self.browser.see("Guests started now cannot run virtual machines.")
        self.picture("shell")

    def packages(self, share):
        environment = {**os.environ, "XDG_DATA_DIRS": f"{share}:{PAGES}", "HOME": str(self.folder), "LANG": "C.UTF-8"}
        return subprocess.run([*BRIDGE, "--packages"], env=environment, capture_output=True, text=True, check=True).stdout.split()

    def test_only_where_the_service_is(self):
        share = install(self.folder)
        self.assertIn("nestvirt", self.packages(share))
        (share / "dbus-1/system-services/org.nestvirt1.service").unlink()
        self.assertEqual("nestvirt" in self.packages(share), is_old())


if __name__ == "__main__":
    main()
