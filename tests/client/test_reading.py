# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verbs that read: what they print of real hosts' files, and that JSON has what the bus has,
under the names it should have."""

import json
import os
import re
import shutil
import unittest

from clients import ERROR, MODULE, NOBODY, Failure, module_path
from ctl import copy_for_others, run, script
from daemon import FakeDaemon, entry, manager, module, variants
from harness import FIXTURES, BusTest, write
from tap import main

ENTRY = {"module", "kind", "choices", "value", "effective", "configured", "default", "source", "overridden", "pending",
         "supported", "reason", "writable", "description"}
HOST = {"version", "vendor", "cpu_model", "features", "firmware", "level", "hypervisor", "nested", "nested_reason", "mmu", "device", "probe_result",
        "desired", "drift", "desired_error"}


def snake(name):
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


class Reading(BusTest):
    def ctl(self, *arguments, **keywords):
        return run(*arguments, address=self.bus.address, **keywords)

    def json(self, *arguments, status=0):
        result = self.ctl("--json=short", *arguments)
        self.assertEqual((result.status, result.err), (status, ""), result)
        self.assertEqual(result.out.count("\n"), 1)
        return result.json

    def configure(self, line):
        """An administrator's own file."""
        write(self.host / "etc/modprobe.d/mine.conf", line + "\n")
        self.client().call("Refresh", ("t", 0))

    def text(self, *arguments, status=0):
        result = self.ctl(*arguments)
        self.assertEqual((result.status, result.err), (status, ""), result)
        self.assertNotIn("\x1b", result.out)
        for line in result.out.splitlines():
            self.assertEqual(line, line.rstrip())
        return result.out


class Status(Reading):
    def test_json_is_what_the_bus_has(self):
        for fixture in sorted(path.name for path in FIXTURES.iterdir() if (path / "proc").is_dir()):
            with self.subTest(fixture):
                daemon = self.start_real(fixture)
                caller, status = self.client(), self.json("status")
                self.assertEqual(set(status), HOST | {"modules", "guests"})
                for name, value in caller.get_all().items():
                    self.assertEqual(status[snake(name)], value)
                self.assertIn("kvm", [m["name"] for m in status["modules"]])
                for shown in status["modules"]:
                    there = caller.get_all(MODULE, module_path(shown["name"]))
                    self.assertEqual(shown, {snake(name): value for name, value in there.items() if name != "Parameters"} | {
                        "parameters": {name: {snake(key): value for key, value in parameter.items()}
                                       for name, parameter in there["Parameters"].items()}})
                self.stop(daemon)
                caller.close()
                shutil.rmtree(self.host)

    def test_the_default_verb(self):
        self.start_real("amd-epyc-6.1")
        self.assertEqual(self.text(), self.text("status"))

    def test_one_screen(self):
        self.start_real("amd-epyc-6.1")
        text = self.text()
        self.assertRegex(text, r"(?m)^ +Host: AMD EPYC Processor, inside a virtual machine")
        self.assertRegex(text, r"(?m)^ +Nested: on \(kvm_amd\.nested is on\)$")
        self.assertRegex(text, r"(?m)^ +Paging: NPT$")
        self.assertRegex(text, r"(?m)^ +Modules: kvm_amd live; kvm live$")
        self.assertRegex(text, r"(?m)^PARAMETER +EFFECTIVE +CONFIGURED +SOURCE\n")
        self.assertRegex(text, r"(?m)^npt +on +default \(on\) +-$")
        self.assertLess(len(text.splitlines()), 24)

    def test_columns_are_aligned(self):
        self.start_fake()
        self.configure("options kvm_amd nested=0")
        table = self.text().partition("\n\n")[2].splitlines()
        rows = [line for line in table if not line.startswith("  ")]
        self.assertRegex("\n".join(rows), r"(?m)^nested +on +off +/etc/modprobe.d/mine.conf:1$")
        for heading in ("EFFECTIVE", "CONFIGURED", "SOURCE"):
            column = rows[0].index(heading)
            for row in rows[1:]:
                self.assertRegex(row[column - 2:column + 1], r"^  \S$", row)

    def test_why_not(self):
        cases = [
            (manager(Nested="unavailable", Vendor=""), [module("kvm")], "neither Intel's nor AMD's"),
            (manager(Nested="unavailable", Features=[]), [module("kvm"), module("kvm_amd", state="missing")], "shows no svm"),
            (manager(Nested="unavailable", Features=[], Firmware="none"), [module("kvm")], "the CPU has no svm"),
            (manager(Nested="unavailable", Features=[], Firmware="off"), [module("kvm")], "the firmware has svm switched off"),
            (manager(Nested="unavailable", Firmware="off", Hypervisor="xen"), [module("kvm")], "firmware of this virtual machine"),
            (manager(Nested="unavailable", Features=[], Hypervisor="xen"), [module("kvm")], r"the hypervisor below \(xen\)"),
            (manager(Nested="unavailable"), [module("kvm"), module("kvm_amd", state="loadable")], "kvm_amd is not loaded"),
            (manager(Nested="unavailable"), [module("kvm"), module("kvm_amd", state="missing")], "no module kvm_amd"),
            (manager(Nested="unavailable"), [module("kvm"), module("kvm_pvm", state="builtin")], "kvm_pvm, the KVM module"),
            (manager(Nested="off"), [module("kvm"), module("kvm_amd", ["nested"])], "kvm_amd.nested is off"),
            (manager(Nested="unknown"), [module("kvm"), module("kvm_amd", {"nested": entry(Reason="It is odd")})], "It is odd"),
        ]
        for host, modules, words in cases:
            with self.subTest(words):
                daemon = FakeDaemon(self.bus.address, host, modules)
                self.assertRegex(self.text(), rf"(?m)^ +Nested: {host['Nested'].unpack()} \(.*{words}.*\)$")
                daemon.close()

    def test_paging_in_words(self):
        for vendor, mmu, words in (
                ("intel", "tdp", "EPT"), ("amd", "tdp", "NPT"), ("", "tdp", "two-dimensional paging"), ("intel", "shadow", "shadow paging"),
                ("amd", "shadow", "shadow paging"), ("amd", "other", "other"), ("amd", "", None)):
            with self.subTest(vendor=vendor, mmu=mmu):
                daemon = FakeDaemon(self.bus.address, manager(Vendor=vendor, Mmu=mmu))
                self.assertEqual(re.findall(r"(?m)^ +Paging: (.*)$", self.text()), [words] if words else [])
                self.assertEqual(self.json("status")["mmu"], mmu)
                daemon.close()

    def test_quiet_says_it_by_the_exit_status(self):
        for nested, status in (("on", 0), ("off", 3), ("unavailable", 3), ("unknown", 3)):
            with self.subTest(nested):
                daemon = FakeDaemon(self.bus.address, manager(Nested=nested))
                for options in (["--quiet"], ["-q", "-j"]):
                    result = self.ctl("status", *options)
                    self.assertEqual((result.status, result.out, result.err), (status, "", ""))
                daemon.close()

    def test_only_what_is_shown_is_asked_for(self):
        """Guests are counted by their short list; all that is known of them is for programs."""
        daemon = FakeDaemon(self.bus.address, answers=dict.fromkeys(("ListUsers", "Check"), lambda request: ("aa{sv}", [])))
        self.addCleanup(daemon.close)
        host = ["GetAll", "Introspect", "GetAll", "GetAll"]
        for words, asked in ((["status"], [*host, "ListGuests"]), (["status", "--json=short"], ["GetAll", "GetManagedObjects"]),
                             (["status", "--quiet"], ["GetAll"]), (["show"], host), (["show", "--json=short"], host),
                             (["show", "--all"], host), (["guests"], ["ListGuests"]), (["users"], [*host, "ListUsers"]),
                             (["check"], ["Check"])):
            with self.subTest(words):
                daemon.requests.clear()
                self.ctl(*words)
                self.assertEqual([request.member for request in daemon.requests], asked)

    def test_modules_of_a_newer_daemon(self):
        """Whatever is listed is shown, and what has gone since it was listed is not."""
        daemon = FakeDaemon(self.bus.address, modules=[module("kvm"), module("kvm_new", ["nested"])])
        self.addCleanup(daemon.close)
        self.assertIn("Modules: kvm_new live; kvm live", self.text())
        names = daemon.children()[1]
        daemon.modules.pop(0)
        daemon.answers["Introspect"] = lambda request: ("s", names)
        self.assertIn("Modules: kvm_new live\n", self.text())
        daemon.answers["Introspect"] = lambda request: ("s", '<node name="a/b"/><node name=""/><node name="..')
        self.assertNotIn("Modules:", self.text())

    def test_guests_that_are_not_told_of(self):
        daemon = FakeDaemon(self.bus.address)
        self.addCleanup(daemon.close)
        for name, said in (("LibvirtUnavailable", ""), ("TimedOut", "   Guests: not known: libvirt does not answer\n")):
            daemon.answers["ListGuests"] = lambda request, name=name: Failure(ERROR + name, "No")
            self.assertEqual("".join(line for line in self.text().splitlines(True) if "Guests" in line), said)

    def test_users_are_named(self):
        self.start_fake()
        self.hold(1234, "qemu-system-x86")
        self.client().call("Refresh", ("t", 0))
        text = self.text()
        self.assertRegex(text, r"(?m)^ +Modules: kvm_amd live, in use; kvm live$")
        self.assertRegex(text, r"(?m)^ +Users: qemu-system-x86 \(pid 1234\), web1.scope$")

    def test_what_waits(self):
        daemon = FakeDaemon(self.bus.address, modules=[module("kvm"), module("kvm_amd", ["nested"], {"nested": "0"})])
        self.addCleanup(daemon.close)
        self.assertRegex(self.text(), r"(?m)^ +Pending: kvm_amd.nested=0 waits.*nestvirtctl cancel")

    def test_an_ordinary_user_reads(self):
        self.start_real("amd-epyc-6.1")
        result = self.ctl("status", program=copy_for_others(self.folder), user=NOBODY)
        self.assertEqual((result.status, result.out), (0, self.text()), result)


class Show(Reading):
    def setUp(self):
        super().setUp()
        self.start_real("amd-epyc-6.1")

    def test_all(self):
        whole = self.json("show")
        self.assertEqual([set(m) for m in whole["modules"]], [{"name", "parameters"}] * 2)
        self.assertEqual([m["name"] for m in whole["modules"]], ["kvm_amd", "kvm"])
        for m in whole["modules"]:
            self.assertGreater(len(m["parameters"]), 5)
            for parameter in m["parameters"].values():
                self.assertEqual(set(parameter), ENTRY)
                self.assertIs(type(parameter["supported"]), bool)
                self.assertIs(type(parameter["overridden"]), list)

    def test_some(self):
        self.assertEqual(self.names("nested"), {"kvm_amd.nested"})
        self.assertEqual(self.names("nested", "ignore_msrs"), {"kvm_amd.nested", "kvm.ignore_msrs"})
        self.assertEqual(self.names("nested", "nested", "kvm_amd.nested"), {"kvm_amd.nested"})

    def test_ways_to_write_a_name(self):
        for word, name in (("kvm-amd.nested", "kvm_amd.nested"), ("kvm.ignore-msrs", "kvm.ignore_msrs"),
                           ("ignore-msrs", "kvm.ignore_msrs"), ("pause-filter-count", "kvm_amd.pause_filter_count")):
            with self.subTest(word):
                self.assertEqual(self.names(word), {name})

    def names(self, *words):
        return {f"{m['name']}.{p}" for m in self.json("show", *words)["modules"] for p in m["parameters"]}

    def test_for_people(self):
        text = self.text("show", "nested")
        self.assertTrue(text.startswith("kvm_amd.nested\n"), text)
        for label in ("What it does", "Effective", "Configured", "Default", "Values", "Takes effect"):
            self.assertRegex(text, rf"(?m)^ *{label}: \S")
        blocks = self.text("show", "--all").split("\n\n")
        self.assertIn(text.rstrip("\n"), blocks)
        self.assertEqual({block.partition("\n")[0] for block in blocks}, self.names())
        self.assertEqual(len(blocks), len(self.names()))
        self.assertEqual(self.json("show", "--all"), self.json("show"))

    def test_a_line_for_each(self):
        lines = self.text("show").splitlines()
        self.assertEqual(lines[0].split(), ["PARAMETER", "EFFECTIVE", "CONFIGURED", "DEFAULT"])
        rows = [line.split()[0] for line in lines[1:]]
        self.assertEqual(set(rows), self.names())
        self.assertEqual(len(rows), len(self.names()))
        self.assertEqual(lines[1].split(), ["kvm_amd.lbrv", "off", "-", "on"])
        self.assertRegex("\n".join(lines), r"(?m)^kvm\.nx_huge_pages +off +- +auto$")

    def test_what_there_is_not(self):
        for word, status, name, said in (
                ("frobnicate", 2, "NoSuchParameter", "frobnicate"), ("kvm_amd.frob", 2, "NoSuchParameter", "frob"),
                ("frob.nested", 2, "NoSuchParameter", "frob.nested"), ("", 2, "NoSuchParameter", ""),
                ("ept", 6, "Unsupported", "npt"), ("kvm_intel.ept", 6, "Unsupported", "npt"),
                ("shadow-vmcs", 6, "Unsupported", "kvm_intel")):
            with self.subTest(word):
                error = self.json("show", word, status=status)["error"]
                self.assertEqual(error["name"], f"org.nestvirt1.Error.{name}")
                self.assertIn(said, error["message"])
                result = self.ctl("show", "nested", word)
                self.assertEqual((result.status, result.out), (status, ""))
                self.assertIn(error["message"], result.err)


class ShowTable(Reading):
    DIFFERENT = {
        "pending": entry(Pending="0", Reason="It waits"),
        "configured": entry(Configured="0", Source="/a:1", Reason="Load it anew"),
        "no_default": entry(Configured="1", Default=""),
        "effective": entry(Effective="off"),
        "number": entry(Kind="uint", Effective="1", Default="2"),
        "chosen": entry(Kind="choice", Effective="on", Configured="1", Default="auto"),
        "not_loaded": entry(Effective="", Value="", Configured="0"),
    }
    SAME = {
        "as_ever": entry(), "said_again": entry(Configured="1", Source="/a:1"), "unknown": entry(Effective="unknown"), "absent": entry(Effective="", Value=""),
        "nobody_knows": entry(Default=""), "auto": entry(Kind="choice", Effective="off", Default="auto"),
        "as_a_number": entry(Kind="choice", Effective="on", Default="1"), "one": entry(Kind="uint", Effective="1"),
    }

    def test_what_differs_comes_first(self):
        daemon = FakeDaemon(self.bus.address, modules=[module("kvm", self.DIFFERENT | self.SAME), module("kvm_amd", self.DIFFERENT | self.SAME)])
        self.addCleanup(daemon.close)
        rows = [line.split()[0] for line in self.text("show").splitlines()[1:]]
        self.assertEqual(rows, [f"{name}.{parameter}" for group in (self.DIFFERENT, self.SAME) for name in ("kvm_amd", "kvm") for parameter in group])

    def test_it_looks_like_this(self):
        daemon = FakeDaemon(self.bus.address, modules=[module("kvm"), module("kvm_amd", {
            "npt": entry(), "avic": entry(Effective="off", Default="0"), "nested": self.DIFFERENT["configured"], "chosen": self.DIFFERENT["chosen"]})])
        self.addCleanup(daemon.close)
        self.assertEqual(self.text("show").splitlines(), [
            "PARAMETER       EFFECTIVE  CONFIGURED  DEFAULT",
            "kvm_amd.nested  on         off         on",
            "kvm_amd.chosen  on         1           auto",
            "kvm_amd.npt     on         -           on",
            "kvm_amd.avic    off        -           off"])

    def test_nothing_to_show(self):
        self.start_real("no-kvm")
        for words in ([], ["--all"]):
            self.assertEqual(self.text("show", *words), "There is nothing to show: no module of KVM is loaded here, nor is one there to be loaded.\n")

    def test_no_row_is_wider_than_eighty_columns(self):
        self.start_real("intel-haswell-desktop")
        rows = self.text("show").splitlines()
        self.assertGreater(len(rows), 40)
        self.assertLessEqual(max(map(len, rows)), 80)


class ShowIntel(Reading):
    def test_short_names(self):
        self.start_real("intel-skylake-server")
        for word, name in (("apicv", "enable_apicv"), ("shadow-vmcs", "enable_shadow_vmcs"), ("ept", "ept")):
            with self.subTest(word):
                self.assertEqual(list(self.json("show", word)["modules"][0]["parameters"]), [name])


class Check(Reading):
    def test_a_good_host(self):
        self.start_real("amd-epyc-6.1")
        findings = self.json("check")["findings"]
        self.assertGreater(len(findings), 5)
        for finding in findings:
            self.assertEqual(set(finding), {"id", "status", "subject", "message", "fix"})
            self.assertIn(finding["status"], ("pass", "warn", "info"))
        text = self.text("check")
        for finding in findings:
            self.assertIn(f"{finding['id']}: {finding['message']}\n", text)

    def test_what_is_wrong_ends_with_3(self):
        self.start_real("loadable")
        findings = self.json("check", status=3)["findings"]
        wrong = [finding["id"] for finding in findings if finding["status"] == "fail"]
        self.assertIn("vendor-module", wrong)
        self.assertRegex(self.text("check", status=3), r"(?m)^fail  vendor-module: .*\n      To mend it: \S")
        self.assertEqual(self.ctl("check", "--quiet").status, 3)
        self.assertEqual(self.ctl("check", "--quiet").out, "")

    def test_the_fix_follows(self):
        finding = variants({"Id": "a", "Status": "warn", "Subject": "web1", "Message": "Odd", "Fix": "mend it"})
        daemon = FakeDaemon(self.bus.address, answers={"Check": lambda request: ("aa{sv}", [finding])})
        self.addCleanup(daemon.close)
        self.assertEqual(self.text("check"), "warn  a (web1): Odd\n      To mend it: mend it\n")


class Users(Reading):
    def test_nobody(self):
        self.start_fake()
        self.assertEqual(self.text("users"), "Nobody uses KVM.\n")
        self.assertEqual(self.json("users"), {"users": []})

    def test_somebody(self):
        self.start_fake()
        self.hold(1234, "qemu-system-x86")
        self.assertEqual(self.json("users"), {"users": [
            {"pid": 1234, "uid": 1000, "command": "qemu-system-x86", "unit": "web1.scope", "guest": "", "nested_claim": ""}]})
        (self.host / "proc/1234/cmdline").write_text("qemu-system-x86_64\0-cpu\0EPYC,+svm\0", encoding="utf-8")
        self.assertRegex(self.text("users"), r"^PID +UID +COMMAND +UNIT +GUEST +CLAIMS NESTED\n1234 +1000 +qemu-system-x86 +web1.scope +- +yes\n$")

    def test_without_a_vendor_kvm_is_asked(self):
        daemon = FakeDaemon(self.bus.address, modules=[module("kvm")], answers={"ListUsers": lambda request: ("aa{sv}", [])})
        self.addCleanup(daemon.close)
        self.text("users")
        self.assertEqual(daemon.asked("ListUsers")[0].path, module_path("kvm"))


class Remote(Reading):
    def test_by_ssh(self):
        self.start_real("amd-epyc-6.1")
        script(self.folder, "ssh", "import os, sys", f"open('{self.folder}/asked', 'w').write(' '.join(sys.argv[1:]))",
               f"os.execvp('systemd-stdio-bridge', ['systemd-stdio-bridge', '--bus-path={self.bus.address}'])")
        result = self.ctl("-H", "alice@web", "status", PATH=f"{self.folder}:{os.environ['PATH']}")
        self.assertEqual((result.status, result.out), (0, self.text()), result)
        self.assertIn("alice@web", (self.folder / "asked").read_text())


if __name__ == "__main__":
    main()
