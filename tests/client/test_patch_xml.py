# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirtctl patch-xml as a filter: what it reads, what it prints, how it ends. What the edits do
is tested where the editor is."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from ctl import NESTVIRTCTL, NOWHERE, Result, environment, run_on_terminal
from harness import without_libgit2
from tap import main

GUEST = """<domain type='kvm'>
  <name>web\u00e91</name>
  <memory unit='GiB'>1</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64'>hvm</type>
  </os>
  <cpu mode='host-passthrough'/>
</domain>
"""
WITH_ARGUMENTS = GUEST.replace("'kvm'", "'kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'").replace(
    "</domain>", "  <qemu:commandline>\n    <qemu:arg value='-cpu'/>\n    <qemu:arg value='host,+vmx'/>\n  </qemu:commandline>\n</domain>")
OFF = GUEST.replace("'host-passthrough'/>", "'host-passthrough'>\n    <feature policy='disable' name='svm'/>\n  </cpu>")
EPYC = GUEST.replace("'host-passthrough'/>", "'custom'>\n    <model>EPYC</model>\n  </cpu>")
AMD = ["--vendor=amd"]
INVALID, UNSUPPORTED = "org.nestvirt1.Error.InvalidArgs", "org.nestvirt1.Error.Unsupported"


def setUpModule():
    # A client that knows from its arguments that it will fail does not read its input.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def patch(*arguments, text=GUEST, program=NESTVIRTCTL, **keywords):
    data = text if isinstance(text, bytes) else text.encode()
    result = subprocess.run([program, "patch-xml", *arguments], input=data, env=environment(NOWHERE, {}), capture_output=True,
                            timeout=60, check=False, **keywords)
    return Result(result.returncode, result.stdout.decode(), result.stderr.decode())


class Filter(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "guest.xml"
        self.file.write_text(GUEST, encoding="utf-8")

    def printed(self, expected, *arguments, **keywords):
        result = patch(*arguments, **keywords)
        self.assertEqual((result.status, result.out, result.err), (0, expected, ""), result)

    def test_from_standard_input(self):
        self.printed(OFF, "--nested=no", *AMD)
        self.printed(OFF, "--nested=no", *AMD, "-")

    def test_from_a_file_which_stays_as_it_is(self):
        self.printed(OFF, str(self.file), "--nested=off", *AMD, text="")
        self.assertEqual(self.file.read_text(encoding="utf-8"), GUEST)

    def test_nothing_to_be_done_is_the_same_text(self):
        odd = GUEST.replace("\n", "\r\n").replace("'kvm'", '"kvm"') + "<!-- end -->"
        self.printed(odd, "--nested=yes", *AMD, text=odd)

    def test_in_a_pipeline(self):
        command = f'cat {self.file} | "$0" patch-xml --nested=no --vendor=amd | "$0" patch-xml --nested=yes --vendor=amd | grep policy'
        said = subprocess.run(["bash", "-o", "pipefail", "-c", command, NESTVIRTCTL], env=environment(NOWHERE, {}), check=True, text=True,
                              capture_output=True)
        self.assertEqual((said.stdout, said.stderr), ("    <feature policy='require' name='svm'/>\n", ""))

    def test_words_for_yes_and_no(self):
        for word in ("no", "off", "FALSE", "0", "n"):
            self.printed(OFF, f"--nested={word}", *AMD)
        for word in ("yes", "On", "true", "1", "Y"):
            self.printed(GUEST, f"--nested={word}", *AMD)

    def test_mode_and_recipe_together(self):
        result = patch("--mode=host-model", "--recipe=proxmox", *AMD)
        self.assertIn("<cpu mode='host-model'>\n    <feature policy='require' name='svm'/>\n  </cpu>", result.out)
        self.assertIn("<memory unit='GiB'>2</memory>", result.out)

    def test_the_vendor_is_that_of_this_machine(self):
        vendor = re.search(r"^vendor_id\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
        feature = {"GenuineIntel": "vmx", "AuthenticAMD": "svm"}[vendor.group(1)]
        self.assertIn(f"name='{feature}'", patch("--nested=no").out)
        # None is needed where none is asked about.
        self.assertIn("host-model", patch("--mode=host-model").out)

    def test_names_of_vendors(self):
        for vendors, feature in ((("intel", "GenuineIntel", "zhaoxin", "CentaurHauls"), "vmx"), (("amd", "AuthenticAMD", "Hygon", "HygonGenuine"), "svm")):
            for vendor in vendors:
                self.assertIn(f"<feature policy='disable' name='{feature}'/>", patch("--nested=no", f"--vendor={vendor}").out)
        self.assertIn("hygon or zhaoxin", patch("--nested=no", "--vendor=via").err)

    def test_the_vendor_is_the_guest_s_before_it_is_the_machine_s(self):
        named = "    <feature name='vmx' policy='{}'/>\n    <feature name='svm' policy='{}'/>\n"
        for inside, vmx, svm in (("<model>EPYC</model>\n    <vendor>AMD</vendor>", "optional", "disable"), ("<model>EPYC-Rome</model>", "optional", "disable"),
                                 ("<model>Haswell</model>", "disable", "disable"), ("<model>kvm64</model>\n    <vendor>Intel</vendor>", "disable", "optional")):
            before, after = (GUEST.replace("'host-passthrough'/>", f"'custom' match='exact'>\n    {inside}\n{named.format(*policies)}  </cpu>")
                             for policies in (("optional", "optional"), (vmx, svm)))
            self.printed(after, "--nested=no", text=before)
        self.assertIn("name='svm'/>", patch("--nested=yes", "--model=EPYC").out)
        self.assertIn("<feature policy='require' name='svm'/>", patch("--recipe=kvm", text=GUEST.replace(
            "'host-passthrough'/>", "'custom'>\n    <model>EPYC</model>\n  </cpu>")).out)

    def test_json(self):
        result = patch("--nested=no", *AMD, "--json=short")
        self.assertEqual((result.status, result.err, result.out.count("\n")), (0, "", 1))
        self.assertEqual(result.json, {"changed": True, "steps": ["disable svm"], "advice": [], "xml": OFF})
        result = patch("--recipe=esxi", "-j", *AMD).json
        self.assertIn("raise the memory to 8192 MiB (was 1024 MiB)", result["steps"])
        self.assertIn("kvm.ignore_msrs=on", result["advice"][0])
        self.assertFalse(patch("--nested=yes", "-j", *AMD).json["changed"])

    def test_a_dry_run_shows_the_difference(self):
        result = patch("--nested=no", "--dry-run", *AMD, str(self.file))
        self.assertEqual((result.status, result.err), (0, ""), result)
        steps, _, diff = result.out.partition(f"--- {self.file}\n+++ {self.file}\n@@")
        self.assertEqual(steps, "disable svm\n")
        changed = [line for line in diff.splitlines() if line[:1] in "+-" and line[:1]]
        self.assertEqual(changed, ["-  <cpu mode='host-passthrough'/>", "+  <cpu mode='host-passthrough'>",
                                   "+    <feature policy='disable' name='svm'/>", "+  </cpu>"])
        shown = patch("--nested=no", "--dry-run", *AMD, "--json=short").json
        self.assertEqual((shown["changed"], "xml" in shown, diff in shown["diff"]), (True, False, True))
        self.assertEqual(patch("--nested=yes", "--dry-run", *AMD, "--json=short").json["diff"], "")

    def test_a_dry_run_without_libgit2(self):
        """All but the difference is told, and in its place why it is not."""
        program, version = without_libgit2(self.folder, NESTVIRTCTL)
        for name in ("nestvirtctl-xml.so", "nestvirtctl-json.so"):
            shutil.copy(pathlib.Path(NESTVIRTCTL).with_name(name), self.folder)
        result = patch("--nested=no", "--dry-run", *AMD, program=program)
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertRegex(result.out, rf"^disable svm\nNo difference can be shown: libgit2, .* is missing .*libgit2-{version}\b.*\n$")
        shown = patch("--nested=no", "--dry-run", *AMD, "--json=short", program=program).json
        self.assertEqual((shown["changed"], shown["steps"], shown["diff"]), (True, ["disable svm"], ""))
        self.assertIn(f"libgit2-{version}", shown["diff_missing"])
        shown = patch("--nested=yes", "--dry-run", *AMD, "--json=short", program=program).json
        self.assertEqual((shown["changed"], shown["diff"], "diff_missing" in shown), (False, "", False))
        self.printed(OFF, "--nested=no", *AMD, program=program)

    def test_quiet_prints_nothing(self):
        self.printed("", "--quiet", "--nested=no", *AMD)
        self.assertEqual(patch("--quiet", "--nested=no", *AMD, text="").status, 2)

    def test_neither_bus_nor_libvirt_is_needed(self):
        libraries = subprocess.run(["ldd", NESTVIRTCTL], check=True, capture_output=True, text=True).stdout
        self.assertNotRegex(libraries, "libxml2|libgit2|libvirt")
        libraries = subprocess.run(["ldd", os.environ["NESTVIRTD"]], check=True, capture_output=True, text=True).stdout
        self.assertNotRegex(libraries, "libxml2|libgit2|libvirt")

    def test_on_a_terminal_nothing_is_a_control_sequence(self):
        self.file.write_text(GUEST.replace("web", "\u009b31m"), encoding="utf-8")
        result = run_on_terminal("patch-xml", str(self.file), "--nested=no", *AMD, address=NOWHERE)
        self.assertEqual(result.status, 0)
        self.assertNotIn("\u009b", result.out)
        self.assertIn("\\x9b31m", result.out)


class Failures(unittest.TestCase):
    cases = [
        ("", ["--nested=no", *AMD], 2, INVALID, "the input is empty"),
        ("frob", ["--nested=no", *AMD], 2, INVALID, "not XML"),
        (b"<domain>\xff</domain>", ["--nested=no", *AMD], 2, INVALID, "not in UTF-8"),
        (b"<domain>\0</domain>", ["--nested=no", *AMD], 2, INVALID, "zero byte"),
        ("<domain/>\n<domain/>", ["--nested=no", *AMD], 2, INVALID, "--print-xml=1"),
        ("<!DOCTYPE d [<!ENTITY a SYSTEM '/etc/passwd'>]><domain>&a;</domain>", ["--nested=no", *AMD], 2, INVALID, "document type"),
        ("<domain>" + " " * 4 * 1024 * 1024 + "</domain>", ["--nested=no", *AMD], 2, INVALID, "4 MiB"),
        (GUEST, ["--mode=frob"], 2, INVALID, "host-model, host-passthrough"),
        (GUEST, ["--mode=custom"], 2, INVALID, "needs a CPU model"),
        (GUEST, ["--mode=host-model", "--model=EPYC"], 2, INVALID, "custom only"),
        (GUEST, ["--recipe=frob", *AMD], 2, INVALID, "there are esxi, hyperv, kvm, proxmox"),
        (GUEST, ["--recipe=esxi", "--release=1", *AMD], 2, INVALID, "it knows 9.0"),
        (EPYC, ["--nested=no", "--vendor=intel"], 6, UNSUPPORTED, "made for AMD's CPUs (its model is EPYC)"),
        (EPYC, ["--recipe=kvm", "--vendor=zhaoxin"], 6, UNSUPPORTED, "made for AMD's CPUs (its model is EPYC)"),
        (OFF.replace("disable", "require"), ["--nested=yes", "--vendor=intel"], 6, UNSUPPORTED, "requires svm, which only AMD's CPUs have"),
        (GUEST.replace("x86_64", "i686"), ["--nested=yes", *AMD], 6, UNSUPPORTED, "must be 64-bit"),
        (GUEST.replace("x86_64", "i686"), ["--recipe=esxi", *AMD], 6, UNSUPPORTED, "must be 64-bit"),
        (GUEST.replace("</domain>", "  <launchSecurity type='sev'/>\n</domain>"), ["--nested=yes", *AMD], 6, UNSUPPORTED, "Its memory is encrypted"),
        (GUEST.replace("</domain>", "  <launchSecurity type='tdx'/>\n</domain>"), ["--recipe=kvm", "--vendor=intel"], 6, UNSUPPORTED,
         "the TDX module gives it no vmx"),
        (GUEST.replace("x86_64", "aarch64"), ["--nested=yes", *AMD], 6, UNSUPPORTED, "aarch64"),
        (GUEST.replace("'kvm'", "'qemu'"), ["--nested=yes", "--vendor=intel"], 6, UNSUPPORTED, "type='kvm'"),
        (WITH_ARGUMENTS, ["--nested=no", *AMD], 6, UNSUPPORTED, "QEMU takes the last one"),
        (WITH_ARGUMENTS, ["--mode=host-model"], 6, UNSUPPORTED, "QEMU takes the last one"),
        (WITH_ARGUMENTS, ["--recipe=kvm", *AMD], 6, UNSUPPORTED, "QEMU takes the last one"),
        (WITH_ARGUMENTS.replace("-cpu", "-global").replace("host,+vmx", "host-x86_64-cpu.vmx=on"), ["--nested=no", *AMD], 6, UNSUPPORTED,
         "-global for the CPU"),
        (GUEST.replace("  <cpu", "  <vcpus/>\n  <cpu"), ["--recipe=hyperv", *AMD], 6, UNSUPPORTED, "by hand"),
    ]

    def test_for_people(self):
        for text, arguments, status, _, words in self.cases:
            with self.subTest(arguments=arguments, words=words):
                result = patch(*arguments, text=text)
                self.assertEqual((result.status, result.out), (status, ""), result)
                self.assertRegex(result.err, r"^Cannot patch the XML: [^\n]*\n$")
                self.assertIn(words, result.err)

    def test_as_json(self):
        for text, arguments, status, name, words in self.cases:
            with self.subTest(arguments=arguments, words=words):
                result = patch(*arguments, "--json=short", text=text)
                self.assertEqual((result.status, result.err), (status, ""), result)
                self.assertEqual(result.json["error"]["name"], name)
                self.assertIn(words, result.json["error"]["message"])

    def test_files_that_can_t_be_read(self):
        for path, words in (("/nonexistent/file", "No such file"), ("/", "Is a directory")):
            with self.subTest(path):
                result = patch(path, "--nested=no", *AMD)
                self.assertEqual((result.status, result.out), (1, ""), result)
                self.assertRegex(result.err, f"^Cannot patch the XML: {path} can't be read: {words}")

    def test_standard_input_that_is_closed(self):
        result = subprocess.run(["bash", "-c", '"$0" patch-xml --nested=no --vendor=amd <&-', NESTVIRTCTL], env=environment(NOWHERE, {}),
                                capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("Standard input can't be read", result.stderr)

    def test_an_input_without_end_is_not_read_to_its_end(self):
        with open("/dev/zero", "rb") as endless:
            result = subprocess.run([NESTVIRTCTL, "patch-xml", "--nested=no"], stdin=endless, env=environment(NOWHERE, {}),
                                    capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(result.returncode, 2)

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run([NESTVIRTCTL, "patch-xml", "--nested=no", *AMD], input=GUEST, env=environment(NOWHERE, {}), stdout=full,
                                    stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("No space left on device", result.stderr)

    def test_without_the_module(self):
        with tempfile.TemporaryDirectory() as folder:
            alone = shutil.copy(NESTVIRTCTL, folder)
            result = patch("--nested=no", *AMD, program=alone)
        self.assertEqual((result.status, result.out), (1, ""), result)
        self.assertIn("nestvirtctl-xml.so", result.err)


if __name__ == "__main__":
    main()
