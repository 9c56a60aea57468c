# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests of a real libvirtd with QEMU: events, managed saves, snapshots, and what becomes of them
when libvirtd is killed, restarted or stopped.

They are of type qemu, since there need not be a KVM here: the verdicts are all "no", and the facts
are what is looked at.
"""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import threading

import libvirt
from clients import DBUS_ERROR, DRY_RUN, ERROR, GUEST, GLib, error_name, guest_path, wait_for
from harness import BusTest
from session import LIBVIRTD, TIMEOUT, Session, quiet
from tap import main

IDENTITY = "3b5b08e4-3dca-4ff9-9a1d-40389758d081"
OTHER = IDENTITY[:-1] + "2"
DOMAIN = """<domain type='qemu'>
  <name>one</name>
  <uuid>{identity}</uuid>
  <memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  {cpu}
  {devices}
</domain>"""
DISK = """<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{}'/><target dev='sda' bus='sata'/></disk></devices>"""
EPYC = "<cpu mode='custom' match='exact' check='none'><model fallback='forbid'>EPYC</model><feature policy='{}' name='svm'/></cpu>"
OPTERON = "<cpu mode='custom' match='exact' check='none'><model fallback='forbid'>Opteron_G2</model></cpu>"
PAUSED = libvirt.VIR_DOMAIN_START_PAUSED


class WithLibvirtd(BusTest):
    @classmethod
    def setUpClass(cls):
        cls.session = Session()
        cls.addClassCleanup(cls.session.close)

    def setUp(self):
        super().setUp()
        self.addCleanup(self.forget_all)
        self.start_real("amd-epyc-6.1", f"--libvirt={self.session.uri}")
        self.observer = self.client(watch=True)

    def forget_all(self):
        for domain in self.session.connection.listAllDomains():
            if domain.isActive():
                domain.destroy()
            else:
                domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
        if self.session.connection.listAllDomains():
            self.forget_all()

    def define(self, cpu=EPYC.format("require"), devices=""):
        return self.session.connection.defineXML(DOMAIN.format(identity=IDENTITY, cpu=cpu, devices=devices))

    def guest(self):
        return self.observer.get_all(GUEST, guest_path(IDENTITY))

    def wait_for_signal(self, member, condition=lambda message: True):
        found = []

        def look():
            found[:] = [m for m in self.observer.signals(member) if condition(m)]
            return found

        wait_for(look, member)
        return found[0]

    def wait_changed(self, **expected):
        """Until these values have been signalled; then they hold, and all signals so far are
        forgotten."""
        def look():
            told = {}
            for message in self.observer.signals("PropertiesChanged", guest_path(IDENTITY)):
                told.update(message.body[1])
            return all(told.get(name) == value for name, value in expected.items())

        wait_for(look, str(expected))
        self.observer.messages.clear()
        guest = self.guest()
        self.assertEqual({name: guest[name] for name in expected}, expected)


class Libvirtd(WithLibvirtd):
    def test_life(self):
        domain = self.define()
        self.assertEqual(self.wait_for_signal("InterfacesAdded").body[0], guest_path(IDENTITY))
        guest = self.guest()
        self.assertEqual({name: guest[name] for name in ("Name", "Uuid", "Active", "Persistent", "Type", "CpuMode", "CpuModel", "Policy")},
                         {"Name": "one", "Uuid": IDENTITY, "Active": False, "Persistent": True, "Type": "qemu", "CpuMode": "custom",
                          "CpuModel": "EPYC", "Policy": "require"})
        domain.createWithFlags(PAUSED)
        self.wait_changed(Active=True, Now="no")
        self.define(OPTERON)
        self.wait_changed(CpuModel="Opteron_G2", Policy="", RestartNeeded=True)
        domain.destroy()
        self.wait_changed(Active=False, RestartNeeded=False, Now="")
        domain.undefine()
        self.assertEqual(self.wait_for_signal("InterfacesRemoved").body[0], guest_path(IDENTITY))
        with self.refused(DBUS_ERROR + "UnknownObject"):
            self.guest()

    def test_a_managed_save_brings_back_its_cpu(self):
        domain = self.define()
        domain.createWithFlags(PAUSED)
        domain.managedSave(libvirt.VIR_DOMAIN_SAVE_PAUSED)
        self.define(OPTERON)
        self.wait_for_signal("PropertiesChanged", lambda m: m.body[1].get("SavedState") == "managed save")
        domain.createWithFlags(PAUSED)
        self.wait_changed(Active=True, SavedState="", RestartNeeded=True)
        domain.destroy()
        self.wait_changed(Active=False)
        # There is no event for the end of a managed save that is thrown away.
        domain.createWithFlags(PAUSED)
        domain.managedSave(libvirt.VIR_DOMAIN_SAVE_PAUSED)
        self.define()
        self.wait_for_signal("PropertiesChanged", lambda m: m.body[1].get("SavedState") == "managed save")
        domain.managedSaveRemove()
        self.observer.call("RefreshGuests", ("t", 0))
        self.assertEqual(self.guest()["SavedState"], "")

    def test_a_snapshot_brings_back_its_cpu(self):
        image = pathlib.Path(self.session.folder.name) / "disk"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, "1M"], check=True, **self.session.user)
        disk = DISK.format(image)
        domain = self.define(EPYC.format("disable"), disk)
        snapshot = domain.snapshotCreateXML("<domainsnapshot><name>before</name></domainsnapshot>")
        self.define(devices=disk)
        self.observer.call("RefreshGuests", ("t", 0))
        self.assertEqual(self.guest()["SavedState"], "snapshots: before")
        snapshot.delete()
        self.observer.call("GetGuest", ("s", "one"))
        self.assertEqual(self.guest()["SavedState"], "")

    def test_a_transient_guest(self):
        domain = self.session.connection.createXML(DOMAIN.format(identity=IDENTITY, cpu=OPTERON, devices=""), PAUSED)
        self.wait_for_signal("InterfacesAdded")
        self.observer.call("GetGuest", ("s", "one"))
        self.assertEqual((self.guest()["Active"], self.guest()["Persistent"]), (True, False))
        domain.destroy()
        self.wait_for_signal("InterfacesRemoved")

    def test_killed_and_started_again(self):
        self.define().createWithFlags(PAUSED)
        self.observer.call("GetGuest", ("s", "one"))
        self.assertTrue(self.guest()["Active"])
        self.session.stop(signal.SIGKILL)
        self.wait_for_signal("InterfacesRemoved")
        with self.refused(ERROR + "LibvirtUnavailable", "libvirt can't be reached"):
            self.observer.call("GetGuest", ("s", "one"))
        self.assertEqual(self.observer.get("Nested"), "on")
        self.observer.messages.clear()
        self.session.start()
        self.wait_for_signal("InterfacesAdded")
        self.assertTrue(self.guest()["Active"])  # QEMU went on
        self.session.connection.lookupByName("one").destroy()
        self.wait_changed(Active=False)

    def test_stopped(self):
        """It is there and does not answer: that is told in time, and nothing about the host waits
        for it."""
        self.define()
        self.wait_for_signal("InterfacesAdded")
        self.session.signal(signal.SIGSTOP)
        try:
            pending = self.observer.start("GetGuest", ("s", "one"))
            self.observer.call("Refresh", ("t", 0))
            self.assertTrue(self.observer.call("Check", ("t", 0))[0])
            self.assertFalse(pending.done)
            self.assertEqual(self.guest()["Name"], "one")
            with self.refused(ERROR + "TimedOut", "libvirt has not answered"):
                pending.result()
        finally:
            self.session.signal(signal.SIGCONT)
        self.assertEqual(self.observer.call("GetGuest", ("s", "one")), (guest_path(IDENTITY),))

    def qemu(self, name):
        """Its process, and not that of a libvirtd of somebody else's."""
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                command = (folder / "cmdline").read_bytes().decode()
                if f"guest={name}," in command and self.session.folder.name in command:
                    return int(folder.name)
        raise AssertionError(f"{name} does not run")

    @contextlib.contextmanager
    def asked(self, domain):
        """Somebody else waits for what only its QEMU can tell, as who gathers statistics does."""
        connection = libvirt.open(self.session.uri)
        thread = threading.Thread(target=connection.getAllDomainStats, args=(libvirt.VIR_DOMAIN_STATS_VCPU,))
        thread.start()
        try:
            wait_for(lambda: domain.controlInfo()[0] == libvirt.VIR_DOMAIN_CONTROL_OCCUPIED, "the question")
            yield
        finally:
            os.kill(self.qemu("one"), signal.SIGCONT)
            thread.join()
            connection.close()

    def test_one_qemu_is_stopped(self):
        """Only what it has run can't be told; neither another guest nor anything that is known of
        this one waits for that, even where libvirt's answer about its definition would (since 11.3,
        or before)."""
        domain = self.define()
        domain.createWithFlags(PAUSED)
        other = self.session.connection.defineXML(DOMAIN.format(identity=OTHER, cpu=EPYC.format("require"), devices="")
                                                  .replace("<name>one", "<name>two"))
        self.observer.call("RefreshGuests", ("t", 0))
        qemu = self.qemu("one")
        os.kill(qemu, signal.SIGSTOP)
        with self.asked(domain):
            for member, arguments in (("RefreshGuests", ("t", 0)), ("GetGuest", ("s", "one")), ("GetGuest", ("s", "two"))):
                self.observer.call(member, arguments)
            options = {"Nested": GLib.Variant("b", False)}
            for flags, outcome in ((DRY_RUN, "planned"), (0, "applied")):
                result = self.observer.call("SetCpu", ("a{sv}t", options, flags), path=guest_path(OTHER), interface=GUEST)[0]
                self.assertEqual(result["Outcome"], outcome)
            other.undefine()
            self.assertEqual(self.wait_for_signal("InterfacesRemoved").body[0], guest_path(OTHER))
            self.stop(self.daemons.pop())
            self.start_real("amd-epyc-6.1", f"--libvirt={self.session.uri}")
            self.assertEqual((self.guest()["Name"], self.guest()["Active"]), ("one", True))
        self.observer.call("RefreshGuests", ("t", 0))
        self.assertEqual((self.guest()["CpuModel"], self.guest()["Policy"]), ("EPYC", "require"))


class Editing(WithLibvirtd):
    """What libvirt makes of changed definitions."""

    GRAPHICS = "<devices><graphics type='vnc' autoport='yes' passwd='sesame'/></devices>"

    def set(self, flags=0, **cpu):
        types = {str: "s", bool: "b"}
        options = {name: GLib.Variant(types[type(value)], value) for name, value in cpu.items()}
        return self.observer.call("SetCpu", ("a{sv}t", options, flags), path=guest_path(IDENTITY), interface=GUEST)[0]

    def definition(self, domain):
        return domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)

    def define(self, *arguments):
        domain = super().define(*arguments)
        self.observer.call("GetGuest", ("s", "one"))
        return domain

    def test_off_on_and_back(self):
        """Each time only what was asked for differs, and the password is there."""
        domain = self.define(EPYC.format("require"), self.GRAPHICS)
        before = self.definition(domain)
        self.assertIn("passwd='sesame'", before)
        plan = self.set(DRY_RUN, Nested=False)
        self.assertEqual((plan["Outcome"], self.definition(domain)), ("planned", before))
        result = self.set(Nested=False)
        self.assertEqual((result["Outcome"], result["Diff"]), ("applied", plan["Diff"]))
        self.assertNotIn("sesame", str(result))
        self.assertEqual(self.definition(domain), before.replace("policy='require' name='svm'", "policy='disable' name='svm'"))
        self.assertEqual(self.guest()["Policy"], "disable")
        self.assertEqual(self.set(Nested=False)["Outcome"], "unchanged")
        self.assertEqual(self.set(Nested=True)["Outcome"], "applied")
        self.assertEqual(self.definition(domain), before)

    def test_many_at_once(self):
        self.define(EPYC.format("require"), self.GRAPHICS)
        other = self.session.connection.defineXML(self.definition(self.session.connection.lookupByUUIDString(IDENTITY)).replace(
            IDENTITY, OTHER).replace("<name>one<", "<name>two<"))
        before = self.definition(other)
        result = self.observer.call("SetCpus", ("asa{sv}t", [], {"Nested": GLib.Variant("b", False)}, 0))[0]
        self.assertEqual({name: guest["Outcome"] for name, guest in result["Guests"].items()}, {"one": "applied", "two": "applied"})
        self.assertEqual(self.definition(other), before.replace("policy='require' name='svm'", "policy='disable' name='svm'"))
        self.assertEqual(self.guest()["Policy"], "disable")

    def test_what_others_define_meanwhile(self):
        """What we define is not read again, and what others do at about the same time is: whoever
        was last, that is what is known."""
        domain = self.define()
        for nested in (False, True) * 5:
            pending = self.observer.start("SetCpu", ("a{sv}t", {"Nested": GLib.Variant("b", nested)}, 0), path=guest_path(IDENTITY),
                                          interface=GUEST)
            super().define(OPTERON)
            with contextlib.suppress(GLib.Error):
                pending.result()
            last = self.definition(domain)
            policy = re.search("policy='(.*)' name='svm'", last)
            wait_for(lambda: self.guest()["Policy"] == (policy[1] if policy else ""), "the last one")
            super().define()
            wait_for(lambda: (self.guest()["CpuModel"], self.guest()["Policy"]) == ("EPYC", "require"), "what was defined then")
            self.assertEqual(self.set(Nested=False)["Outcome"], "applied")
            self.assertEqual(self.guest()["Policy"], "disable")
            super().define()
            wait_for(lambda: self.guest()["Policy"] == "require", "what was defined right after ours")

    def test_what_hangs_on_svm(self):
        """With check='full' also what nobody has named, but libvirt's model has."""
        features = ("npt", "nrip-save", "svme-addr-chk")
        cpu = EPYC.format("require").replace("EPYC", "EPYC-Milan")
        partial, full = (cpu.replace("'none'", f"'{check}'").replace("<feature", "<feature policy='require' name='npt'/><feature")
                         for check in ("partial", "full"))
        domain = self.define(partial, self.GRAPHICS)
        self.assertEqual(self.set(Nested=False)["Steps"], ["disable svm", "disable what hangs on svm: npt"])
        domain = self.define(full, self.GRAPHICS)
        before = self.definition(domain)
        result = self.set(Nested=False)
        self.assertEqual((result["Outcome"], result["Steps"]), ("applied", ["disable svm", f"disable what hangs on svm: {', '.join(features)}"]))
        for name in (*features, "svm"):
            self.assertIn(f"<feature policy='disable' name='{name}'/>", self.definition(domain))
        self.assertEqual(self.set(Nested=False)["Outcome"], "unchanged")
        self.assertEqual(self.set(Nested=True)["Outcome"], "applied")
        self.assertEqual(self.definition(domain), before.replace("    <feature policy='require' name='npt'/>\n", ""))

    def test_modes(self):
        domain = self.define(OPTERON, self.GRAPHICS)
        for cpu in ({"Mode": "maximum"}, {"Mode": "custom", "Model": "qemu64", "Nested": True}, {"Model": "EPYC"}):
            with self.subTest(cpu):
                self.assertEqual(self.set(**cpu)["Outcome"], "applied")
                self.assertEqual(self.set(**cpu)["Outcome"], "unchanged")
                guest = self.guest()
                self.assertEqual(guest["CpuMode"], cpu.get("Mode", "custom"))
                self.assertEqual(guest["CpuModel"], cpu.get("Model", ""))
                self.assertIn("passwd='sesame'", self.definition(domain))

    def test_a_model_that_there_is_not(self):
        """libvirt takes the definition, and refuses the start. The last one is one that QEMU knows,
        and libvirt only in newer versions (seen with 11.3)."""
        domain = self.define(OPTERON)
        before = self.definition(domain)
        known = self.session.connection.getCPUModelNames("x86_64")
        self.assertIn("Opteron_G2", known)
        for model in {"EYPC", "opteron_g2", "EPYC-v1"} - set(known):
            for flags in (DRY_RUN, 0):
                with self.subTest(model), self.refused(ERROR + "InvalidArgs", f'no CPU model "{model}"', "virsh cpu-models x86_64"):
                    self.set(flags, Model=model)
            self.assertEqual(self.definition(domain), before)
            self.session.connection.defineXML(before.replace("Opteron_G2", model))
            with self.assertRaisesRegex(libvirt.libvirtError, "Unknown CPU model"):
                domain.createWithFlags(PAUSED)
            self.session.connection.defineXML(before)

    def test_a_running_guest_keeps_its_cpu(self):
        domain = self.define()
        domain.createWithFlags(PAUSED)
        self.wait_changed(Active=True)
        self.assertTrue(self.set(Model="Opteron_G2")["RestartNeeded"])
        self.assertTrue(self.guest()["RestartNeeded"])
        domain.destroy()
        self.wait_changed(Active=False, RestartNeeded=False)

    def test_whose_definition_is_not_what_counts(self):
        domain = self.define()
        domain.createWithFlags(PAUSED)
        domain.managedSave(libvirt.VIR_DOMAIN_SAVE_PAUSED)
        with self.refused(ERROR + "Conflict", "managed save"):
            self.set(Nested=False)
        domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE)
        self.session.connection.createXML(DOMAIN.format(identity=IDENTITY, cpu=OPTERON, devices=""), PAUSED)
        self.observer.call("GetGuest", ("s", "one"))
        with self.refused(ERROR + "TransientGuest", "one is transient"):
            self.set(Nested=False)

    def test_snapshots_are_told_of(self):
        image = pathlib.Path(self.session.folder.name) / "disk"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, "1M"], check=True, **self.session.user)
        domain = self.define(EPYC.format("require"), DISK.format(image))
        domain.snapshotCreateXML("<domainsnapshot><name>before</name></domainsnapshot>")
        impact = self.set(DRY_RUN, Nested=False)["Impact"]
        self.assertIn(("saved-state", "snapshots: before of one would bring back another CPU"), [(i["Kind"], i["Message"]) for i in impact])

    def test_stopped_in_the_middle(self):
        """It does not answer, and then does: the definition is the old or the new one, whole."""
        domain = self.define(EPYC.format("require"), self.GRAPHICS)
        before = self.definition(domain)
        self.session.signal(signal.SIGSTOP)
        try:
            with self.refused(ERROR + "TimedOut"):
                self.set(Nested=False)
        finally:
            self.session.signal(signal.SIGCONT)
        self.observer.call("GetGuest", ("s", "one"))
        self.assertEqual(self.definition(domain), before)

    def test_gone(self):
        self.define()
        self.session.stop(signal.SIGKILL)
        # Before the daemon has seen the end of its connection the guest is there, and after it
        # there is none.
        with self.assertRaises(GLib.Error) as caught:
            self.set(Nested=False)
        self.assertIn(error_name(caught.exception), (ERROR + "LibvirtUnavailable", DBUS_ERROR + "UnknownObject"))
        with self.refused(ERROR + "LibvirtUnavailable"):
            self.observer.call("GetGuest", ("s", "one"))
        self.session.start()
        self.assertEqual(self.set_when_back(Nested=False)["Outcome"], "applied")

    def set_when_back(self, **cpu):
        wait_for(lambda: self.observer.signals("InterfacesAdded"), "the guest")
        self.observer.messages.clear()
        self.observer.call("GetGuest", ("s", "one"))
        return self.set(**cpu)


if __name__ == "__main__":
    main()
