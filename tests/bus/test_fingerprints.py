# SPDX-License-Identifier: LGPL-2.1-or-later
"""GetFingerprint and CompareFingerprints, and Compare of a guest: whom they ask, and when; and what
they take. The program that opens /dev/kvm is one that says what a test wants."""

import hashlib
import json

from clients import DBUS_ERROR, DRY_RUN, ERROR, GUEST, NOBODY, GLib, guest_path
from harness import BusTest, write
from tap import main

OFF = {"kvm_amd": {"nested": "0"}}
FACTS = """kvm-cpuid:
   0x00000001 0x00: eax=0x0 ebx=0x0 ecx=0x00000000 edx=0x0
   0x80000001 0x00: eax=0x0 ebx=0x0 ecx={svm} edx=0x0
   0x8000000a 0x00: eax=0x00000001 ebx=0x00000008 ecx=0x0 edx={features}
kvm-msr:
0x0000010a 0x0000000000000000
kvm-cap:
0x0000009d 0x0000000000001080
"""
PROGRAM = """#!/bin/sh
echo "$1" >>{folder}/calls
[ "$1" != facts ] || cat {folder}/found
exit 0
"""
ABILITY = {"architecture": "x86_64", "cpuid.8000000a.eax": "0x1", "cpuid.8000000a.ebx": "0x8", "cpuid.8000000a.edx": "0x9",
           "nested_state.size": "0x1080", "schema": "0x1", "svm": "0x1", "vendor": "amd", "vmx": "0x0"}
WITHOUT_NPT = {**ABILITY, "cpuid.8000000a.edx": "0x8"}


def told(ability=None, **more):
    entries = {} if ability is None else {"Ability": GLib.Variant("a{ss}", ability)}
    return {**entries, **{name: value if isinstance(value, GLib.Variant) else GLib.Variant("s", value) for name, value in more.items()}}


def parameters(**values):
    return GLib.Variant("a{ss}", {f"kvm_amd.{name}": value for name, value in values.items()})


class FingerprintTest(BusTest):
    options = ()

    def prepare(self):
        """What is to be there before the daemon."""

    def setUp(self):
        super().setUp()
        program = self.folder / "nestvirt-device"
        program.write_text(PROGRAM.format(folder=self.folder))
        program.chmod(0o755)
        self.find()
        self.prepare()
        self.start_fake(f"--helper-dir={self.folder}", *self.options)
        self.caller = self.client()

    def find(self, svm="0x00000004", features="0x00000009"):
        """What the program will say."""
        (self.folder / "found").write_text(FACTS.format(svm=svm, features=features))

    def calls(self):
        path = self.folder / "calls"
        return path.read_text().split() if path.exists() else []

    def get(self, caller=None):
        return (caller or self.caller).call("GetFingerprint", ("t", 0))[0]

    def compare(self, first, second=None, flags=0):
        return self.caller.call("CompareFingerprints", ("a{sv}a{sv}t", first, second or {}, flags))[0]


class Get(FingerprintTest):
    def test_what_is_told(self):
        found = self.get()
        self.assertEqual(set(found), {"Ability", "CpuModel", "Features", "Parameters", "Release", "Sha256"})
        self.assertEqual(found["Ability"], ABILITY)
        self.assertEqual(found["Features"], ["npt", "nrip-save", "svm"])
        self.assertEqual(found["Parameters"]["kvm_amd.npt"], "1")
        canonical = json.dumps(found["Ability"], sort_keys=True, separators=(",", ":"))
        self.assertEqual(found["Sha256"], hashlib.sha256(canonical.encode()).hexdigest())

    def test_it_is_asked_anew(self):
        before = self.get()
        self.find(features="0x00000008")
        after = self.get()
        self.assertEqual((before["Ability"], after["Ability"]), (ABILITY, WITHOUT_NPT))
        self.assertNotEqual(before["Sha256"], after["Sha256"])

    def test_of_an_old_load_nothing_stays(self):
        self.get()
        self.assertEqual(self.caller.set(OFF)["Outcome"], "applied")
        self.find(svm="0x00000000")
        after = self.get()
        self.assertEqual((after["Features"], after["Ability"]["svm"], after["Parameters"]["kvm_amd.nested"]), ([], "0x0", "0"))

    def test_what_explains_it_is_not_in_the_checksum(self):
        before = self.get()
        (self.host / "proc/sys/kernel/osrelease").write_text("9.9.9\n")
        after = self.get()
        self.assertEqual((after["Release"], after["Sha256"]), ("9.9.9", before["Sha256"]))

    def test_who_asks_together_is_answered_together(self):
        callers = [self.client() for _ in range(10)]
        pending = [caller.start("GetFingerprint", ("t", 0)) for caller in callers for _ in range(10)]
        self.assertEqual({one.result()[0]["Sha256"] for one in pending}, {self.get()["Sha256"]})
        self.assertLess(len(self.calls()), 100)

    def test_never_during_a_change(self):
        self.close_gate()
        change = self.caller.start_set(OFF)
        open_gate = self.wait_at_gate()
        other = self.client()
        pending = other.start("GetFingerprint", ("t", 0))
        other.get_all()
        self.assertEqual((pending.done, self.calls()), (False, []))
        open_gate()
        self.assertEqual(change.result()[0]["Outcome"], "applied")
        self.assertEqual(pending.result()[0]["Ability"], ABILITY)

    def test_kvm_that_can_not_be_asked(self):
        (self.folder / "found").write_text("")
        with self.refused(ERROR + "Unsupported", "could not be asked"):
            self.get()
        with self.refused(ERROR + "Unsupported", "could not be asked"):
            self.compare(told(ABILITY))
        self.assertEqual(self.caller.set(OFF)["Outcome"], "applied")  # the turn is not lost

    def test_flags(self):
        with self.refused(ERROR + "InvalidArgs"):
            self.caller.call("GetFingerprint", ("t", DRY_RUN))
        with self.refused(ERROR + "InvalidArgs"):
            self.compare(told(ABILITY), flags=DRY_RUN)


class Compare(FingerprintTest):
    def verdicts(self, *arguments):
        result = self.compare(*arguments)
        return result["FirstToSecond"]["Verdict"], result["SecondToFirst"]["Verdict"]

    def test_with_this_host(self):
        self.assertEqual(self.verdicts(told(ABILITY)), ("identical", "identical"))
        self.assertEqual(self.verdicts(told(WITHOUT_NPT)), ("accepts", "refuses"))

    def test_what_it_told_itself_is_taken(self):
        found = self.get()
        self.assertEqual(self.verdicts(told(found["Ability"], Sha256=found["Sha256"], Release="x",
                                            Features=GLib.Variant("as", found["Features"]))), ("identical", "identical"))

    def test_why_and_what_would_do(self):
        missing = {"Feature": "npt", "Kind": "missing"}
        for first, second, host, parameter in (
                (parameters(npt="0"), {}, "first", "npt=1"), ({}, parameters(npt="1"), "second", "npt=0"), ({}, {}, "second", "npt=0")):
            result = self.compare(told(WITHOUT_NPT, **({"Parameters": first} if first else {})),
                                  told(ABILITY, **({"Parameters": second} if second else {})))
            self.assertEqual(result["FirstToSecond"], {"Verdict": "accepts", "Differences": []})
            self.assertEqual(result["SecondToFirst"], {"Verdict": "refuses", "Differences": [
                {**missing, "Host": host, "Parameter": f"kvm_amd.{parameter}"}]})

    def test_two_that_are_told_need_nobody(self):
        self.assertEqual(self.verdicts(told(ABILITY), told(WITHOUT_NPT)), ("refuses", "accepts"))
        self.assertEqual(self.calls(), [])

    def test_what_is_no_fingerprint(self):
        many = {f"kvm_amd.{n}": "0" for n in range(200)}
        for what, message in (
                ({}, "lacks"), (told({}), "lacks"), (told({**ABILITY, "schema": "0x2"}), "schema 2"),
                (told({**ABILITY, "msr.999": "0x1"}), "newer"), (told({**ABILITY, "svm": "1"}), "is not as it is written"),
                (told({**ABILITY, "svm": "0x" + "1" * 1000}), "can't be read"), (told(ABILITY, Sha256="0"), "checksum"),
                (told(ABILITY, Sha256=GLib.Variant("u", 1)), "can't be read"), ({"Ability": GLib.Variant("as", [])}, "can't be read"),
                (told(ABILITY, Parameters=GLib.Variant("a{ss}", many)), "can't be read")):
            with self.refused(ERROR + "InvalidArgs", message):
                self.compare(what)
            if what:
                with self.refused(ERROR + "InvalidArgs", message):
                    self.compare(told(ABILITY), what)
        self.assertEqual(self.calls(), [])


class GuestTest(FingerprintTest):
    options = ("--guests",)
    one, named, without = (f"3b5b08e4-3dca-4ff9-9a1d-40389758d08{i}" for i in (1, 2, 3))

    def prepare(self):
        self.guest(self.one, name="one", defined="host-passthrough", live="host-passthrough - require")
        self.guest(self.named, name="named", defined="custom EPYC require - require", live="custom EPYC require - require")
        self.guest(self.without, name="without", defined="custom EPYC disable")

    def compare_guest(self, guest, there, flags=0, caller=None):
        return (caller or self.caller).call("Compare", ("a{sv}t", there, flags), path=guest_path(guest), interface=GUEST)[0]

    def verdict(self, *arguments):
        result = self.compare_guest(*arguments)
        self.assertEqual(set(result), {"Differences", "Reason", "Verdict"})
        return result["Verdict"], [difference["Feature"] for difference in result["Differences"]]


class Guest(GuestTest):
    def test_what_is_told(self):
        self.assertEqual(self.compare_guest(self.one, told(WITHOUT_NPT, Parameters=parameters(npt="0"))), {
            "Differences": [{"Feature": "npt", "Host": "there", "Kind": "missing", "Parameter": "kvm_amd.npt=1"}],
            "Reason": "It has the CPU of this host as it is, and that host does not offer all that this one does.", "Verdict": "refuses"})
        self.assertEqual(self.compare_guest(self.one, told(WITHOUT_NPT))["Differences"], [
            {"Feature": "npt", "Host": "here", "Kind": "missing", "Parameter": "kvm_amd.npt=0"}])

    def test_verdicts(self):
        without_nrips = {**ABILITY, "cpuid.8000000a.edx": "0x1"}
        self.assertEqual(self.verdict(self.one, told(ABILITY)), ("accepts", []))
        self.assertEqual(self.verdict(self.one, told(without_nrips)), ("refuses", ["nrip-save"]))
        self.assertEqual(self.verdict(self.named, told(without_nrips)), ("unknown", ["nrip-save"]))
        self.assertEqual(self.verdict(self.named, told(WITHOUT_NPT)), ("refuses", ["npt"]))
        self.find(features="0x00000008")
        self.assertEqual(self.verdict(self.named, told(WITHOUT_NPT)), ("accepts", []))

    def test_kvm_is_asked_where_that_decides(self):
        (self.folder / "found").write_text("")
        self.assertEqual(self.verdict(self.without, told(WITHOUT_NPT)), ("accepts", []))
        self.assertEqual(self.calls(), [])
        with self.refused(ERROR + "Unsupported", "could not be asked"):
            self.compare_guest(self.one, told(ABILITY))
        self.assertEqual(self.caller.set(OFF)["Outcome"], "applied")  # the turn is not lost

    def test_the_guest_is_of_now(self):
        self.assertEqual(self.verdict(self.without, told(WITHOUT_NPT)), ("accepts", []))
        self.guest(self.without, name="without", defined="host-passthrough", live="host-passthrough")
        self.assertEqual(self.verdict(self.without, told(WITHOUT_NPT)), ("refuses", ["npt"]))

    def test_never_during_a_change(self):
        """What is judged is the guest on the host of after that."""
        self.guest(self.one, name="one", defined="host-passthrough")
        self.assertEqual(self.verdict(self.one, told(WITHOUT_NPT)), ("refuses", ["npt"]))
        asked = self.calls()
        self.close_gate()
        change = self.caller.start_set(OFF)
        open_gate = self.wait_at_gate()
        other = self.client()
        pending = other.start("Compare", ("a{sv}t", told(WITHOUT_NPT), 0), path=guest_path(self.one), interface=GUEST)
        other.call("GetGuest", ("s", "one"))
        self.assertEqual((pending.done, self.calls()), (False, asked))
        self.find(svm="0x00000000")
        open_gate()
        self.assertEqual(change.result()[0]["Outcome"], "applied")
        self.assertEqual((pending.result()[0]["Verdict"], pending.result()[0]["Differences"]), ("accepts", []))

    def test_one_that_goes_meanwhile(self):
        self.close_gate()
        change = self.caller.start_set(OFF)
        open_gate = self.wait_at_gate()
        other = self.client()
        pending = other.start("Compare", ("a{sv}t", told(ABILITY), 0), path=guest_path(self.one), interface=GUEST)
        other.call("GetGuest", ("s", "one"))
        (self.host / "fake/guests" / self.one).unlink()
        other.call("ListGuests", ("t", 0))
        self.assertFalse(pending.done)
        open_gate()
        change.result()
        with self.refused(ERROR + "NoSuchGuest", "no longer"):
            pending.result()

    def test_what_is_no_fingerprint(self):
        for what, flags, message in (({}, 0, "lacks"), (told(ABILITY, Sha256="0"), 0, "checksum"), (told(ABILITY), DRY_RUN, "Flags")):
            with self.refused(ERROR + "InvalidArgs", message):
                self.compare_guest(self.one, what, flags)
        self.assertEqual(self.calls(), [])

    def test_without_libvirt(self):
        (self.host / "fake/libvirt").unlink()
        with self.refused(ERROR + "LibvirtUnavailable"):
            self.compare_guest(self.one, told(ABILITY))

    def test_everybody_may_ask(self):
        self.assertEqual(self.compare_guest(self.one, told(ABILITY), caller=self.client(uid=NOBODY))["Verdict"], "accepts")


class Hidden(GuestTest):
    def prepare(self):
        super().prepare()
        write(self.host / "etc/nestvirt/nestvirtd.conf", "[Guests]\nHidden=true\n")

    def test_only_who_may_see_it_may_ask(self):
        self.caller.call("ListGuests", ("t", 0))  # it is there for who has asked for it
        other = self.client(uid=NOBODY)
        with self.refused(DBUS_ERROR + "UnknownObject"):
            self.compare_guest(self.one, told(ABILITY), caller=other)
        self.assertEqual(self.calls(), [])
        self.assertEqual(self.verdict(self.one, told(WITHOUT_NPT)), ("refuses", ["npt"]))


if __name__ == "__main__":
    main()
