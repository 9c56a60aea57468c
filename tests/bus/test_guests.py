# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests on the bus: objects, signals and verdicts over a hypervisor made of files; libvirt's test
driver, in numbers; and no libvirt at all."""

import os
import uuid

from clients import (DBUS_ERROR, DRY_RUN, ERROR, GLib, GUEST, MANAGER, OBJECT_MANAGER, PATH, guest_path, module_path, wait_for)
from harness import BusTest, write
from tap import main

ONE, TWO = "3b5b08e4-3dca-4ff9-9a1d-40389758d081", "ffffffff-3dca-4ff9-9a1d-40389758d082"


class Fake(BusTest):
    """The daemon with a hypervisor made of files."""

    wrap = ()  # what the daemon's command follows

    def setUp(self):
        super().setUp()
        self.fake = self.host / "fake"
        write(self.fake / "libvirt", "")

    def tell(self, line):
        with open(self.fake / "events", "w", encoding="utf-8") as stream:
            stream.write(line + "\n")

    def change(self, identity, **keys):
        self.guest(identity, **keys)
        self.tell(identity)

    def begin(self, *options):
        daemon = self.start_fake("--guests", *options, wrap=self.wrap)
        self.observer = self.client(watch=True)
        return daemon

    def get(self, identity):
        return self.observer.get_all(GUEST, guest_path(identity))

    def paths(self):
        objects = self.observer.call("GetManagedObjects", interface=OBJECT_MANAGER)[0]
        return {path for path in objects if path.startswith(f"{PATH}/guest/")}

    def asked(self, *kinds):
        """How often the hypervisor was asked for these so far."""
        questions = (self.fake / "questions").read_text().splitlines()
        return tuple(questions.count(kind) for kind in kinds)

    def await_signal(self, member, count=1):
        wait_for(lambda: len(self.observer.signals(member)) >= count, member)
        return self.observer.signals(member)[count - 1]


class Objects(Fake):
    def test_they_are_there_when_the_name_is(self):
        """Whoever starts the daemon by a call sees the guests at once."""
        self.guest(ONE, name="one", defined="custom EPYC require")
        self.begin()
        self.assertEqual(self.get(ONE), {
            "Active": False, "CpuMode": "custom", "CpuModel": "EPYC", "Mmu": "npt-on-npt", "Name": "one", "NextStart": "yes", "Now": "",
            "Persistent": True, "Policy": "require", "Reason": "Its CPU has svm, and nested is on on this host.",
            "RestartNeeded": False, "SavedState": "", "Type": "kvm", "Using": "", "Uuid": ONE})
        objects = self.observer.call("GetManagedObjects", interface=OBJECT_MANAGER)[0]
        self.assertEqual(objects[guest_path(ONE)], {**objects[guest_path(ONE)], GUEST: self.get(ONE)})
        self.assertEqual(set(objects), {guest_path(ONE), module_path("kvm"), module_path("kvm_amd")})
        self.assertEqual(self.observer.get("NextStart", GUEST, guest_path(ONE)), "yes")

    def test_windows_that_nests_unasked_is_a_finding(self):
        self.guest(ONE, name="win", defined="host-passthrough", windows="yes")
        self.guest(TWO, name="lin", defined="host-passthrough")
        self.begin()
        found = self.windows()
        self.assertEqual([f["Fix"] for f in found], ["nestvirtctl set-cpu 'win' --nested=no"])
        self.assertTrue(found[0]["Message"].startswith("win is Windows and gets svm"), found)
        self.change(ONE, name="win", defined="host-passthrough - require", windows="yes")
        wait_for(lambda: not self.windows(), "the end of the finding")

    def windows(self):
        return [finding for finding in self.observer.call("Check", ("t", 0))[0] if finding["Id"] == "windows-nests"]

    def test_list(self):
        """It says what the objects do, in the order of the names' bytes, and is of now."""
        three = ONE[:-1] + "3"
        self.guest(ONE, name="b", defined="custom EPYC require", live="host-passthrough - require", run=7, inside=0)
        self.guest(TWO, name="a", defined="custom EPYC require full", saved="custom EPYC disable")
        self.guest(three, name="B", defined="- - -", live="host-passthrough", persistent="no")
        self.begin()
        self.guest(ONE, name="b", defined="custom EPYC require", live="host-passthrough - require", run=7, inside=1)
        rows = self.observer.call("ListGuests", ("t", 0))[0]
        names = ("Name", "Active", "CpuMode", "CpuModel", "Policy", "NextStart", "Now", "Using", "RestartNeeded", "SavedState")
        self.assertEqual(rows, [(guest_path(uuid), *(self.get(uuid)[name] for name in names)) for uuid in (three, TWO, ONE)])
        self.assertEqual((rows[1][-1], rows[2][8:10]), ("managed save", ("yes", True)))
        with self.refused(ERROR + "InvalidArgs", "0x1"):
            self.observer.call("ListGuests", ("t", 1))

    def test_a_list_in_pieces(self):
        """Each answer is of one moment, which all signals before it have told of."""
        policies = ("require", "disable")
        self.guest(ONE, name="a", defined="custom EPYC require")
        for number in range(1200):
            self.guest(str(uuid.UUID(int=number + 1000)), name=f"b{number:04}", defined="custom EPYC require")
        self.begin()
        calls = []
        for turn in range(1, 7):
            calls.append(self.observer.start("ListGuests", ("t", 0)))
            self.change(ONE, name="a", defined=f"custom EPYC {policies[turn % 2]}")
            self.await_signal("PropertiesChanged", turn)
        for call in calls:
            self.assertEqual([row[1] for row in call.result()[0]], ["a", *(f"b{number:04}" for number in range(1200))])
        policy, answers = "require", 0
        for message in list(self.observer.messages):
            if message.is_signal("PropertiesChanged", guest_path(ONE)):
                policy = message.body[1].get("Policy", policy)
            elif message.body and isinstance(message.body[0], list) and len(message.body[0]) == 1201:
                self.assertEqual(message.body[0][0][5], policy)
                answers += 1
        self.assertEqual(answers, len(calls))

    def test_life_of_a_guest(self):
        self.begin()
        self.assertEqual(self.paths(), set())
        self.change(ONE, name="one", defined="host-passthrough")
        added = self.await_signal("InterfacesAdded")
        self.assertEqual((added.path, added.body[0], added.body[1][GUEST]), (PATH, guest_path(ONE), self.get(ONE)))
        # The signal is sd-bus's, the answer ours.
        objects = self.observer.call("GetManagedObjects", interface=OBJECT_MANAGER)[0]
        self.assertEqual(list(objects), sorted(objects))
        self.assertEqual(objects[guest_path(ONE)], added.body[1])

        self.change(ONE, name="one", defined="host-passthrough", live="host-passthrough - require", run=0, inside=0)
        changed = self.await_signal("PropertiesChanged")
        self.assertEqual((changed.path, changed.body[0]), (guest_path(ONE), GUEST))
        self.assertEqual({name: value for name, value in changed.body[1].items() if name != "Reason"},
                         {"Active": True, "Now": "yes", "Using": "unknown"})
        # What it has run is asked of its QEMU, which nothing else waits for.
        self.assertEqual(self.await_signal("PropertiesChanged", 2).body[1], {"Using": "no"})

        self.change(ONE, name="renamed", defined="host-passthrough")
        self.assertEqual(self.await_signal("PropertiesChanged", 3).body[1]["Name"], "renamed")

        (self.fake / "guests" / ONE).unlink()
        self.tell(ONE)
        removed = self.await_signal("InterfacesRemoved")
        self.assertEqual((removed.path, removed.body[0]), (PATH, guest_path(ONE)))
        self.assertIn(GUEST, removed.body[1])
        self.assertEqual(self.paths(), set())
        with self.refused(DBUS_ERROR + "UnknownObject"):
            self.get(ONE)

    def test_an_event_without_a_difference_is_no_signal(self):
        self.guest(ONE, name="one", defined="host-passthrough")
        self.begin()
        self.tell(ONE)
        self.change(TWO, name="two", defined="host-passthrough")
        self.await_signal("InterfacesAdded")
        self.assertEqual([m.member for m in self.observer.signals()], ["InterfacesAdded"])

    def test_verdicts_follow_the_host(self):
        self.guest(ONE, name="one", defined="custom EPYC require full")
        self.guest(TWO, name="two", defined="- - -")
        self.begin()
        self.assertEqual(self.get(ONE)["NextStart"], "unknown")
        pending = self.observer.start_set({"kvm_amd": {"nested": "0"}})
        pending.result()
        changes = [m for m in self.observer.messages if m.is_signal("PropertiesChanged", guest_path(ONE))]
        self.assertEqual([m.body[1]["NextStart"] for m in changes], ["fails"])
        self.assertEqual(self.observer.signals("PropertiesChanged", guest_path(TWO)), [])
        # Whoever has the reply has seen the signals.
        order = [m for m in self.observer.messages if m in changes or m.serial == pending.serial]
        self.assertEqual(order[-1].serial, pending.serial)

    def test_what_has_no_event(self):
        self.guest(ONE, name="one", defined="host-passthrough", live="host-passthrough", run=0, inside=0)
        self.begin()
        self.assertEqual(self.get(ONE)["Using"], "no")
        self.guest(ONE, name="one", defined="host-passthrough", live="host-passthrough", run=5, inside=1)
        self.observer.call("RefreshGuests", ("t", 0))
        self.assertEqual(self.get(ONE)["Using"], "yes")
        self.guest(ONE, name="one", defined="host-passthrough", saved="custom EPYC disable")
        self.guest(TWO, name="two", defined="host-passthrough")
        self.observer.call("RefreshGuests", ("t", 0))
        self.assertEqual((self.get(ONE)["SavedState"], self.get(ONE)["NextStart"]), ("managed save", "no"))
        (self.fake / "guests" / ONE).unlink()
        self.observer.call("RefreshGuests", ("t", 0))
        self.assertEqual(self.paths(), {guest_path(TWO)})
        self.guest(ONE, name="one", defined="host-passthrough")
        self.observer.call("Refresh", ("t", 0))
        self.await_signal("InterfacesAdded", 2)

    def test_get_guest(self):
        self.guest(ONE, name="one", defined="host-passthrough")
        self.guest(TWO, name=ONE[:-1] + "2", defined="host-passthrough")
        self.begin()
        for name, identity in (("one", ONE), (ONE, ONE), (ONE.upper(), ONE), (ONE[:-1] + "2", TWO)):
            self.assertEqual(self.observer.call("GetGuest", ("s", name)), (guest_path(identity),))
        with self.refused(ERROR + "NoSuchGuest", '"three"', "nestvirtctl guests"):
            self.observer.call("GetGuest", ("s", "three"))
        # It looks: a guest of which there was no event yet is found, and signalled before the
        # answer.
        self.guest(TWO, name="three", defined="- - -")
        pending = self.observer.start("GetGuest", ("s", "three"))
        self.assertEqual(pending.result(), (guest_path(TWO),))
        order = [m.member or "reply" for m in self.observer.messages if m.is_signal("PropertiesChanged") or m.serial == pending.serial]
        self.assertEqual(order, ["PropertiesChanged", "reply"])
        with self.refused(ERROR + "InvalidArgs", "0x1"):
            self.observer.call("RefreshGuests", ("t", 1))


class ComingAndGoing(Fake):
    def test_it_goes_and_comes_back(self):
        self.guest(ONE, name="one", defined="host-passthrough")
        self.begin()
        (self.fake / "libvirt").unlink()
        self.tell("lost")
        self.await_signal("InterfacesRemoved")
        for member, arguments in (("GetGuest", ("s", "one")), ("RefreshGuests", ("t", 0)), ("ListGuests", ("t", 0))):
            with self.refused(ERROR + "LibvirtUnavailable", "can't be reached"):
                self.observer.call(member, arguments)
        self.assertEqual(self.observer.get("Nested"), "on")
        write(self.fake / "libvirt", "")
        self.await_signal("InterfacesAdded")  # by itself
        self.assertEqual(self.get(ONE)["Name"], "one")
        self.change(ONE, name="changed", defined="host-passthrough")
        self.assertEqual(self.await_signal("PropertiesChanged").body[1]["Name"], "changed")

    def test_a_restart_is_no_news_of_its_guests(self):
        """What is the same after it is not signalled; what has changed meanwhile is."""
        self.guest(ONE, name="one", defined="host-passthrough")
        self.guest(TWO, name="two", defined="host-passthrough")
        self.begin()
        self.guest(TWO, name="three", defined="host-passthrough")
        self.tell("lost")
        self.assertEqual(self.await_signal("PropertiesChanged").body[1]["Name"], "three")
        self.assertEqual(len(self.observer.signals()), 1)

    def test_the_journal_has_it_once(self):
        """That it can't be reached, each time anew."""
        self.guest(ONE, name="one", defined="host-passthrough")
        daemon = self.begin()
        for times in (1, 2):
            (self.fake / "libvirt").unlink()
            self.tell("lost")
            self.await_signal("InterfacesRemoved", times)
            for _ in range(5):
                with self.refused(ERROR + "LibvirtUnavailable"):
                    self.observer.call("RefreshGuests", ("t", 0))
            self.assertEqual(daemon.log.read_text().count("libvirt can't be reached"), times)
            write(self.fake / "libvirt", "")
            self.observer.call("RefreshGuests", ("t", 0))
        self.assertIn("nestvirtctl guests", daemon.log.read_text())

    def test_it_comes_later(self):
        self.guest(ONE, name="one", defined="host-passthrough")
        (self.fake / "libvirt").unlink()
        self.begin()
        self.assertEqual(self.paths(), set())
        write(self.fake / "libvirt", "")
        self.assertEqual(self.observer.call("GetGuest", ("s", "one")), (guest_path(ONE),))  # asking is a reason to try
        self.assertEqual(self.paths(), {guest_path(ONE)})


class Impact(Fake):
    """What a change of the host does to guests is said with it."""

    def test_who_is_concerned(self):
        self.guest(ONE, name="two", defined="custom EPYC require")
        self.guest(TWO, name="one", defined="host-passthrough")
        self.guest(ONE[:-1] + "3", name="three", defined="custom EPYC disable")
        self.begin()
        off = {"kvm_amd": {"nested": "0"}}
        planned = self.observer.set(off, DRY_RUN)["Impact"]
        self.assertEqual([(one["Subject"], one["Kind"]) for one in planned], [("one", "loses-nested"), ("two", "loses-nested")])
        self.assertIn("two starts, but can no longer run guests", planned[1]["Message"])
        self.assertEqual(self.get(TWO)["NextStart"], "yes")
        self.assertEqual(self.observer.set(off)["Impact"], planned)
        self.assertEqual(self.get(TWO)["NextStart"], "no")
        for parameters in (off, {"kvm_amd": {"nested": "1"}}):
            self.assertEqual(self.observer.set(parameters)["Impact"], [])

    def foreseen(self, module="kvm_amd", flags=DRY_RUN, **parameters):
        return [(one["Subject"], one["Kind"]) for one in self.observer.set({module: parameters}, flags)["Impact"]]

    def test_nobody_knows(self):
        """No guest is another answer than that libvirt does not say which there are."""
        self.guest(ONE, name="one", defined="custom EPYC require full")
        self.begin()
        self.assertEqual(self.foreseen(nested="0"), [("one", "fails-to-start")])
        (self.fake / "libvirt").unlink()
        self.tell("lost")
        self.await_signal("InterfacesRemoved")
        self.assertEqual(self.foreseen(nested="0"), [("host", "unknown")])
        message = self.observer.set({"kvm_amd": {"nested": "0"}}, DRY_RUN)["Impact"][0]["Message"]
        self.assertRegex(message, "libvirt (can't be reached|has not answered yet), so which guests this concerns is not known")
        # What is no concern of any guest's is none of these either.
        self.assertEqual(self.foreseen("kvm", ignore_msrs="1"), [])
        self.assertEqual(self.foreseen(flags=0, nested="0"), [("host", "unknown")])
        write(self.fake / "libvirt", "")
        self.await_signal("InterfacesAdded")
        self.assertEqual(self.foreseen(nested="1"), [])

    def test_it_hangs(self):
        self.guest(ONE, name="one", defined="custom EPYC require full")
        os.mkfifo(self.fake / "hang")
        self.begin()
        self.assertEqual(self.foreseen(nested="0"), [("host", "unknown")])
        with open(self.fake / "hang", "w", encoding="utf-8"):
            (self.fake / "hang").unlink()
        self.await_signal("InterfacesAdded")
        self.assertEqual(self.foreseen(nested="0"), [("one", "fails-to-start")])


def domain(name, identity, cpu=""):
    return (f"<domain type='test'><name>{name}</name><uuid>{identity}</uuid><memory>8192</memory><vcpu>1</vcpu>"
            f"<os><type arch='x86_64'>hvm</type></os>{cpu}</domain>")


class TestDriver(BusTest):
    """libvirt itself, with its driver that has guests of no kind."""

    CPU = "<cpu mode='custom' match='exact'><model>EPYC</model><feature policy='disable' name='svm'/></cpu>"

    def begin(self, count):
        node = self.folder / "node.xml"
        node.write_text("<node>" + "".join(
            domain(f"guest{i}", uuid.UUID(int=i + 1), self.CPU if i % 2 else "") for i in range(count)) + "</node>")
        daemon = self.start_real("amd-epyc-6.1", f"--libvirt=test://{node}")
        return daemon, self.client(watch=True)

    def test_facts(self):
        _, client = self.begin(2)
        path = client.call("GetGuest", ("s", "guest1"))[0]
        self.assertEqual(path, guest_path(str(uuid.UUID(int=2))))
        guest = client.get_all(GUEST, path)
        self.assertEqual({name: guest[name] for name in ("Name", "Type", "CpuMode", "CpuModel", "Policy", "Persistent", "NextStart")},
                         {"Name": "guest1", "Type": "test", "CpuMode": "custom", "CpuModel": "EPYC", "Policy": "disable",
                          "Persistent": True, "NextStart": "no"})
        with self.refused(ERROR + "NoSuchGuest"):
            client.call("GetGuest", ("s", "guest2"))

    def test_another_cpu(self):
        _, client = self.begin(2)
        path = client.call("GetGuest", ("s", "guest1"))[0]

        def set_cpu(**cpu):
            options = {name: GLib.Variant({str: "s", bool: "b"}[type(value)], value) for name, value in cpu.items()}
            return client.call("SetCpu", ("a{sv}t", options, 0), path=path, interface=GUEST)[0]

        self.assertEqual(set_cpu(Model="Opteron_G2")["Outcome"], "applied")
        self.assertEqual(client.get("CpuModel", GUEST, path), "Opteron_G2")
        self.assertEqual(set_cpu(Model="Opteron_G2")["Outcome"], "unchanged")
        result = set_cpu(Nested=True)
        self.assertEqual((result["Outcome"], [impact["Kind"] for impact in result["Impact"]]), ("applied", ["loses-nested"]))
        self.assertEqual(client.get("Policy", GUEST, path), "require")

    def test_the_configuration_names_it(self):
        write(self.host / "proc/cpuinfo", "")
        write(self.host / "etc/nestvirt/nestvirtd.conf", "[Libvirt]\nUri=test:///default\n")
        self.start_real("")
        self.assertEqual(self.client().call("GetGuest", ("s", "test"))[0].rpartition("/")[0], f"{PATH}/guest")

    def test_the_command_line_beats_it(self):
        write(self.host / "etc/nestvirt/nestvirtd.conf", "[Libvirt]\nUri=test:///default\n")
        self.start_real("", "--libvirt=")
        with self.refused(ERROR + "LibvirtUnavailable"):
            self.client().call("GetGuest", ("s", "test"))

    def test_a_configuration_that_makes_no_sense(self):
        write(self.host / "etc/nestvirt/nestvirtd.conf", "what is this\n")
        daemon = self.start_real("")
        self.assertEqual(self.client().get("Nested"), "unavailable")
        self.assertIn("/etc/nestvirt/nestvirtd.conf", daemon.log.read_text())

    def test_a_uri_that_leads_nowhere(self):
        self.start_real("amd-epyc-6.1", f"--libvirt=qemu+unix:///system?socket={self.folder}/nothing")
        with self.refused(ERROR + "LibvirtUnavailable", f"{self.folder}/nothing"):
            self.client().call("RefreshGuests", ("t", 0))


class Without(BusTest):
    def test_no_libvirt(self):
        """Nothing of it is loaded, nor is there a thread for it; what is about the host works."""
        daemon = self.start_real("amd-epyc-6.1")
        client = self.client()
        for member, arguments in (("GetGuest", ("s", "one")), ("RefreshGuests", ("t", 0)), ("ListGuests", ("t", 0))):
            with self.refused(ERROR + "LibvirtUnavailable", "No libvirt is configured"):
                client.call(member, arguments)
        self.assertEqual(client.get_all(MANAGER)["Nested"], "on")
        self.assertEqual(client.set({"kvm_amd": {"nested": "0"}}, DRY_RUN)["Impact"], [])
        self.assertEqual(daemon.log.read_text(), "")
        with open(f"/proc/{daemon.pid}/maps", encoding="utf-8") as stream:
            maps = stream.read()
        for library in ("libvirt", "libxml2"):
            self.assertNotIn(library, maps)
        names = {open(f"/proc/{daemon.pid}/task/{task}/comm", encoding="utf-8").read().strip()
                 for task in os.listdir(f"/proc/{daemon.pid}/task")}
        self.assertEqual(names, {"nestvirtd", "changes", "reads", "scans"})


if __name__ == "__main__":
    main()
