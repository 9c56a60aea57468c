# SPDX-License-Identifier: LGPL-2.1-or-later
"""What waits for idle: it happens by itself when the last holder is gone, is told, can be
cancelled, and survives the daemon."""

import subprocess

from gi.repository import GLib
from clients import DRY_RUN, ERROR, MODULE, NEXT_BOOT, OBJECT_MANAGER, WHEN_IDLE, module_path, wait_for
from harness import BusTest
from tap import main

KVM_AMD = {"path": module_path("kvm_amd"), "interface": MODULE}
OFF = {"kvm_amd": {"nested": "0"}}
ON = {"kvm_amd": {"nested": "1"}}


class Idle(BusTest):
    OPTIONS = ()

    def setUp(self):
        super().setUp()
        self.start_fake(*self.OPTIONS)
        (self.host / "dev/kvm").write_text("")
        self.caller = self.client(watch=True)

    def pending(self):
        return self.caller.get("Pending", MODULE, module_path("kvm_amd"))

    def holder(self):
        """A process of ours, entered as a holder."""
        process = subprocess.Popen(["sleep", "1000"])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.hold(process.pid)
        return process

    def finished(self, count=1):
        wait_for(lambda: len(self.caller.signals("ChangeFinished")) >= count, "ChangeFinished")
        signals = self.caller.signals("ChangeFinished")
        self.assertEqual(len(signals), count)
        return signals[-1].body

    def open_and_close(self):
        with open(self.host / "dev/kvm", encoding="utf-8"):
            pass

    def defer(self, parameters=None):
        result = self.caller.set(parameters or OFF, WHEN_IDLE)
        self.assertEqual(result["Outcome"], "deferred")
        return result


class Ends(Idle):
    def test_nobody_uses_it(self):
        self.assertEqual(self.caller.set(OFF, WHEN_IDLE)["Outcome"], "applied")
        self.assertEqual((self.pending(), self.caller.signals("ChangeFinished")), ({}, []))

    def test_it_waits(self):
        self.hold(1234)
        self.defer()
        self.assertEqual((self.pending(), self.dropin()), ({"nested": "0"}, ["options kvm_amd nested=0"]))
        nested = self.caller.get("Parameters", MODULE, module_path("kvm_amd"))["nested"]
        self.assertEqual((nested["Pending"], nested["Configured"], nested["Effective"]), ("0", "0", "on"))
        self.caller.call("Refresh", ("t", 0))
        self.assertEqual((self.value("kvm_amd", "nested"), self.caller.signals("ChangeFinished")), ("1", []))

    def test_in_use_for_a_moment_longer(self):
        """As the kernel does it: the module is let go of a little after the last event."""
        (self.host / "fake/busy").write_text("kvm_amd")
        self.defer()
        attempts = GLib.timeout_add(5, lambda: True)  # no event tells of them
        wait_for(lambda: self.calls().count("unload kvm_amd") >= 3, "more than one attempt")
        GLib.source_remove(attempts)
        (self.host / "fake/busy").unlink()
        self.assertEqual(self.finished(), ({"nested": "0"}, "applied", ""))

    def test_the_signal_comes_last(self):
        process = self.holder()
        self.defer()
        self.caller.messages.clear()
        self.set_refcnt("kvm_amd", 0)
        process.kill()
        self.finished()
        members = [m.member for m in self.caller.signals()]
        self.assertEqual(members[-1], "ChangeFinished")
        self.assertIn(("/org/nestvirt1", "Nested"), {(m.path, *m.body[1]) for m in self.caller.signals("PropertiesChanged")})

    def test_merges(self):
        self.hold(1234)
        self.defer()
        self.defer({"kvm_amd": {"npt": "0"}})
        self.assertEqual(self.pending(), {"nested": "0", "npt": "0"})
        self.release(1234)
        self.open_and_close()
        self.assertEqual(self.finished(), ({"nested": "0", "npt": "0"}, "applied", ""))
        self.assertEqual(self.dropin(), ["options kvm_amd nested=0 npt=0"])

    def test_two_modules(self):
        self.hold(1234)
        self.set_refcnt("kvm", 2)
        self.defer({"kvm_amd": {"nested": "0"}, "kvm": {"enable_pmu": "0"}})
        self.assertEqual(self.caller.get("Pending", MODULE, module_path("kvm")), {"enable_pmu": "0"})
        self.release(1234)
        self.open_and_close()
        self.caller.call("Refresh", ("t", 0))
        self.assertEqual(self.caller.signals("ChangeFinished"), [])  # kvm itself is still held
        self.set_refcnt("kvm", 1)
        self.open_and_close()
        self.finished(2)
        self.assertEqual({m.path: m.body for m in self.caller.signals("ChangeFinished")},
                         {module_path("kvm_amd"): ({"nested": "0"}, "applied", ""),
                          module_path("kvm"): ({"enable_pmu": "0"}, "applied", "")})

    def test_the_load_fails(self):
        """The configuration of before is back."""
        self.caller.set({"kvm_amd": {"npt": "0"}}, NEXT_BOOT)
        self.hold(1234)
        self.defer()
        (self.host / "fake/fail").write_text("load kvm_amd")
        self.release(1234)
        self.open_and_close()
        self.assertEqual(self.finished(), ({"nested": "0"}, "", ERROR + "ReloadFailed"))
        self.assertEqual((self.value("kvm_amd", "nested"), self.pending()), ("1", {}))
        self.assertEqual(self.dropin(), ["options kvm_amd npt=0"])

    def test_it_can_not_be_done_any_more(self):
        self.hold(1234)
        self.defer()
        (self.host / "etc/modprobe.d/x.conf").write_text("install kvm_amd /bin/true\n")
        self.caller.call("Refresh", ("t", 0))
        self.release(1234)
        self.open_and_close()
        self.assertEqual(self.finished(), ({"nested": "0"}, "", ERROR + "Unsupported"))
        self.assertEqual((self.value("kvm_amd", "nested"), self.pending()), ("1", {}))
        self.assertEqual(self.calls(), ["unload kvm_amd"])

    def test_a_plan_while_it_waits(self):
        self.hold(1234)
        self.defer()
        result = self.caller.set({"kvm_amd": {"npt": "0"}}, DRY_RUN | WHEN_IDLE)
        self.assertEqual(result["Outcome"], "planned")
        self.assertEqual(self.pending(), {"nested": "0"})


class Events(Idle):
    """Each event by itself leads to a look; here there are no others."""

    OPTIONS = ("--impatient",)

    def settle(self):
        """Until everything so far has been seen, looked at, and the holders are watched: the
        answers come in the order of the events and of the readings."""
        path = self.host / "etc/modprobe.d/settle.conf"
        lines = path.read_text() if path.exists() else ""
        path.write_text(f"#\n{lines}options kvm_amd nrips=1\n")
        source = f"/etc/modprobe.d/settle.conf:{len(path.read_text().splitlines())}"
        wait_for(lambda: any(m.body[1].get("Parameters", {}).get("nrips", {}).get("Source") == source
                             for m in self.caller.signals("PropertiesChanged")), "the file to be seen")
        self.caller.get_all()
        self.caller.call("ListUsers", ("t", 0), **KVM_AMD)

    def test_the_holder_ends(self):
        process = self.holder()
        self.defer()
        self.settle()
        self.set_refcnt("kvm_amd", 0)
        process.kill()
        self.assertEqual(self.finished(), ({"nested": "0"}, "applied", ""))
        self.assertEqual((self.value("kvm_amd", "nested"), self.pending()), ("0", {}))
        self.assertEqual(self.calls()[-4:], ["unload kvm_amd", "unload kvm", "load kvm", "load kvm_amd nested=0 nrips=1"])

    def test_one_of_two_holders_ends(self):
        one, two = self.holder(), self.holder()
        self.defer()
        self.settle()
        one.kill()
        one.wait()
        self.settle()
        self.assertEqual(self.value("kvm_amd", "nested"), "1")
        self.set_refcnt("kvm_amd", 0)
        two.kill()
        self.assertEqual(self.finished()[1], "applied")

    def test_the_device_is_closed(self):
        """By something that is no process here."""
        self.set_refcnt("kvm_amd", 1)
        self.defer()
        self.settle()
        self.set_refcnt("kvm_amd", 0)
        self.open_and_close()
        self.assertEqual(self.finished(), ({"nested": "0"}, "applied", ""))

    def test_the_device_comes_anew(self):
        """A reload makes another node; that one is watched then."""
        self.set_refcnt("kvm_amd", 1)
        self.defer()
        (self.host / "dev/kvm").unlink()
        self.settle()
        (self.host / "dev/kvm").write_text("")
        self.settle()
        self.set_refcnt("kvm_amd", 0)
        self.open_and_close()
        self.finished()


class Otherwise(Idle):
    """It ends, but not by our attempt."""

    def setUp(self):
        super().setUp()
        self.hold(1234)
        self.defer()

    def test_cancelled(self):
        reply = self.caller.start("CancelPending", ("t", 0), **KVM_AMD)
        self.assertEqual(reply.result(), ())
        self.assertEqual(self.finished(), ({"nested": "0"}, "configured", ""))
        order = [m.member or "reply" for m in self.caller.messages if m.member == "ChangeFinished" or m.serial == reply.serial]
        self.assertEqual(order, ["ChangeFinished", "reply"])
        self.assertEqual((self.pending(), self.dropin()), ({}, ["options kvm_amd nested=0"]))
        self.release(1234)
        self.open_and_close()
        self.caller.call("Refresh", ("t", 0))
        wait_for(lambda: not self.caller.get("InUse", MODULE, module_path("kvm_amd")), "the end of the use")
        self.assertEqual((self.value("kvm_amd", "nested"), self.calls()), ("1", ["unload kvm_amd"]))

    def test_reloaded_by_hand(self):
        self.set_value("0")
        self.open_and_close()
        self.release(1234)
        self.open_and_close()
        self.assertEqual(self.finished(), ({"nested": "0"}, "applied", ""))
        self.assertEqual((self.pending(), self.calls()), ({}, ["unload kvm_amd"]))

    def unload_by_hand(self):
        (self.host / "sys/module/kvm_amd").rename(self.folder / "kvm_amd")

    def test_unloaded_by_hand(self):
        """Nothing is in effect then; the next load gets it."""
        self.unload_by_hand()
        self.open_and_close()
        self.assertEqual(self.finished(), ({"nested": "0"}, "configured", ""))
        self.assertEqual((self.pending(), self.caller.get("Nested")), ({}, "unavailable"))
        self.assertEqual((self.dropin(), self.calls()), (["options kvm_amd nested=0"], ["unload kvm_amd"]))

    def test_one_of_two_unloaded_by_hand(self):
        self.set_refcnt("kvm", 2)
        self.defer({"kvm": {"enable_pmu": "0"}})
        self.unload_by_hand()
        self.set_refcnt("kvm", 1)
        self.open_and_close()
        self.finished(2)
        self.assertEqual({m.path: m.body for m in self.caller.signals("ChangeFinished")},
                         {module_path("kvm_amd"): ({"nested": "0"}, "configured", ""),
                          module_path("kvm"): ({"enable_pmu": "0"}, "applied", "")})

    def set_value(self, value):
        path = self.host / "sys/module/kvm_amd/parameters/nested"
        path.chmod(0o644)
        path.write_text(value + "\n")
        path.chmod(0o444)

    def test_set_to_something_else(self):
        self.assertEqual(self.caller.set(ON)["Outcome"], "configured")  # it is in effect, also while somebody uses it
        self.assertEqual(self.finished(), ({"nested": "0"}, "", ERROR + "Conflict"))
        self.assertEqual((self.pending(), self.dropin()), ({}, ["options kvm_amd nested=1"]))

    def test_another_value_waits_instead(self):
        first, second = ({"kvm_amd": {"pause_filter_count_max": value}} for value in ("1001", "2002"))
        self.defer(first)
        self.defer(second)
        self.assertEqual(self.finished(1), ({"pause_filter_count_max": "1001"}, "", ERROR + "Conflict"))
        self.assertEqual(self.pending(), {"nested": "0", "pause_filter_count_max": "2002"})

    def test_the_file_is_gone(self):
        (self.host / "run/nestvirt/pending").unlink()
        self.caller.call("Refresh", ("t", 0))
        self.assertEqual(self.finished(), ({"nested": "0"}, "configured", ""))

    def test_the_daemon_is_started_anew(self):
        process = self.holder()
        self.stop(self.daemons[-1])
        self.assertEqual(self.value("kvm_amd", "nested"), "1")
        self.start_fake()
        self.assertEqual(self.pending(), {"nested": "0"})
        self.set_refcnt("kvm_amd", 0)
        process.kill()
        self.assertEqual(self.finished(), ({"nested": "0"}, "applied", ""))

    def test_the_holder_ends_while_the_daemon_is_away(self):
        self.stop(self.daemons[-1])
        self.release(1234)
        self.start_fake()
        self.assertEqual(self.finished(), ({"nested": "0"}, "applied", ""))
        objects = self.caller.call("GetManagedObjects", interface=OBJECT_MANAGER)[0]
        self.assertEqual(objects[module_path("kvm_amd")][MODULE]["Pending"], {})


if __name__ == "__main__":
    main()
