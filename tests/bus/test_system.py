# SPDX-License-Identifier: LGPL-2.1-or-later
"""The machine's own libvirt, qemu:///system, with QEMU: how it comes and goes, and how it learns
what KVM offers now."""

import os
import pathlib
import re
import select
import signal
import subprocess
import sys

import libvirt
from clients import ERROR, GUEST, GLib, guest_path, wait_for
from harness import FIXTURES, BusTest
from journal import Journal
from session import LIBVIRTD, TIMEOUT, quiet
from tap import main
from test_libvirtd import DOMAIN, IDENTITY, OPTERON, PAUSED

MODULES = os.environ["QEMU_MODDIR"]
REAPER = pathlib.Path(__file__).with_name("reaper.py")


class System(BusTest):
    """The machine's own: qemu:///system, in a view of the file system that is the daemon's and
    libvirtd's alone."""

    PLACES = ("/run", "/etc/libvirt", "/var/lib/libvirt", "/var/cache/libvirt", "/var/log/libvirt", "/var/lib/nestvirt")
    # The user that libvirtd wants comes with another package. A KVM that works only somehow would
    # keep it waiting.
    APART = ("unshare", "--mount", "--propagation=private", "sh", "-ec", f"""
        for place in {" ".join(PLACES)}; do mkdir -p $place; mount -t tmpfs tmpfs $place; done
        {{ cat /etc/passwd; echo libvirt-qemu:x:64055:64055::/:/bin/false; }} >/run/passwd
        {{ cat /etc/group; printf 'libvirt-qemu:x:64055:\\nkvm:x:64056:\\n'; }} >/run/group
        for file in passwd group; do mount --bind /run/$file /etc/$file; done
        touch /run/nothing; chmod 0 /run/nothing; test ! -e /dev/kvm || mount --bind /run/nothing /dev/kvm
        exec "$@" """, "-")

    def begin(self, *wrap):
        self.daemon = self.start(os.environ["NESTVIRTD"], "--root=/", f"--helper-dir={os.environ['HELPER_DIR']}", wrap=(*self.APART, *wrap))
        self.observer = self.client(watch=True)
        self.inside = pathlib.Path(f"/proc/{self.daemon.pid}/root")

    def start_libvirtd(self, *wrap):
        command = ["nsenter", f"--mount=/proc/{self.daemon.pid}/ns/mnt", *wrap, sys.executable, REAPER, LIBVIRTD, "--daemon", "--pid-file", "/run/one.pid"]
        reaper = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(reaper.stdout.close)
        self.addCleanup(reaper.wait, TIMEOUT)
        self.assertEqual(reaper.stdout.readline(), "0\n")
        self.addCleanup(self.stop_libvirtd)

    def stop_libvirtd(self):
        path = self.inside / "run/one.pid"
        if not path.exists():
            return
        descriptor = os.pidfd_open(int(path.read_text()))
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        self.assertTrue(select.select([descriptor], [], [], TIMEOUT)[0])
        os.close(descriptor)
        path.unlink()

    def connect(self, path="libvirt/libvirt-sock"):
        quiet()
        connection = libvirt.open(f"qemu+unix:///system?socket={self.inside}/run/{path}")
        self.addCleanup(connection.close)
        return connection


class Coming(System):
    def test_it_comes_goes_and_comes_back(self):
        self.begin()
        with self.refused(ERROR + "LibvirtUnavailable", "There is no libvirt on this host"):
            self.observer.call("RefreshGuests", ("t", 0))
        with open(f"/proc/{self.daemon.pid}/maps", encoding="utf-8") as maps:
            self.assertNotIn("libvirt", maps.read())
        self.assertEqual(self.daemon.log.read_text(), "")
        self.start_libvirtd()
        self.connect().defineXML(DOMAIN.format(identity=IDENTITY, cpu=OPTERON, devices=""))
        wait_for(lambda: self.observer.signals("InterfacesAdded"), "the guest")
        self.assertEqual(self.observer.call("GetGuest", ("s", "one")), (guest_path(IDENTITY),))
        self.stop_libvirtd()
        wait_for(lambda: self.observer.signals("InterfacesRemoved"), "its end")
        self.observer.messages.clear()
        self.start_libvirtd()
        wait_for(lambda: self.observer.signals("InterfacesAdded"), "the guest again")


class Modular(System):
    """Where QEMU has a daemon of its own, its socket has another name. Debian 12 has no virtqemud;
    what speaks behind that socket here is libvirtd, whose own is nowhere to be seen."""

    ELSEWHERE = ("sh", "-ec", """mkdir -p /run/elsewhere; echo 'unix_sock_dir = "/run/elsewhere"' >/etc/libvirt/libvirtd.conf; exec "$@" """, "-")

    def test_its_guests_are_seen_and_edited(self):
        self.begin()
        self.start_libvirtd(*self.ELSEWHERE)
        self.connect("elsewhere/libvirt-sock").defineXML(DOMAIN.format(identity=IDENTITY, cpu=OPTERON, devices=""))
        with self.refused(ERROR + "LibvirtUnavailable", "There is no libvirt on this host"):
            self.observer.call("RefreshGuests", ("t", 0))
        (self.inside / "run/libvirt/virtqemud-sock").symlink_to("/run/elsewhere/libvirt-sock")
        wait_for(lambda: self.observer.signals("InterfacesAdded"), "the guest")
        path = guest_path(IDENTITY)
        self.assertEqual(self.observer.get("CpuModel", GUEST, path), "Opteron_G2")
        options = {"Model": GLib.Variant("s", "EPYC")}
        self.assertEqual(self.observer.call("SetCpu", ("a{sv}t", options, 0), path=path, interface=GUEST)[0]["Outcome"], "applied")
        self.assertEqual(self.observer.get("CpuModel", GUEST, path), "EPYC")
        self.assertFalse((self.inside / "run/libvirt/libvirt-sock").exists())


class Capabilities(System):
    """The parameters are files, and what QEMU offers follows a file as well: a feature that it is
    run without. libvirt asks that QEMU."""

    PLACES = f"""
        cp -a {MODULES} /run/modules && mount --bind /run/modules {MODULES}
        mount -t tmpfs tmpfs /sys/module && cp -a {FIXTURES}/amd-epyc-6.1/sys/module/. /sys/module
        chmod 444 /sys/module/*/parameters/*
        printf 'stdio_handler = "file"\\nnamespaces = []\\n' >/etc/libvirt/qemu.conf
        mkdir /run/bin && touch /run/without
        printf '#!/bin/sh\\nexec /usr/bin/qemu-system-x86_64 "$@" $(cat /run/without)\\n' >/run/bin/qemu-system-x86_64
        chmod 755 /run/bin/qemu-system-x86_64
        mkdir /run/firewall && ln -s /bin/true /run/firewall/iptables
        exec "$@" """
    # A libvirtd that was built to look at another folder: it sees what lies beneath the one that
    # the daemon sees.
    ELSEWHERE = ("unshare", "--mount", "--propagation=private", "sh", "-ec", f'umount {MODULES}; exec "$@"', "-")

    def setUp(self):
        super().setUp()
        self.journal = Journal(self.folder)
        self.addCleanup(self.journal.close)
        self.begin("sh", "-ec", self.PLACES, "-", *self.journal.wrap)

    def start_libvirtd(self, *wrap, path=f"/run/bin:{os.environ['PATH']}"):
        # What libvirtd has to say would fill the journal's socket, from which the test only reads
        # when it wants to.
        super().start_libvirtd("env", f"PATH={path}", "LIBVIRT_LOG_OUTPUTS=3:stderr", *wrap)
        self.observer.call("RefreshGuests", ("t", 0))

    def restart_libvirtd(self, *wrap):
        self.stop_libvirtd()
        self.start_libvirtd(*wrap)

    def features(self):
        """What libvirt gives to guests, in its opinion."""
        xml = self.connect().getDomainCapabilities()
        self.assertIn("<path>/run/bin/qemu-system-x86_64</path>", xml)
        return set(re.findall("<feature policy='require' name='(.*?)'/>", xml))

    def load_without_npt(self):
        (self.inside / "run/without").write_text("-global max-x86_64-cpu.npt=off\n")
        (self.inside / "sys/module/kvm_amd/parameters/npt").write_text("N\n")

    def await_entry(self):
        """The next entry about libvirt."""
        kinds = {self.journal.ids[kind]: kind for kind in ("LIBVIRT_REFRESHED", "LIBVIRT_STALE")}
        while True:
            entry = self.journal.entry()
            if entry.get("MESSAGE_ID") in kinds:
                return kinds[entry["MESSAGE_ID"]], entry

    def test_it_looks_again(self):
        """Without a restart, which would be none of use; guests run on."""
        self.start_libvirtd()
        domain = self.connect().defineXML(DOMAIN.format(identity=IDENTITY, cpu=OPTERON, devices=""))
        domain.createWithFlags(PAUSED)
        self.addCleanup(domain.destroy)
        before = self.features()
        self.assertIn("npt", before)
        self.load_without_npt()
        self.assertEqual(self.features(), before)
        self.observer.call("Refresh", ("t", 0))
        kind, entry = self.await_entry()
        self.assertEqual((kind, entry.get("NESTVIRT_LOST"), entry.get("NESTVIRT_GAINED")), ("LIBVIRT_REFRESHED", "npt", ""), entry)
        self.assertTrue(entry["MESSAGE"].endswith(": host-model has lost npt"), entry["MESSAGE"])
        self.assertEqual(self.features(), before - {"npt"})
        self.assertEqual((domain.isActive(), domain.ID()), (True, 1))

    def test_it_looks_elsewhere(self):
        """What an administrator is then told to do helps, and a restart alone does not."""
        self.start_libvirtd(*self.ELSEWHERE)
        before = self.features()
        self.load_without_npt()
        self.observer.call("Refresh", ("t", 0))
        kind, entry = self.await_entry()
        self.assertEqual(kind, "LIBVIRT_STALE", entry)
        self.restart_libvirtd(*self.ELSEWHERE)
        self.assertEqual(self.features(), before)
        command = re.search(r"Run: (rm -f .*) && systemctl restart libvirtd$", entry["MESSAGE"])[1]
        subprocess.run(["nsenter", f"--mount=/proc/{self.daemon.pid}/ns/mnt", "sh", "-c", command], check=True, timeout=TIMEOUT)
        self.restart_libvirtd(*self.ELSEWHERE)
        self.assertEqual(self.features(), before - {"npt"})

    def test_there_is_no_qemu(self):
        """Then there is nothing that could be stale."""
        # Without a firewall a libvirtd that has networks does not start (since 10.4).
        self.start_libvirtd(path="/run/firewall")
        folder = self.inside / MODULES[1:]
        before = folder.stat().st_mtime_ns
        self.load_without_npt()
        for _ in range(2):  # the second waits for what the first has brought about
            self.observer.call("Refresh", ("t", 0))
        self.assertEqual((self.journal.entries("LIBVIRT_STALE"), folder.stat().st_mtime_ns), ([], before))
        self.assertEqual((self.inside / "var/lib/nestvirt/capabilities").read_text().count("kvm_amd.npt=N\n"), 1)


if __name__ == "__main__":
    main()
