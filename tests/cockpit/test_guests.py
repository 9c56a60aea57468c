# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests on the page: the table, its search and pages, and what the dialog shows before a guest is
defined otherwise; over a hypervisor made of files, and over libvirt's test driver."""

import pathlib

from clients import DRY_RUN, GUEST, GLib, guest_path
from harness import write
from pages import PageTest
from scene import uuid
from server import PAGES
from tap import main

DRIVER = """<node><domain type='test'><name>tested</name><uuid>{}</uuid><memory>8192</memory><vcpu>1</vcpu>
<os><type arch='x86_64'>hvm</type></os><cpu mode='custom' match='exact'><model>EPYC</model></cpu></domain></node>"""


class Guests(PageTest):
    def setUp(self):
        super().setUp()
        write(self.host / "fake/libvirt", "")

    def begin(self):
        self.start_fake("--guests")
        self.show()

    def rows(self):
        return [line.split("\t") for line in self.browser.text("#guests tbody").splitlines()]

    def tell(self, number):
        with open(self.host / "fake/events", "w", encoding="utf-8") as stream:
            stream.write(uuid(number) + "\n")

    def dialog(self, number):
        self.browser.click(f"#guest-{uuid(number).replace('-', '_')}")
        self.browser.await_("document.querySelector('dialog fieldset, dialog .notice')", "the dialog")

    def choose(self, what):
        self.browser.click(f"#what-{what}")
        self.browser.await_("document.querySelector('#dialog-do:enabled')", "a plan")


class Table(Guests):
    def test_rows(self):
        self.define(1, "a")
        self.define(2, "b", live="host-passthrough - require", run=1, inside=1)
        self.begin()
        self.assertEqual(self.rows(), [["a", "off", "no", "–", "–"], ["b Changes pending", "running", "no", "yes", "yes"]])
        self.assertIn("2 guests", self.browser.text("#guests"))

    def test_they_come_and_change(self):
        self.define(1, "a")
        self.begin()
        self.define(2, "<b>b</b>")
        self.tell(2)
        self.browser.see("<b>b</b>")
        self.client().call("SetCpu", ("a{sv}t", {"Nested": self.variant(True)}, 0), path=guest_path(uuid(1)), interface=GUEST)
        self.browser.await_("document.querySelector('#guests tbody .verdict.yes')", "a verdict")
        self.assertEqual(self.rows(), [["<b>b</b>", "off", "no", "–", "–"], ["a", "off", "yes", "–", "–"]])

    def test_a_crowd(self):
        """Sixty signals in a moment; the last of them counts as the first does."""
        self.begin()
        for number in range(60):
            self.define(number, f"guest{number:02}")
            self.tell(number)
        self.browser.see("60 guests")
        self.assertEqual([row[0] for row in self.rows()], [f"guest{number:02}" for number in range(20)])

    @staticmethod
    def variant(value):
        return GLib.Variant("b", value)

    def test_search_and_pages(self):
        for number in range(45):
            self.define(number, f"guest{number:02}")
        self.begin()
        self.assertEqual((len(self.rows()), self.rows()[0][0], self.rows()[-1][0]), (20, "guest00", "guest19"))
        self.browser.see("1 to 20 of 45")
        self.browser.click("#next")
        self.browser.see("21 to 40 of 45")
        self.browser.click("#next")
        self.browser.see("41 to 45 of 45")
        self.assertEqual([row[0] for row in self.rows()], [f"guest{number}" for number in range(40, 45)])
        self.assertFalse(self.browser.find("#next").is_enabled())
        self.browser.type("#search", "GUEST3")
        self.browser.see("10 of 45 guests")
        self.assertEqual([row[0] for row in self.rows()], [f"guest{number}" for number in range(30, 40)])
        self.assertEqual(self.browser.focused(), "search")
        self.browser.type("#search", "x")
        self.browser.see("No guest is called so.")

    def test_no_guests(self):
        self.begin()
        self.browser.see("libvirt knows of no guests.")


class Editing(Guests):
    def test_difference_first(self):
        self.define(1, "web1", live="custom EPYC disable", run=0)
        before = self.definition(1)
        self.begin()
        self.dialog(1)
        self.assertEqual(self.browser.run("return document.querySelector('#machine') !== null"), pathlib.Path(PAGES, "cockpit/machines").exists())
        self.choose("yes")
        self.assertIn('+    <feature policy="require" name="svm"/>', self.browser.text("dialog .diff"))
        self.browser.see("a reboot inside it is not enough")
        self.assertEqual(self.definition(1), before)
        self.picture("guest-diff")
        self.browser.click("#dialog-do")
        self.browser.see("It is defined so now", "Changes pending")
        self.assertIn("svm", self.definition(1))
        self.browser.click("#dialog-close")
        self.browser.await_("!document.querySelector('dialog') && document.querySelector('#guests tbody .verdict.yes')", "the new verdict")
        self.assertEqual(self.rows(), [["web1 Changes pending", "running", "yes", "no", "no"]])

    def test_recipe(self):
        self.define(1, "web1")
        self.begin()
        self.dialog(1)
        self.choose("esxi")
        plan = self.browser.text("dialog .steps")
        self.assertIn("memory", plan)
        self.browser.see("Good to know", "ignore_msrs")
        self.choose("kvm")
        self.assertNotEqual(self.browser.text("dialog .steps"), plan)
        self.picture("guest-recipe")
        self.browser.click("#dialog-do")
        self.browser.see("It is defined so now")
        self.assertIn("svm", self.definition(1))

    def words(self, recipe, **options):
        """What the service knows, as it says to whom asks for what it does not know."""
        with self.assertRaises(GLib.Error) as caught:
            self.client().call("Prepare", ("sa{sv}t", recipe, {name: GLib.Variant("s", text) for name, text in options.items()}, DRY_RUN),
                               path=guest_path(uuid(1)), interface=GUEST)
        return sorted(caught.exception.message.partition("; ")[2].split(" ", 2)[2].split(", "))

    def test_release(self):
        """Recipes and releases are those that the service knows; to choose one of these is to
        choose the recipe."""
        self.define(1, "web1")
        self.begin()
        self.dialog(1)
        recipes = self.browser.run("return [...document.querySelectorAll('[id^=what-]')].map(input => input.id.slice(5))")
        self.assertEqual(sorted(recipes), sorted(["yes", "no", *self.words("unheard-of")]))
        releases = self.browser.run("return [...document.querySelectorAll('#release-esxi option')].map(option => option.text)")
        self.assertEqual(sorted(releases), self.words("esxi", Release="1"))
        release = self.browser.find("#release-esxi")
        self.assertEqual((release.aria_role, release.accessible_name), ("combobox", "Release of VMware ESXi"))
        self.choose("esxi")
        self.assertIn("raise the memory to 8192 MiB", self.browser.text("dialog .steps"))
        self.choose("kvm")
        self.browser.type("#release-esxi", "6.7")
        self.browser.see("raise the memory to 4096 MiB")
        self.assertTrue(self.browser.find("#what-esxi").is_selected())
        self.browser.click("#dialog-do")
        self.browser.see("It is defined so now")
        self.assertIn("4194304", self.definition(1))

    def test_so_already(self):
        self.define(1, "web1")
        self.begin()
        self.dialog(1)
        self.choose("yes")
        self.browser.click("#dialog-do")
        self.browser.see("It is defined so now")
        self.browser.click("#what-no")
        self.browser.await_("document.querySelector('#dialog-do:enabled')", "a plan")
        self.browser.click("#what-yes")
        self.browser.see("Nothing is to be done: it is so already.")
        self.assertFalse(self.browser.find("#dialog-do").is_enabled())

    def test_refused(self):
        self.define(1, "web1")
        before = self.definition(1)
        self.begin()
        self.dialog(1)
        self.choose("yes")
        write(self.host / "fake/refuse", "")
        self.browser.click("#dialog-do")
        self.browser.await_("document.querySelector('dialog .notice.danger')", "an error")
        self.assertEqual(self.definition(1), before)

    def test_transient(self):
        self.guest(uuid(1), name="web1", live="host-passthrough", persistent="no")
        self.begin()
        self.dialog(1)
        self.browser.see("This guest has no definition that outlives it")


class Driver(PageTest):
    """libvirt itself, with its test driver, beneath the real daemon."""

    def test_edited(self):
        node = self.folder / "node.xml"
        node.write_text(DRIVER.format(uuid(1)))
        self.start_real("amd-epyc-6.1", f"--libvirt=test://{node}")
        self.show()
        self.browser.click(f"#guest-{uuid(1).replace('-', '_')}")
        self.browser.click("#what-no")
        self.browser.await_("document.querySelector('#dialog-do:enabled')", "a plan")
        self.browser.see("What becomes of the definition", 'policy="disable" name="svm"')
        self.browser.click("#dialog-do")
        self.browser.see("It is defined so now")
        self.assertEqual(self.client().get("Policy", GUEST, guest_path(uuid(1))), "disable")


if __name__ == "__main__":
    main()
