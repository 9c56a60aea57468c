# SPDX-License-Identifier: LGPL-2.1-or-later
"""The switch: the plan is shown before anything changes; now, when idle, at the next boot; who may
not, and what fails; and changes that others make."""

from clients import WHEN_IDLE
from harness import write
from pages import AS_NOBODY, NO_RULES, NOBODY_MAY, PageTest
from tap import main

ON = "Guests started now can run virtual machines."
OFF = "Guests started now cannot run virtual machines."
LINE = ["options kvm_amd nested=0"]


class Switching(PageTest):
    OPTIONS = ()

    def setUp(self):
        super().setUp()
        self.start_fake(*self.OPTIONS)
        # Opening it is how idleness is noticed.
        write(self.host / "dev/kvm", "")
        self.observer = self.client(watch=True)

    def checked(self):
        return self.browser.find("#nested").get_attribute("aria-checked")

    def ask(self, when=None):
        """Opens the dialog, and chooses."""
        self.browser.click("#nested")
        self.browser.await_("document.querySelector('dialog #dialog-do:enabled')", "a plan")
        if when:
            self.browser.click(f"#when-{when}")
            self.browser.await_("document.querySelector('dialog #dialog-do:enabled')", "a plan")

    def do(self):
        self.browser.click("#dialog-do")
        self.browser.await_("!document.querySelector('dialog')", "an end of the dialog")

    def free(self, pid=1234):
        self.release(pid)
        with open(self.host / "dev/kvm", encoding="utf-8"):
            pass


class Times(Switching):
    def test_now(self):
        self.show()
        self.browser.see(ON)
        self.assertEqual(self.checked(), "true")
        self.ask()
        self.assertEqual(self.browser.text("dialog .steps").splitlines(), [
            "unload kvm_amd", "unload kvm if nothing else uses it", "load kvm", "load kvm_amd with nested=0",
            "write /etc/modprobe.d/zz-nestvirt.conf"])
        self.assertEqual((self.value("kvm_amd", "nested"), self.calls(), self.dropin()), ("1", [], []))
        self.picture("switch-plan")
        self.do()
        self.browser.see(OFF)
        self.assertEqual(self.checked(), "false")
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin()), ("0", LINE))
        self.ask()
        self.do()
        self.browser.see(ON)
        self.assertEqual((self.value("kvm_amd", "nested"), self.checked()), ("1", "true"))

    def test_cancelled(self):
        self.show()
        self.ask()
        self.browser.click("#dialog-close")
        self.browser.await_("!document.querySelector('dialog')", "an end of the dialog")
        self.assertEqual((self.calls(), self.dropin(), self.browser.focused()), ([], [], "nested"))

    def test_next_boot_and_back(self):
        self.show()
        self.ask("boot")
        self.do()
        self.browser.see("Changes pending", "kvm_amd.nested will be off from the next boot on", "zz-nestvirt.conf", ON)
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin(), self.calls()), ("1", LINE, []))
        self.picture("pending")
        self.browser.click("#cancel-kvm_amd-nested")
        self.browser.miss("Changes pending")
        self.assertEqual((self.dropin(), self.calls()), ([], []))

    def test_back_where_our_line_had_said_otherwise(self):
        """Without a line it would not stay as it is."""
        write(self.host / "etc/modprobe.d/a.conf", "options kvm_amd nested=0\n")
        self.observer.set({"kvm_amd": {"nested": "1"}})
        self.observer.set({"kvm_amd": {"nested": "0"}}, 4)
        self.show()
        self.browser.click("#cancel-kvm_amd-nested")
        self.browser.miss("Changes pending")
        self.assertEqual((self.dropin(), self.value("kvm_amd", "nested")), (["options kvm_amd nested=1"], "1"))


class Busy(Switching):
    def setUp(self):
        super().setUp()
        self.hold(1234)

    def test_when_idle(self):
        """Who looks is shown who is in the way, and offered what works."""
        self.show()
        self.ask()
        self.browser.see("It waits for those who use KVM now", "This concerns others", "In the way", "1234")
        self.assertTrue(self.browser.find("#when-idle").is_selected())
        self.picture("switch-busy")
        self.do()
        self.browser.see("kvm_amd.nested will be off as soon as nobody uses KVM", ON)
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin()), ("1", LINE))
        self.free()
        self.browser.see(OFF, "What had waited for idle is in effect now")
        self.browser.miss("Changes pending")
        self.assertEqual(self.value("kvm_amd", "nested"), "0")

    def test_now_all_the_same(self):
        """It is said before, and refused by the service; nothing has changed, and the way out is
        still there."""
        self.show()
        self.ask("now")
        self.browser.see("KVM is in use now")
        self.browser.click("#dialog-do")
        self.browser.see("KVM is in use", "kvm_amd is in use by pid 1234 qemu-system-x86")
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin()), ("1", []))
        self.browser.click("#when-idle")
        self.browser.see("It waits for those who use KVM now")
        self.do()
        self.browser.see("Changes pending")

    def test_who_loses_what(self):
        """A guest that runs guests, and one that has asked for it."""
        self.stop(self.daemons.pop())
        write(self.host / "fake/libvirt", "")
        self.define(1, "using", policy="require", live="custom EPYC require", run=1, inside=1)
        self.define(2, "asking", policy="require")
        self.start_fake("--guests")
        self.show()
        self.ask("boot")
        concerned = self.browser.text("dialog .notice.warning ul").splitlines()
        for name in ("using", "asking"):
            self.assertTrue(any(name in line for line in concerned), concerned)
        self.picture("switch-impact")

    def test_waiting_is_cancelled(self):
        self.observer.set({"kvm_amd": {"nested": "0"}}, WHEN_IDLE)
        self.show()
        self.browser.see("kvm_amd.nested will be off as soon as nobody uses KVM")
        self.browser.click("#cancel-kvm_amd-nested")
        self.browser.miss("Changes pending")
        self.assertEqual(self.dropin(), [])
        self.free()
        self.observer.call("Refresh", ("t", 0))
        self.assertEqual(self.value("kvm_amd", "nested"), "1")
        self.assertFalse(any(call.startswith("load") for call in self.calls()))


class Fails(Switching):
    def test_the_load(self):
        self.show()
        self.ask()
        write(self.host / "fake/fail", "load kvm_amd")
        self.browser.click("#dialog-do")
        self.browser.see("It failed; everything is as it was", "Exec format error")
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin()), ("1", []))

    def test_another_file_wins(self):
        write(self.host / "etc/modprobe.d/zzz.conf", "options kvm_amd nested=1\n")
        self.show()
        self.browser.click("#nested")
        self.browser.see("Another file or the kernel command line would win", "zzz.conf")
        self.assertFalse(self.browser.find("#dialog-do").is_enabled())

    def test_under_way(self):
        """It takes its time, and the page says so."""
        self.show()
        self.ask()
        self.close_gate()
        self.browser.click("#dialog-do")
        self.browser.see("This is being done…")
        self.assertFalse(self.browser.find("#dialog-do").is_enabled())
        self.wait_at_gate()()
        self.browser.see(OFF)


class Limited(Switching):
    """Without administrative access: polkit decides, the real one, and nobody is asked anything."""

    def test_denied(self):
        self.polkit(NO_RULES)
        self.show(AS_NOBODY)
        self.browser.see(ON, "You have limited access")
        self.ask()
        self.browser.click("#dialog-do")
        self.browser.see("You are not allowed to do this", "Turn on administrative access")
        self.picture("switch-denied")
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin(), self.calls()), ("1", [], []))

    def test_a_rule_allows_it(self):
        self.polkit(NOBODY_MAY)
        self.show(AS_NOBODY)
        self.ask()
        self.do()
        self.browser.see(OFF)
        self.assertEqual(self.value("kvm_amd", "nested"), "0")


class Others(Switching):
    def test_by_hand(self):
        """What modprobe does shows by itself, in every part of the page."""
        self.show()
        self.browser.see(ON)
        self.by_hand(nested=0)
        self.observer.call("Refresh", ("t", 0))  # udev tells of a load, and is not here
        self.browser.see(OFF)
        self.assertEqual(self.checked(), "false")

    def test_another_client(self):
        self.show()
        self.browser.see(ON)
        self.observer.set({"kvm_amd": {"nested": "0"}})
        self.browser.see(OFF)
        self.observer.set({"kvm_amd": {"nested": "1"}}, 4)
        self.browser.see("kvm_amd.nested will be on from the next boot on")


if __name__ == "__main__":
    main()
