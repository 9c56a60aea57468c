# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main job on the real kvm_amd, as an ordinary user whom polkit allows, and as one whom it does
not."""

import json
import unittest

from nestvirt import KEPT, RUNTIME, NestvirtTest


class Toggle(NestvirtTest):
    def assert_agree(self, name, value, shown, effective, module=None):
        """sysfs, show, the drop-in: all the same."""
        self.assertEqual(self.value(name, module), shown)
        entry = self.nestvirt.parameter(name, module)
        wanted = {"value": shown, "effective": effective, "configured": value, "supported": True, "reason": "", "pending": ""}
        self.assertEqual({key: entry[key] for key in wanted}, wanted)
        self.assertRegex(entry["source"], f"^{KEPT}:[0-9]+$")
        words = " ".join(self.nestvirt.lines()).split()
        self.assertIn(f"{name}={value}", words)

    def test_nested_off_and_on(self):
        for value, effective in (("0", "off"), ("1", "on")):
            before = self.nestvirt.loads()
            change = self.json(f"set nested={value}")
            self.assertEqual(change["outcome"], "applied")
            self.assertEqual(change["values"], {"nested": value})
            self.assertNotEqual(self.nestvirt.loads(), before)
            self.assert_agree("nested", value, value, effective)
            self.assertEqual(self.json("status")["nested"], effective)
            self.nestvirt.assert_whole()

    def test_npt_both_ways(self):
        for value, shown, effective in (("off", "N", "off"), ("on", "Y", "on")):
            self.assertEqual(self.json(f"set npt={value}")["outcome"], "applied")
            self.assert_agree("npt", "0" if value == "off" else "1", shown, effective)
            self.assertEqual(self.json("status")["mmu"], "shadow" if value == "off" else "tdp")

    def test_three_parameters_of_two_modules_in_one_call(self):
        change = self.json("set nested=0 npt=0 kvm.ignore_msrs=1")
        self.assertEqual(change["outcome"], "applied")
        self.assertEqual(change["values"], {"kvm_amd.nested": "0", "kvm_amd.npt": "N", "kvm.ignore_msrs": "Y"})
        self.assert_agree("nested", "0", "0", "off")
        self.assert_agree("npt", "0", "N", "off")
        self.assert_agree("ignore_msrs", "1", "Y", "on", "kvm")
        self.nestvirt.assert_whole()

        self.assertEqual(self.json("reset")["outcome"], "applied")
        self.assertEqual(self.host.run(f"test -e {KEPT}").status, 1)
        self.assertEqual([self.value("nested"), self.value("npt"), self.value("ignore_msrs", "kvm")], ["1", "Y", "N"])

    def test_the_signal_comes_before_the_answer(self):
        self.ctl("status")
        with self.monitor() as monitor:
            self.ctl("set nested=0")
            monitor.wait_for(r'"member":"SetParameters"')
            seen = []
            while not seen or seen[-1]["type"] != "method_return":
                message = json.loads(monitor.wait_for(r'^{.*("member":"PropertiesChanged"|"type":"method_return").*')[0])
                if message["type"] == "signal" or "outcome" in json.dumps(message).lower():
                    seen.append(message)
        changed = [message for message in seen if message.get("path") == self.nestvirt.object]
        self.assertTrue(changed, seen)
        parameters = changed[-1]["payload"]["data"][1]["Parameters"]["data"]
        self.assertEqual(parameters["nested"]["Effective"]["data"], "off")

    def test_what_is_so_already_costs_no_prompt_and_no_reload(self):
        self.ctl("set nested=1")
        before = self.nestvirt.loads()
        self.assertEqual(self.json("set nested=on", user="bob")["outcome"], "unchanged")
        self.assertEqual(self.nestvirt.loads(), before)

    def test_dry_run_names_what_it_would_do(self):
        before = self.nestvirt.state()
        plan = self.json("set nested=0 --dry-run", user="bob")
        self.assertEqual(plan["outcome"], "planned")
        self.assertIn("unload kvm_amd", plan["steps"])
        self.assertIn(f"write {KEPT}", plan["steps"])
        self.assertEqual(self.nestvirt.state(), before)

    def test_runtime_is_gone_with_the_boot(self):
        self.assertEqual(self.json("set nested=0 --runtime")["outcome"], "applied")
        self.assertEqual(self.value("nested"), "0")
        self.assertEqual(self.nestvirt.lines(RUNTIME), ["options kvm_amd nested=0"])
        self.assertEqual(self.nestvirt.lines(), [])
        self.host.check("modprobe -r kvm_amd && modprobe kvm_amd")
        self.assertEqual(self.value("nested"), "0")
        self.assertEqual(self.json("reset --runtime")["outcome"], "applied")
        self.assertEqual(self.value("nested"), "1")

    def test_next_boot_changes_only_the_file(self):
        before = self.nestvirt.loads()
        self.assertEqual(self.json("set nested=0 --next-boot")["outcome"], "configured")
        self.assertEqual(self.nestvirt.lines(), ["options kvm_amd nested=0"])
        self.assertEqual((self.value("nested"), self.nestvirt.loads()), ("1", before))
        entry = self.nestvirt.parameter("nested")
        self.assertEqual((entry["effective"], entry["configured"]), ("on", "0"))
        self.assertNotEqual(entry["reason"], "")

    def test_reload_puts_the_configuration_in_effect(self):
        self.ctl("set nested=0 --next-boot")
        self.assertEqual(self.json("reload")["outcome"], "applied")
        self.assertEqual(self.value("nested"), "0")
        self.nestvirt.assert_whole()


class Refused(NestvirtTest):
    def test_what_the_cpu_lacks(self):
        before = (self.nestvirt.state(), self.nestvirt.loads())
        for word in ("avic=1", "vgif=1"):
            self.assertIn(word.split("=")[0], self.ctl(f"set {word}", status=6).stderr)
        self.assertIn("npt", self.ctl("set ept=off", status=6).stderr)
        self.ctl("set nestde=0", status=2)
        self.ctl("set nested=banana", status=2)
        self.assertEqual((self.nestvirt.state(), self.nestvirt.loads()), before)

    def test_what_the_cpu_lacks_asked_for_by_hand(self):
        self.host.check("echo 'options kvm_amd avic=1' > /etc/modprobe.d/test.conf && modprobe -r kvm_amd && modprobe kvm_amd")
        entry = self.nestvirt.parameter("avic")
        self.assertEqual((entry["configured"], entry["effective"], entry["supported"]), ("1", "off", False))
        self.assertEqual(entry["source"], "/etc/modprobe.d/test.conf:1")
        self.assertIn("avic", entry["reason"])

    def test_whom_polkit_denies(self):
        before = (self.nestvirt.state(), self.nestvirt.loads())
        for user in ("bob", "carol"):
            for verb in ("set nested=0", "set nested=0 --next-boot", "set kvm.ignore_msrs=1", "reload"):
                error = self.json(verb, user=user, status=4)["error"]
                self.assertIn("AccessDenied", error["name"])
        self.assertEqual((self.nestvirt.state(), self.nestvirt.loads()), before)

    def test_interaction_is_needed_and_not_allowed(self):
        error = self.json("--no-ask-password set nested=0", user="carol", status=4)["error"]
        self.assertEqual(error["name"], "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired")

    def test_without_polkit_nobody_but_root(self):
        self.addCleanup(self.host.check, "systemctl unmask --runtime polkit && systemctl start polkit")
        self.host.check("systemctl mask --runtime polkit && systemctl stop polkit")
        self.ctl("set nested=0", status=4)
        self.assertEqual((self.value("nested"), self.nestvirt.lines()), ("1", []))
        self.ctl("set nested=0", user="root")
        self.assertEqual(self.value("nested"), "0")


class ByHand(NestvirtTest):
    """What the administrator does without us is signalled just like our own changes."""

    def wait_changed(self, command, effective, configured):
        with self.monitor() as monitor:
            self.host.check(command)
            while True:
                line = monitor.wait_for(r'^{.*"member":"PropertiesChanged".*"Parameters".*')[0]
                entry = json.loads(line)["payload"]["data"][1]["Parameters"]["data"].get("nested")
                if entry and (entry["Effective"]["data"], entry["Configured"]["data"]) == (effective, configured):
                    return

    def test_modprobe(self):
        self.ctl("status")
        self.wait_changed("modprobe -r kvm_amd && modprobe kvm_amd nested=0", "off", "")

    def test_a_file(self):
        self.ctl("status")
        self.wait_changed("echo 'options kvm-amd nested=0' > /etc/modprobe.d/test.conf", "on", "0")
        self.wait_changed("rm /etc/modprobe.d/test.conf", "on", "")

    def test_module_objects_come_and_go_with_the_module(self):
        self.ctl("status")
        self.host.check("modprobe -r kvm_amd")
        modules = {module["name"]: module["state"] for module in self.json("status")["modules"]}
        self.assertEqual(modules, {"kvm": "loadable", "kvm_amd": "loadable"})
        self.assertEqual(self.json("status")["nested"], "unavailable")
        self.ctl("check", status=3)
        self.assertEqual(self.json("reload")["outcome"], "applied")
        self.ctl("check")


if __name__ == "__main__":
    unittest.main()
