# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page as people have it: dark, on a telephone, in German, from right to left, by keyboard, and
with a screen reader, as far as rules can tell."""

import re
import sys

from selenium.webdriver.common.keys import Keys

from axe import violations
from clients import NEXT_BOOT
from harness import write
from pages import PageTest
from scene import uuid
from server import SOURCES
from tap import main

sys.path.insert(0, str(SOURCES))

import po  # noqa: E402

NARROW = 360
# And what keeps its place in a text.
WORD = re.compile(r"(?<!\$)\b\w+")
GUEST = f"#guest-{uuid(1).replace('-', '_')}"


class Looks(PageTest):
    def begin(self, **keywords):
        """A host with something of everything."""
        write(self.host / "fake/libvirt", "")
        self.define(1, "web1", live="custom EPYC", run=0)
        self.define(2, "aguestwithanamethatislongerthananytelephoneiswide")
        for number in range(3, 8):
            self.define(number, f"guest{number}")
        self.start_fake("--guests")
        self.client().set({"kvm_amd": {"npt": "0"}}, NEXT_BOOT)
        self.show(**keywords)
        self.browser.see("Changes pending" if not keywords else "web1", "web1")

    def open_switch(self):
        self.browser.click("#nested")
        self.browser.await_("document.querySelector('#dialog-do:enabled')", "a plan")

    def open_guest(self):
        self.browser.click(GUEST)
        self.browser.click("#what-yes")
        self.browser.await_("document.querySelector('#dialog-do:enabled')", "a plan")

    def close(self):
        self.browser.click("#dialog-close")
        self.browser.await_("!document.querySelector('dialog')", "an end of the dialog")

    def ground(self):
        """How bright what is behind the text is."""
        colour = self.browser.run("return getComputedStyle(document.querySelector('section')).backgroundColor")
        return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")) / 3


class Colours(Looks):
    def test_as_the_system_has_it(self):
        self.begin()
        self.assertGreater(self.ground(), 200)
        self.browser.scheme("dark")
        self.browser.await_("document.documentElement.classList.contains('dark')", "darkness")
        self.assertLess(self.ground(), 60)
        self.picture("dark")

    def test_as_the_person_has_chosen(self):
        self.begin()
        self.browser.run("window.dispatchEvent(new CustomEvent('cockpit-style', { detail: { style: 'dark' } }))")
        self.assertLess(self.ground(), 60)
        self.browser.run("localStorage.setItem('shell:style', 'light')")
        self.browser.scheme("dark")
        self.browser.driver.refresh()
        self.browser.calm()
        self.assertGreater(self.ground(), 200)


class Narrow(Looks):
    def assert_fits(self, what):
        wide = self.browser.run("""
            return [...document.querySelectorAll('main *, dialog, dialog *')]
                .filter(node => !node.closest('.diff, thead') && node.getBoundingClientRect().right > arguments[0] + 1)
                .map(node => node.outerHTML.slice(0, 200))""", NARROW)
        self.assertEqual(wide, [], what)
        self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), NARROW)

    def test_telephone(self):
        self.browser.size(NARROW, 740)
        self.begin()
        self.browser.click("#details-summary")
        self.assert_fits("the page")
        self.browser.click("#details-summary")
        self.picture("narrow")
        self.browser.size(NARROW, 740)
        self.open_switch()
        self.assert_fits("the switch's dialog")
        self.close()
        self.open_guest()
        self.assert_fits("the guest's dialog")
        self.picture("narrow-guest")


class Language(Looks):
    def test_german(self):
        self.begin(address=lambda server: self.speak(server, "de-de"))
        self.browser.see("Geschachtelte Virtualisierung", "Gäste, die jetzt starten, können virtuelle Maschinen betreiben.",
                         "Änderungen ausstehend", "kvm_amd.npt wird aus sein, wenn der Rechner das nächste Mal startet", "7 Gäste",
                         "Prüfungen bestanden")
        self.assertEqual(self.browser.run("return document.documentElement.lang"), "de")
        self.assertEqual(self.browser.driver.title, "Geschachtelte Virtualisierung")
        self.picture("german")
        self.open_switch()
        self.browser.see("Geschachtelte Virtualisierung ausschalten", "Sobald KVM frei ist", "Was geschieht", "unload kvm_amd")
        # What the service says is English, and says so to whoever reads it aloud.
        self.assertEqual(self.browser.find("dialog .steps li span").get_attribute("lang"), "en")

    def hebrew(self, server):
        """A catalogue that says nothing, in letters that run from right to left."""
        for entry in (entries := po.read((SOURCES / "po/de.po").read_text())):
            if entry:
                entries[entry][1:] = [WORD.sub("אבגד", text) for text in entries[entry][1:]]
        entries[""][1] = entries[""][1].replace("Language: de", "Language: he")
        (server.share / "cockpit/nestvirt/po.he.js").write_text(po.script(entries))
        return self.speak(server, "he-il")

    def test_right_to_left(self):
        self.begin(address=self.hebrew)
        self.assertEqual(self.browser.run("return [document.documentElement.dir, document.body.lang, document.title]"), ["rtl", "he", "אבגד אבגד"])
        self.assert_mirrored()
        self.assertEqual(self.browser.run("return [...document.querySelectorAll('#pending bdi')].map(name => name.innerText)"), ["kvm_amd.npt", "אבגד"])
        self.browser.click("#details-summary")
        self.assertEqual(self.browser.backwards(), [])
        self.picture("right-to-left")
        self.open_switch()
        self.assertEqual(self.browser.backwards(), [])

class Keyboard(Looks):
    def tab_to(self, name):
        """As often as there is something to come to."""
        passed = []
        while self.browser.focused() != name:
            self.assertNotIn(self.browser.focused(), passed[1:], f"no way to {name}")
            passed.append(self.browser.focused())
            self.browser.press(Keys.TAB)

    def test_switched(self):
        self.begin()
        self.tab_to("nested")
        self.browser.press(Keys.SPACE)
        self.browser.await_("document.querySelector('#dialog-do:enabled')", "a plan")
        self.tab_to("when-now")
        self.browser.press(Keys.ARROW_DOWN)
        self.browser.await_("document.querySelector('#when-idle:checked') && document.querySelector('#dialog-do:enabled')", "another plan")
        self.tab_to("dialog-do")
        self.browser.press(Keys.ENTER)
        self.browser.see("Guests started now cannot run virtual machines.")
        self.browser.await_("document.activeElement.id === 'nested'", "the focus back on the switch")
        self.assertEqual(self.value("kvm_amd", "nested"), "0")

    def test_guest_and_away(self):
        self.begin()
        self.tab_to(GUEST.removeprefix("#"))
        self.browser.press(Keys.ENTER)
        self.tab_to("what-yes")
        self.browser.press(Keys.SPACE)
        self.browser.await_("document.querySelector('#dialog-do:enabled')", "a plan")
        self.browser.press(Keys.ESCAPE)
        self.browser.await_("!document.querySelector('dialog')", "an end of the dialog")
        self.assertEqual(self.browser.focused(), GUEST.removeprefix("#"))
        self.assertNotIn("svm", self.definition(1))


class Rules(Looks):
    def assert_accessible(self, what):
        self.assertEqual(violations(self.browser), [], what)

    def test_page_and_dialogs(self):
        self.begin()
        self.browser.click("#details-summary")
        for scheme in ("light", "dark"):
            self.browser.scheme(scheme)
            self.assert_accessible(f"the page, {scheme}")
            self.open_switch()
            self.assert_accessible(f"the switch's dialog, {scheme}")
            self.close()
            self.open_guest()
            self.assert_accessible(f"the guest's dialog, {scheme}")
            self.close()

    def test_names_and_roles(self):
        """What a screen reader is told of the switch."""
        self.begin()
        switch = self.browser.find("#nested")
        self.assertEqual((switch.aria_role, switch.accessible_name), ("switch", "Nested virtualization"))
        self.open_switch()
        dialog = self.browser.find("dialog")
        self.assertEqual((dialog.aria_role, dialog.accessible_name), ("dialog", "Turn off nested virtualization"))


if __name__ == "__main__":
    main()
