# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verbs that change something: what exactly is asked of the daemon, and what becomes of its
answers. With a daemon that only records, and with nestvirtd itself over a tree of files whose
modules can be loaded."""

import json
import shutil
import signal
import subprocess
import unittest

from clients import DBUS_ERROR, DRY_RUN, ERROR, NEXT_BOOT, NOBODY, PATH, RUNTIME, WHEN_IDLE, Failure, module_path, wait_for
from ctl import copy_for_others, run, start
from daemon import AMD, FakeDaemon, change, module
from harness import BusTest
from tap import main

CHANGES = ("SetParameters", "ResetParameters", "Reload", "EnsureDevice")


class Changing(BusTest):
    def ctl(self, *arguments, status=0, **keywords):
        result = run(*arguments, address=self.bus.address, **keywords)
        self.assertEqual(result.status, status, result)
        return result

    def json(self, *arguments, status=0, **keywords):
        result = self.ctl("--json=short", *arguments, status=status, **keywords)
        self.assertEqual((result.err, result.out.count("\n")), ("", 1), result)
        return result.json


class Asked(Changing):
    """One call for each verb, with the user's own words in it."""

    def asked(self, *arguments, modules=AMD, answer=change("applied")):
        answers = dict.fromkeys(CHANGES, lambda request: answer)
        daemon = FakeDaemon(self.bus.address, modules=modules, answers={**answers, "CancelPending": lambda request: ()})
        try:
            self.ctl(*arguments)
            return daemon.changes
        finally:
            daemon.close()

    def test_set_is_one_transaction_with_values_as_they_were_written(self):
        self.assertEqual(
            self.asked("set", "nested=Off", "npt=YES", "kvm.ignore-msrs=1", "kvm_amd.nested=banana=2"),
            [("SetParameters", PATH,
              ({"kvm_amd": {"nested": "banana=2", "npt": "YES"}, "kvm": {"ignore_msrs": "1"}}, 0), True)])

    def test_names(self):
        for word, where, name in (
                ("nested", "kvm_amd", "nested"), ("ignore-msrs", "kvm", "ignore_msrs"), ("apicv", "kvm_amd", "enable_apicv"),
                ("kvm-amd.npt", "kvm_amd", "npt"), ("ept", "kvm_amd", "ept"), ("frob", "kvm_amd", "frob"),
                ("kvm_intel.ept", "kvm_intel", "ept"), ("kvm.frob-it", "kvm", "frob_it"), ("vgif", "kvm_amd", "vgif")):
            with self.subTest(word):
                self.assertEqual(self.asked("set", f"{word}=1")[0][2], ({where: {name: "1"}}, 0))

    def test_without_a_vendor_module_kvm_is_asked(self):
        self.assertEqual(self.asked("set", "nested=1", modules=[module("kvm", ["ignore_msrs"])])[0][2], ({"kvm": {"nested": "1"}}, 0))

    def test_flags(self):
        for options, flags in (([], 0), (["--dry-run"], DRY_RUN), (["--runtime"], RUNTIME), (["--next-boot"], NEXT_BOOT),
                               (["--when-idle"], WHEN_IDLE), (["--dry-run", "--when-idle", "--wait"], DRY_RUN | WHEN_IDLE)):
            with self.subTest(options):
                for verb, member in (("set", "SetParameters"), ("reset", "ResetParameters")):
                    asked = self.asked(verb, "nested=1" if verb == "set" else "nested", *options)
                    self.assertEqual([(a[0], a[2][1]) for a in asked], [(member, flags)])

    def test_reset(self):
        self.assertEqual(self.asked("reset"), [("ResetParameters", PATH, ({}, 0), True)])
        self.assertEqual(self.asked("reset", "npt", "ignore_msrs", "nested")[0][2],
                         ({"kvm_amd": ["npt", "nested"], "kvm": ["ignore_msrs"]}, 0))

    def test_reset_of_what_this_host_lacks(self):
        """It may have been set on another machine or kernel: the daemon knows."""
        self.assertEqual(self.asked("reset", "kvm-intel.nested", "kvm_intel.ept", "vls")[0][2],
                         ({"kvm_intel": ["nested", "ept"], "kvm_amd": ["vls"]}, 0))

    def test_reload(self):
        self.assertEqual(self.asked("reload"), [("Reload", module_path("kvm_amd"), (0,), True)])
        self.assertEqual(self.asked("reload", modules=[module("kvm")])[0][1], module_path("kvm"))

    def test_ensure_device(self):
        self.assertEqual(self.asked("ensure-device"), [("EnsureDevice", PATH, (0,), True)])

    def test_cancel_where_something_waits(self):
        waiting = [module("kvm", ["ignore_msrs"], {"ignore_msrs": "1"}), module("kvm_amd", ["nested"], {"nested": "0"})]
        self.assertEqual(self.asked("cancel", modules=waiting),
                         [("CancelPending", module_path(name), (0,), True) for name in ("kvm_amd", "kvm")])
        self.assertEqual(self.asked("cancel"), [])

    def test_polkit_may_not_ask(self):
        for words in (["set", "nested=1"], ["reset"], ["reload"], ["ensure-device"]):
            with self.subTest(words):
                self.assertFalse(self.asked(*words, "--no-ask-password")[0][3])
                # What changes nothing needs nobody's leave.
                self.assertFalse(self.asked(*words, "--dry-run")[0][3])

    def test_ten_thousand_parameters_are_one_call(self):
        words = [f"p{n}=1" for n in range(10000)]
        self.assertEqual(len(self.asked("set", *words)[0][2][0]["kvm_amd"]), 10000)


class Answers(Changing):
    def answer(self, answer, *arguments, **keywords):
        daemon = FakeDaemon(self.bus.address, answers=dict.fromkeys(CHANGES, lambda request: answer))
        try:
            return run(*arguments, address=self.bus.address, **keywords)
        finally:
            daemon.close()

    def test_people_are_told_all_of_it(self):
        answer = change("applied", ["wrote a file", "loaded it"],
                        [{"Subject": "web1", "Kind": "loses-nested", "Message": "web1 loses it"}], {"nested": "0"})
        result = self.answer(answer, "set", "nested=0")
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertEqual(result.out, "Done: in effect now.\n  wrote a file\n  loaded it\n  loses-nested: web1 loses it\n"
                                     "In the kernel: nested=0\n")

    def test_outcomes_in_words(self):
        for outcome, options, words in (
                ("unchanged", [], "already"), ("applied", ["--runtime"], "until the next boot"),
                ("configured", ["--next-boot"], "Kept for the next boot"), ("configured", [], "Kept"),
                ("deferred", ["--when-idle"], "as soon as nobody uses KVM"), ("planned", ["--dry-run"], "nothing has been changed"),
                ("a new one", [], "a new one")):
            with self.subTest(outcome):
                self.assertIn(words, self.answer(change(outcome), "set", "nested=0", *options).out)

    def test_json_has_the_four_keys(self):
        answer = change("applied", ["a"], [{"Subject": "s", "Kind": "blocks", "Message": "m"}], {"kvm.ignore_msrs": "Y"})
        for words in (["set", "nested=0"], ["reset"], ["reload"]):
            self.assertEqual(self.answer(answer, "-j", *words).json, {
                "outcome": "applied", "steps": ["a"], "impact": [{"subject": "s", "kind": "blocks", "message": "m"}],
                "values": {"kvm.ignore_msrs": "Y"}})

    def test_quiet(self):
        result = self.answer(change("applied", ["wrote a file"]), "--quiet", "set", "nested=0")
        self.assertEqual((result.status, result.out, result.err), (0, "", ""))

    def test_errors_and_exit_statuses(self):
        ours, theirs = ERROR, DBUS_ERROR
        for name, status in (
                (ours + "ReloadFailed", 1), (ours + "Conflict", 1), (ours + "Overridden", 1), (ours + "TimedOut", 1),
                (ours + "Internal", 1), ("com.example.Unheard", 1), (theirs + "LimitsExceeded", 1),
                (theirs + "UnknownMethod", 1), (ours + "InvalidArgs", 2), (ours + "NoSuchParameter", 2),
                (ours + "InvalidValue", 2), (theirs + "AccessDenied", 4), (theirs + "InteractiveAuthorizationRequired", 4),
                (ours + "Busy", 5), (ours + "Unsupported", 6), (ours + "Builtin", 6), (ours + "NotPermitted", 6),
                (ours + "HostDegraded", 7), (theirs + "NoReply", 8)):
            with self.subTest(name):
                failure = Failure(name, "It is so: do that")
                result = self.answer(failure, "set", "nested=0", "npt=1")
                self.assertEqual((result.status, result.out), (status, ""), result)
                self.assertTrue(result.err.startswith("Cannot set nested, npt: It is so: do that\n"), result)
                result = self.answer(failure, "--json=short", "--quiet", "set", "nested=0")
                self.assertEqual((result.status, result.err), (status, ""), result)
                self.assertEqual(result.json, {"error": {"name": name, "message": "It is so: do that"}})

    def test_a_password_that_may_not_be_asked_for(self):
        result = self.answer(Failure(DBUS_ERROR + "InteractiveAuthorizationRequired", "No"), "set", "nested=0")
        self.assertIn("--no-ask-password", result.err)


class Real(Changing):
    """From the command line to the file that the kernel's value is read back from."""

    def setUp(self):
        super().setUp()
        self.start_fake()

    def test_there_and_back(self):
        self.assertEqual(self.json("set", "nested=off", "--dry-run")["outcome"], "planned")
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin()), ("1", []))
        result = self.json("set", "nested=off")
        self.assertEqual((result["outcome"], result["values"]), ("applied", {"nested": "0"}))
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin()), ("0", ["options kvm_amd nested=0"]))
        self.ctl("status", "--quiet", status=3)
        self.assertEqual(self.json("set", "nested=N")["outcome"], "unchanged")
        self.assertEqual(self.json("reset")["outcome"], "applied")
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin()), ("1", []))
        self.ctl("status", "--quiet")

    def test_two_modules_at_once(self):
        self.assertEqual(self.json("set", "npt=0", "kvm.ignore_msrs=1")["values"].keys(), {"kvm_amd.npt", "kvm.ignore_msrs"})
        self.assertEqual(self.dropin(), ["options kvm ignore_msrs=1", "options kvm_amd npt=0"])

    def test_refusals(self):
        before = self.calls()
        for words, status, said in (
                (["set", "nested=banana"], 2, "banana"), (["set", "frobnicate=1"], 2, "frobnicate"), (["set", "ept=1"], 6, "npt"),
                (["set", "avic=1"], 6, "avic"), (["set", "nested=1", "nested=0"], 2, "twice"), (["set", "kvm-intel.ept=1"], 6, "npt"),
                (["set", "nested="], 2, "nested"), (["reset", "frobnicate"], 2, "frobnicate")):
            with self.subTest(words):
                error = self.json(*words, status=status)["error"]
                self.assertIn(said, error["message"])
        self.assertEqual((self.calls(), self.dropin()), (before, []))

    def test_what_changes(self):
        """What the dry run has said is what then happens, and once it has, nothing does."""
        plan = self.json("set", "nested=off", "--dry-run")
        state = {"configured": "", "effective": "on", "pending": "", "source": ""}
        self.assertEqual(plan["changes"], [{
            "module": "kvm_amd", "name": "nested", "before": state,
            "after": {"configured": "0", "effective": "off", "pending": "", "source": "/etc/modprobe.d/zz-nestvirt.conf:3"}}])
        self.assertEqual((plan["changed"], plan["notes"]), (True, []))
        done = self.json("set", "nested=off")
        self.assertEqual((done["changed"], done["changes"]), (True, plan["changes"]))
        for words in (["set", "nested=off"], ["set", "nested=off", "--dry-run"]):
            again = self.json(*words)
            self.assertEqual((again["changed"], again["changes"]), (False, []))

    def test_notes(self):
        shutil.rmtree(self.host / "sys/module/kvm_amd")
        self.ctl("status")
        plan = self.json("set", "kvm_amd.nested=off", "--dry-run")
        self.assertEqual((len(plan["notes"]), len(plan["steps"])), (1, 1))
        self.assertIn(f"\n  {plan['notes'][0]}\n", self.ctl("set", "kvm_amd.nested=off", "--dry-run").out)

    def test_who_is_in_the_way(self):
        self.hold(1234)
        for words in (["set", "nested=off"], ["reload"]):
            error = self.json(*words, status=5)["error"]
            self.assertEqual(set(error), {"name", "message", "holders"})
            self.assertEqual(error["holders"], self.json("users")["users"])
            self.assertIn("pid 1234", error["message"])
        self.assertEqual(set(self.json("set", "nested=banana", status=2)["error"]), {"name", "message"})

    def test_in_use(self):
        self.hold(1234)
        self.assertIn("pid 1234", self.ctl("set", "nested=off", status=5).err)
        plan = self.json("set", "nested=off", "--dry-run")
        self.assertEqual([impact["kind"] for impact in plan["impact"]], ["blocks"])

    def test_who_may_not(self):
        """There is no polkit on this bus, so nobody but root may."""
        result = self.ctl("set", "nested=off", status=4, program=copy_for_others(self.folder), user=NOBODY)
        self.assertTrue(result.err.startswith("Cannot set nested: Not allowed"), result)
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin()), ("1", []))


class Waiting(Changing):
    """--when-idle --wait: the client comes back when the daemon has done it."""

    def setUp(self):
        super().setUp()
        self.daemon = self.start_fake()
        (self.host / "dev/kvm").write_text("")

    def holder(self):
        process = subprocess.Popen(["sleep", "1000"])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.hold(process.pid)
        return process

    def free(self, holder):
        self.release(holder.pid)
        holder.kill()

    def wait(self, *words):
        """A client that waits for people; it has said so."""
        client = start(*words, "--when-idle", "--wait", address=self.bus.address)
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.stderr.close)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        for line in client.stdout:
            if line.startswith("Waiting"):
                return client
        self.fail(f"it does not wait: {client.stderr.read()}")

    def ends(self, client, status):
        out, err = client.communicate(timeout=60)
        self.assertEqual(client.returncode, status, out + err)
        return out, err

    def test_nobody_to_wait_for(self):
        self.assertEqual(self.json("set", "nested=off", "--when-idle", "--wait")["outcome"], "applied")

    def test_until_it_is_done(self):
        holder = self.holder()
        client = self.wait("set", "nested=off", "kvm.ignore_msrs=1")
        self.assertEqual(self.value("kvm_amd", "nested"), "1")
        self.free(holder)
        out, err = self.ends(client, 0)
        self.assertEqual((out, err), ("Done: in effect now.\nIn the kernel: kvm.ignore_msrs=Y, kvm_amd.nested=0\n", ""))
        self.assertEqual(self.value("kvm_amd", "nested"), "0")

    def test_json_is_what_there_is_at_the_end(self):
        holder = self.holder()
        watcher = self.client(watch=True)
        client = start("--json=short", "set", "nested=off", "--when-idle", "--wait", address=self.bus.address)
        self.addCleanup(client.kill)
        wait_for(lambda: "Pending" in str([s.body for s in watcher.signals("PropertiesChanged", module_path("kvm_amd"))]), "the wait")
        self.free(holder)
        out, err = self.ends(client, 0)
        self.assertEqual(err, "")
        result = json.loads(out)
        self.assertEqual((result["outcome"], result["values"]), ("applied", {"nested": "0"}))

    def test_somebody_else_cancels(self):
        self.holder()
        client = self.wait("set", "nested=off")
        self.ctl("cancel")
        self.assertEqual(self.ends(client, 1), ("Kept; what is in effect has not changed.\nIn the kernel: nested=1\n", ""))

    def test_ctrl_c_ends_only_the_waiting(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            holder = self.holder()
            client = self.wait("set", "nested=off")
            client.send_signal(number)
            out, err = self.ends(client, 1)
            self.assertEqual(out, "")
            self.assertIn("still to be done", err)
            self.assertIn("nestvirtctl cancel", err)
            modules = self.json("status")["modules"]
            self.assertEqual([m["pending"] for m in modules if m["name"] == "kvm_amd"], [{"nested": "0"}])
            self.assertEqual(self.json("cancel")["outcome"], "configured")
            self.free(holder)

    def test_a_failure_is_one(self):
        holder = self.holder()
        client = self.wait("set", "nested=off")
        (self.host / "fake/fail").write_text("load kvm_amd")
        self.free(holder)
        out, err = self.ends(client, 1)
        self.assertTrue(err.startswith("Cannot set nested: "), err)
        self.assertIn("journalctl -u nestvirtd", err)
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin()), ("1", []))

    def test_replaced_by_another_wish(self):
        holder = self.holder()
        client = self.wait("set", "nested=off")
        self.ctl("set", "nested=on")
        out, err = self.ends(client, 1)
        self.assertIn("nestvirtctl show", out + err)
        self.free(holder)


class WaitingForEnds(Changing):
    """The signals themselves, at the times at which they may come."""

    WAITING = module("kvm_amd", ["nested"], {"nested": "0"})
    IDLE = module("kvm_amd", ["nested"])

    def daemon(self):
        daemon = FakeDaemon(self.bus.address, modules=[self.IDLE])
        self.addCleanup(daemon.close)
        return daemon

    def finish(self, daemon, outcome="applied", error="", value="0"):
        daemon.modules = [self.IDLE]
        daemon.emit(module_path("kvm_amd"), "org.nestvirt1.Module", "ChangeFinished", ("a{ss}ss", {"nested": value}, outcome, error))

    def wait(self):
        return run("set", "nested=0", "--when-idle", "--wait", address=self.bus.address)

    def test_it_ends_before_the_client_has_looked(self):
        daemon = self.daemon()

        def look(request):
            if daemon.changes:
                self.finish(daemon)
            return daemon.children()

        daemon.answers.update(SetParameters=lambda request: change("deferred"), Introspect=look)
        result = self.wait()
        self.assertEqual(result.status, 0, result)
        self.assertIn("Done: in effect now.", result.out)

    def test_the_end_of_anothers_change_is_not_ours(self):
        daemon = self.daemon()

        def defer(request):
            self.finish(daemon, "", ERROR + "ReloadFailed", "1")
            daemon.modules = [self.WAITING]
            return change("deferred")

        def look(request):
            if not daemon.changes or request.path != module_path("kvm_amd"):
                return daemon.properties(request)
            daemon.answer(request, daemon.properties(request))
            self.finish(daemon)
            return None

        daemon.answers.update(SetParameters=defer, GetAll=look)
        result = self.wait()
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertIn("Done: in effect now.", result.out)

    def test_the_daemon_leaves_and_nobody_takes_its_place(self):
        daemon = self.daemon()

        def defer(request):
            daemon.modules = [self.WAITING]
            return change("deferred")

        def look(request):
            if daemon.changes:
                daemon.connection.close(None, None)
                return None
            return daemon.children()

        daemon.answers.update(SetParameters=defer, Introspect=look)
        result = self.wait()
        self.assertEqual(result.status, 8, result)


if __name__ == "__main__":
    main()
