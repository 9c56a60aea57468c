# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changing guests' definitions, over a hypervisor made of files: what is planned, who may, what is
carried out, and what is put back."""

import errno
import os
import re

from clients import DBUS_ERROR, DRY_RUN, ERROR, GLib, GUEST, NOBODY, guest_path, wait_for
from harness import write
from journal import Journal
from tap import main
from test_guests import ONE, Fake

POLKIT = "org.freedesktop.PolicyKit1"
YES = ("(bba{ss})", (True, False, {}))
SECRET = "sesame"
XML = f"""<domain type='kvm'>
  <name>one</name>
  <uuid>{ONE}</uuid>
  <memory unit='KiB'>1048576</memory>
  <vcpu placement='static'>2</vcpu>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
  </os>
  <cpu mode='custom' match='exact' check='partial'>
    <model fallback='forbid'>EPYC</model>
    <topology sockets='1' dies='1' cores='2' threads='1'/>
  </cpu>
  <devices>
    <graphics type='vnc' port='-1' autoport='yes' passwd='{SECRET}'/>
  </devices>
</domain>
"""


class Editing(Fake):
    def setUp(self):
        super().setUp()
        self.xml = self.fake / "xml" / ONE
        write(self.xml, XML)

    def begin(self, *options, **keys):
        self.guest(ONE, **({"name": "one"} | keys))
        super().begin(*options)
        self.nobody = self.client(uid=NOBODY)

    def start_set(self, client=None, flags=0, **cpu):
        options = {name: variant(value) for name, value in cpu.items()}
        return (client or self.observer).start("SetCpu", ("a{sv}t", options, flags), path=guest_path(ONE), interface=GUEST)

    def set(self, client=None, flags=0, **cpu):
        return self.start_set(client, flags, **cpu).result()[0]

    def prepare(self, recipe, flags=0, **options):
        options = {name: variant(value) for name, value in options.items()}
        return self.observer.call("Prepare", ("sa{sv}t", recipe, options, flags), path=guest_path(ONE), interface=GUEST)[0]

    def end_hanging(self):
        path = self.fake / "hang"
        with open(path, "w", encoding="utf-8"):
            path.unlink()

    def assert_untouched(self):
        self.assertEqual(self.xml.read_text(), XML)


def variant(value):
    return GLib.Variant({str: "s", bool: "b", int: "i"}[type(value)], value)


class Plans(Editing):
    def test_dry_run(self):
        """Whoever asks sees what would be done, without its secrets, and nothing is done."""
        self.begin()
        plan = self.set(self.nobody, DRY_RUN, Nested=True)
        self.assertEqual(set(plan), {"Outcome", "Changed", "Changes", "Steps", "Advice", "Impact", "Diff", "RestartNeeded"})
        self.assertEqual((plan["Outcome"], plan["Impact"], plan["RestartNeeded"]), ("planned", [], False))
        self.assertEqual(plan["Steps"], ["require svm"])
        self.assertEqual((plan["Changed"], plan["Changes"]), (True, [
            {"Guest": "one", "Name": "svm", "Before": {"Configured": ""}, "After": {"Configured": "require"}}]))
        lines = plan["Diff"].splitlines()
        self.assertEqual(lines[:2], ["--- one", "+++ one"])
        changed = [line for line in lines[2:] if line[0] in "+-"]
        self.assertEqual(len(changed), 1, plan["Diff"])
        self.assertRegex(changed[0], r"^\+ +<feature policy=.require. name=.svm./>$")
        self.assertNotIn(SECRET, plan["Diff"])
        self.assert_untouched()
        self.assertEqual(self.observer.signals(), [])

    def test_nothing_to_do(self):
        self.begin()
        for flags in (0, DRY_RUN):
            plan = self.set(self.nobody, flags, Mode="custom")
            self.assertEqual((plan["Outcome"], plan["Diff"]), ("unchanged", ""))
        self.assert_untouched()

    def test_impact(self):
        self.begin(live="custom EPYC require", run=1, inside=1)
        self.assertEqual([i["Kind"] for i in self.set(None, DRY_RUN, Nested=False)["Impact"]], ["loses-nested"])
        self.guest(ONE, name="one", live="custom EPYC require", run=1, inside=0)
        self.assertIn("has run", self.set(None, DRY_RUN, Nested=False)["Impact"][0]["Message"])
        self.observer.set({"kvm_amd": {"nested": "0"}})
        plan = self.set(None, DRY_RUN, Mode="host-passthrough", Nested=True)
        self.assertEqual([(i["Kind"], i["Subject"]) for i in plan["Impact"]], [("loses-nested", "one")])
        self.assertIn("nested is off", plan["Impact"][0]["Message"])
        self.assertTrue(plan["RestartNeeded"])
        write(self.xml, XML.replace("check='partial'", "check='full'"))
        self.assertEqual([i["Kind"] for i in self.set(None, DRY_RUN, Nested=True)["Impact"]], ["fails-to-start"])

    def test_a_leftover_of_the_other_vendor(self):
        """As of a guest that has come from a host of Intel's."""
        write(self.xml, XML.replace("    <topology", "    <feature policy='require' name='vmx'/>\n    <topology"))
        self.begin()
        self.assertEqual(self.get(ONE)["NextStart"], "fails")
        with self.refused(ERROR + "Unsupported", "requires vmx, which only Intel's CPUs have"):
            self.set(None, DRY_RUN, Nested=True)
        plan = self.set(None, DRY_RUN, Model="EPYC-Rome")
        self.assertEqual([(i["Kind"], i["Subject"]) for i in plan["Impact"]], [("fails-to-start", "one")])
        self.assertIn("It needs vmx, which only Intel's CPUs have", plan["Impact"][0]["Message"])
        plan = self.set(None, DRY_RUN, Nested=False)
        self.assertEqual((plan["Steps"], plan["Impact"]), (["disable svm", "disable vmx"], []))

    def test_what_can_not_be(self):
        self.begin()
        for cpu, words in (
                ({}, ["Mode, Model and Nested"]), ({"Modus": "custom"}, ['"Modus"']), ({"Mode": True}, ["can't be read"]),
                ({"Nested": "yes"}, ["can't be read"]), ({"Mode": ""}, ["Mode"]), ({"Mode": "x" * 65}, ["Mode"]),
                ({"Model": "<evil/>"}, ["Model"]), ({"Mode": "passthrough"}, ["host-passthrough"]),
                ({"Mode": "host-model", "Model": "EPYC"}, ["custom"])):
            with self.subTest(cpu), self.refused(ERROR + "InvalidArgs", *words):
                self.set(None, 0, **cpu)
        for flags in (2, 4, 8, 16):
            with self.refused(ERROR + "InvalidArgs", hex(flags)):
                self.set(None, flags, Nested=True)
        write(self.xml, XML.replace("x86_64", "aarch64"))
        with self.refused(ERROR + "Unsupported", "aarch64"):
            self.set(None, DRY_RUN, Nested=True)

    def test_whose_definition_is_not_what_counts(self):
        self.begin(persistent="no", live="custom EPYC require")
        with self.refused(ERROR + "TransientGuest", "one is transient"):
            self.set(None, DRY_RUN, Nested=True)
        self.guest(ONE, name="one", saved="custom EPYC require")
        with self.refused(ERROR + "Conflict", "managed save", f"virsh managedsave-remove {ONE}"):
            self.set(None, 0, Nested=True)
        self.assert_untouched()


class Changes(Editing):
    def test_change(self):
        self.begin(live="custom EPYC disable")
        pending = self.start_set(Nested=True)
        result = pending.result()[0]
        self.assertEqual((result["Outcome"], result["Steps"], result["RestartNeeded"]), ("applied", ["require svm"], True))
        # All that was there is there, the password with it.
        self.assertEqual(self.xml.read_text().replace("    <feature policy='require' name='svm'/>\n", ""), XML)
        order = [m.member or "reply" for m in self.observer.messages if m.is_signal("PropertiesChanged") or m.serial == pending.serial]
        self.assertEqual(order, ["PropertiesChanged", "reply"])
        guest = self.get(ONE)
        self.assertEqual((guest["Policy"], guest["NextStart"], guest["RestartNeeded"]), ("require", "yes", True))
        self.assertEqual(self.set(Nested=True)["Outcome"], "unchanged")
        self.assertEqual(self.set(Nested=False)["Outcome"], "applied")
        self.assertEqual(self.get(ONE)["Policy"], "disable")

    def test_no_secret_is_told(self):
        self.begin()
        said = [self.set(Nested=True), self.set(Mode="host-passthrough"), self.set(None, DRY_RUN, Nested=False), self.prepare("kvm")]
        write(self.fake / "refuse", "")
        with self.refused(ERROR + "Unsupported") as caught:
            self.set(Mode="host-model")
        for text in (str(said), caught.exception.message, self.daemons[0].log.read_text()):
            self.assertNotIn(SECRET, text)
        self.assertIn(SECRET, self.xml.read_text())

    def test_refused(self):
        self.begin()
        write(self.fake / "refuse", "")
        with self.refused(ERROR + "Unsupported", "libvirt does not take"):
            self.set(Nested=True)
        self.assert_untouched()

    def test_put_back(self):
        """What was written is not what is read."""
        self.begin()
        write(self.fake / "spoil", XML.replace("EPYC", "Opteron_G1"))
        with self.refused(ERROR + "ReloadFailed", "one", "as it was before"):
            self.set(Nested=True)
        self.assert_untouched()
        self.assertEqual(self.get(ONE)["CpuModel"], "EPYC")

    def test_it_can_not_be_put_back(self):
        self.begin()
        write(self.fake / "spoil", XML.replace("EPYC", "Opteron_G1"))
        write(self.fake / "refuse", "")
        with self.refused(ERROR + "HostDegraded", f"virsh edit {ONE}"):
            self.set(Nested=True)

    def test_it_can_not_be_read_back(self):
        """libvirt has it, and is gone."""
        self.begin()
        write(self.fake / "vanish", "")
        with self.refused(ERROR + "LibvirtUnavailable", "The new definition of one was handed to libvirt", "could not be read back",
                          "libvirt can't be reached", f"virsh dumpxml --inactive {ONE}"):
            self.set(Nested=True)
        self.assertIn("<feature policy='require' name='svm'/>", self.xml.read_text())

    def test_prepare(self):
        self.begin()
        plan = self.prepare("esxi", DRY_RUN, Release="7.0")
        self.assertEqual(plan["Outcome"], "planned")
        self.assertTrue(any("ignore_msrs" in advice for advice in plan["Advice"]))
        self.assert_untouched()
        result = self.prepare("esxi", Release="7.0")
        self.assertEqual((result["Outcome"], result["Steps"], result["Diff"]), ("applied", plan["Steps"], plan["Diff"]))
        self.assertEqual(self.prepare("esxi", Release="7.0")["Outcome"], "unchanged")
        for recipe, options, words in (("vax", {}, ["esxi, hyperv"]), ("esxi", {"Release": "99"}, ["99"]), ("esxi", {"Nested": True}, ["Release"])):
            with self.refused(ERROR + "InvalidArgs", *words):
                self.prepare(recipe, **options)


class Memory(Editing):
    SECRET = "Xq7-open-sesame-Z9"
    # What is freed would be overwritten by this, which meson sets.
    wrap = ("env", "-u", "MALLOC_PERTURB_")

    @staticmethod
    def read(memory, begin, end):
        """What is there. Since glibc 2.42 and Linux 6.13 a thread's stack has guard pages within
        its mapping (MADV_GUARD_INSTALL), which can't be read."""
        page, parts = os.sysconf("SC_PAGESIZE"), []
        while begin < end:
            memory.seek(begin)
            try:
                parts.append(memory.read(end - begin))
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                parts.append(bytes(page))
            begin += len(parts[-1])
        return b"".join(parts)

    def copies(self):
        """How often the secret is in the daemon's memory, with what is before it. A sanitizer's own
        memory is too large to be looked through."""
        found = []
        pid = self.daemons[0].pid
        with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for line in maps:
                begin, end = (int(word, 16) for word in line.split()[0].split("-"))
                if line.split()[1].startswith("rw") and end - begin < 1 << 30:
                    text = self.read(memory, begin, end)
                    found += [text[max(match.start() - 40, 0):match.start()] for match in re.finditer(self.SECRET.encode(), text)]
        return found

    def test_no_secret_stays(self):
        self.xml.write_text(XML.replace(SECRET, self.SECRET))
        self.begin()
        self.assertEqual(self.set(self.nobody, DRY_RUN, Nested=True)["Outcome"], "planned")
        self.assertEqual(self.set(Nested=True)["Outcome"], "applied")
        self.assertEqual(self.prepare("esxi", DRY_RUN, Release="7.0")["Outcome"], "planned")
        self.assertIn(self.SECRET, self.xml.read_text())
        self.observer.get("Nested")  # the plan goes after the reply
        self.assertEqual(self.copies(), [])


class Gate(Editing):
    def polkit(self):
        return self.service(POLKIT, {"CheckAuthorization": lambda request: None, "CancelCheckAuthorization": lambda request: ()})

    def ask(self, polkit, **cpu):
        """An ordinary user's call, and what polkit is asked."""
        pending = self.start_set(self.nobody, **cpu)
        wait_for(lambda: polkit.asked("CheckAuthorization"), "polkit to be asked")
        return pending, polkit.asked("CheckAuthorization")[0]

    def test_without_polkit(self):
        self.begin()
        with self.refused(DBUS_ERROR + "AccessDenied", "polkit"):
            self.set(self.nobody, Nested=True)
        self.assert_untouched()

    def test_what_polkit_is_told(self):
        self.begin()
        polkit = self.polkit()
        pending, request = self.ask(polkit, Mode="host-passthrough", Nested=False)
        _, action, details, *_ = request.arguments
        self.assertEqual(action, "org.nestvirt1.manage-guests")
        self.assertEqual((details["guest"], details["parameters"]), ("one", "mode=host-passthrough nested=no"))
        self.assertIn("$(guest)", details["polkit.message"])
        self.assert_untouched()
        polkit.answer(request, YES)
        self.assertEqual(pending.result()[0]["Outcome"], "applied")

    def test_somebody_else_was_faster(self):
        self.begin()
        polkit = self.polkit()
        pending, request = self.ask(polkit, Nested=True)
        other = XML.replace("1048576", "2097152")
        self.xml.write_text(other)
        polkit.answer(request, YES)
        with self.refused(ERROR + "Conflict", "one", "try again"):
            pending.result()
        self.assertEqual(self.xml.read_text(), other)

    def test_two_at_once(self):
        self.begin()
        polkit = self.polkit()
        pending, request = self.ask(polkit, Nested=True)
        self.assertEqual(self.set(Mode="host-passthrough")["Outcome"], "applied")
        polkit.answer(request, YES)
        with self.refused(ERROR + "Conflict"):
            pending.result()
        self.assertEqual(self.get(ONE)["CpuMode"], "host-passthrough")

    def test_who_leaves_wants_nothing(self):
        self.begin()
        polkit = self.polkit()
        _, request = self.ask(polkit, Nested=True)
        name = self.nobody.name
        self.nobody.close()
        self.observer.wait_gone(name)
        wait_for(lambda: polkit.asked("CancelCheckAuthorization"), "the question to be taken back")
        polkit.answer(request, YES)
        self.observer.call("Refresh", ("t", 0))
        self.assert_untouched()


class Hanging(Editing):
    def test_the_plan(self):
        self.begin("--guest-patience=1000000")
        os.mkfifo(self.fake / "hang")
        pending = self.start_set(Nested=True)
        self.assertEqual(self.observer.get("Nested"), "on")
        with self.refused(ERROR + "TimedOut", "libvirt has not answered"):
            pending.result()
        self.end_hanging()
        self.observer.call("GetGuest", ("s", "one"))
        self.assert_untouched()


class Late(Editing):
    """It answers when the caller was told that it has not: the journal has what came of that."""

    def setUp(self):
        super().setUp()
        self.journal = Journal(self.folder)
        self.addCleanup(self.journal.close)
        self.wrap = self.journal.wrap

    def begin_to_hang(self, before=False):
        """A call that polkit has just allowed. @before: libvirt hangs of something else already."""
        self.begin("--guest-patience=2000000")
        polkit = self.service(POLKIT, {"CheckAuthorization": lambda request: None})
        pending = self.start_set(self.nobody, Nested=True)
        wait_for(lambda: polkit.asked("CheckAuthorization"), "polkit to be asked")
        os.mkfifo(self.fake / "hang")
        asked = self.asked("find")
        other = self.observer.start("GetGuest", ("s", "one")) if before else None
        if before:
            ticking = GLib.timeout_add(5, lambda: True)
            wait_for(lambda: self.asked("find") > asked, "libvirt to be asked")
            GLib.source_remove(ticking)
        polkit.answer(polkit.asked("CheckAuthorization")[0], YES)
        return pending, other

    def begin_too_late(self):
        """And that libvirt is at when its time is over."""
        pending, _ = self.begin_to_hang()
        with self.refused(ERROR + "TimedOut", "may still do it", f"virsh dumpxml --inactive {ONE}"):
            pending.result()
        self.assert_untouched()
        entry = self.journal.entry()
        self.assertIn("one: nested=yes: libvirt has not answered for 2 s, and may still do it", entry["MESSAGE"])
        self.assertNotIn("NESTVIRT_REQUEST", entry)

    def the_entry(self, kind):
        """The only one, once all is done."""
        self.end_hanging()
        self.observer.call("GetGuest", ("s", "one"))
        entry = self.journal.entry()
        self.assertEqual((entry.get("MESSAGE_ID"), entry["NESTVIRT_REQUEST"], entry["NESTVIRT_CALLER_UID"]),
                         (self.journal.ids[kind], "one: nested=yes", str(NOBODY)))
        self.assertEqual(self.journal.rest(), [])
        return entry

    def test_what_is_not_begun_is_not_done(self):
        """What would have been done after its caller was told that it was not."""
        for call in self.begin_to_hang(before=True):
            with self.refused(ERROR + "TimedOut", "what is known of the host does not depend on it"):
                call.result()
        self.assertEqual(self.the_entry("CHANGE_FAILED")["NESTVIRT_ERROR"], ERROR + "TimedOut")
        self.assert_untouched()

    def test_what_is_begun_is_done(self):
        self.begin_too_late()
        self.assertEqual(self.the_entry("CHANGE_MADE")["NESTVIRT_OUTCOME"], "applied")
        self.assertIn("<feature policy='require' name='svm'/>", self.xml.read_text())
        self.assertEqual(self.get(ONE)["Policy"], "require")

    def test_what_is_begun_fails(self):
        self.begin_too_late()
        write(self.fake / "refuse", "")
        self.assertEqual(self.the_entry("CHANGE_REFUSED")["NESTVIRT_ERROR"], ERROR + "Unsupported")
        self.assert_untouched()

    def test_the_end_does_not_wait_for_it(self):
        self.begin_too_late()
        self.stop(self.daemons[0])


if __name__ == "__main__":
    main()
