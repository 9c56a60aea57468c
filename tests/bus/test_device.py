# SPDX-License-Identifier: LGPL-2.1-or-later
"""The device: the helper by itself, run as a child, and run as a unit of something that stands for
systemd."""

import grp
import os
import re
import stat
import subprocess

from clients import DRY_RUN, ERROR, Failure, wait_for
from harness import HELPER_DIR, BusTest
from tap import main

HELPER = f"{HELPER_DIR}/nestvirt-device"
KVM = os.makedev(10, 232)
OFF = {"kvm_amd": {"nested": "0"}}
OK, FAILED, USAGE, MISSING, WRONG_NODE, BROKEN = 0, 1, 2, 10, 11, 13
HAS_KVM = os.path.exists("/sys/class/misc/kvm")
FACTS = re.compile(r"""(msr:\n(CPU\ \d+:\n(0x[0-9a-f]{8}\ 0x[0-9a-f]{16}\n)+)*)?
                       (kvm-cpuid:\n(\ \ \ 0x[0-9a-f]{8}\ 0x[0-9a-f]{2}:(\ e[abcd]x=0x[0-9a-f]{8}){4}\n)*)?
                       (kvm-msr:\n(0x[0-9a-f]{8}\ 0x[0-9a-f]{16}\n)*)?
                       (kvm-cap:\n(0x[0-9a-f]{8}\ 0x[0-9a-f]{16}\n)*)?""", re.VERBOSE)
NO_SVM = "kvm-cpuid:\n   0x80000001 0x00: eax=0x0 ebx=0x0 ecx=0x0 edx=0x0\n"


def group():
    try:
        return grp.getgrnam("kvm").gr_gid
    except KeyError:
        return 0


class DeviceTest(BusTest):
    def setUp(self):
        super().setUp()
        self.node = self.host / "dev/kvm"
        self.node.parent.mkdir(parents=True)

    def assert_right(self):
        found = self.node.lstat()
        self.assertTrue(stat.S_ISCHR(found.st_mode))
        self.assertEqual((found.st_rdev, found.st_uid, found.st_gid), (KVM, 0, group()))
        self.assertEqual(stat.S_IMODE(found.st_mode) & 0o660, 0o660)

    def make_node(self, device=KVM, mode=0o600):
        os.mknod(self.node, stat.S_IFCHR | mode, device)


class Helper(DeviceTest):
    """nestvirt-device, on nodes of our own."""

    def run_helper(self, *arguments):
        return subprocess.run([HELPER, *arguments], check=False, capture_output=True).returncode

    def check(self):
        return self.run_helper("check", self.node)

    def test_usage(self):
        for arguments in ((), ("explode",), ("check", "a", "b")):
            self.assertEqual(self.run_helper(*arguments), USAGE)

    def test_check(self):
        self.assertEqual(self.check(), MISSING)
        self.node.write_text("")
        self.assertEqual(self.check(), WRONG_NODE)
        self.node.unlink()
        self.node.symlink_to("null")
        self.assertEqual(self.check(), WRONG_NODE)
        self.node.unlink()
        self.make_node(os.makedev(1, 3))
        self.assertEqual(self.check(), WRONG_NODE)
        self.node.unlink()
        self.make_node()
        # What is behind it is this machine's.
        self.assertEqual(self.check(), OK if os.path.exists("/sys/class/misc/kvm") else BROKEN)

    def facts(self):
        result = subprocess.run([HELPER, "facts", self.node], check=True, capture_output=True, text=True)
        self.assertEqual(result.stderr, "")
        self.assertTrue(FACTS.fullmatch(result.stdout), result.stdout)
        return result.stdout

    def test_facts_of_nothing(self):
        self.assertEqual(self.facts(), "")
        self.node.write_text("")
        self.assertEqual(self.facts(), "")
        self.node.unlink()
        self.make_node(os.makedev(1, 3))
        self.assertEqual(self.facts(), "")

    def test_facts_of_kvm(self):
        self.make_node()
        self.assertEqual("kvm-cpuid:\n   0x00000001 0x00: " in self.facts(), HAS_KVM)
        self.assertEqual("kvm-msr:\n" in self.facts(), HAS_KVM)

    def test_facts_of_the_registers(self):
        registers = self.node.parent / "cpu/0/msr"
        registers.parent.mkdir(parents=True)
        registers.write_bytes(bytes(4096))
        self.assertEqual(self.facts(), "")
        registers.unlink()
        os.mknod(registers, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero
        self.assertEqual(self.facts(), "")
        registers.unlink()
        os.mknod(registers, stat.S_IFCHR | 0o600, os.makedev(202, 0))
        self.assertEqual("msr:\nCPU 0:\n" in self.facts(), os.path.exists("/sys/class/msr/msr0"))

    def test_facts_that_can_not_be_printed(self):
        self.make_node()
        with open("/dev/full", "wb") as full:
            result = subprocess.run([HELPER, "facts", self.node], check=False, stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(result.returncode, FAILED if HAS_KVM else OK)

    def test_ensure_makes_it(self):
        self.assertEqual(self.run_helper("ensure", self.node), OK)
        self.assert_right()

    def test_ensure_replaces_what_is_there(self):
        for make in (lambda: self.node.write_text("x"), lambda: self.node.symlink_to("/dev/null"), self.node.mkdir,
                     lambda: self.make_node(os.makedev(1, 3))):
            make()
            self.assertEqual(self.run_helper("ensure", self.node), OK)
            self.assert_right()
            self.node.unlink()
        target = self.folder / "innocent"
        target.write_text("x")
        self.node.symlink_to(target)
        self.assertEqual(self.run_helper("ensure", self.node), OK)
        self.assertEqual((target.read_text(), target.stat().st_gid), ("x", 0))

    def test_ensure_mends_it(self):
        self.make_node(mode=0o600)
        os.chown(self.node, 1, 1)
        self.assertEqual(self.run_helper("ensure", self.node), OK)
        self.assert_right()

    def test_ensure_takes_nothing_away(self):
        self.make_node()
        os.chown(self.node, 0, group())
        self.node.chmod(0o666)
        self.assertEqual(self.run_helper("ensure", self.node), OK)
        self.assertEqual(stat.S_IMODE(self.node.stat().st_mode), 0o666)

    def test_a_folder_with_something_in_it(self):
        (self.node / "a").mkdir(parents=True)
        self.assertNotEqual(self.run_helper("ensure", self.node), OK)
        self.assertTrue((self.node / "a").exists())


class Child(DeviceTest):
    """The daemon runs the helper itself."""

    def setUp(self):
        super().setUp()
        self.start_fake(f"--helper-dir={HELPER_DIR}")
        # The host has a group file like the machine's, which is what the helper goes by.
        (self.host / "etc/group").write_text(f"root:x:0:\nkvm:x:{group()}:\n")
        self.caller = self.client(watch=True)

    def finding(self):
        findings = self.caller.call("Check", ("t", 0))[0]
        return [(f["Status"], f["Message"]) for f in findings if f["Id"] == "device"][0]

    def test_check(self):
        self.assertEqual(self.finding()[0], "fail")
        self.node.write_text("")
        status, message = self.finding()
        self.assertEqual(status, "fail")
        self.assertIn("10:232", message)
        self.node.unlink()
        self.make_node()
        status, message = self.finding()
        self.assertEqual("opens and answers" in message, os.path.exists("/sys/class/misc/kvm"))

    def test_the_group_of_a_system_that_keeps_its_own_apart(self):
        (self.host / "etc/group").write_text("root:x:0:\n")
        (self.host / "usr/lib").mkdir(parents=True)
        (self.host / "usr/lib/group").write_text(f"kvm:x:{group()}:\n")
        self.make_node()
        self.node.chmod(0o660)
        os.chown(self.node, 0, group())
        self.assertEqual(self.caller.call("EnsureDevice", ("t", 0))[0]["Outcome"], "unchanged")

    def fixes(self):
        return {f["Id"]: f["Fix"] for f in self.caller.call("Check", ("t", 0))[0] if f["Id"].startswith("device") and f["Fix"]}

    def test_each_wrong_one_has_the_command_that_mends_it(self):
        mend = "nestvirtctl ensure-device"
        # What is behind a node is this machine's: without KVM none answers, and without the group
        # nobody else is let in.
        answers = os.path.exists("/sys/class/misc/kvm")
        right = {} if answers else {"device": "nestvirtctl reload"}
        others = {"device-access": mend} if answers else right
        closed = others if group() else right
        for name, make, expected in (
                ("missing", lambda: None, {"device": mend}),
                ("a plain file", lambda: self.node.write_text("x"), {"device": mend}),
                ("a folder", self.node.mkdir, {"device": mend}),
                ("a link", lambda: self.node.symlink_to("null"), {"device": mend}),
                ("wrong numbers", lambda: self.make_node(os.makedev(1, 3)), {"device": mend}),
                ("wrong mode", lambda: (self.make_node(), os.chown(self.node, 0, group())), closed),
                ("wrong owner", lambda: (self.make_node(), self.node.chmod(0o660), os.chown(self.node, 1, 1)), others),
                ("more than enough", lambda: (self.make_node(), self.node.chmod(0o666)), right)):
            with self.subTest(name):
                make()
                self.assertEqual(self.fixes(), expected)
                self.caller.call("EnsureDevice", ("t", 0))
                self.assert_right()
                self.assertEqual(self.fixes(), right)
                self.node.unlink()

    def test_facts_are_kept(self):
        facts = self.host / "run/nestvirt/facts"
        facts.parent.mkdir(parents=True, exist_ok=True)
        facts.write_text(NO_SVM)  # of another time
        self.caller.call("Check", ("t", 0))
        self.assertEqual(facts.read_text(), "")
        self.make_node()
        self.caller.call("Check", ("t", 0))
        self.assertEqual("kvm-cpuid:\n" in facts.read_text(), HAS_KVM)
        self.assertTrue(FACTS.fullmatch(facts.read_text()))

    def test_ensure(self):
        result = self.caller.call("EnsureDevice", ("t", DRY_RUN))[0]
        self.assertEqual((result["Outcome"], self.node.exists()), ("planned", False))
        self.assertEqual(set(result), {"Outcome", "Steps"})
        self.assertIn("10:232", result["Steps"][0])
        pending = self.caller.start("EnsureDevice", ("t", 0))
        done = pending.result()[0]
        self.assertEqual((done["Outcome"], done["Steps"]), ("applied", result["Steps"]))
        self.assert_right()
        order = [m.member or "reply" for m in self.caller.messages
                 if m.serial == pending.serial or (m.member == "PropertiesChanged" and "Device" in m.body[1])]
        self.assertEqual(order, ["PropertiesChanged", "reply"])
        self.assertEqual(self.caller.get("Device"), "ok")
        result = self.caller.call("EnsureDevice", ("t", 0))[0]
        self.assertEqual((result["Outcome"], result["Steps"]), ("unchanged", []))

    def test_ensure_without_kvm(self):
        self.caller.call("Refresh", ("t", 0))
        (self.host / "sys/module/kvm_amd/initstate").write_text("going\n")
        with self.refused(ERROR + "Unsupported", "modprobe kvm_amd"):
            self.caller.call("EnsureDevice", ("t", 0))
        (self.host / "sys/module/kvm_amd/initstate").write_text("live\n")

    def test_never_during_a_change(self):
        self.make_node()
        self.close_gate()
        change = self.caller.start_set(OFF)
        open_gate = self.wait_at_gate()
        other = self.client()
        check = other.start("Check", ("t", 0))
        ensure = other.start("EnsureDevice", ("t", 0))
        other.get_all()
        self.assertEqual((check.done, ensure.done), (False, False))
        open_gate()
        self.assertEqual(change.result()[0]["Outcome"], "applied")
        check.result()
        self.assertEqual(ensure.result()[0]["Outcome"], "applied")

    def test_many_checks(self):
        callers = [self.client() for _ in range(20)]
        checks = [caller.start("Check", ("t", 0)) for caller in callers for _ in range(10)]
        for check in checks:
            self.assertTrue(check.result()[0])

    def test_what_the_helper_can_not_do(self):
        (self.node / "a").mkdir(parents=True)
        with self.refused(ERROR + "Internal", "/dev/kvm"):
            self.caller.call("EnsureDevice", ("t", 0))


class NoHelper(DeviceTest):
    def test_no_program(self):
        self.start_fake("--helper-dir=/nonexistent")
        caller = self.client()
        facts = self.host / "run/nestvirt/facts"
        facts.parent.mkdir(parents=True, exist_ok=True)
        facts.write_text(NO_SVM)
        self.assertTrue(caller.call("Check", ("t", 0))[0])
        self.assertEqual(facts.read_text(), "")
        with self.refused(ERROR + "Internal"):
            caller.call("EnsureDevice", ("t", 0))
        self.assertEqual(caller.set(OFF)["Outcome"], "applied")  # the turn is not lost


class Units(DeviceTest):
    """systemd starts the helper."""

    SYSTEMD = "org.freedesktop.systemd1"
    MANAGER = "/org/freedesktop/systemd1"
    UNIT = "/org/freedesktop/systemd1/unit/device"
    JOB = "/org/freedesktop/systemd1/job/7"

    def setUp(self):
        super().setUp()
        self.status, self.job_result = OK, "done"
        self.systemd = self.service(self.SYSTEMD, {
            "LoadUnit": lambda request: ("o", self.UNIT), "Ref": lambda request: (), "Unref": lambda request: (),
            "StartUnit": lambda request: ("o", self.JOB), "Get": lambda request: ("v", self.number(self.status))})
        self.start_fake("--units")
        self.caller = self.client()

    @staticmethod
    def number(value):
        from gi.repository import GLib
        return GLib.Variant("i", value)

    def started(self, count=1):
        wait_for(lambda: len(self.systemd.asked("StartUnit")) == count, "StartUnit")
        return self.systemd.asked("StartUnit")[-1].arguments

    def end_job(self, job=None):
        self.systemd.emit(self.MANAGER, "org.freedesktop.systemd1.Manager", "JobRemoved",
                          ("uoss", 7, job or self.JOB, "nestvirt-device@check.service", self.job_result))

    def finding(self, check, of="device"):
        return [f["Message"] for f in check.result()[0] if f["Id"] == of][0]

    def end_facts(self, count, printed=""):
        """The second unit of a check: systemd puts what it prints into the file."""
        self.assertEqual(self.started(count), ("nestvirt-device@facts.service", "replace"))
        self.status = OK
        facts = self.host / "run/nestvirt/facts"
        self.assertEqual(facts.read_text(), "")
        facts.write_text(printed)
        self.end_job()

    def test_check(self):
        for status, words in ((OK, "opens and answers"), (MISSING, "is missing"), (WRONG_NODE, "10:232")):
            self.status = status
            count = len(self.systemd.asked("StartUnit")) + 1
            check = self.caller.start("Check", ("t", 0))
            self.assertEqual(self.started(count), ("nestvirt-device@check.service", "replace"))
            self.end_job("/org/freedesktop/systemd1/job/8")  # somebody else's
            self.caller.get_all()
            self.assertFalse(check.done)
            self.end_job()
            self.end_facts(count + 1)
            self.assertIn(words, self.finding(check))
        wait_for(lambda: len(self.systemd.asked("Unref")) == 6, "the units to be let go")
        self.assertEqual([r.path for r in self.systemd.asked("Ref")], [self.UNIT] * 6)
        self.assertEqual([r.arguments[1] for r in self.systemd.asked("Get")], ["ExecMainStatus"] * 6)

    def test_facts(self):
        check = self.caller.start("Check", ("t", 0))
        self.started()
        self.end_job()
        self.end_facts(2, NO_SVM)
        self.assertIn("offers guests no svm", self.finding(check, "cpu-sources"))
        # What was true then is not true now.
        check = self.caller.start("Check", ("t", 0))
        self.started(3)
        self.end_job()
        self.started(4)
        self.job_result = "failed"
        self.end_job()
        self.assertNotIn("cpu-sources", [f["Id"] for f in check.result()[0] if f["Status"] == "warn"])
        self.assertEqual(self.caller.set(OFF)["Outcome"], "applied")  # the turn is not lost

    def test_ensure(self):
        ensure = self.caller.start("EnsureDevice", ("t", 0))
        self.assertEqual(self.started(), ("nestvirt-device@ensure.service", "replace"))
        subprocess.run([HELPER, "ensure", self.node], check=True)
        (self.host / "etc/group").write_text(f"kvm:x:{group()}:\n")
        self.end_job()
        self.assertEqual(ensure.result()[0]["Outcome"], "applied")

    def test_what_is_said_is_looked_at(self):
        ensure = self.caller.start("EnsureDevice", ("t", 0))
        self.started()
        self.end_job()
        with self.refused(ERROR + "Internal", "still not right"):
            ensure.result()

    def test_not_permitted(self):
        self.status = 12
        ensure = self.caller.start("EnsureDevice", ("t", 0))
        self.started()
        self.end_job()
        with self.refused(ERROR + "NotPermitted", "container"):
            ensure.result()

    def test_the_job_fails(self):
        self.job_result = "failed"
        ensure = self.caller.start("EnsureDevice", ("t", 0))
        self.started()
        self.end_job()
        with self.refused(ERROR + "Internal", "systemctl status"):
            ensure.result()

    def test_no_such_unit(self):
        self.systemd.answers["StartUnit"] = lambda request: Failure(self.SYSTEMD + ".NoSuchUnit", "Unit not found")
        with self.refused(ERROR + "Internal", "Unit not found"):
            self.caller.call("EnsureDevice", ("t", 0))
        self.assertEqual(self.caller.set(OFF)["Outcome"], "applied")

    def test_no_systemd(self):
        self.systemd.close()
        with self.refused(ERROR + "Internal"):
            self.caller.call("EnsureDevice", ("t", 0))
        self.assertTrue(self.caller.call("Check", ("t", 0))[0])


if __name__ == "__main__":
    main()
