# SPDX-License-Identifier: LGPL-2.1-or-later
"""What people have configured that does nothing, or something else than they meant: hosts as they
have told of them. Each has beside it another one of the same kind, or one that nearly is of it."""

import ctypes
import os

from cases import AMD, INTEL, Case
from harness import write
from tap import main


class Idle(Case):
    """Configuration that does nothing, or another thing than was meant, is told, and why."""

    def lines(self, fixture, path, text, status=0):
        self.begin(fixture)
        self.write(path, text)
        return self.findings(status=status)

    def test_the_guide_for_intel_followed_on_amd(self):
        found = self.lines(AMD, "etc/modprobe.d/kvm-nested.conf", "options kvm-intel nested=1\noptions kvm-intel enable_shadow_vmcs=1\n"
                           "options kvm-intel enable_apicv=1\noptions kvm-intel ept=1\n")
        self.assertEqual((found["other-vendor"][0], found["other-vendor"][2]), ("info", ""))
        self.assertIn("kvm-nested.conf:1 sets nested, enable_shadow_vmcs, enable_apicv, ept of kvm_intel", found["other-vendor"][1])

    def test_a_mitigation_of_the_other_vendor(self):
        found = self.lines(AMD, "etc/modprobe.d/mitigation.conf", "options kvm_intel nested=0\n")
        self.assertEqual((found["other-vendor"][0], found["other-vendor"][2]), ("warn", "nestvirtctl set nested=off"))
        self.assertIn("Here it takes kvm_amd.nested, which is on", found["other-vendor"][1])

    def test_the_guide_for_amd_followed_on_intel(self):
        found = self.lines(INTEL, "etc/modprobe.d/kvm.conf", "options kvm_amd nested=0 npt=1\n")
        self.assertEqual(found["other-vendor"][2], "nestvirtctl set nested=off")

    def test_a_file_for_both_vendors(self):
        self.assertNotIn("other-vendor", self.lines(AMD, "etc/modprobe.d/kvm.conf", "options kvm_intel nested=1\noptions kvm_amd nested=1\n"))

    def test_nested_said_of_kvm(self):
        found = self.lines(INTEL, "etc/modprobe.d/kvm.conf", "options kvm nested=1\n")
        self.assertIn('kvm of this kernel has no parameter "nested" and ignores it (/etc/modprobe.d/kvm.conf:1): it is one of kvm_intel',
                      found["parameter-unknown"][1])

    def test_nested_taken_from_kvm(self):
        found = self.lines(AMD, "etc/modprobe.d/kvm.conf", "options kvm nested=0\n")
        self.assertEqual(found["parameter-unknown"][2], "nestvirtctl set nested=off")

    def test_lines_that_modprobe_does_not_see(self):
        self.lines(INTEL, "etc/modprobe.d/kvm.conf", "kvm_intel nested=1\noption kvm_intel nested=1\noptions kvm_intel.nested=1\n"
                   "options kvm_intel nested = 0\n")
        said = self.ctl("check").out
        for line in range(1, 5):
            self.assertIn(f"/etc/modprobe.d/kvm.conf:{line}", said)
        self.assertIn('kvm_intel is given "nested" alone, which switches it on', said)
        self.assertIn("nestvirtctl set nested=off", said)

    def test_blanks_that_keep_the_module_from_being_loaded(self):
        found = self.lines(AMD, "etc/modprobe.d/kvm.conf", "options kvm_amd nested = 0\n")
        self.assertIn('the kernel refuses to load kvm_amd: write nested=0 there, without blanks around the "="', found["parameter-refused"][1])
        self.assertNotIn("parameter-unknown", found)

    def test_a_comment_after_the_options(self):
        found = self.lines(AMD, "etc/modprobe.d/kvm.conf", "options kvm_amd nested=1 # off for now\n")
        self.assertIn("modprobe.d has no comments after an option", found["parameter-unknown"][1])
        self.assertEqual(self.ctl("check").out.count("parameter-unknown"), 1)

    def test_a_file_without_conf(self):
        found = self.lines(INTEL, "etc/modprobe.d/kvm", "options kvm_intel nested=0\n")
        self.assertIn("/etc/modprobe.d/kvm is not read, as its name does not end in .conf", found["modprobe-line"][1])
        self.assertEqual(found["modprobe-line"][2], "nestvirtctl set nested=off")

    def test_a_file_put_aside(self):
        self.assertNotIn("modprobe-line", self.lines(INTEL, "etc/modprobe.d/kvm.conf.bak", "options kvm_intel nested=0\n"))

    def test_options_where_only_names_belong(self):
        found = self.lines(INTEL, "etc/modules-load.d/kvm.conf", "kvm\nkvm_intel nested=0\n")
        self.assertIn("/etc/modules-load.d/kvm.conf:2", found["modules-load"][1])
        self.assertEqual(found["modules-load"][2], "nestvirtctl set nested=off")

    def test_names_where_names_belong(self):
        self.assertNotIn("modules-load", self.lines(INTEL, "etc/modules-load.d/kvm.conf", "kvm\nkvm_intel\n"))


class OwnFile(Case):
    """Somebody else has been at what is ours."""

    PATH = "etc/modprobe.d/zz-nestvirt.conf"

    def ours(self, text):
        self.begin(AMD)
        self.write(self.PATH, text)

    def test_commented_out_by_a_role(self):
        self.ours("# Written by nestvirtd: what was set with nestvirtctl or over D-Bus.\n\n#options kvm_amd nested=0\n")
        found = self.findings()["own-file"]
        self.assertEqual(found[0], "warn")
        self.assertIn(f"/{self.PATH}:3 is commented out", found[1])
        self.ctl("reset", "--next-boot")
        self.assertFalse((self.host / self.PATH).exists())
        self.assertNotIn("own-file", self.findings())

    def test_commented_out_and_set_anew(self):
        self.ours("#options kvm_amd npt=0\n")
        self.assertIn("own-file", self.findings())
        self.ctl("set", "npt=on", "--next-boot")
        self.assertNotIn("own-file", self.findings())

    def test_a_value_was_changed(self):
        self.begin(AMD)
        self.ctl("set", "nested=off", "--next-boot")
        self.assertNotIn("own-file", self.findings())
        path = self.host / self.PATH
        path.write_text(path.read_text().replace("nested=0", "nested=1"))
        self.assertIn(f"/{self.PATH}:3 says nested=1, where nestvirtctl had set nested=off", self.findings()["own-file"][1])
        self.ctl("set", "nested=off", "--next-boot")
        self.assertNotIn("own-file", self.findings())

    def test_what_is_no_comment_stays(self):
        self.ours("# mine\nblacklist x\noptions kvm_amd nested=0\n")
        self.ctl("reset", "--next-boot")
        self.assertTrue((self.host / self.PATH).read_text().endswith("# mine\nblacklist x\n"))


class Library(Case):
    """What modprobe.d says is as the libkmod that runs reads it: before 33 a link to nowhere hides
    what has its name in another folder, and *.alias are read."""

    OLD = not hasattr(ctypes.CDLL("libkmod.so.2"), "kmod_config_get_weakdeps")

    def test_a_link_to_nowhere(self):
        self.begin(AMD)
        self.write("usr/lib/modprobe.d/x.conf", "options kvm_amd nested=0\n")
        (self.host / "etc/modprobe.d").mkdir(parents=True, exist_ok=True)
        (self.host / "etc/modprobe.d/x.conf").symlink_to("/nowhere")
        found = self.findings()
        self.assertEqual("parameter-differs" in found, not self.OLD, found)
        self.assertIn("/etc/modprobe.d/x.conf: the link is not looked at", found["modprobe-line"][1])

    def test_a_file_of_aliases(self):
        self.begin(AMD)
        self.write("etc/modprobe.d/x.alias", "options kvm_amd nested=0\n")
        found = self.findings()
        self.assertEqual("parameter-differs" in found, self.OLD, found)
        self.assertEqual("modprobe-line" in found, not self.OLD, found)


class Words(Case):
    """What is told of a line is so."""

    def told(self, fixture, path, text):
        self.begin(fixture)
        self.write(path, text)
        return self.findings()

    def test_the_kernel_command_line_is_there_before_every_load(self):
        message = self.told(INTEL, "proc/cmdline", "quiet kvm-intel.nested=0\n")["parameter-differs"][1]
        self.assertNotIn("loaded before", message)
        self.assertIn("with another value by hand", message)

    def test_it_does_not_win_over_itself(self):
        message = self.told(AMD, "proc/cmdline", "kvm_amd.nested=0 kvm_amd.nested=1\n")["parameter-overridden"][1]
        self.assertIn("said more than once by the kernel command line", message)
        self.assertNotIn("wins over", message)

    def test_a_file_in_etc_is_no_distributions(self):
        self.assertNotIn("distribution", str(self.told(INTEL, "etc/modprobe.d/dist.conf", "options kvm-intel nested=0\n")))

    def test_a_file_in_usr_lib_is(self):
        self.assertIn("comes with the distribution", str(self.told(INTEL, "usr/lib/modprobe.d/dist.conf", "options kvm-intel nested=0\n")))


class Initramfs(Case):
    def image(self, modules, option):
        self.begin(AMD)
        release = next((self.host / "lib/modules").iterdir()).name
        self.write("etc/initramfs-tools/modules", modules)
        self.write(f"boot/initrd.img-{release}", "x")
        os.utime(self.host / f"boot/initrd.img-{release}", (1.7e9, 1.7e9))
        self.write("etc/modprobe.d/kvm.conf", option)
        return self.findings()

    def test_the_other_vendor_is_listed(self):
        self.assertNotIn("initramfs", self.image("aesni-intel\nkvm-intel\n", "options kvm_amd nested=1\n"))

    def test_ours_is_listed(self):
        self.assertEqual(self.image("kvm-amd\n", "options kvm_amd nested=1\n")["initramfs"][0], "warn")


if __name__ == "__main__":
    main()
