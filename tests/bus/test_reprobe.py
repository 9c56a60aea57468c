# SPDX-License-Identifier: LGPL-2.1-or-later
"""When libvirt is made to look again at what KVM offers, and what is said of it: over a hypervisor
made of files."""

import hashlib
import os
import shutil

from clients import DRY_RUN, ERROR, RUNTIME, WHEN_IDLE, guest_path, wait_for
from harness import write
from journal import Journal
from tap import main
from test_guests import ONE, Fake

MODULES = os.environ["QEMU_MODDIR"]
CACHE = "/var/cache/libvirt/qemu/capabilities"
EMULATOR = "/usr/bin/qemu-system-x86_64"
LONG_AGO = 1_000_000_000
BY_HAND = f"rm -f {CACHE}/*.xml && systemctl restart"


def amd(**values):
    return {"kvm_amd": {name: str(value) for name, value in values.items()}}


def capabilities(*features, model="EPYC", without=()):
    lines = [f"<feature policy='require' name='{name}'/>" for name in features]
    lines += [f"<feature policy='disable' name='{name}'/>" for name in without]
    return (f"<domainCapabilities><path>{EMULATOR}</path><domain>kvm</domain><cpu>"
            "<mode name='host-passthrough' supported='yes'/>"
            f"<mode name='host-model' supported='yes'><model fallback='forbid'>{model}</model><vendor>AMD</vendor>{''.join(lines)}</mode>"
            "<mode name='custom' supported='yes'><model usable='no'>Opteron_G1</model></mode></cpu></domainCapabilities>")


class Reprobe(Fake):
    def setUp(self):
        super().setUp()
        self.journal = Journal(self.folder)
        self.addCleanup(self.journal.close)
        self.modules = self.host / MODULES[1:]
        self.modules.mkdir(parents=True)
        os.utime(self.modules, (LONG_AGO, LONG_AGO))
        self.file = self.fake / "capabilities"
        write(self.file, capabilities("svm", "npt"))
        self.guest(ONE, name="0")
        self.seen = 0

    def begin(self, *options, wrap=()):
        daemon = self.start_fake("--guests", *options, wrap=(*self.journal.wrap, *wrap))
        self.observer = self.client(watch=True)
        self.rest()
        return daemon

    def rest(self):
        """Until whoever had a turn before has ended it."""
        self.observer.set(amd(npt=0), DRY_RUN)

    def reconnect(self):
        """The connection is lost, and there again."""
        self.guest(ONE, name=f"{len(self.observer.messages) + 1}")
        seen = len(self.observer.signals("PropertiesChanged", guest_path(ONE)))
        self.tell("lost")
        wait_for(lambda: len(self.observer.signals("PropertiesChanged", guest_path(ONE))) > seen, "the connection")
        self.rest()

    def questions(self):
        """How often libvirt was asked what it gives to guests since this was last asked: twice each
        time that it is made to look again."""
        self.rest()
        before, self.seen = self.seen, self.calls().count("capabilities")
        return self.seen - before

    def touched(self):
        """Whether the time has changed since this was last asked."""
        changed = self.modules.stat().st_mtime != LONG_AGO
        os.utime(self.modules, (LONG_AGO, LONG_AGO))
        return changed

    def load_by_hand(self, module="kvm_amd", **values):
        """The kernel shows no value half written, whoever reads just then."""
        for name, value in values.items():
            path, new = self.host / "sys/module" / module / "parameters" / name, self.host / f"{name}.new"
            write(new, f"{value}\n")
            shutil.copymode(path, new)
            new.replace(path)
        self.observer.call("Refresh", ("t", 0))


class When(Reprobe):
    def assert_looked(self, times):
        self.assertEqual((self.questions(), self.touched()), (2 * times, times > 0))

    def test_npt(self):
        """Each change once, whichever way it is made."""
        self.begin()
        self.assert_looked(0)
        self.observer.set(amd(npt=0))
        self.assert_looked(1)
        self.observer.set(amd(npt=0))
        self.assert_looked(0)
        self.observer.set(amd(npt=1), RUNTIME)
        self.assert_looked(1)
        self.load_by_hand(npt="N")
        self.assert_looked(1)
        self.observer.call("Refresh", ("t", 0))
        self.assert_looked(0)

    def test_when_idle(self):
        self.begin()
        self.hold(1234)
        (self.host / "dev/kvm").write_text("")
        self.observer.set(amd(npt=0), WHEN_IDLE)
        self.assert_looked(0)
        self.release(1234)
        with open(self.host / "dev/kvm", encoding="utf-8"):
            pass
        wait_for(lambda: self.observer.signals("ChangeFinished"), "the change")
        self.assert_looked(1)

    def test_nested_and_what_is_written_without_a_reload(self):
        """libvirt looks at nested itself."""
        self.begin()
        self.observer.set(amd(nested=0))
        self.observer.set(amd(nested=1))
        self.observer.set({"kvm": {"ignore_msrs": "1"}})
        self.load_by_hand(dump_invalid_vmcb="Y")
        self.assert_looked(0)
        self.observer.set(amd(nested=0, npt=0))
        self.assert_looked(1)
        # nested is what libvirt knows it to be, but npt is not, as it may not have looked in
        # between.
        self.observer.set(amd(nested=1))
        self.assert_looked(0)

    def test_of_kvm_itself(self):
        self.begin()
        self.observer.set({"kvm": {"enable_pmu": "0"}})
        self.assert_looked(1)

    def test_what_comes_to_nothing(self):
        self.begin()
        self.observer.set(amd(npt=0), DRY_RUN)
        (self.fake / "fail").write_text("load kvm_amd")
        with self.refused("org.nestvirt1.Error.ReloadFailed"):
            self.observer.set(amd(npt=0))
        self.assert_looked(0)

    def test_unloaded_and_loaded_again(self):
        """Between the two nothing is known; what counts is how it was loaded before, and how it is
        now."""
        self.begin()
        state = self.host / "sys/module/kvm_amd/initstate"
        for value, times in (("Y", 0), ("N", 1)):
            state.write_text("going\n")
            self.load_by_hand(npt="")
            state.write_text("live\n")
            self.load_by_hand(npt=value)
            self.assert_looked(times)

    def test_while_the_daemon_is_away(self):
        """As a boot does it."""
        daemon = self.begin()
        self.stop(daemon)
        self.begin()
        self.assert_looked(0)
        self.stop(self.daemons[-1])
        write(self.host / "sys/module/kvm_amd/parameters/npt", "N\n")
        self.begin()
        self.assert_looked(1)

    def test_while_libvirt_is_away(self):
        (self.fake / "libvirt").unlink()
        self.begin()
        self.observer.set(amd(npt=0))
        self.assert_looked(0)
        write(self.fake / "libvirt", "")
        self.observer.call("GetGuest", ("s", "0"))  # asking is a reason to try
        self.assert_looked(1)
        self.reconnect()
        self.assert_looked(0)

    def test_another_driver(self):
        self.file.unlink()
        self.begin()
        self.observer.set(amd(npt=0))
        self.assertEqual((self.questions(), self.touched()), (1, False))
        self.assertEqual(self.journal.entries("LIBVIRT_STALE"), [])

    def test_the_same_second(self):
        """libvirt compares seconds."""
        self.begin()
        for value in (0, 1, 0, 1):
            before = self.modules.stat().st_mtime_ns // 10 ** 9
            self.observer.set(amd(npt=value))
            self.rest()
            self.assertNotEqual(self.modules.stat().st_mtime_ns // 10 ** 9, before)


class Words(Reprobe):
    def stale(self, *words):
        self.observer.set(amd(npt=0))
        self.rest()
        entry, = self.journal.entries("LIBVIRT_STALE")
        self.assertEqual((entry["PRIORITY"], entry["NESTVIRT_ERROR_MESSAGE"]), ("3", entry["MESSAGE"]))
        for word in ("kvm_amd.npt was Y and is N, but libvirt still goes by", *words):
            self.assertIn(word, entry["MESSAGE"])
        self.assertEqual(self.journal.entries("LIBVIRT_REFRESHED"), [])

    def look_again(self, after):
        """What is said when this is what libvirt finds."""
        self.begin()
        write(self.fake / "capabilities-next", after)
        self.observer.set(amd(npt=0))
        self.rest()
        entry, = self.journal.entries("LIBVIRT_REFRESHED")
        self.assertEqual(entry["PRIORITY"], "5")
        self.assertIn("kvm_amd.npt was Y and is N, so libvirt was made to look again", entry["MESSAGE"])
        self.assertIn(f"modification time of {MODULES}", entry["MESSAGE"])
        return entry["MESSAGE"].rpartition(": ")[2], entry["NESTVIRT_LOST"], entry["NESTVIRT_GAINED"]

    def test_lost(self):
        self.assertEqual(self.look_again(capabilities("svm", without=["nrip-save"])),
                         ("host-model has lost npt, nrip-save", "npt nrip-save", ""))

    def test_gained(self):
        self.assertEqual(self.look_again(capabilities("svm", "npt", "avic", model="EPYC-Rome")),
                         ("host-model is EPYC-Rome and was EPYC, has gained avic", "", "avic"))

    def test_the_same(self):
        self.assertEqual(self.look_again(capabilities("npt", "svm")), ("host-model is as before", "", ""))

    def test_no_folder(self):
        self.begin()
        self.modules.rmdir()
        self.stale(f"{MODULES}, at whose modification time libvirt would look, is not there", f"Run: {BY_HAND} libvirtd")
        # It is told once, and not at each connection.
        self.reconnect()
        self.assertEqual(self.journal.entries("LIBVIRT_STALE"), [])

    def test_no_folder_and_the_daemon_of_qemu_alone(self):
        write(self.host / "run/libvirt/virtqemud-sock", "")
        self.begin()
        self.modules.rmdir()
        self.stale(f"Run: {BY_HAND} virtqemud")

    def test_read_only(self):
        script = 'mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"; exec "$@"'
        self.begin(wrap=("sh", "-ec", script, self.modules))
        self.stale("Read-only file system", f"Run: {BY_HAND} libvirtd")
        self.assertFalse(self.touched())

    def test_no_folder_but_a_file(self):
        self.begin()
        self.modules.rmdir()
        write(self.modules, "")
        self.stale("Not a directory", f"Run: touch {MODULES}")

    def test_libvirt_looks_elsewhere(self):
        """What it keeps was not written anew."""
        write(self.host / CACHE[1:] / (hashlib.sha256(EMULATOR.encode()).hexdigest() + ".xml"), "")
        self.begin()
        self.stale(f"it has not noticed the new modification time of {MODULES}", f"Run: {BY_HAND} libvirtd")
        self.assertTrue(self.touched())

    def test_libvirt_has_no_answer(self):
        """Then it is asked again when it is back."""
        self.begin()
        (self.fake / "libvirt").unlink()
        self.stale("libvirt can't be reached", f"Run: {BY_HAND} libvirtd")
        self.reconnect()
        self.assertEqual((len(self.journal.entries("LIBVIRT_REFRESHED")), self.touched()), (1, True))


class Turns(Reprobe):
    """QEMU has /dev/kvm open while libvirt looks."""

    def test_a_change_waits_for_its_end(self):
        self.begin()
        os.mkfifo(self.fake / "hang")
        self.observer.set(amd(npt=0))
        pending = self.observer.start_set(amd(nested=0))
        for _ in range(100):  # what does not wait is done by then
            self.assertEqual(self.observer.get("Nested"), "on")
        with open(self.fake / "hang", "w", encoding="utf-8"):
            (self.fake / "hang").unlink()
        self.assertEqual(pending.result()[0]["Outcome"], "applied")
        calls = [call for call in self.calls() if call in ("capabilities", "load kvm_amd npt=0", "load kvm_amd nested=0 npt=0")]
        self.assertEqual(calls, ["load kvm_amd npt=0", "capabilities", "capabilities", "load kvm_amd nested=0 npt=0"])

    def test_but_not_for_a_libvirt_that_hangs(self):
        self.begin("--guest-patience=100000")
        os.mkfifo(self.fake / "hang")
        self.observer.set(amd(npt=0))
        self.assertEqual(self.observer.set(amd(nested=0))["Outcome"], "applied")
        self.assertFalse(self.touched())

    def answer(self, question=None):
        """The question at which it hangs; until that one, which is the next."""
        with open(self.fake / "hang", "w", encoding="utf-8"):
            (self.fake / "hang").unlink()
            if question:
                os.mkfifo(self.fake / "hang")
        while question and self.asked("capabilities") != (question,):
            self.observer.get("Nested")

    def look_during_a_change(self, *before):
        """libvirt is asked to look, hangs, and answers when the next change has begun: it looks
        when that has ended."""
        self.begin("--guest-patience=500000")
        os.mkfifo(self.fake / "hang")
        for call in before:
            with self.refused(ERROR + "TimedOut"):
                self.observer.call(*call)
        self.observer.set(amd(npt=0))
        self.close_gate()
        change = self.observer.start_set(amd(nested=0))
        open_gate = self.wait_at_gate()
        self.answer()
        self.observer.call("GetGuest", ("s", "0"))  # what was asked before that has been answered
        self.assertFalse(change.done)
        self.assertFalse(self.touched())
        open_gate()
        self.assertEqual(change.result()[0]["Outcome"], "applied")
        self.rest()
        self.assertTrue(self.touched())
        self.assertEqual(len(self.journal.entries("LIBVIRT_REFRESHED")), 1)
        self.assertEqual(self.journal.entries("LIBVIRT_STALE"), [])

    def test_it_hangs_in_the_middle(self):
        self.look_during_a_change()
        self.assertEqual(self.calls().count("capabilities"), 1 + 2)

    def test_it_hangs_before(self):
        self.look_during_a_change(("GetGuest", ("s", "0")))
        self.assertEqual(self.calls().count("capabilities"), 2)

    def test_who_is_late_ends_nobody_elses_turn(self):
        self.begin("--guest-patience=6000000")
        os.mkfifo(self.fake / "hang")
        self.observer.set(amd(npt=0))
        self.answer(2)
        self.observer.set({"kvm": {"enable_pmu": "0"}})  # after libvirt was late; once more it is to look
        pending = self.observer.start_set(amd(nested=0))
        self.answer(3)
        for _ in range(100):  # what does not wait is done by then, and libvirt is not late again
            self.assertEqual(self.observer.get("Nested"), "on")
        self.assertFalse(pending.done)
        self.answer()
        self.assertEqual(pending.result()[0]["Outcome"], "applied")


if __name__ == "__main__":
    main()
