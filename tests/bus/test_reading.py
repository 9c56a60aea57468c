# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can be read of a host: properties, objects, introspection, findings, and signals when files
change by hand."""

import os
import pathlib
import subprocess
import xml.etree.ElementTree

from clients import DBUS_ERROR, ERROR, GUEST, MANAGER, MODULE, NAME, OBJECT_MANAGER, PATH, PROPERTIES, module_path, wait_for
from harness import FIXTURES, BusTest, snapshot, write
from tap import main

EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"


class Reading(BusTest):
    def test_manager(self):
        self.start_real("amd-epyc-6.1")
        manager = self.client().get_all()
        self.assertEqual(manager["Vendor"], "amd")
        self.assertEqual(manager["Nested"], "on")
        self.assertEqual(manager["Mmu"], "tdp")
        self.assertEqual(manager["Device"], "missing")
        self.assertIn("svm", manager["Features"])
        self.assertEqual(set(manager), {"Version", "Vendor", "CpuModel", "Features", "Firmware", "Level", "Hypervisor", "Nested", "NestedReason", "Mmu",
                                        "Device", "ProbeResult", "Desired", "Drift", "DesiredError"})

    def test_module(self):
        self.start_real("amd-epyc-6.1")
        client = self.client()
        module = client.get_all(MODULE, module_path("kvm_amd"))
        self.assertEqual((module["Name"], module["State"], module["InUse"], module["Pending"]), ("kvm_amd", "live", False, {}))
        nested = module["Parameters"]["nested"]
        self.assertEqual((nested["Module"], nested["Kind"], nested["Value"], nested["Effective"]),
                         ("kvm_amd", "bool", "1", "on"))
        self.assertEqual(client.get("Parameters", MODULE, module_path("kvm_amd")), module["Parameters"])

    def test_managed_objects_say_the_same(self):
        self.start_real("amd-epyc-6.1")
        client = self.client()
        objects = client.call("GetManagedObjects", interface=OBJECT_MANAGER)[0]
        self.assertEqual(set(objects), {module_path("kvm"), module_path("kvm_amd")})
        for path, interfaces in objects.items():
            self.assertEqual(interfaces[MODULE], client.get_all(MODULE, path))

    def test_all_interfaces_say_the_same(self):
        """What is asked of all interfaces sd-bus collects itself, of one we do."""
        self.start_real("amd-epyc-6.1")
        client = self.client()
        for interface, path in ((MANAGER, PATH), (MODULE, module_path("kvm_amd"))):
            one = client.get_all(interface, path)
            self.assertEqual(one, client.get_all("", path))
            self.assertEqual(one, {name: client.get(name, interface, path) for name in one})

    def test_every_fixture(self):
        for fixture in sorted(path.name for path in FIXTURES.iterdir() if path.is_dir()):
            with self.subTest(fixture):
                self.host = self.folder / fixture
                daemon = self.start_real(fixture)
                before = snapshot(self.host)
                client = self.client()
                client.get_all()
                objects = client.call("GetManagedObjects", interface=OBJECT_MANAGER)[0]
                self.assertIn(module_path("kvm"), objects)
                findings = client.call("Check", ("t", 0))[0]
                self.assertTrue(findings)
                for finding in findings:
                    self.assertEqual(set(finding), {"Id", "Status", "Subject", "Message", "Fix"})
                for path in objects:
                    self.assertEqual(client.call("ListUsers", ("t", 0), path=path, interface=MODULE), ([],))
                self.assertEqual(snapshot(self.host), before)
                self.stop(daemon)

    def test_users(self):
        self.start_fake()
        self.hold(1234)
        users = self.client().call("ListUsers", ("t", 0), path=module_path("kvm_amd"), interface=MODULE)[0]
        row = {"Pid": 1234, "Uid": 1000, "Command": "qemu-system-x86", "Unit": "web1.scope", "Guest": "", "NestedClaim": ""}
        self.assertEqual(users, [row])
        for line, claim in (("-cpu\0host,-svm\0", "no"), ("-cpu\0host\0-name\0\x1bweb1\0", "yes"), ("-M\0q35\0", "unknown")):
            write(self.host / "proc/1234/cmdline", "/usr/bin/qemu-system-x86_64\0" + line)
            users = self.client().call("ListUsers", ("t", 0), path=module_path("kvm_amd"), interface=MODULE)[0]
            self.assertEqual(users, [{**row, "NestedClaim": claim, "Guest": "\x1bweb1" if "name" in line else ""}])

    def test_unknown(self):
        self.start_real("amd-epyc-6.1")
        client = self.client()
        with self.refused(DBUS_ERROR + "UnknownObject"):
            client.get_all(MODULE, module_path("kvm_intel"))
        with self.refused(DBUS_ERROR + "UnknownMethod"):
            client.call("Explode")
        with self.refused(DBUS_ERROR + "UnknownProperty"):
            client.get("Explosive")
        with self.refused(DBUS_ERROR + "UnknownProperty"):
            client.get("Nested", MODULE)
        with self.refused(DBUS_ERROR + "UnknownInterface"):
            client.get_all(MODULE)
        with self.refused(DBUS_ERROR + "InvalidArgs"):
            client.call("Get", ("s", MANAGER), interface=PROPERTIES)
        with self.refused(DBUS_ERROR + "PropertyReadOnly"):
            client.call("Set", ("ssv", MANAGER, "Nested", GLib_string("off")), interface=PROPERTIES)
        with self.refused(DBUS_ERROR + "InvalidArgs"):
            client.call("Refresh", ("s", "now"))

    def test_flags_of_methods_that_only_read(self):
        self.start_real("amd-epyc-6.1")
        client = self.client()
        for member in ("Refresh", "Check"):
            with self.refused(ERROR + "InvalidArgs", "0x10"):
                client.call(member, ("t", 16))
        for member in ("ListUsers", "CancelPending"):
            with self.refused(ERROR + "InvalidArgs", "0x1"):
                client.call(member, ("t", 1), path=module_path("kvm"), interface=MODULE)


def GLib_string(text):
    from gi.repository import GLib
    return GLib.Variant("s", text)


class Introspection(BusTest):
    """The XML is the API's home: the running daemon has to agree with it, member by member."""

    @staticmethod
    def arguments(node, direction):
        return [(a.get("name"), a.get("type")) for a in node.findall("arg") if a.get("direction", direction) == direction]

    @staticmethod
    def annotations(node):
        found = {a.get("name"): a.get("value") for a in node.findall("annotation")
                 if a.get("name") != "org.gtk.GDBus.DocString"}
        if node.tag == "property":
            found.setdefault(EMITS, "true")
        return found

    def members(self, interface):
        return {(node.tag, node.get("name")): (node.get("type"), node.get("access"), self.arguments(node, "in"),
                                               self.arguments(node, "out"), self.annotations(node))
                for node in interface if node.tag in ("method", "signal", "property")}

    def live(self, path):
        text = subprocess.run(["busctl", f"--address={self.bus.address}", "introspect", "--xml-interface", NAME, path],
                              check=True, capture_output=True, text=True).stdout
        return {node.get("name"): self.members(node) for node in xml.etree.ElementTree.fromstring(text).iter("interface")
                if node.get("name").startswith(NAME)}

    def test_equals_the_xml(self):
        written = {node.get("name"): self.members(node)
                   for node in xml.etree.ElementTree.parse(os.environ["API"]).getroot().iter("interface")}
        self.start_real("amd-epyc-6.1", "--libvirt=test:///default")
        self.maxDiff = None
        self.assertEqual(self.live(PATH), {MANAGER: written[MANAGER]})
        for name in ("kvm", "kvm_amd"):
            self.assertEqual(self.live(module_path(name)), {MODULE: written[MODULE]})
        guest = self.client().call("GetGuest", ("s", "test"))[0]
        self.assertEqual(self.live(guest), {GUEST: written[GUEST]})
        self.assertEqual(set(written), {MANAGER, MODULE, GUEST})

    def test_everything_is_described(self):
        for node in xml.etree.ElementTree.parse(os.environ["API"]).getroot().iter():
            if node.tag in ("interface", "method", "signal", "property", "arg"):
                text = [a.get("value") for a in node.findall("annotation") if a.get("name") == "org.gtk.GDBus.DocString"]
                self.assertTrue(text and text[0].strip(), f"{node.tag} {node.get('name')} says nothing about itself")


class ByHand(BusTest):
    """Files in modprobe.d that change without us."""

    def setUp(self):
        super().setUp()
        self.start_real("amd-epyc-6.1")
        self.kvm_amd = module_path("kvm_amd")
        self.observer = self.client(watch=True)

    def changed(self, count=1):
        """Waits for so many PropertiesChanged, and returns the last one's names and the new source
        of nested."""
        wait_for(lambda: len(self.observer.signals("PropertiesChanged")) >= count, "PropertiesChanged")
        signals = self.observer.signals("PropertiesChanged")
        self.assertEqual(len(signals), count)
        interface, values, invalidated = signals[-1].body
        self.assertEqual((signals[-1].path, interface, invalidated), (self.kvm_amd, MODULE, []))
        self.assertEqual(set(values), {"Parameters"})
        nested = values["Parameters"]["nested"]
        return nested["Configured"], nested["Source"]

    def test_a_file_comes_changes_and_goes(self):
        path = self.host / "etc/modprobe.d/kvm.conf"
        write(path, "options kvm_amd nested=0\n")
        self.assertEqual(self.changed(1), ("0", "/etc/modprobe.d/kvm.conf:1"))
        path.write_text("# mine\noptions kvm-amd nested=1\n")
        self.assertEqual(self.changed(2), ("1", "/etc/modprobe.d/kvm.conf:2"))
        path.unlink()
        self.assertEqual(self.changed(3), ("", ""))

    def test_a_file_is_replaced(self):
        write(self.host / "etc/modprobe.d/kvm.conf", "options kvm_amd nested=0\n")
        self.changed(1)
        new = self.folder / "new"
        new.write_text("\noptions kvm_amd nested=0\n")
        new.rename(self.host / "etc/modprobe.d/kvm.conf")
        self.assertEqual(self.changed(2), ("0", "/etc/modprobe.d/kvm.conf:2"))

    def test_a_folder_comes_and_goes(self):
        folder = self.host / "run/modprobe.d"
        self.assertFalse(folder.parent.exists())
        write(folder / "a.conf", "options kvm_amd nested=0\n")
        self.assertEqual(self.changed(1), ("0", "/run/modprobe.d/a.conf:1"))
        folder.rename(self.host / "run/elsewhere")
        self.assertEqual(self.changed(2), ("", ""))
        (self.host / "run/elsewhere").rename(folder)
        self.assertEqual(self.changed(3), ("0", "/run/modprobe.d/a.conf:1"))

    def test_a_link_in_the_folder(self):
        write(self.host / "opt/kvm.txt", "options kvm_amd nested=0\n")
        (self.host / "etc/modprobe.d").mkdir(parents=True, exist_ok=True)
        (self.host / "etc/modprobe.d/kvm.conf").symlink_to("../../opt/kvm.txt")
        self.assertEqual(self.changed(1), ("0", "/etc/modprobe.d/kvm.conf:1"))

    def test_the_device_comes_and_goes(self):
        (self.host / "dev").mkdir()
        self.observer.call("Refresh", ("t", 0))
        write(self.host / "etc/modprobe.d/kvm.conf", "options kvm_amd nested=0\n")
        self.changed(1)  # and the new folder is watched
        self.observer.messages.clear()
        node = self.host / "dev/kvm"
        for step, word in ((lambda: node.write_text(""), "wrong-node"), (node.unlink, "missing")):
            step()
            wait_for(lambda word=word: {"Device": word} in [m.body[1] for m in self.observer.signals("PropertiesChanged")], word)

    def test_what_does_not_matter_is_not_signalled(self):
        write(self.host / "etc/modprobe.d/README", "options kvm_amd nested=0\n")
        write(self.host / "etc/modprobe.d/other.conf", "options dummy numdummies=2\n")
        self.observer.call("Refresh", ("t", 0))
        write(self.host / "etc/modprobe.d/kvm.conf", "options kvm_amd nested=0\n")
        self.assertEqual(self.changed(1), ("0", "/etc/modprobe.d/kvm.conf:1"))

    def test_refresh_signals_before_it_answers(self):
        parameter = self.host / "sys/module/kvm_amd/parameters/nested"
        parameter.chmod(0o644)
        parameter.write_text("0\n")
        pending = self.observer.start("Refresh", ("t", 0))
        pending.result()
        order = [m.member or "reply" for m in self.observer.messages if m.member == "PropertiesChanged" or
                 m.serial == pending.serial]
        self.assertEqual(order, ["PropertiesChanged", "PropertiesChanged", "reply"])
        self.assertEqual(self.observer.get("Nested"), "off")


class Objects(BusTest):
    def test_the_vendor_module_goes_and_comes(self):
        self.start_fake()
        observer = self.client(watch=True)
        cpuinfo = self.host / "proc/cpuinfo"
        amd = cpuinfo.read_text()
        cpuinfo.write_text("processor\t: 0\nvendor_id\t: Unknown\n")
        self.move("kvm_amd", "sys/gone")
        observer.call("Refresh", ("t", 0))
        removed = observer.signals("InterfacesRemoved")
        self.assertEqual([(m.path, m.body[0]) for m in removed], [(PATH, module_path("kvm_amd"))])
        self.assertIn(MODULE, removed[0].body[1])
        with self.refused(DBUS_ERROR + "UnknownObject"):
            observer.get_all(MODULE, module_path("kvm_amd"))

        cpuinfo.write_text(amd)
        self.move("sys/gone", "kvm_amd")
        observer.call("Refresh", ("t", 0))
        added = observer.signals("InterfacesAdded")
        self.assertEqual([(m.path, m.body[0]) for m in added], [(PATH, module_path("kvm_amd"))])
        self.assertEqual(added[0].body[1][MODULE], observer.get_all(MODULE, module_path("kvm_amd")))

    def move(self, source, target):
        folder = self.host / "sys/module"
        holder = folder / "kvm/holders/kvm_amd"
        (folder / source if "/" not in source else self.host / source).rename(
            folder / target if "/" not in target else self.host / target)
        if holder.exists():
            holder.unlink()
        else:
            holder.touch()


if __name__ == "__main__":
    pathlib.Path.cwd()
    main()
