# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changes from the call to the reply: what is done, in which order it is told, who waits for whom,
and what a failure leaves."""

import shutil
import signal

from gi.repository import GLib
from clients import (DRY_RUN, ERROR, HOLDERS, MANAGER, MODULE, NEXT_BOOT, OBJECT_MANAGER, RUNTIME, TIMEOUT, WHEN_IDLE, Client,
                     module_path, wait_for)
from harness import BusTest, snapshot
from tap import main

KVM_AMD = {"path": module_path("kvm_amd"), "interface": MODULE}
OFF = {"kvm_amd": {"nested": "0"}}
ON = {"kvm_amd": {"nested": "1"}}
RELOAD_OFF = ["unload kvm_amd", "unload kvm", "load kvm", "load kvm_amd nested=0"]


class Change(BusTest):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_fake()
        self.caller = self.client(watch=True)

    def order(self, pending):
        """The signals and the one reply, as they came over the wire."""
        return [m.member or "reply" for m in self.caller.messages
                if m.member in ("PropertiesChanged", "ChangeFinished") or m.serial == pending.serial]

    def test_set(self):
        pending = self.caller.start_set(OFF)
        result = pending.result()[0]
        self.assertEqual((result["Outcome"], result["Impact"], result["Values"]), ("applied", [], {"nested": "0"}))
        self.assertIn("loaded kvm_amd with nested=0", result["Steps"])
        self.assertEqual(self.value("kvm_amd", "nested"), "0")
        self.assertEqual(self.dropin(), ["options kvm_amd nested=0"])
        self.assertEqual(self.calls(), RELOAD_OFF)
        self.assertEqual(self.order(pending), ["PropertiesChanged", "PropertiesChanged", "reply"])
        self.assertEqual(self.caller.get("Nested"), "off")
        nested = self.caller.get("Parameters", MODULE, module_path("kvm_amd"))["nested"]
        self.assertEqual((nested["Value"], nested["Effective"], nested["Configured"]), ("0", "off", "0"))

    def test_signals_name_what_changed(self):
        self.caller.set(OFF)
        changed = {(m.path, *m.body[1]) for m in self.caller.signals("PropertiesChanged")}
        self.assertEqual(changed, {("/org/nestvirt1", "Nested"), (module_path("kvm_amd"), "Parameters")})
        self.assertEqual([m for m in self.caller.signals() if m.member != "PropertiesChanged"], [])

    def test_of_one_module(self):
        result = self.caller.call("SetParameters", ("a{ss}t", {"npt": "off"}, 0), **KVM_AMD)[0]
        self.assertEqual((result["Outcome"], result["Values"]), ("applied", {"npt": "N"}))
        self.assertEqual(self.caller.get("Mmu"), "shadow")

    def test_several_modules(self):
        result = self.caller.set({"kvm_amd": {"nested": "0", "npt": "0"}, "kvm": {"ignore_msrs": "1"}})
        self.assertEqual(result["Outcome"], "applied")
        self.assertEqual(result["Values"], {"kvm_amd.nested": "0", "kvm_amd.npt": "N", "kvm.ignore_msrs": "Y"})
        self.assertEqual(self.dropin(), ["options kvm ignore_msrs=1", "options kvm_amd nested=0 npt=0"])

    def test_unchanged(self):
        self.assertEqual(self.caller.set(OFF)["Outcome"], "applied")
        calls = self.calls()
        self.assertEqual(self.caller.set(OFF)["Outcome"], "unchanged")
        self.assertEqual(self.caller.set(OFF, DRY_RUN)["Outcome"], "unchanged")
        self.assertEqual(self.calls(), calls)

    def test_runtime_and_next_boot(self):
        self.assertEqual(self.caller.set(OFF, NEXT_BOOT)["Outcome"], "configured")
        self.assertEqual((self.value("kvm_amd", "nested"), self.calls()), ("1", []))
        self.assertEqual(self.caller.set({"kvm_amd": {"npt": "0"}}, RUNTIME)["Outcome"], "applied")
        npt = self.caller.get("Parameters", MODULE, module_path("kvm_amd"))["npt"]
        self.assertTrue(npt["Source"].startswith("/run/modprobe.d/zzz-nestvirt-runtime.conf:"), npt["Source"])
        self.assertEqual(self.dropin(), ["options kvm_amd nested=0"])

    def test_reset(self):
        self.caller.set(OFF)
        self.caller.set({"kvm_amd": {"npt": "0"}})
        result = self.caller.call("ResetParameters", ("ast", ["nested"], 0), **KVM_AMD)[0]
        self.assertEqual((result["Outcome"], self.value("kvm_amd", "nested")), ("applied", "1"))
        result = self.caller.call("ResetParameters", ("a{sas}t", {}, 0))[0]
        self.assertEqual((result["Outcome"], self.value("kvm_amd", "npt"), self.dropin()), ("applied", "Y", []))
        result = self.caller.call("ResetParameters", ("a{sas}t", {"kvm_amd": []}, 0))[0]
        self.assertEqual(result["Outcome"], "unchanged")

    def test_reset_of_another_machine(self):
        """A disk that was moved: all that is ours goes, also what is for the other vendor's
        module."""
        file = self.host / "etc/modprobe.d/zz-nestvirt.conf"
        for words in ({}, {"kvm_intel": []}, {"kvm_intel": ["nested", "ept"]}):
            file.write_text("options kvm_intel ept=0 nested=0\n")
            result = self.caller.call("ResetParameters", ("a{sas}t", words, 0))[0]
            self.assertEqual((result["Outcome"], file.exists(), self.calls()), ("configured", False, []))
            self.assertEqual(result["Steps"], ["removed /etc/modprobe.d/zz-nestvirt.conf"])

    def test_reload(self):
        result = self.caller.call("Reload", ("t", DRY_RUN), **KVM_AMD)[0]
        self.assertEqual((result["Outcome"], self.calls()), ("planned", []))
        result = self.caller.call("Reload", ("t", 0), **KVM_AMD)[0]
        self.assertEqual(result["Outcome"], "applied")
        self.assertEqual(self.calls()[0], "unload kvm_amd")

    def test_dry_run(self):
        before = snapshot(self.host)
        result = self.caller.set(OFF, DRY_RUN)
        self.assertEqual(result["Outcome"], "planned")
        self.assertIn("load kvm_amd with nested=0", result["Steps"])
        self.assertEqual((snapshot(self.host), self.caller.signals()), (before, []))

    def changes(self, result):
        """By name, what Before and After say of Configured, Effective, Pending, and the file of
        Source; and whether anything changed at all."""
        def state(entry):
            self.assertEqual(set(entry), {"Configured", "Effective", "Pending", "Source"})
            return (entry["Configured"], entry["Effective"], entry["Pending"], entry["Source"].rpartition("/")[2].partition(":")[0])
        for change in result["Changes"]:
            self.assertEqual(set(change), {"Module", "Name", "Before", "After"})
        return result["Changed"], {f"{c['Module']}.{c['Name']}": (state(c["Before"]), state(c["After"])) for c in result["Changes"]}

    def assert_changes(self, call, changed, expected):
        """A dry run says what the run does, and the run what the dry run said."""
        plan = call(DRY_RUN)
        self.assertEqual(self.changes(plan), (changed, expected))
        done = call(0)
        self.assertEqual((done["Changed"], done["Changes"]), (plan["Changed"], plan["Changes"]))

    def test_what_it_changes(self):
        kept = "zz-nestvirt.conf"
        for values, flags, expected in (
                (OFF, NEXT_BOOT, {"kvm_amd.nested": (("", "on", "", ""), ("0", "on", "", kept))}),
                (OFF, 0, {"kvm_amd.nested": (("0", "on", "", kept), ("0", "off", "", kept))}),
                (ON, RUNTIME, {"kvm_amd.nested": (("0", "off", "", kept), ("1", "on", "", "zzz-nestvirt-runtime.conf"))}),
                ({"kvm": {"ignore_msrs": "1"}}, 0, {"kvm.ignore_msrs": (("", "off", "", ""), ("1", "on", "", kept))})):
            self.assert_changes(lambda more: self.caller.set(values, flags | more), True, expected)
            self.assert_changes(lambda more: self.caller.set(values, flags | more), False, {})

    def test_what_a_reset_changes(self):
        self.caller.set(OFF)
        reset = lambda more: self.caller.call("ResetParameters", ("a{sas}t", {}, more))[0]
        self.assert_changes(reset, True, {"kvm_amd.nested": (("0", "off", "", "zz-nestvirt.conf"), ("", "on", "", ""))})
        self.assert_changes(reset, False, {})

    def test_what_a_reload_changes(self):
        reload = lambda more: self.caller.call("Reload", ("t", more), **KVM_AMD)[0]
        self.assert_changes(reload, True, {})
        self.caller.set(OFF, NEXT_BOOT)
        kept = "zz-nestvirt.conf"
        self.assert_changes(reload, True, {"kvm_amd.nested": (("0", "on", "", kept), ("0", "off", "", kept))})

    def test_what_a_wait_changes(self):
        self.hold(1234)
        wait = lambda more: self.caller.set(OFF, WHEN_IDLE | more)
        self.assert_changes(wait, True, {"kvm_amd.nested": (("", "on", "", ""), ("0", "on", "0", "zz-nestvirt.conf"))})
        self.assert_changes(wait, False, {})

    def test_notes_are_no_steps(self):
        shutil.rmtree(self.host / "sys/module/kvm_amd")
        shutil.rmtree(self.host / "sys/module/kvm/holders")
        self.caller.call("Refresh", ("t", 0))
        for flags in (DRY_RUN, 0):
            result = self.caller.set(OFF, flags)
            self.assertEqual([note.partition(":")[0] for note in result["Notes"]], ["kvm_amd is not loaded"])
            self.assertEqual(len(result["Steps"]), 1)
            self.assertTrue(result["Changed"])
        self.assertEqual(self.caller.set(OFF)["Changed"], False)

    def test_busy_tells_who_is_in_the_way(self):
        """To who asks for that: of an error that has more than a message GDBus gives none."""
        self.hold(1234)
        holders = self.caller.call("ListUsers", ("t", 0), **KVM_AMD)[0]
        for body, keywords in ((("a{sa{ss}}t", OFF, HOLDERS), {}), (("t", HOLDERS), KVM_AMD)):
            with self.refused(ERROR + "Busy"):
                self.caller.call("Reload" if keywords else "SetParameters", body, **keywords)
            message, told = self.caller.messages[-1].body
            self.assertIn("pid 1234", message)
            self.assertEqual((told, [h["Pid"] for h in told]), (holders, [1234]))
        self.assertEqual(self.caller.set({"kvm": {"ignore_msrs": "1"}}, HOLDERS)["Outcome"], "applied")

    def test_busy(self):
        self.hold(1234)
        before = snapshot(self.host)
        with self.refused(ERROR + "Busy", "pid 1234", "qemu-system-x86", "web1.scope", "--when-idle"):
            self.caller.set(OFF)
        result = self.caller.set(OFF, DRY_RUN)
        self.assertEqual(result["Outcome"], "planned")
        self.assertEqual([(i["Subject"], i["Kind"]) for i in result["Impact"]], [("pid 1234", "blocks")])
        self.assertEqual((snapshot(self.host), self.calls()), (before, []))
        self.assertEqual(self.caller.get("InUse", MODULE, module_path("kvm_amd")), True)
        self.assertEqual(self.caller.set(OFF, NEXT_BOOT)["Outcome"], "configured")

    def test_busy_at_the_last_moment(self):
        """Nobody held it when it was looked at; the kernel says so only when it is to be
        unloaded."""
        (self.host / "fake/busy").write_text("kvm_amd")
        before = self.caller.call("GetManagedObjects", interface=OBJECT_MANAGER)
        with self.refused(ERROR + "Busy", "no process"):
            self.caller.set(OFF)
        self.assertEqual(self.calls(), ["unload kvm_amd"])
        self.assertEqual(self.caller.call("GetManagedObjects", interface=OBJECT_MANAGER), before)
        self.assertEqual(self.dropin(), [])

    def test_a_reload_has_no_other_way(self):
        self.hold(1234)
        with self.refused(ERROR + "Busy", "pid 1234", "Stop that and ask again") as caught:
            self.caller.call("Reload", ("t", 0), **KVM_AMD)
        self.assertNotIn("--", caught.exception.message)
        with self.refused(ERROR + "Busy", "pid 1234", "instead of --runtime"):
            self.caller.set(OFF, RUNTIME)

    def test_kvm_itself_is_busy(self):
        self.set_refcnt("kvm", 2)
        with self.refused(ERROR + "Busy"):
            self.caller.set({"kvm": {"enable_pmu": "0"}})
        self.assertEqual(self.calls(), [])
        result = self.caller.set(OFF)
        self.assertEqual(result["Outcome"], "applied")
        self.assertIn("kept kvm: something else uses it", result["Steps"])

    def test_kvm_that_was_kept_is_loaded_by_hand(self):
        """What was said of the one that stayed loaded is not said of the next."""
        def reason():
            return self.caller.get("Parameters", MODULE, module_path("kvm_amd"))["nested"]["Reason"]

        self.set_refcnt("kvm", 2)
        self.caller.set(OFF)
        self.assertIn("stayed loaded", reason())
        self.assertIn("kvm-kept", [finding["Id"] for finding in self.caller.call("Check", ("t", 0))[0]])
        parameters = self.host / "sys/module/kvm/parameters"
        anew = shutil.copytree(parameters, parameters.with_name("anew"))  # beside it, so that it is another directory
        shutil.rmtree(parameters)
        anew.rename(parameters)
        self.caller.call("Refresh", ("t", 0))
        self.assertEqual(reason(), "")
        self.assertNotIn("kvm-kept", [finding["Id"] for finding in self.caller.call("Check", ("t", 0))[0]])

    def test_a_load_that_fails(self):
        (self.host / "fake/fail").write_text("load kvm_amd")
        before = self.caller.call("GetManagedObjects", interface=OBJECT_MANAGER)
        with self.refused(ERROR + "ReloadFailed", "Exec format error", "as it was"):
            self.caller.set(OFF)
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin()), ("1", []))
        self.assertEqual(self.caller.call("GetManagedObjects", interface=OBJECT_MANAGER), before)
        self.assertEqual(self.caller.set(OFF)["Outcome"], "applied")

    def test_an_install_line(self):
        folder = self.host / "etc/modprobe.d"
        (folder / "x.conf").write_text("install kvm_amd /bin/true\n")
        with self.refused(ERROR + "Unsupported", "x.conf:1"):
            self.caller.set(OFF)
        (folder / "x.conf").write_text("")
        (folder / "zzzz.conf").write_text("options kvm_amd nested=1\n")
        with self.refused(ERROR + "Overridden", "zzzz.conf"):
            self.caller.set(OFF)
        self.assertEqual(self.calls(), [])
        self.assertEqual(self.caller.set(OFF, RUNTIME)["Outcome"], "applied")


class UnderWay(BusTest):
    """While a load takes its time."""

    def setUp(self):
        super().setUp()
        self.daemon = self.start_fake()
        self.caller = self.client(watch=True)
        self.other = self.client()
        self.close_gate()
        self.change = self.caller.start_set(OFF)
        self.open_gate = self.wait_at_gate()

    def test_reading_is_answered(self):
        self.assertEqual(self.other.get("Nested"), "on")
        self.other.call("GetManagedObjects", interface=OBJECT_MANAGER)
        self.assertEqual(self.other.call("ListUsers", ("t", 0), **KVM_AMD), ([],))
        self.assertFalse(self.change.done)
        self.open_gate()
        self.assertEqual(self.change.result()[0]["Outcome"], "applied")
        self.assertEqual(self.other.get("Nested"), "off")

    def test_nobody_sees_it_half_done(self):
        refresh = self.other.start("Refresh", ("t", 0))
        check = self.other.start("Check", ("t", 0))
        self.other.get_all()
        self.assertEqual((refresh.done, check.done), (False, False))
        self.open_gate()
        self.change.result()
        refresh.result()
        check.result()
        values = [m.body[1] for m in self.caller.signals("PropertiesChanged")]
        self.assertEqual([v["Nested"] for v in values if "Nested" in v], ["off"])
        self.assertEqual([v["State"] for v in values if "State" in v], [])

    def test_one_after_the_other(self):
        """Each is judged against the host that the one before has left."""
        same = self.other.start_set(OFF)
        back = self.other.start_set(ON)
        dry = self.other.start_set(ON, DRY_RUN)
        self.other.get_all()
        self.assertEqual((same.done, back.done, dry.done), (False, False, False))
        self.open_gate()
        self.assertEqual(self.change.result()[0]["Outcome"], "applied")
        self.assertEqual(same.result()[0]["Outcome"], "unchanged")
        self.assertEqual(back.result()[0]["Outcome"], "applied")
        self.assertIn(dry.result()[0]["Outcome"], ("planned", "unchanged"))
        self.assertEqual(self.value("kvm_amd", "nested"), "1")

    def test_the_caller_leaves(self):
        leaving = Client(self.bus.address)
        leaving.start_set({"kvm_amd": {"npt": "0"}})
        leaving.call("GetAll", ("s", MANAGER), interface="org.freedesktop.DBus.Properties")
        leaving.close()
        self.open_gate()
        self.change.result()
        # It is judged after this one, and its caller is gone when it comes to asking who that is.
        self.other.call("Refresh", ("t", 0))
        self.assertEqual(self.other.set(ON)["Outcome"], "applied")
        self.assertEqual(self.value("kvm_amd", "npt"), "Y")

    def test_stopping_waits_for_it(self):
        self.daemon.send_signal(signal.SIGTERM)
        late = self.other.start_set(ON)
        self.other.get_all()
        self.open_gate()
        self.assertEqual(self.change.result()[0]["Outcome"], "applied")
        self.assertEqual(self.daemon.wait(TIMEOUT), 0)
        with self.assertRaises(GLib.Error):
            late.result()
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin()), ("0", ["options kvm_amd nested=0"]))

    def test_killed(self):
        self.daemon.kill()
        self.daemon.wait()
        self.daemon.expected = -signal.SIGKILL
        self.assertFalse((self.host / "sys/module/kvm_amd").exists())
        self.assertTrue((self.host / "var/lib/nestvirt/change").exists())
        self.start_fake()
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin()), ("1", []))
        self.assertFalse((self.host / "var/lib/nestvirt/change").exists())
        self.assertEqual(self.other.get("State", MODULE, module_path("kvm_amd")), "live")

    def test_many_readers(self):
        """500 connections at once; all are answered while the module is away."""
        readers = [self.client() for _ in range(500)]
        answers = [reader.start("GetAll", ("s", MANAGER), interface="org.freedesktop.DBus.Properties") for reader in readers]
        wait_for(lambda: all(answer.done for answer in answers), "all answers")
        self.assertEqual({answer.result()[0]["Nested"] for answer in answers}, {"on"})
        self.assertFalse((self.host / "sys/module/kvm_amd").exists())
        self.open_gate()
        self.change.result()


class Limit(BusTest):
    def test_calls_of_one_caller(self):
        self.start_fake()
        greedy, other = self.client(), self.client()
        self.close_gate()
        first = other.start_set(OFF)
        open_gate = self.wait_at_gate()
        calls = [greedy.start_set(ON, DRY_RUN) for _ in range(20)]
        wait_for(lambda: sum(call.done for call in calls) >= 4, "the refusals")
        refused = [call for call in calls if call.done]
        self.assertEqual(len(refused), 4)
        for call in refused:
            with self.refused("org.freedesktop.DBus.Error.LimitsExceeded", "16"):
                call.result()
        also = other.start_set(ON, DRY_RUN)
        greedy.get_all()
        open_gate()
        first.result()
        also.result()
        for call in calls[:16]:
            self.assertEqual(call.result()[0]["Outcome"], "planned")
        self.assertEqual(greedy.set(ON, DRY_RUN)["Outcome"], "planned")


if __name__ == "__main__":
    main()
