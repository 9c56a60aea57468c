# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirtctl --root=DIR: what is said of a tree of files without a bus, and what is not."""

import os
import pathlib
import shutil
import unittest

from ctl import copy_for_others, help_sections, run
from harness import FIXTURES, BusTest, snapshot, write
from sos import collect
from tap import main

VERBS = {"status", "show", "check", "guests", "guest", "apply"}
QUESTIONS = [["status"], ["status", "--json=pretty"], ["show"], ["show", "--json=short"], ["check"], ["check", "--json=short"],
             ["guests", "--json=short"]]


class Fixtures(BusTest):
    """The same as over a bus, to the byte."""

    def compare(self, name):
        self.start_real(name)
        for question in QUESTIONS:
            over_bus, over_files = run(*question, address=self.bus.address), run(f"--root={self.host}", *question)
            self.assertEqual(str(over_files), str(over_bus), question)
            self.assertTrue(over_files.out or over_files.err or "--quiet" in question, question)


for each in sorted(path.name for path in FIXTURES.iterdir() if path.is_dir()):
    setattr(Fixtures, "test_" + each.replace("-", "_").replace(".", "_"), lambda self, name=each: self.compare(name))


class Several(BusTest):
    def setUp(self):
        super().setUp()
        self.first, self.second = FIXTURES / "amd-epyc-6.1", FIXTURES / "intel-nehalem"

    def test_for_people_each_has_a_heading(self):
        one, other = (run(f"--root={root}", "status").out for root in (self.first, self.second))
        both = run(f"--root={self.first}", "status", f"--root={self.second}")
        self.assertEqual(both.out, f"{self.first}:\n{one}\n{self.second}:\n{other}")

    def test_for_programs_each_is_an_object_that_names_it(self):
        for verb in ("status", "show", "check"):
            with self.subTest(verb):
                lines = run("--json=short", verb, f"--root={self.first}", f"--root={self.second}").out.splitlines()
                self.assertEqual(len(lines), 2)
                for line, root in zip(lines, (self.first, self.second)):
                    one = run("--json=short", verb, f"--root={root}").out
                    self.assertEqual(line, f'{{"root":"{root}",' + one.strip()[1:])

    def test_one_that_can_not_be_looked_at_keeps_no_other_from_being_told_of(self):
        missing = self.folder / "missing"
        result = run("status", f"--root={missing}", f"--root={self.first}")
        self.assertEqual(result.status, 1, result)
        self.assertIn(f"{missing}: Cannot read the status: {missing} can't be looked at: No such file or directory", result.err)
        self.assertIn(f"\n{self.first}:\n", result.out)
        lines = run("-j", "status", f"--root={missing}", f"--root={self.first}").out.splitlines()
        self.assertIn(f'{{"root":"{missing}","error":{{"name":"org.freedesktop.DBus.Error.FileNotFound"', lines[0])
        self.assertIn('"nested":"on"', lines[1])

    def test_the_highest_exit_status_is_that_of_all(self):
        off = FIXTURES / "firmware-off-amd"
        self.assertEqual(run("-q", "status", f"--root={off}", f"--root={self.first}").status, 3)
        self.assertEqual(run("-q", "status", f"--root={self.first}", f"--root={self.second}").status, 0)


class Files(BusTest):
    def test_nothing_is_changed_nor_locked_and_no_bus_is_looked_for(self):
        shutil.copytree(FIXTURES / "amd-epyc-6.1", self.host, symlinks=True)
        write(self.host / "var/lib/nestvirt/change", "a change that was cut short")
        write(self.host / "etc/nestvirt/nestvirtd.conf", "[Libvirt]\nUri=test:///default\n")
        before = snapshot(self.host)
        self.assertEqual(run(f"--root={self.host}").status, 0)
        self.assertIn("No libvirt is configured", run(f"--root={self.host}", "guests").err)
        self.assertEqual(run(f"--root={self.host}", "check").status, 3)
        self.assertEqual(snapshot(self.host), before)

    def test_a_relative_folder_and_one_without_anything(self):
        self.host.mkdir()
        there = os.getcwd()
        self.addCleanup(os.chdir, there)
        os.chdir(self.folder)
        result = run("--root=host")
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertRegex(result.out, r"(?m)^ +Host: unknown \(it can't be told; see nestvirtctl check\)\n"
                         r" +Nested: unavailable \(these files are of no host that runs, so that its CPU and its KVM are not known\)$")

    def test_an_image(self):
        """Whoever built it left proc and sys empty, and no module was loaded."""
        for folder in ("proc", "sys", "dev", "etc/modprobe.d", "usr/lib/modules/6.1.0-1-amd64"):
            (self.host / folder).mkdir(parents=True)
        write(self.host / "usr/lib/os-release", "ID=debian\n")
        self.assertIn("of no host that runs", run(f"--root={self.host}").out)
        self.assertRegex(run(f"--root={self.host}", "show").out, r"\AThere is nothing to show: these files are of no host that runs, .*\.\n\Z")
        status = run(f"--root={self.host}", "--json=short").json
        self.assertEqual((status["hypervisor"], status["nested"], status["level"]), ("unknown", "unavailable", 0))
        found = {finding["id"]: finding["message"] for finding in run(f"--root={self.host}", "check", "-j").json["findings"]}
        self.assertIn("of no host that runs, such as an image", found["level"])
        self.assertEqual(found["cpu"], "The CPU that it will run on is not known")
        self.assertIn("can't be told yet: these files", found["nested"])
        write(self.host / "proc/cpuinfo", "")
        self.assertNotIn("of no host that runs", run(f"--root={self.host}").out)

    def test_what_is_no_folder(self):
        file = self.folder / "file"
        file.write_text("")
        for path, why in ((file, "Not a directory"), (self.folder / "missing", "No such file or directory"), ("", "No such file or directory")):
            for verb in VERBS - {"guest", "apply"}:
                with self.subTest(path=path, verb=verb):
                    result = run(f"--root={path}", verb)
                    self.assertEqual((result.status, result.out), (1, ""), result)
                    self.assertIn(f"can't be looked at: {why}", result.err)

    def test_a_daemon_that_is_not_there_or_ends_at_once(self):
        for program, words in (("/nonexistent/nestvirtd", "/nonexistent/nestvirtd, which looks at it, can't be started"),
                               ("/bin/true", "has ended")):
            with self.subTest(program):
                result = run(f"--root={FIXTURES / 'no-kvm'}", NESTVIRTD=program)
                self.assertEqual((result.status, result.out), (8, ""), result)
                self.assertIn(words, result.err)
                self.assertNotIn("systemctl", result.err)


def domain(name, number, cpu, kind="kvm", more=""):
    """A definition as libvirt writes it."""
    return f"""<domain type='{kind}'{more}>
  <name>{name}</name>
  <uuid>00000000-0000-0000-0000-{number:012}</uuid>
  <memory unit='KiB'>1048576</memory>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
  </os>
  {cpu}
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
  </devices>
</domain>
"""


PASS, MODEL = "<cpu mode='host-passthrough' check='none' migratable='on'/>", "<cpu mode='host-model' check='partial'/>"
NAMED = "<cpu mode='custom' match='exact' check='partial'><model fallback='allow'>EPYC</model><feature policy='require' name='svm'/></cpu>"


class Guests(BusTest):
    def setUp(self):
        super().setUp()
        shutil.copytree(FIXTURES / "amd-epyc-6.1", self.host, symlinks=True)
        self.define("web1", 1, PASS)

    def define(self, name, number, cpu, **keywords):
        write(self.host / f"etc/libvirt/qemu/{name}.xml",
              f"<!--\nWARNING: THIS IS AN AUTO-GENERATED FILE. virsh edit {name}\n-->\n\n" + domain(name, number, cpu, **keywords))

    def runs(self, name, number, cpu):
        """As libvirtd keeps of a guest that runs."""
        write(self.host / f"run/libvirt/qemu/{name}.xml",
              "<domstatus state='running' reason='booted' pid='4711'>\n  <monitor path='/x' type='unix'/>\n"
              + domain(name, number, cpu, more=" id='1'") + "</domstatus>\n")

    def guests(self):
        result = run(f"--root={self.host}", "guests", "--json=short")
        self.assertEqual((result.status, result.err), (0, ""), result)
        return {guest["name"]: guest for guest in result.json["guests"]}

    def test_definitions(self):
        self.define("plain", 2, "")
        self.define("emulated", 3, PASS, kind="qemu")
        self.define("named", 4, NAMED)
        guests = self.guests()
        self.assertEqual({name: (guest["next_start"], guest["now"], guest["active"]) for name, guest in guests.items()}, {
            "web1": ("yes", "", False), "plain": ("no", "", False), "emulated": ("no", "", False), "named": ("unknown", "", False)})
        self.assertIn("whether libvirt starts it at all can't be told (of files no libvirt can be asked)", guests["named"]["reason"])
        self.assertIn("web1", run(f"--root={self.host}", "guests").out)
        self.assertIn("Guests: 4", run(f"--root={self.host}", "status").out)

    def test_one_by_its_name_and_by_its_uuid(self):
        by_name, by_uuid = (run(f"--root={self.host}", "guest", "-j", word).json for word in ("web1", "00000000-0000-0000-0000-000000000001"))
        self.assertEqual(by_name, by_uuid)
        self.assertEqual(by_name, self.guests()["web1"])
        result = run(f"--root={self.host}", "guest", "web2")
        self.assertEqual(result.status, 1)
        self.assertIn('No guest is called "web2"', result.err)

    def test_what_runs_in_a_copy_of_a_host(self):
        self.runs("web1", 1, PASS)
        self.define("db", 2, "")
        self.runs("db", 2, PASS)
        self.runs("transient", 3, PASS)
        told = {name: (guest["active"], guest["now"], guest["next_start"], guest["restart_needed"]) for name, guest in self.guests().items()}
        self.assertEqual(told, {"web1": (True, "yes", "yes", False), "db": (True, "yes", "no", True), "transient": (True, "yes", "no", False)})

    def test_saves_and_snapshots(self):
        write(self.host / "var/lib/libvirt/qemu/save/web1.save", "LibvirtQemudSave")
        self.define("db", 2, "")
        write(self.host / "var/lib/libvirt/qemu/snapshot/db/before.xml",
              f"<domainsnapshot>\n<name>before</name>\n{domain('db', 2, PASS)}</domainsnapshot>\n")
        guests = self.guests()
        self.assertEqual(guests["web1"]["next_start"], "unknown")
        self.assertIn("managed save", guests["web1"]["reason"])
        self.assertEqual(guests["db"]["saved_state"], "snapshots: before")

    def test_what_libvirt_would_not_take_either(self):
        for name, text in (("broken", "<domain"), ("empty", ""), ("other", "<network/>"),
                           ("nameless", domain("", 7, PASS)), ("slash", domain("../web1", 8, PASS)),
                           ("number", domain("number", 9, PASS).replace("-0000", "-zzzz"))):
            write(self.host / f"etc/libvirt/qemu/{name}.xml", text)
        write(self.host / "etc/libvirt/qemu/networks/default.xml", "<network/>")
        self.assertEqual(set(self.guests()), {"web1"})

    def test_none_are_defined(self):
        (self.host / "etc/libvirt/qemu/web1.xml").unlink()
        self.assertEqual(self.guests(), {})
        self.assertEqual(run(f"--root={self.host}", "guests").status, 0)

    def test_what_may_not_be_read_is_not_taken_for_absent(self):
        self.folder.chmod(0o755)
        program = copy_for_others(self.folder)
        for hidden in ("etc/libvirt/qemu", "etc/libvirt/qemu/web1.xml"):
            with self.subTest(hidden):
                path, mode = self.host / hidden, (self.host / hidden).stat().st_mode
                path.chmod(0)
                result = run(f"--root={self.host}", "guests", program=program, user=65534, NESTVIRTD=self.daemon_for_others())
                path.chmod(mode)
                self.assertEqual(result.status, 1, result)
                self.assertIn(f"as {path} can't be read", result.err)

    def daemon_for_others(self):
        program = pathlib.Path(os.environ["NESTVIRTD"])
        for file in (program, program.with_name("nestvirt-files.so")):
            shutil.copy(file, self.folder)
        return str(self.folder / program.name)

    def test_a_link_does_not_lead_out_of_the_tree(self):
        secret = self.folder / "secret.xml"
        secret.write_text(domain("secret", 9, PASS))
        (self.host / "etc/libvirt/qemu/secret.xml").symlink_to(secret)
        self.assertEqual(set(self.guests()), {"web1"})

    def test_an_administrator_who_hides_them_hides_them_from_others_of_that_host(self):
        write(self.host / "etc/nestvirt/nestvirtd.conf", "[Guests]\nHidden=true\n")
        self.assertEqual(set(self.guests()), {"web1"})


# What is not collected, and so unknown: which hypervisor is below, device nodes, the registers of
# the CPU.
ELSEWHERE = ("level", "below", "cpu-sources", "firmware")


class Reports(BusTest):
    """What sos report(1) has taken of a host."""

    def report(self, fixture):
        self.folder.joinpath("case").mkdir()
        self.parent = self.folder / "case"
        return collect(FIXTURES / fixture, self.parent)

    def findings(self, root):
        return {finding["id"]: (finding["status"], finding["message"]) for finding in run(f"--root={root}", "-j", "check").json["findings"]}

    def test_of_a_host_with_kvm_the_verdicts_are_those_of_the_host(self):
        report = self.report("amd-epyc-6.1")
        theirs, ours = (run(f"--root={root}", "show", "--all").out for root in (FIXTURES / "amd-epyc-6.1", report))
        self.assertEqual(ours.replace("unknown hypervisor", "QEMU"), theirs)
        theirs, ours = (self.findings(root) for root in (FIXTURES / "amd-epyc-6.1", report))
        for known in set(theirs) - set(ELSEWHERE):
            self.assertEqual(ours[known], theirs[known])
        self.assertEqual(set(ours) - set(theirs), set())
        status = run(f"--root={report}", "-j", "status").json
        self.assertEqual((status["nested"], status["mmu"], status["device"], status["hypervisor"]), ("on", "tdp", "unknown", "unknown"))
        self.assertEqual([(module["name"], module["state"], module["in_use"]) for module in status["modules"]],
                         [("kvm_amd", "live", False), ("kvm", "live", False)])

    def test_the_folder_that_it_was_unpacked_in(self):
        report = self.report("amd-epyc-6.1")
        self.assertEqual(run(f"--root={self.parent}").out, run(f"--root={report}").out)
        (self.parent / "another").mkdir()
        self.assertNotEqual(run(f"--root={self.parent}").out, run(f"--root={report}").out)

    def test_a_host_in_use(self):
        report = self.report("amd-epyc-6.1")
        write(report / "proc/modules", "kvm_amd 155648 3 - Live 0x0\nkvm 1142784 1 kvm_amd, Live 0x0\nkvm_amdx 1 0 - Live 0x0\n")
        write(report / "sys/module/kvm_amd/refcnt", "3\n")
        modules = {m["name"]: m["in_use"] for m in run(f"--root={report}", "-j", "status").json["modules"]}
        self.assertEqual(modules, {"kvm_amd": True, "kvm": False})

    def test_modules_that_are_not_loaded(self):
        report = self.report("loadable")
        self.assertIn("kvm_amd loadable; kvm loadable", run(f"--root={report}").out)
        self.assertNotIn("is gone", run(f"--root={report}").out)
        findings = self.findings(report)
        self.assertNotIn("cpu-features", findings)
        self.assertNotIn("below", findings)

    def test_what_was_not_collected_is_not_missing(self):
        report = self.report("loadable")
        shutil.rmtree(report / "lib")
        result = run(f"--root={report}")
        self.assertIn("kvm_amd unknown; kvm unknown", result.out)
        findings = self.findings(report)
        self.assertEqual(findings["vendor-module"][0], "info")
        self.assertIn("was not collected", findings["vendor-module"][1])
        self.assertNotIn("not installed", str(findings))

    def test_what_sysctl_has_said(self):
        report = self.report("amd-epyc-6.1")
        self.assertNotIn("modules-disabled", self.findings(report))
        write(report / "sos_commands/kernel/sysctl_-a", "kernel.modules_disabled_x = 0\nkernel.modules_disabled = 1\nvm.x = 2\n")
        self.assertIn("modules-disabled", self.findings(report))

    def test_a_tree_that_is_no_report_lacks_what_is_not_there(self):
        report = self.report("loadable")
        (report / "version.txt").unlink()
        self.assertIn("kvm_amd missing", run(f"--root={report}").out)


class Usage(unittest.TestCase):
    def refused(self, *arguments):
        result = run(*arguments)
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertRegex(result.err, r"^nestvirtctl: [^\n]*; see nestvirtctl --help\n$")
        return result.err

    def test_verbs_that_need_a_system_that_runs(self):
        verbs, _ = help_sections()
        for verb in set(verbs) - VERBS - {"help"}:
            with self.subTest(verb):
                self.assertIn(f"{verb} needs a system that runs", self.refused("--root=/tmp", verb, "x=y", "z"))

    def test_another_host(self):
        self.assertIn("--root is for files that are here", self.refused("--root=/tmp", "-H", "there", "status"))

    def test_it_needs_a_folder(self):
        self.assertIn("--root needs a value", self.refused("status", "--root"))


SITE = "etc/nestvirt/50-site.conf"
DROPIN = "etc/modprobe.d/zz-nestvirt.conf"


class Images(BusTest):
    """apply --root: files are written for the first boot, of whichever host that will be."""

    def setUp(self):
        super().setUp()
        self.host.mkdir()
        self.say("[Parameters]\nnested=off\nignore_msrs=on\n[kvm_intel]\nenable_apicv=off\n[Apply]\nWhen=now\n")

    def say(self, text):
        write(self.host / SITE, text)

    def apply(self, *arguments, status=0, **keywords):
        result = run(f"--root={self.host}", "apply", *arguments, **keywords)
        self.assertEqual(result.status, status, result)
        return result

    def lines(self):
        path = self.host / DROPIN
        return [line for line in path.read_text().splitlines() if line.startswith("options")] if path.exists() else None

    def test_it_is_for_every_vendor(self):
        self.assertEqual(self.apply("--check", status=3).out.splitlines()[1], "  kvm_intel.nested: desired 0, configured nothing, in effect nothing")
        self.assertIsNone(self.lines())
        result = self.apply("--json=short").json
        self.assertEqual((result["outcome"], result["changed"], result["when"]), ("configured", True, "boot"))
        self.assertEqual(self.lines(), ["options kvm ignore_msrs=1", "options kvm_amd nested=0", "options kvm_intel enable_apicv=0 nested=0"])
        before = {path: path.stat().st_mtime_ns for path in self.host.rglob("*")}
        result = self.apply("--json=short").json
        self.assertEqual((result["outcome"], result["changed"], result["drift"]), ("unchanged", False, []))
        self.assertEqual({path: path.stat().st_mtime_ns for path in self.host.rglob("*")}, before)
        self.apply("--check")
        self.say("[kvm_amd]\nnested=off\n")
        self.apply()
        self.assertEqual(self.lines(), ["options kvm_amd nested=0"])

    def test_a_slip_changes_nothing(self):
        self.say("[Parameters]\nnested=off\n\nnptt=off\n")
        before = snapshot(self.host)
        self.assertIn(f"/{SITE}:4: No parameter is called \"nptt\"", self.apply(status=2).err)
        self.assertEqual(snapshot(self.host), before)

    def test_what_beats_it_is_told(self):
        write(self.host / "usr/lib/modprobe.d/zzzz-late.conf", "options kvm_amd nested=1\n")
        self.assertIn("/usr/lib/modprobe.d/zzzz-late.conf:1", self.apply(status=1).err)
        self.assertIsNone(self.lines())

    def test_not_in_a_running_system(self):
        (self.host / "run/systemd/system").mkdir(parents=True)
        self.assertIn("nestvirtctl apply, without --root=", self.apply(status=6).err)
        self.assertIsNone(self.lines())

    def test_guests_are_left_alone(self):
        write(self.host / "etc/libvirt/qemu/web1.xml", domain("web1", 1, PASS))
        self.say("[Guests]\nNested=no\n")
        before = (self.host / "etc/libvirt/qemu/web1.xml").read_text()
        self.assertEqual(self.apply().out.count("nestvirt-apply-guests.service"), 1)
        self.assertEqual((self.host / "etc/libvirt/qemu/web1.xml").read_text(), before)

    def test_it_takes_the_rights_to_the_files(self):
        program, daemon = copy_for_others(self.folder), Guests.daemon_for_others(self)
        before = snapshot(self.host)
        result = run(f"--root={self.host}", "apply", program=program, user=65534, NESTVIRTD=daemon)
        self.assertEqual((result.status, result.err.count("\n")), (1, 1), result)
        self.assertIn("Permission denied", result.err)
        self.assertEqual(snapshot(self.host), before)
        self.assertEqual(run(f"--root={self.host}", "apply", "--check", program=program, user=65534, NESTVIRTD=daemon).status, 3)


if __name__ == "__main__":
    main()
