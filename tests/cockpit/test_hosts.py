# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts of all kinds, by the real daemon over the files of such a host: what the page says where
there is nothing to switch, and what it says else; findings, details, and the last probe."""

import shutil

from harness import FIXTURES, write
from pages import PageTest
from scene import probe_finds, probe_program
from tap import main

ON = "Guests started now can run virtual machines."
# Fixture; what is said; whether there is a switch.
HOSTS = [
    ("firmware-off-intel", ["Virtualization is switched off in the firmware", "VT-x", "systemctl reboot --firmware-setup"], False),
    ("firmware-off-amd", ["Virtualization is switched off in the firmware", "SVM Mode"], False),
    ("cloud-guest", ["This virtual machine is not given hardware virtualization", "The hypervisor below (amazon) decides"], False),
    ("loadable", ["The module kvm_amd is not loaded", "Load kvm_amd…"], False),
    ("builtin-kvm-pvm", ["This host has no KVM that can nest"], False),
    ("s390x", ["This host has no KVM that can nest"], False),
    ("aarch64", ["Guests started now cannot run virtual machines.", "On Arm the kernel command line decides"], False),
    ("l1-hyperv", [ON, "Inside a virtual machine (microsoft)"], True),
    ("intel-skylake-server", [ON, "On the hardware", "Xeon(R) Gold 6130"], True),
    ("ppc64le", [ON, "POWER9"], True),
]

class Special(PageTest):
    def look(self, fixture, texts, switch):
        self.start_real(fixture)
        self.show()
        self.browser.see(*texts)
        self.assertEqual(self.browser.run("return document.querySelector('#nested') !== null"), switch)
        self.picture(f"host-{fixture}")

    def test_microsofts_hypervisor(self):
        shutil.copytree(FIXTURES / "no-kvm", self.host, symlinks=True)
        write(self.host / "sys/class/misc/mshv/dev", "10:120\n")
        self.start_real("no-kvm")
        self.show()
        self.browser.see("Nested virtualization is not switched here", "Guests of this host run on Microsoft's hypervisor (/dev/mshv)")
        self.picture("host-mshv")

    def test_no_module(self):
        shutil.copytree(FIXTURES / "loadable", self.host, symlinks=True)
        shutil.rmtree(self.host / "lib/modules")
        self.start_real("loadable")
        self.show()
        self.browser.see("This host has no KVM that can nest")

    def test_loaded_by_the_button(self):
        self.start_fake()
        self.show()
        self.browser.see(ON)
        for module in ("kvm_amd", "kvm"):
            shutil.rmtree(self.host / "sys/module" / module)
        self.client().call("Refresh", ("t", 0))
        self.browser.click("#load")
        self.browser.await_("document.querySelector('#dialog-do:enabled')", "a plan")
        self.browser.click("#dialog-do")
        self.browser.see(ON)


for row in HOSTS:
    setattr(Special, f"test_{row[0].replace('-', '_')}", lambda self, row=row: self.look(*row))


class Findings(PageTest):
    def test_copied(self):
        self.start_fake()
        self.show()
        self.browser.command("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
        self.assertEqual(self.browser.text("#findings .fail code"), "nestvirtctl ensure-device")
        self.browser.click("#copy-0")
        self.browser.see("Copied")
        self.assertEqual(self.browser.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])"),
                         "nestvirtctl ensure-device")

    def test_worst_first_and_again(self):
        self.start_fake()
        write(self.host / "etc/modprobe.d/a.conf", "options kvm_amd nested=maybe\n")
        self.show()
        found = self.browser.run("return [...document.querySelectorAll('.findings > li')].map(item => item.className)")
        self.assertEqual(found, sorted(found, key=["fail", "warn", "info"].index))
        self.assertIn("warn", found)
        (self.host / "etc/modprobe.d/a.conf").unlink()
        self.browser.click("#check")
        self.browser.await_("!document.querySelector('.findings .warn')", "be without the warning")

    def test_details(self):
        """Each with its source, and why."""
        self.start_real("l1-hyperv")
        self.show()
        self.browser.click("#details-summary")
        self.browser.see("enable_shadow_vmcs", "lacks shadow_vmcs", "kvm_intel (loaded)", "default")
        self.picture("details")


class Probe(PageTest):
    def test_table_and_picture(self):
        self.start_fake(probe_program(self))
        probe_finds(self)
        self.show()
        self.browser.see("It has not been tried since the boot.")
        self.browser.click("#run-probe")
        self.browser.see("Nested virtualization works: a guest of a guest ran", "Probed at", "Exits to the host")
        rows = [line.split("\t") for line in self.browser.text("#probe tbody").splitlines()]
        self.assertEqual(rows[-1], ["16 processes with 64 such faults each", "1", "6179", "259"])
        bars = self.browser.run("return [...document.querySelectorAll('.bar')].map(bar => Number(bar.getAttribute('width')))")
        self.assertEqual(sorted(bars), [bars[0], bars[2], bars[1]])
        self.assertIn("shadow-on-npt 6179", self.browser.find("#probe svg").get_attribute("aria-label"))
        self.picture("probe")
        # As a module is that was loaded again: the folder is another.
        parameters = self.host / "sys/module/kvm_amd/parameters"
        parameters.rename(parameters.with_name("gone"))
        shutil.copytree(parameters.with_name("gone"), parameters)
        self.client().call("Refresh", ("t", 0))
        self.browser.see("The modules have been loaded again since")

    def test_impossible(self):
        self.start_real("amd-epyc-6.1")
        self.show()
        self.browser.click("#run-probe")
        self.browser.await_("document.querySelector('#probe .notice.danger')", "an error")


if __name__ == "__main__":
    main()
