# SPDX-License-Identifier: LGPL-2.1-or-later
"""The service is killed, comes back, is not there, hides guests; libvirt is slow, or gone."""

import os

from clients import NEXT_BOOT
from harness import write
from pages import AS_NOBODY, NO_RULES, PageTest
from tap import main

ON = "Guests started now can run virtual machines."
OFF = "Guests started now cannot run virtual machines."
AWAY = "The service nestvirtd is not running"


class Restarts(PageTest):
    def kill(self, daemon):
        daemon.kill()
        daemon.expected = -9
        daemon.wait()

    def test_killed_and_started_again(self):
        """Nothing that the one before has said is believed any more."""
        self.define(1, "web1")
        write(self.host / "fake/libvirt", "")
        daemon = self.start_fake("--guests")
        self.show()
        self.browser.see(ON, "web1")
        self.kill(daemon)
        self.browser.see(AWAY)
        self.browser.miss(ON)
        self.assertNotIn("web1", self.browser.text())
        self.picture("away")
        self.by_hand(nested=0)
        self.define(2, "web2")
        self.start_fake("--guests")
        self.browser.see(OFF, "web2")
        self.browser.calm()
        self.client().set({"kvm_amd": {"nested": "1"}}, NEXT_BOOT)
        self.browser.see("kvm_amd.nested will be on from the next boot on")

    def test_killed_behind_a_dialog(self):
        daemon = self.start_fake()
        self.show()
        self.browser.click("#nested")
        self.browser.await_("document.querySelector('#dialog-do:enabled')", "a plan")
        self.kill(daemon)
        self.browser.see(AWAY)
        self.browser.click("#dialog-do")
        self.browser.await_("document.querySelector('dialog .notice.danger')", "an error")
        self.start_fake()
        self.browser.see(ON)
        self.browser.click("#when-boot")
        self.browser.await_("document.querySelector('#dialog-do:enabled')", "a plan")
        self.browser.click("#dialog-do")
        self.browser.see("Changes pending")

    def test_it_comes_later(self):
        self.show(calm=False)
        self.browser.see(AWAY)
        self.start_fake()
        self.browser.see(ON)
        self.assertNotIn(AWAY, self.browser.text())

    def test_started_with_the_button(self):
        """By the bus, as it is when it was installed: whoever calls has it started."""
        self.show(calm=False)
        self.browser.see(AWAY)
        self.browser.click("#connect")
        self.browser.see(AWAY)
        self.start_fake()
        self.browser.see(ON)


class Libvirt(PageTest):
    def begin(self):
        write(self.host / "fake/libvirt", "")
        self.define(1, "web1")
        self.start_fake("--guests", "--guest-patience=100000")

    def test_slow(self):
        """The host is there at once; guests follow when libvirt answers."""
        self.begin()
        os.mkfifo(self.host / "fake/hang")
        self.show(calm=False)
        self.browser.see(ON)
        self.browser.see("libvirt has not answered yet", "It is asked again by itself.")
        self.picture("libvirt-slow")
        fd = os.open(self.host / "fake/hang", os.O_WRONLY)
        (self.host / "fake/hang").unlink()
        os.close(fd)
        self.browser.see("web1")
        self.assertNotIn("has not answered", self.browser.text())

    def test_gone(self):
        self.begin()
        self.show()
        self.browser.see("web1")
        (self.host / "fake/libvirt").unlink()
        with open(self.host / "fake/events", "w", encoding="utf-8") as stream:
            stream.write("lost\n")
        self.browser.see("There are no guests to be seen here:", "libvirt can't be reached")

    def test_none(self):
        self.start_fake()
        self.show()
        self.browser.see("There are no guests to be seen here: No libvirt is configured")

    def test_hidden(self):
        write(self.host / "etc/nestvirt/nestvirtd.conf", "[Guests]\nHidden=true\n")
        self.begin()
        self.polkit(NO_RULES)
        self.show(AS_NOBODY)
        self.browser.see("On this host guests are shown to administrators only.")
        self.assertNotIn("web1", self.browser.text())


if __name__ == "__main__":
    main()
