# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is there and can't be read is not taken for absent: no descriptors are left, or a disk
fails."""

import contextlib
import os
import pathlib
import resource
import subprocess

from gi.repository import Gio, GLib
from clients import ERROR, MANAGER, MODULE, NAME, OBJECT_MANAGER, PATH, WHEN_IDLE, module_path, wait_for
from harness import BusTest, write
from tap import main

KVM_AMD = {"path": module_path("kvm_amd"), "interface": MODULE}
OFF = {"kvm_amd": {"nested": "0"}}
ADMIN = "etc/modprobe.d/admin.conf"


class Faults(BusTest):
    def limit(self, daemon, wanted=None):
        """Leaves no descriptor that is not in use now, or (@wanted) so many. One that is open in a
        look and not in the next was of something that it was at."""
        used, seen = self.descriptors(daemon), None
        while used != seen:
            self.caller.call("Ping", interface="org.freedesktop.DBus.Peer")
            used, seen = self.descriptors(daemon), used
        first = next(fd for fd in range(len(used) + 1) if fd not in used)
        _soft, hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (wanted or first, hard))

    def descriptors(self, daemon):
        return {int(name) for name in os.listdir(f"/proc/{daemon.pid}/fd")}

    def break_file(self, path):
        """Reading it fails with EIO, as /proc/PID/mem does where nothing is mapped; returns what
        mends it."""
        subprocess.run(["mount", "--bind", f"/proc/{os.getpid()}/mem", self.host / path], check=True)
        mended = []

        def mend():
            if not mended:
                subprocess.run(["umount", "--lazy", self.host / path], check=True)
            mended.append(True)
        self.addCleanup(mend)
        return mend

    def findings(self):
        return self.caller.call("Check", ("t", 0))[0]

    def published(self):
        return [self.caller.get_all(), self.caller.call("GetManagedObjects", interface=OBJECT_MANAGER)[0]]

    def assert_failed(self, findings, *words):
        failed = [finding for finding in findings if finding["Id"] == "reading-failed"]
        self.assertEqual([finding["Status"] for finding in failed], ["fail"])
        for word in words:
            self.assertIn(word, failed[0]["Message"])

    def configured(self):
        return self.caller.get("Parameters", MODULE, module_path("kvm_amd"))["nested"]["Configured"]

    def wait_configured(self, value):
        """Nobody asks for a reading meanwhile."""
        ticking = GLib.timeout_add(20, lambda: True)
        wait_for(lambda: self.configured() == value, f"nested={value}")
        GLib.source_remove(ticking)


class OutOfDescriptors(Faults):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_fake()
        self.caller = self.client(watch=True)

    def test_what_was_known_stays(self):
        before = self.published()
        self.limit(self.daemon)
        write(self.host / ADMIN, "options kvm_amd nested=0\n")
        for _ in range(3):
            self.caller.call("Refresh", ("t", 0))
            self.assertEqual(self.published(), before)
            self.assert_failed(self.findings(), str(self.host), "Too many open files", "as it was before")
        self.assertEqual(self.caller.signals("PropertiesChanged"), [])

        # By itself, and with what has changed meanwhile.
        self.limit(self.daemon, 512)
        self.wait_configured("0")
        self.assertNotIn("reading-failed", [finding["Id"] for finding in self.findings()])

    def test_changes_are_refused(self):
        self.limit(self.daemon)
        with self.refused(ERROR + "Internal", str(self.host), "Too many open files", "nothing is changed"):
            self.caller.set(OFF)
        with self.refused(ERROR + "Internal", "Too many open files"):
            self.caller.call("Reload", ("t", 0), **KVM_AMD)
        self.assertEqual((self.calls(), self.dropin()), ([], []))
        self.limit(self.daemon, 512)
        self.assertEqual(self.caller.set(OFF)["Outcome"], "applied")

    def test_none_is_sent_to_it(self):
        """It would lose its connection: the bus lets none through."""
        self.limit(self.daemon)
        with open("/dev/null", encoding="utf-8") as file:
            sent = Gio.UnixFDList.new()
            sent.append(file.fileno())
            with self.refused("org.freedesktop.DBus.Error.NotSupported"):
                self.caller.connection.call_with_unix_fd_list_sync(NAME, PATH, "org.freedesktop.DBus.Peer", "Ping", GLib.Variant("(h)", (0,)),
                                                                   None, Gio.DBusCallFlags.NONE, -1, sent, None)
        self.caller.call("Ping", interface="org.freedesktop.DBus.Peer")

    def test_folders_are_watched_again(self):
        """A folder that could not be looked for when something happened there."""
        self.limit(self.daemon)
        write(self.host / ADMIN, "options kvm_amd nested=0\n")
        self.caller.call("Refresh", ("t", 0))
        self.limit(self.daemon, 512)
        self.wait_configured("0")
        write(self.host / ADMIN, "options kvm_amd nested=1\n")
        self.wait_configured("1")

    def test_what_waits_is_not_given_up(self):
        self.hold(1234)
        self.caller.set(OFF, WHEN_IDLE)
        self.limit(self.daemon)
        self.caller.call("Refresh", ("t", 0))
        self.release(1234)
        self.caller.call("Refresh", ("t", 0))
        pending = self.caller.get("Pending", MODULE, module_path("kvm_amd"))
        self.assertEqual((pending, self.caller.signals("ChangeFinished")), ({"nested": "0"}, []))
        self.limit(self.daemon, 512)
        wait_for(lambda: self.caller.signals("ChangeFinished"), "ChangeFinished")
        self.assertEqual(self.caller.signals("ChangeFinished")[0].body, ({"nested": "0"}, "applied", ""))


class ManyHolders(Faults):
    def test_they_leave_descriptors_for_reading(self):
        """More of them than can be watched: those that are lead to the others."""
        daemon = self.start_fake("--impatient", wrap=("prlimit", "--nofile=100:100"))
        (self.host / "dev/kvm").write_text("")
        self.caller = self.client(watch=True)
        holders = [subprocess.Popen(["sleep", "1000"]) for _ in range(95)]
        for holder in holders:
            self.addCleanup(holder.wait)
            self.addCleanup(holder.kill)
            self.hold(holder.pid)
        before = self.caller.get_all()
        self.assertEqual(self.caller.set(OFF, WHEN_IDLE)["Outcome"], "deferred")
        told = {f"Pid:\t{holder.pid}\n" for holder in holders}
        descriptors = pathlib.Path(f"/proc/{daemon.pid}/fdinfo")

        def watched():
            """sd-bus may have one of the bus's own process (since systemd 256)."""
            found = 0
            for path in descriptors.iterdir():
                with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                    found += not told.isdisjoint(path.read_text().splitlines(keepends=True))
            return found
        ticking = GLib.timeout_add(20, lambda: True)
        wait_for(lambda: watched() >= 50, "pidfds")
        GLib.source_remove(ticking)
        self.assertEqual(watched(), 50)
        self.caller.call("Refresh", ("t", 0))
        self.assertEqual(self.caller.get_all(), before)
        self.assertNotIn("reading-failed", [finding["Id"] for finding in self.findings()])
        for holder in holders:
            self.release(holder.pid)
            holder.kill()
        wait_for(lambda: self.caller.signals("ChangeFinished"), "ChangeFinished")
        self.assertEqual(self.caller.signals("ChangeFinished")[0].body, ({"nested": "0"}, "applied", ""))


class AtStart(Faults):
    def start_broken(self):
        daemon = self.start_real("amd-epyc-6.1")
        self.stop(daemon)
        mend = self.break_file("proc/cpuinfo")
        self.start_real("amd-epyc-6.1")
        self.caller = self.client(watch=True)
        return mend

    def test_all_is_unknown(self):
        mend = self.start_broken()
        manager = self.caller.get_all()
        self.assertEqual({name: manager[name] for name in ("Nested", "Device", "Firmware", "Hypervisor", "Vendor", "Mmu")},
                         {"Nested": "unknown", "Device": "unknown", "Firmware": "unknown", "Hypervisor": "unknown", "Vendor": "",
                          "Mmu": ""})
        objects = self.caller.call("GetManagedObjects", interface=OBJECT_MANAGER)[0]
        self.assertEqual({path: properties[MODULE]["State"] for path, properties in objects.items()},
                         {module_path("kvm"): "unknown"})
        findings = self.findings()
        self.assertEqual(len(findings), 1)
        self.assert_failed(findings, f"{self.host}/proc/cpuinfo", "Input/output error", "unknown")
        with self.refused(ERROR + "Internal", f"{self.host}/proc/cpuinfo", "Input/output error"):
            self.caller.set(OFF, 4)

        self.caller.messages.clear()
        mend()
        wait_for(lambda: self.caller.signals("InterfacesAdded"), "the vendor's module")
        self.assertEqual((self.caller.get("Nested"), self.caller.get("Vendor")), ("on", "amd"))
        told = {name for signal in self.caller.signals("PropertiesChanged") if signal.body[0] == MANAGER for name in signal.body[1]}
        self.assertLessEqual({"Nested", "Vendor", "CpuModel", "Device"}, told)
        self.assertNotIn("reading-failed", [finding["Id"] for finding in self.findings()])


if __name__ == "__main__":
    main()
