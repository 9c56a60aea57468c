# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page within Cockpit: among its menus, in its frame, only where the service is, in whatever
language, and with whatever rights."""

import os
import subprocess

from selenium.webdriver.common.keys import Keys

from administrator import PASSWORD, administrator
from clients import NEXT_BOOT
from harness import write
from pages import FRAME, NO_RULES, PageTest
from server import BRIDGE, PAGES, RELEASE, install
from tap import main

ON = "Guests started now can run virtual machines."
OFF = "Guests started now cannot run virtual machines."
LIMITED = "You have limited access"
HIDDEN = "On this host guests are shown to administrators only."

# Cockpit draws it anew now and then.
PRESS = """(() => {
    const found = [...document.querySelectorAll("button:enabled")].find(button => button.innerText.trim() === "%s");
    found?.click();
    return found !== undefined;
})()"""
# Gone when the page is loaded anew.
WATCH = """
window.titles = [];
new MutationObserver(() => window.titles.push(...[...document.querySelectorAll(".empty h2")].map(title => title.innerText)))
    .observe(document, { subtree: true, childList: true });
"""


def is_old():
    """Whether the bridge is one in C, which knows of no conditions."""
    if RELEASE:
        return False
    with open(BRIDGE[0], "rb") as stream:
        return stream.read(4) == b"\x7fELF"


class Shell(PageTest):
    def test_in_its_frame(self):
        write(self.host / "fake/libvirt", "")
        self.define(1, "web1")
        self.start_fake("--guests")
        self.enter("dark")
        self.browser.see(ON, "web1")
        self.assertTrue(self.browser.run("return document.documentElement.classList.contains('dark')"))
        self.browser.click("#nested")
        self.browser.await_("document.querySelector('#dialog-do:enabled')", "a plan")
        self.browser.click("#dialog-do")
        self.browser.see(OFF)
        self.picture("shell")

    def test_right_to_left(self):
        """In a language that Cockpit has, and that runs so, and the page has not: the page has its
        places, and its own texts are English and run as such."""
        write(self.host / "fake/libvirt", "")
        self.define(1, "web1", live="custom EPYC", run=0)
        self.start_fake("--guests")
        self.client().set({"kvm_amd": {"npt": "0"}}, NEXT_BOOT)
        self.enter(language="he-il")
        self.browser.await_("document.documentElement.dir === 'rtl'", "the direction of Cockpit's frame")
        self.assertEqual(self.browser.run("return document.body.lang"), "en")
        self.assert_mirrored()
        self.browser.click("#details-summary")
        self.assertEqual(self.browser.backwards(), [])
        self.picture("shell-right-to-left")
        self.browser.click("#guests tbody button")
        self.browser.click("#what-yes")
        self.browser.await_("document.querySelector('#dialog-do:enabled')", "a plan")
        self.assertEqual(self.browser.backwards(), [])
        self.picture("shell-right-to-left-guest")

    def packages(self, share):
        environment = {**os.environ, "XDG_DATA_DIRS": f"{share}:{PAGES}", "HOME": str(self.folder), "LANG": "C.UTF-8"}
        return subprocess.run([*BRIDGE, "--packages"], env=environment, capture_output=True, text=True, check=True).stdout.split()

    def test_only_where_the_service_is(self):
        share = install(self.folder)
        self.assertIn("nestvirt", self.packages(share))
        (share / "dbus-1/system-services/org.nestvirt1.service").unlink()
        self.assertEqual("nestvirt" in self.packages(share), is_old())


class Machines(PageTest):
    """What leads to the page of cockpit-machines, which has its name in place of that here."""

    def test_there(self):
        page = self.folder / "share/cockpit/machines"
        write(page / "manifest.json", '{"menu": {"index": {"label": "Virtual machines"}}}')
        write(page / "index.html", "<!DOCTYPE html><title>Machines</title>")
        write(self.host / "fake/libvirt", "")
        self.define(1, "web 1&2 ü")
        self.start_fake("--guests")
        self.enter()
        self.browser.click("#guests tbody button")
        link = self.browser.find("#machine")
        self.assertEqual((link.aria_role, link.accessible_name), ("link", "Show it under “Virtual machines”"))
        self.picture("guest-machine")
        self.browser.click("#machine")
        self.browser.driver.switch_to.default_content()
        frame = self.browser.find("iframe[name='cockpit1:localhost/machines']")
        self.assertEqual(frame.get_attribute("src").partition("/machines/")[2], "index.html#/vm?connection=system&name=web%201%262%20%C3%BC")


class Access(PageTest):
    """It is turned on and off at the top of Cockpit, by its own dialog and the real sudo, while the
    page is open: that goes on with the other right, and is not loaded anew."""

    def outside(self, *buttons, password=None):
        """Buttons of Cockpit's own."""
        self.browser.driver.switch_to.default_content()
        for text in buttons:
            self.browser.await_(PRESS % text, f"a button {text}")
        if password:
            self.browser.type("#switch-to-admin-access-password", password + Keys.ENTER)
        self.browser.driver.switch_to.frame(self.browser.find(FRAME))

    def refused(self):
        self.browser.click("#dialog-do")
        self.browser.see("You are not allowed to do this", "Turn on administrative access")

    def plan(self):
        self.browser.click("#nested")
        self.browser.await_("document.querySelector('#dialog-do:enabled')", "a plan")

    def test_on_and_off(self):
        write(self.host / "etc/nestvirt/nestvirtd.conf", "[Guests]\nHidden=true\n")
        write(self.host / "fake/libvirt", "")
        self.define(1, "web1")
        self.start_fake("--guests")
        self.polkit(NO_RULES)
        self.enter(bridge=administrator(self))
        self.browser.see(ON, LIMITED, HIDDEN)
        self.browser.run(WATCH)
        self.plan()
        self.refused()
        self.outside("Limited access", "Cancel")
        self.outside("Limited access", password=PASSWORD)
        # In the dialog that had been refused.
        self.browser.await_("!document.querySelector('#limited')", "more than limited access")
        self.browser.click("#dialog-do")
        self.browser.see(OFF, "web1")
        self.assertEqual(self.value("kvm_amd", "nested"), "0")
        self.picture("administrator")
        self.outside("Administrative access", "Limit access")
        self.browser.see(OFF, LIMITED, HIDDEN)
        self.browser.miss("web1")
        self.plan()
        self.refused()
        self.assertEqual(self.value("kvm_amd", "nested"), "0")
        self.assertEqual(self.browser.run("return window.titles"), [], "what the page has said meanwhile")


if __name__ == "__main__":
    main()
