# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirtctl monitor: nothing is missed once it says that it listens; people get differences in
words, programs an object a line."""

import json
import signal
import unittest

from clients import ERROR, GUEST, MODULE, NEXT_BOOT, OBJECT_MANAGER, PATH, PROPERTIES, guest_path, module_path
from ctl import start
from daemon import FakeDaemon, entry, module, variants
from harness import BusTest, GLib
from tap import main

KVM_AMD = module_path("kvm_amd")
ONE, TWO, THREE = (f"3b5b08e4-3dca-4ff9-9a1d-40389758d08{n}" for n in (1, 2, 3))


class Monitor(BusTest):
    def monitor(self, *options):
        process = start("monitor", *options, address=self.bus.address)
        for clean in (process.stdout.close, process.stderr.close, process.wait, process.kill):
            self.addCleanup(clean)
        line = process.stdout.readline()
        self.assertIn("istening", line, line or process.stderr.read())
        return process

    def until(self, process, words):
        """The text of the lines up to one with @words."""
        lines = []
        for line in process.stdout:
            lines.append(line if line.startswith("{") else line[9:])
            if words in line:
                return "".join(lines)
        self.fail(f"ended without {words!r}: {lines}")

    def end(self, process, number=signal.SIGINT):
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, err), (0, ""), out)
        return out


class Real(Monitor):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_fake()
        self.caller = self.client()

    def test_a_change_in_words(self):
        monitor = self.monitor()
        self.caller.set({"kvm_amd": {"nested": "0"}})
        text = self.until(monitor, "kvm_amd.nested configured")
        self.assertIn("host nested: on -> off\n", text)
        self.assertIn("kvm_amd.nested effective: on -> off\n", text)
        self.assertIn("kvm_amd.nested configured: default (on) -> off, by /etc/modprobe.d/zz-nestvirt.conf:", text)
        self.assertNotIn("npt", text + self.end(monitor))

    def test_a_change_as_json(self):
        monitor = self.monitor("-j")
        self.caller.set({"kvm_amd": {"nested": "0"}})
        lines = [json.loads(line) for line in self.until(monitor, "zz-nestvirt").splitlines()]
        lines += [json.loads(line) for line in self.end(monitor).splitlines()]
        changed = {line["path"]: line for line in lines if line["event"] == "properties_changed"}
        self.assertEqual(changed[PATH]["changed"]["nested"], "off")
        self.assertEqual(changed[KVM_AMD]["interface"], MODULE)
        self.assertEqual(changed[KVM_AMD]["changed"]["parameters"]["nested"]["effective"], "off")

    def test_an_administrators_own_file(self):
        monitor = self.monitor()
        path = self.host / "etc/modprobe.d/mine.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("options kvm_amd npt=0\n")
        self.caller.call("Refresh", ("t", 0))
        text = self.until(monitor, "npt configured")
        self.assertIn("kvm_amd.npt configured: default (on) -> off, by /etc/modprobe.d/mine.conf:1\n", text)
        self.assertIn("kvm_amd.npt: ", self.until(monitor, "nestvirtctl reload"))

    def test_the_daemon_goes_and_comes(self):
        monitor = self.monitor()
        self.stop(self.daemon)
        self.assertEqual(self.until(monitor, "ended"), "nestvirtd has ended\n")
        (self.host / "etc/modprobe.d").mkdir(parents=True, exist_ok=True)
        (self.host / "etc/modprobe.d/mine.conf").write_text("options kvm_amd npt=0\n")
        self.start_fake()
        self.assertIn("nestvirtd is running\n", self.until(monitor, "npt configured: default (on) -> off"))
        self.end(monitor, signal.SIGTERM)

    def test_nothing_is_missed(self):
        monitor = self.monitor("--json=short")
        for n in range(20):
            self.caller.set({"kvm_amd": {"nested": str(n % 2)}}, NEXT_BOOT)
        values = []
        while len(values) < 20:
            event = json.loads(monitor.stdout.readline())
            values.append(event["changed"]["parameters"]["nested"]["configured"])
        self.assertEqual(values, ["0", "1"] * 10)
        self.assertEqual(self.end(monitor), "")


class Signals(Monitor):
    """Every signal of the contract, and what is none."""

    def setUp(self):
        super().setUp()
        self.daemon = FakeDaemon(self.bus.address)
        self.addCleanup(self.daemon.close)

    def changed(self, path, interface, properties):
        self.daemon.emit(path, PROPERTIES, "PropertiesChanged", ("sa{sv}as", interface, properties, []))

    def emit_all(self):
        self.changed(PATH, "com.example.Other", {"Odd": GLib.Variant("s", "odd")})
        self.changed(KVM_AMD, MODULE, {"InUse": GLib.Variant("b", True)})
        self.changed(KVM_AMD, MODULE, {"Pending": GLib.Variant("a{ss}", {"nested": "0"})})
        self.daemon.emit(KVM_AMD, MODULE, "ChangeFinished", ("a{ss}ss", {"nested": "0"}, "applied", ""))
        self.daemon.emit(KVM_AMD, MODULE, "ChangeFinished", ("a{ss}ss", {"npt": "0"}, "", ERROR + "ReloadFailed"))
        self.daemon.emit(PATH, OBJECT_MANAGER, "InterfacesRemoved", ("oas", KVM_AMD, [MODULE]))
        self.daemon.emit(PATH, OBJECT_MANAGER, "InterfacesAdded", ("oa{sa{sv}}", module_path("kvm_pvm"), {MODULE: module("kvm_pvm")}))

    def test_words(self):
        monitor = self.monitor()
        self.emit_all()
        self.assertEqual(self.until(monitor, "kvm_pvm").splitlines(), [
            "kvm_amd in use: no -> yes",
            "kvm_amd.nested=0 waits until nobody uses KVM",
            "what waited has ended (applied): kvm_amd.nested=0",
            "what waited has failed (ReloadFailed): kvm_amd.npt=0",
            "kvm_amd is gone",
            "kvm_pvm is there now: live"])

    def test_json(self):
        monitor = self.monitor("-j")
        self.emit_all()
        events = [json.loads(line) for line in self.until(monitor, "kvm_pvm").splitlines()]
        self.assertEqual(events[:5], [
            {"event": "properties_changed", "path": KVM_AMD, "interface": MODULE, "changed": {"in_use": True}},
            {"event": "properties_changed", "path": KVM_AMD, "interface": MODULE, "changed": {"pending": {"nested": "0"}}},
            {"event": "change_finished", "path": KVM_AMD, "parameters": {"nested": "0"}, "outcome": "applied", "error": ""},
            {"event": "change_finished", "path": KVM_AMD, "parameters": {"npt": "0"}, "outcome": "",
             "error": "org.nestvirt1.Error.ReloadFailed"},
            {"event": "interfaces_removed", "path": KVM_AMD, "interfaces": [MODULE]}])
        self.assertEqual((events[5]["event"], events[5]["path"]), ("interfaces_added", module_path("kvm_pvm")))
        self.assertEqual(events[5]["interfaces"][MODULE]["name"], "kvm_pvm")
        self.assertEqual(len(events), 6)

    def test_a_module_that_is_away_for_a_moment(self):
        """Its values vanish and come back: what is news is how they differ from those before."""
        monitor = self.monitor()
        for value in ("", "off", "", "off"):
            parameters = {"nested": entry(Effective=value), "npt": entry(Effective="on" if value else "")}
            self.changed(KVM_AMD, MODULE, {"Parameters": GLib.Variant("a{sa{sv}}", parameters)})
        self.changed(PATH, "org.nestvirt1.Manager", {"Mmu": GLib.Variant("s", "shadow")})
        self.assertEqual(self.until(monitor, "paging"), "kvm_amd.nested effective: on -> off\nhost paging: NPT -> shadow paging\n")
        for mmu in ("", "tdp"):
            self.changed(PATH, "org.nestvirt1.Manager", {"Mmu": GLib.Variant("s", mmu)})
        self.assertEqual(self.until(monitor, "nothing -> NPT"), "host paging: shadow paging -> nothing\nhost paging: nothing -> NPT\n")

    def test_a_guests_paging_in_words(self):
        monitor = self.monitor()
        for mmu in ("ept-on-ept", "shadow-on-ept", "npt-on-npt", "shadow-on-shadow", "new", ""):
            self.daemon.emit(PATH, OBJECT_MANAGER, "InterfacesAdded", (
                "oa{sa{sv}}", guest_path(ONE), {GUEST: variants({"Name": "one", "Uuid": ONE, "Mmu": mmu})}))
        self.assertEqual(self.until(monitor, "-> nothing").splitlines(), ["guest one is there now"] + [
            f"guest one paging: {words}" for words in (
                "EPT on EPT -> shadow paging on EPT", "shadow paging on EPT -> NPT on NPT", "NPT on NPT -> shadow paging on shadow paging",
                "shadow paging on shadow paging -> new", "new -> nothing")])

    def test_the_daemon_comes_back_to_another_host(self):
        """What went and what came while nobody signalled it is told once, and what comes of it
        later as ever."""
        def host(*guests, modules):
            objects = {guest_path(identity): {GUEST: variants({"Name": name, "Uuid": identity, "NextStart": start})} for identity, name, start in guests}
            daemon = FakeDaemon(self.bus.address, answers={"GetManagedObjects": lambda request: (
                "a{oa{sa{sv}}}", {module_path(name): {MODULE: module(name)} for name in modules} | objects)})
            self.addCleanup(daemon.close)
            return daemon

        self.daemon.close()
        before = host((ONE, "one", "yes"), (TWO, "two", "yes"), modules=["kvm", "kvm_amd"])
        monitor = self.monitor()
        before.close()
        self.daemon = host((TWO, "two", "no"), (THREE, "three", "yes"), modules=["kvm", "kvm_pvm"])
        self.assertEqual(self.until(monitor, "next start").splitlines(), [
            "nestvirtd has ended", "nestvirtd is running", "guest one is gone", "kvm_amd is gone", "kvm_pvm is there now: live",
            "guest three is there now", "guest two next start: yes -> no"])
        # Signals that were under way meanwhile are no second news.
        for path in (guest_path(ONE), guest_path(THREE)):
            self.daemon.emit(PATH, OBJECT_MANAGER, "InterfacesRemoved", ("oas", path, [GUEST]))
        for start in ("yes", "fails"):
            self.daemon.emit(PATH, OBJECT_MANAGER, "InterfacesAdded", (
                "oa{sa{sv}}", guest_path(ONE), {GUEST: variants({"Name": "one", "Uuid": ONE, "NextStart": start})}))
        self.assertEqual(self.until(monitor, "next start").splitlines(), [
            "guest three is gone", "guest one is there now", "guest one next start: yes -> fails"])

    def test_malformed_signals_are_passed_over(self):
        monitor = self.monitor()
        self.daemon.emit(KVM_AMD, PROPERTIES, "PropertiesChanged", ("s", "x"))
        self.daemon.emit(KVM_AMD, MODULE, "ChangeFinished", ("u", 5))
        self.daemon.emit(PATH, OBJECT_MANAGER, "InterfacesAdded", ("o", PATH))
        self.changed("/", MODULE, {"InUse": GLib.Variant("s", "\x1b[2J")})
        self.changed(KVM_AMD, MODULE, {"InUse": GLib.Variant("b", True)})
        text = self.until(monitor, "kvm_amd")
        self.assertNotIn("\x1b", text)
        self.assertEqual(text.splitlines()[-1], "kvm_amd in use: no -> yes")

    def test_the_bus_goes(self):
        monitor = self.monitor()
        self.bus.process.kill()
        out, err = monitor.communicate(timeout=60)
        self.assertEqual(monitor.returncode, 8, out + err)
        self.assertIn("bus can't be reached", err)

    def test_nobody_reads_any_more(self):
        monitor = self.monitor()
        monitor.stdout.close()
        while monitor.poll() is None:
            self.changed(KVM_AMD, MODULE, {"InUse": GLib.Variant("b", True)})
            self.changed(KVM_AMD, MODULE, {"InUse": GLib.Variant("b", False)})
        self.assertEqual(monitor.wait(), -signal.SIGPIPE)


if __name__ == "__main__":
    main()
