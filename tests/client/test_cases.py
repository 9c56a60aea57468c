# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts as people have told of them. Each has beside it another host of the same kind, or one that
nearly is of it."""

import re
import shutil

from cases import AMD, INTEL, Case
from harness import FIXTURES
from tap import main


class BuiltIn(Case):
    """KVM is part of the kernel and found no hardware that it could use: its parameters are in
    sysfs all the same."""

    def dead(self, fixture, module, flag, *sure):
        self.begin(fixture)
        self.build_in("kvm", module)
        if flag:
            self.without(flag)
        for path in sure:
            (self.host / path).mkdir(parents=True)
        status = self.ctl("status").out
        self.assertIn("Nested: unavailable", status)
        self.ctl("status", "--quiet", status=3)
        found = self.findings(status=0 if flag else 3)
        self.assertEqual("firmware" in found and found["firmware"][0] == "pass", not flag)
        self.assertIn("init failed", found["nested"][1])
        self.assertEqual((found["vendor-module"][0], found["vendor-module"][2]), ("info" if flag else "fail", ""))
        self.assertNotIn("paging", found)
        return status

    def test_windows_subsystem_for_linux(self):
        self.assertIn("the hypervisor below (microsoft) does not offer vmx", self.dead("l1-hyperv", "kvm_intel", "vmx"))

    def test_amd_without_svm(self):
        self.assertIn("the kernel shows no svm of the CPU", self.dead(AMD, "kvm_amd", "svm"))

    def test_the_cpu_can_and_there_is_no_device(self):
        self.assertIn("did not start", self.dead(INTEL, "kvm_intel", None, "sys/class/misc"))

    def test_it_is_there(self):
        self.begin(INTEL)
        self.build_in("kvm", "kvm_intel")
        (self.host / "sys/class/misc/kvm").mkdir(parents=True)
        self.ctl("status", "--quiet")
        self.assertEqual(self.findings()["nested"][0], "pass")


class Below(Case):
    """What gives the machine what it lacks, in the words of the platform that is there."""

    def below(self, fixture, flag, files, *gone):
        self.begin(fixture)
        self.without(flag)
        self.remove("sys/module", *gone)
        for path, text in files.items():
            self.write(path, text)
        return self.findings()

    def test_google(self):
        found = self.below("l1-kvm-intel", "vmx", {"sys/class/dmi/id/sys_vendor": "Google\n"})
        self.assertIn("enableNestedVirtualization", found["below"][1])

    def test_amazon(self):
        found = self.below("l1-kvm-intel", "vmx", {"sys/class/dmi/id/sys_vendor": "Amazon EC2\n"})
        self.assertIn("NestedVirtualization=enabled", found["below"][1])

    def test_windows_subsystem_for_linux(self):
        found = self.below("l1-hyperv", "vmx", {"proc/sys/kernel/osrelease": "6.6.87-microsoft-standard-WSL2\n"})
        self.assertIn(".wslconfig", found["below"][1])
        self.assertNotIn("Set-VMProcessor", found["below"][1])

    def test_xen_control_domain(self):
        found = self.below(INTEL, "vmx", {"sys/hypervisor/type": "xen\n", "sys/hypervisor/guest_type": "PV\n",
                                          "proc/xen/capabilities": "control_d\n"}, "facts")
        self.assertNotIn("below", found)
        self.assertIn("control domain of Xen", found["level"][1])
        self.assertNotIn("inside a virtual machine", self.ctl("status").out)

    def test_xen_paravirtualized(self):
        cpuinfo = (FIXTURES / INTEL / "proc/cpuinfo").read_text()
        found = self.below(INTEL, "vmx", {"sys/hypervisor/type": "xen\n", "sys/hypervisor/guest_type": "PV\n",
                                          "proc/cpuinfo": re.sub(r"^(flags\s*:.*) vmx (.*)$", r"\1 \2 hypervisor", cpuinfo, flags=re.M)},
                           "facts")
        self.assertIn("paravirtualized guest of Xen can't", found["below"][1])


class Elsewhere(Case):
    """Where others than KVM's modules decide whether guests nest."""

    def status(self, nested, *said):
        text = self.ctl("status").out
        self.assertIn(f"Nested: {nested} (", text)
        for words in said:
            self.assertIn(words, " ".join(text.split()))
        self.ctl("status", "--quiet", status=0 if nested == "on" else 3)

    def test_a_guest_of_sev(self):
        self.begin("loadable")
        self.write("sys/devices/system/cpu/sev/vmpl", "0\n")
        found = self.findings()
        self.assertIn("SEV-SNP", found["below"][1])
        self.assertEqual((found["vendor-module"][0], found["vendor-module"][2]), ("info", ""))
        self.status("unavailable", "this is a confidential virtual machine (SEV-SNP), in which kvm_amd does not load")
        self.assertIn("confidential virtual machine (SEV-SNP)", self.ctl("reload", "--dry-run", status=6).err)

    def test_a_guest_that_is_not(self):
        self.begin("loadable")
        self.assertEqual(self.findings(status=3)["vendor-module"][2], "modprobe kvm_amd")

    def test_a_guest_of_tdx(self):
        self.begin("l1-kvm-intel")
        self.without("vmx")
        self.remove("sys/module")
        path = self.host / "proc/cpuinfo"
        path.write_text(path.read_text().replace(" hypervisor", " hypervisor tdx_guest"))
        found = self.findings()
        self.assertNotIn("nested=on", found["below"][1])
        self.status("unavailable", "(TDX), to which TDX gives no VMX")

    def test_guests_of_microsofts(self):
        self.begin("l1-hyperv")
        self.without("vmx")
        self.remove("sys/module")
        self.write("sys/class/misc/mshv/dev", "10:120\n")
        found = self.findings()
        self.assertNotIn("below", found)
        self.assertIn("nesting is asked for per guest", found["nested"][1])
        self.status("unavailable", "guests of this host run on Microsoft's hypervisor (/dev/mshv)")

    def test_a_guest_of_microsofts_with_kvm(self):
        self.begin("l1-hyperv")
        self.assertEqual(self.findings()["nested"][0], "pass")
        self.status("on", "kvm_intel.nested is on")

    def test_arm(self):
        self.begin("aarch64")
        self.status("off", "it takes kvm-arm.mode=nested there, a boot, Linux 6.16 and a CPU with FEAT_NV2")

    def test_arm_that_asks(self):
        self.begin("aarch64")
        self.write("proc/cmdline", "quiet kvm-arm.mode=nested\n")
        self.status("unknown", "is known after nestvirtctl check")

    def test_arm_that_nests(self):
        self.begin("aarch64")
        self.write("proc/cmdline", "quiet kvm-arm.mode=nested\n")
        self.write("facts/kvm-cap", "0x000000f0 0x0000000000000001\n")
        self.assertEqual(self.findings()["nested"][0], "pass")
        self.status("on", "KVM offers EL2 to guests")

    def test_arm_that_can_t(self):
        self.begin("aarch64")
        self.write("proc/cmdline", "quiet kvm-arm.mode=nested\n")
        self.write("facts/kvm-cap", "0x000000f0 0x0000000000000000\n")
        self.status("unavailable", "the CPU has no FEAT_NV2, or the kernel is older")


class Modules(Case):
    """Where the running kernel's modules are not where one would look."""

    def test_container(self):
        self.begin(AMD)
        self.write("run/systemd/container", "lxc\n")
        self.remove("lib/modules")
        found = self.findings()
        self.assertIn("This is a container (lxc", found["level"][1])
        self.assertNotIn("module-files", found)
        self.assertNotIn("apt-get", str(found))
        self.assertIn("This is a container (lxc) without modules", self.ctl("set", "nested=off", "--dry-run", status=6).err)

    def test_container_without_kvm(self):
        self.begin("loadable")
        self.write("run/systemd/container", "docker\n")
        self.remove("lib/modules")
        _, message, fix = self.findings(status=3)["vendor-module"]
        self.assertIn("on the host that runs it", message)
        self.assertEqual(fix, "")

    def test_nixos(self):
        self.begin(INTEL)
        (self.host / "run/booted-system/kernel-modules/lib").mkdir(parents=True)
        shutil.move(self.host / "lib/modules", self.host / "run/booted-system/kernel-modules/lib/modules")
        self.assertNotIn("module-files", self.findings())
        self.assertIn("load kvm_intel with", self.ctl("set", "nested=off", "--dry-run").out)

    def test_the_kernel_was_removed(self):
        self.begin(INTEL)
        self.remove("lib/modules")
        self.assertEqual(self.findings()["module-files"][0], "warn")
        self.ctl("set", "nested=off", "--dry-run", status=6)


class Obstacles(Case):
    """No remedy is named that would be refused, or that can't work."""

    def remedy(self, *files, fixture="loadable", status=0, **cmdline):
        self.begin(fixture)
        for path, text in files:
            self.write(path, text)
        for name, value in cmdline.items():
            self.write("proc/cmdline", f"quiet {name}={value}\n")
        found = self.findings(status=status)
        return {**found, "said": self.ctl("status").out}

    def switched_off(self, program):
        found = self.remedy(("etc/modprobe.d/mitigation.conf", f"# why\ninstall kvm_amd {program}\nblacklist kvm_amd\n"))
        self.assertEqual((found["vendor-module"][0], found["vendor-module"][2]), ("info", ""))
        self.assertIn("switched off on purpose at /etc/modprobe.d/mitigation.conf:2", found["vendor-module"][1])
        self.assertNotIn("nestvirtctl reload", found["said"])

    def test_switched_off_by_false(self):
        self.switched_off("/bin/false")

    def test_switched_off_by_true(self):
        self.switched_off("/usr/bin/true")

    def test_the_kernel_refuses(self):
        found = self.remedy(module_blacklist="kvm_amd")
        self.assertEqual((found["vendor-module"][0], found["vendor-module"][2]), ("info", ""))
        self.assertIn("module_blacklist=kvm_amd on the kernel command line", found["vendor-module"][1])
        self.assertIn("module_blacklist", self.ctl("reload", "--dry-run", status=6).err)

    def test_a_dash_means_nothing_to_the_kernel(self):
        self.assertEqual(self.remedy(module_blacklist="kvm-amd", status=3)["vendor-module"][2], "modprobe kvm_amd")

    def test_another_command(self):
        found = self.remedy(("etc/modprobe.d/x.conf", "install kvm_amd /sbin/modprobe -i kvm_amd; /bin/logger kvm\n"), status=3)
        self.assertEqual(found["vendor-module"][2], "")
        self.assertIn("x.conf:1", found["vendor-module"][1])

    def test_renamed(self):
        self.assertEqual(self.remedy(("etc/modprobe.d/x.conf", "alias kvm_amd off\n"), status=3)["vendor-module"][2],
                         "nestvirtctl reload")

    def test_an_option_that_the_kernel_refuses(self):
        self.assertEqual(self.remedy(("etc/modprobe.d/x.conf", "options kvm_amd nested=Y\n"), status=3)["vendor-module"][2], "")

    def test_a_softdep_makes_an_install_line_void(self):
        found = self.remedy(("etc/modprobe.d/x.conf", "install kvm_amd /bin/true\nsoftdep kvm_amd post: kvm\n"), status=3)
        self.assertNotIn("install-command", found)
        self.assertEqual(found["vendor-module"][2], "modprobe kvm_amd")
        self.assertIn("load kvm_amd", self.ctl("reload", "--dry-run").out)

    def test_a_softdep_of_nothing_does_not(self):
        found = self.remedy(("etc/modprobe.d/x.conf", "install kvm_amd /bin/true\nsoftdep kvm_amd post: nonesuch\n"))
        self.assertEqual(found["vendor-module"][2], "")

    def test_the_files_are_gone(self):
        self.begin(INTEL)
        self.remove("lib/modules")
        self.write("etc/modprobe.d/kvm.conf", "options kvm_intel nested=0\n")
        found = self.findings()
        self.assertEqual(found["parameter-differs"][2], "")
        self.assertNotIn("nestvirtctl reload", str(found) + self.ctl("status").out + self.ctl("show", "nested").out)

    def test_loaded_and_kept_from_it(self):
        found = self.remedy(("etc/modprobe.d/x.conf", "install kvm_intel /bin/false\noptions kvm_intel nested=0\n"), fixture=INTEL)
        self.assertEqual(found["parameter-differs"][2], "")
        self.assertIn("switched off on purpose at /etc/modprobe.d/x.conf:1", found["parameter-differs"][1])


if __name__ == "__main__":
    main()
