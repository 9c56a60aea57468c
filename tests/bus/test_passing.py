# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who holds KVM for a moment only, and is known to: a change waits for its end."""

import subprocess

from gi.repository import GLib
from clients import DBUS_ERROR, DRY_RUN, ERROR, NOBODY, wait_for
from harness import BusTest, write
from tap import main

OFF = {"kvm_amd": {"nested": "0"}}
LIBVIRTD = 77
UNIT = "/system.slice/libvirtd.service"
OWN = ("/system.slice/nestvirt-device@check.service", "/system.slice/system-nestvirt\\x2dprobe.slice/nestvirt-probe@quick.service")


class Passing(BusTest):
    def begin(self):
        (self.host / "fake").mkdir(parents=True)
        write(self.host / "fake/libvirt", "")
        write(self.host / "fake/guests/x", "")
        (self.host / "fake/guests/x").unlink()
        write(self.host / "fake/peer", f"{LIBVIRTD}")
        self.process_entry(LIBVIRTD, 1, UNIT)
        self.daemon = self.start_fake("--guests")
        self.caller = self.client()
        self.caller.call("RefreshGuests", ("t", 0))

    def process_entry(self, pid, parent, unit, command_line=""):
        folder = self.host / "proc" / str(pid)
        write(folder / "comm", "qemu-system-x86\n")
        write(folder / "status", f"Name:\tqemu\nPPid:\t{parent}\nUid:\t107\t107\t107\t107\n")
        write(folder / "cgroup", f"0::{unit}\n")
        write(folder / "cmdline", command_line)

    def holder(self, parent=1, unit=UNIT, command_line="qemu-system-x86_64\0-S\0-daemonize\0"):
        """A process of ours, entered as a holder."""
        process = subprocess.Popen(["sleep", "1000"])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.hold(process.pid)
        self.process_entry(process.pid, parent, unit, command_line)
        return process

    def gone(self, process):
        """It lets go of KVM, and ends."""
        self.release(process.pid)
        process.kill()

    def assert_waited_for(self, process):
        pending = self.caller.start_set(OFF)
        for _ in range(100):  # what does not wait is done by then
            self.caller.get("Nested")
        self.assertFalse(pending.done)
        self.gone(process)
        self.assertEqual(pending.result()[0]["Outcome"], "applied")


class Waits(Passing):
    def test_a_child_of_libvirts(self):
        self.begin()
        self.assert_waited_for(self.holder(parent=LIBVIRTD, unit="/"))

    def test_in_libvirts_unit(self):
        """QEMU with -daemonize has left its parent."""
        self.begin()
        self.assert_waited_for(self.holder())

    def test_our_own(self):
        self.begin()
        for unit in OWN:
            self.assert_waited_for(self.holder(unit=unit))
            self.caller.set({"kvm_amd": {"nested": "1"}})
        self.assert_waited_for(self.holder(parent=self.daemon.pid, unit="/user.slice/x.scope"))

    def test_one_after_the_other(self):
        self.begin()
        first = self.holder()
        pending = self.caller.start_set(OFF)
        self.caller.set(OFF, DRY_RUN)
        second = self.holder()
        first.kill()
        self.caller.set(OFF, DRY_RUN)
        self.assertFalse(pending.done)
        self.release(first.pid)
        self.gone(second)
        self.assertEqual(pending.result()[0]["Outcome"], "applied")

    def test_several_wait_for_it(self):
        self.begin()
        process = self.holder()
        waiting = [self.caller.start_set({"kvm_amd": {name: "0"}}) for name in ("nested", "npt")]
        self.caller.set(OFF, DRY_RUN)
        self.gone(process)
        self.assertEqual([pending.result()[0]["Outcome"] for pending in waiting], ["applied"] * 2)

    def test_it_comes_when_polkit_was_asked(self):
        """The kernel says so when the module is to go."""
        self.begin()
        come = []

        def answer(_request):
            come.append(self.holder())
            return "(bba{ss})", (True, False, {})

        self.service("org.freedesktop.PolicyKit1", {"CheckAuthorization": answer, "CancelCheckAuthorization": lambda request: ()})
        pending = self.client(uid=NOBODY).start_set(OFF)
        ticking = GLib.timeout_add(5, lambda: True)  # no event tells of the attempt
        wait_for(lambda: "unload kvm_amd" in self.calls(), "the attempt")
        GLib.source_remove(ticking)
        self.caller.set(OFF, DRY_RUN)
        self.assertFalse(pending.done)
        self.gone(*come)
        self.assertEqual(pending.result()[0]["Outcome"], "applied")

    def test_the_dry_run_says_so(self):
        self.begin()
        process = self.holder()
        impact, = self.caller.set(OFF, DRY_RUN)["Impact"]
        self.assertEqual((impact["Kind"], impact["Message"]),
                         ("blocks", f"pid {process.pid} qemu-system-x86 of libvirtd.service holds KVM; it is libvirt trying out QEMU, "
                                    "which ends by itself and is waited for"))

    def test_the_daemon_ends_meanwhile(self):
        self.begin()
        self.holder()
        pending = self.caller.start_set(OFF)
        self.caller.set(OFF, DRY_RUN)
        self.stop(self.daemon)
        with self.refused(DBUS_ERROR + "NoReply"):
            pending.result()


class Refuses(Passing):
    def assert_busy(self, process, *words):
        with self.refused(ERROR + "Busy", f"pid {process.pid} qemu-system-x86", *words):
            self.caller.set(OFF)
        self.assertNotIn("by itself", self.caller.set(OFF, DRY_RUN)["Impact"][-1]["Message"])

    def test_who_only_looks_like_it(self):
        self.begin()
        for unit in ("/user.slice/user-9.slice/user@9.service/nestvirt-probe@quick.service", "/machine.slice/libvirtd.service.scope",
                     "/user.slice/user-9.slice/session-1.scope/libvirtd.service", "/"):
            process = self.holder(unit=unit)
            self.assert_busy(process)
            self.gone(process)

    def test_a_guest_in_libvirts_unit(self):
        self.begin()
        self.assert_busy(self.holder(command_line="qemu-system-x86_64\0-name\0guest=web1\0"), "guest web1")

    def test_somebody_else_as_well(self):
        self.begin()
        self.holder()
        self.assert_busy(self.holder(unit="/machine.slice/web1.scope"))

    def test_the_peer_is_not_known(self):
        """Everybody's parent at last is the first process."""
        self.begin()
        write(self.host / "fake/peer", "1")
        write(self.host / "proc/1/cgroup", "0::/init.scope\n")
        daemon = self.daemon
        self.stop(daemon)
        self.start_fake("--guests")
        self.caller.call("RefreshGuests", ("t", 0))
        self.assert_busy(self.holder())


if __name__ == "__main__":
    main()
