# SPDX-License-Identifier: LGPL-2.1-or-later
"""The desired state, brought about in one call: what is said of a host and its guests, who is
asked, what is set, what is reset when it is said no more, and that twice is once."""

from clients import DBUS_ERROR, DRY_RUN, ERROR, GLib, NOBODY, PATH, wait_for
from harness import BusTest, snapshot, write
from tap import main
from test_editing import POLKIT, YES
from test_setting_cpus import Many

SITE = "etc/nestvirt/50-site.conf"
RELOAD_OFF = ["unload kvm_amd", "unload kvm", "load kvm", "load kvm_amd nested=0"]
OFF = "[Parameters]\nnested=off\n"
NOW = "[Apply]\nWhen=now\n"


def content(*files, **words):
    entries = {name: GLib.Variant("s", word) for name, word in words.items()}
    return {**entries, **({"Files": GLib.Variant("a(ss)", files)} if files else {})}


class Applying:
    """For a test that has a client."""

    def say(self, text, path=SITE):
        write(self.host / path, text)

    def start_apply(self, *files, flags=0, client=None, **words):
        return (client or self.caller).start("Apply", ("a{sv}t", content(*files, **words), flags))

    def apply(self, *files, **keywords):
        return self.start_apply(*files, **keywords).result()[0]

    def outcome(self, *files, **keywords):
        return self.apply(*files, **keywords)["Outcome"]

    def drift(self, *files, **words):
        found = self.apply(*files, flags=DRY_RUN, **words)["Drift"]
        return {d.get("Name", d.get("Guest")): (d.get("Desired"), d.get("Configured"), d.get("Effective"), d["Pending"]) for d in found}

    def record(self):
        path = self.host / "var/lib/nestvirt/applied"
        return path.read_text() if path.exists() else None


class Host(Applying, BusTest):
    def setUp(self):
        super().setUp()
        self.start_fake()
        self.caller = self.client(watch=True)

    def test_nothing_is_said(self):
        before = snapshot(self.host)
        self.assertEqual(self.apply(), {"Changed": False, "Changes": [], "Drift": [], "Impact": [], "Notes": [], "Outcome": "unchanged", "Steps": [],
                                        "Values": {}, "When": "idle"})
        self.assertEqual(snapshot(self.host), before)

    def test_it_is_brought_about(self):
        self.say(OFF)
        self.assertEqual(self.drift(), {"nested": ("0", "", "on", False)})
        self.assertEqual(self.calls(), [])
        planned = self.apply(flags=DRY_RUN)
        result = self.apply()
        self.assertEqual((result["Outcome"], result["Values"], result["Drift"]), ("applied", {"nested": "0"}, []))
        self.assertEqual((result["Changed"], [(c["Module"], c["Name"]) for c in result["Changes"]]), (True, [("kvm_amd", "nested")]))
        self.assertEqual((planned["Changed"], planned["Changes"]), (True, result["Changes"]))
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin(), self.calls()), ("0", ["options kvm_amd nested=0"], RELOAD_OFF))
        self.assertEqual(self.record(), "[kvm_amd]\nnested=0\n")
        self.assertEqual(self.drift(), {})

    def test_twice_is_once(self):
        """No reload, no question, nothing written, nothing in the journal."""
        polkit = self.service(POLKIT, {"CheckAuthorization": lambda request: YES, "CancelCheckAuthorization": lambda request: ()})
        self.say(OFF + NOW)
        self.apply()
        before, times = snapshot(self.host), {p: p.stat().st_mtime_ns for p in self.host.rglob("*")}
        log = self.daemons[0].log.read_text()
        self.assertEqual(self.outcome(client=self.client(uid=NOBODY)), "unchanged")
        self.assertEqual((snapshot(self.host), {p: p.stat().st_mtime_ns for p in self.host.rglob("*")}), (before, times))
        self.assertEqual((polkit.asked("CheckAuthorization"), self.daemons[0].log.read_text()), ([], log))

    def test_what_is_said_no_more_is_reset(self):
        self.say("[Parameters]\nnested=off\nnpt=off\n")
        self.apply()
        self.say("[Parameters]\nnpt=off\n")
        self.assertEqual(self.outcome(), "applied")
        self.assertEqual((self.dropin(), self.value("kvm_amd", "nested")), (["options kvm_amd npt=0"], "1"))
        (self.host / SITE).unlink()
        self.assertEqual(self.outcome(), "applied")
        self.assertEqual((self.dropin(), self.record()), ([], None))
        self.assertEqual(self.outcome(), "unchanged")

    def test_only_what_was_applied_is_reset(self):
        """Not what somebody had set before, nor what was set to something else since."""
        self.caller.set({"kvm_amd": {"avic": "0"}})
        self.say("[Parameters]\nnested=off\nnpt=off\navic=off\n")
        self.apply()
        self.assertEqual(self.record(), "[kvm_amd]\nnested=0\nnpt=0\n")
        self.caller.set({"kvm_amd": {"npt": "1"}})
        self.say("")
        self.apply()
        self.assertEqual(self.dropin(), ["options kvm_amd avic=0 npt=1"])

    def test_what_somebody_took_back_is_forgotten(self):
        """Nothing is to be changed, but for the record."""
        self.say(OFF)
        self.apply()
        self.caller.set({"kvm_amd": {"nested": "1"}})
        (self.host / SITE).unlink()
        self.assertEqual((self.outcome(), self.record()), ("unchanged", None))
        self.assertEqual(self.dropin(), ["options kvm_amd nested=1"])

    def test_files_that_are_handed_in_reset_nothing(self):
        self.say(OFF)
        self.apply()
        record = self.record()
        result = self.apply(("x", "[Parameters]\nnpt=off\n"))
        self.assertEqual((result["Outcome"], self.dropin(), self.record()), ("applied", ["options kvm_amd nested=0 npt=0"], record))

    def test_a_slip_changes_nothing(self):
        self.say(OFF)
        self.say("[Parameters]\nnpt=off\nnestd=on\n", "etc/nestvirt/60-slip.conf")
        before = snapshot(self.host)
        with self.refused(ERROR + "NoSuchParameter", "/etc/nestvirt/60-slip.conf:3: ", "nestd"):
            self.apply()
        with self.refused(ERROR + "InvalidValue", "y:2: "):
            self.apply(("x", OFF), ("y", "[kvm]\nignore_msrs=7\n"))
        self.assertEqual(snapshot(self.host), before)

    def test_one_file_for_several_vendors(self):
        self.say("[Parameters]\nnested=on\n[kvm_intel]\nept=off\nenable_apicv=off\n[kvm_amd]\nnested=off\n")
        result = self.apply()
        self.assertEqual(result["Notes"], [f"/{SITE}:4: kvm_intel.ept is left out, as this host does not use kvm_intel",
                                           f"/{SITE}:5: kvm_intel.enable_apicv is left out, as this host does not use kvm_intel"])
        self.assertEqual(self.dropin(), ["options kvm_amd nested=0"])  # the module's own section wins
        with self.refused(ERROR + "Unsupported", "x:2: ", "ept", "[kvm_intel]", "npt"):
            self.apply(("x", "[Parameters]\nept=off\n"))

    def test_when(self):
        self.hold(1234)
        self.say(OFF)
        result = self.apply()
        self.assertEqual((result["Outcome"], self.value("kvm_amd", "nested"), self.dropin()), ("deferred", "1", ["options kvm_amd nested=0"]))
        self.assertEqual(self.drift(), {"nested": ("0", "0", "on", True)})
        before = snapshot(self.host)
        self.assertEqual((self.outcome(), snapshot(self.host)), ("unchanged", before))
        with self.refused(ERROR + "Busy", "1234"):
            self.apply(When="now")
        self.release(1234)
        wait_for(lambda: self.caller.signals("ChangeFinished"), "the end of the wait")
        self.assertEqual((self.value("kvm_amd", "nested"), self.drift()), ("0", {}))

    def test_at_the_next_boot(self):
        self.say(OFF + "[Apply]\nWhen=boot\n")
        self.assertEqual((self.outcome(), self.value("kvm_amd", "nested"), self.calls()), ("configured", "1", []))
        self.assertEqual((self.outcome(), self.drift()), ("unchanged", {"nested": ("0", "0", "on", True)}))

    def test_a_change_by_hand_is_drift(self):
        self.say(OFF)
        self.apply()
        self.caller.set({"kvm_amd": {"nested": "1"}})
        self.assertEqual(self.drift(), {"nested": ("0", "1", "on", False)})
        self.assertEqual((self.outcome(), self.drift()), ("applied", {}))

    def told(self):
        return self.caller.get("Desired"), self.caller.get("Drift"), self.caller.get("DesiredError")

    def await_told(self, desired, drift, error=""):
        """By signals alone, whoever writes the file."""
        wait_for(lambda: self.told() == (desired, drift, error), f"{desired}, {drift}, {error}")
        changed = {name: value for m in self.caller.signals("PropertiesChanged") if m.path == PATH for name, value in m.body[1].items()}
        for name, value in zip(("Desired", "Drift", "DesiredError"), (desired, drift, error)):
            self.assertEqual(changed.get(name, value), value)

    def test_it_is_told_and_applies_nothing_by_itself(self):
        self.assertEqual(self.told(), ({}, [], ""))
        self.say(OFF + "npt=on\n")
        self.await_told({"kvm_amd.nested": "0", "kvm_amd.npt": "1"}, ["kvm_amd.nested"])
        self.assertEqual((self.calls(), self.dropin()), ([], []))
        self.apply()
        self.await_told({"kvm_amd.nested": "0", "kvm_amd.npt": "1"}, [])
        self.say("[Parameters]\nnested=of\n")
        self.await_told({}, [], f"/{SITE}:2: nested can be on or off, not \"of\"")
        (self.host / SITE).unlink()
        self.await_told({}, [])
        self.assertEqual(self.value("kvm_amd", "nested"), "0")

    def test_what_can_not_be_asked(self):
        for entries, words in (({"Sort": GLib.Variant("s", "x")}, "Sort"), ({"When": GLib.Variant("s", "never")}, "never"),
                               ({"Only": GLib.Variant("s", "all")}, "all"), (content(*[("x", "")] * 300), "256"),
                               (content(("x", "#" * (1024 * 1024 + 1))), "1048576"), (content(("x" * 5000, "")), "4096")):
            with self.refused(ERROR + "InvalidArgs", words):
                self.caller.call("Apply", ("a{sv}t", entries, 0))
        with self.refused(ERROR + "InvalidArgs", "0x4"):
            self.caller.call("Apply", ("a{sv}t", {}, 4))

    def test_a_failure_leaves_no_record(self):
        self.say(OFF + NOW)
        (self.host / "fake/fail").write_text("load kvm_amd")
        with self.refused(ERROR + "ReloadFailed"):
            self.apply()
        self.assertEqual((self.record(), self.dropin(), self.value("kvm_amd", "nested")), (None, [], "1"))


class Guests(Applying, Many):
    def begin(self, *options):
        super().begin(*options)
        self.caller = self.observer

    def test_all_but_some(self):
        self.begin()
        self.say("[Guests]\nNested=yes\nExcept=d;e\n[Guest e]\nMode=host-model\n[Guest nobody]\nNested=no\n")
        result = self.apply(flags=DRY_RUN)
        self.assertEqual(self.outcomes(result), {"a": "planned", "b": "unchanged", "c": "failed", "e": "planned"})
        self.assertEqual(result["Notes"], [f"/{SITE}:7: there is no guest \"nobody\" here"])
        self.assertEqual({d["Guest"]: d["Steps"] for d in result["Drift"]}["a"], ["require svm"])
        self.assertEqual(self.changed(), [])
        result = self.apply()
        self.assertEqual(self.outcomes(result), {"a": "applied", "b": "unchanged", "c": "failed", "e": "applied"})
        self.assertEqual((result["Outcome"], result["Failed"], self.changed()), ("applied", 1, ["a"]))
        self.assertIn("host-model", self.xml("e").read_text())

    def test_one_wins_over_all(self):
        self.begin()
        self.say(f"[Guests]\nNested=yes\n[Guest a]\nNested=no\n[Guest {self.uuid('d')}]\nMode=maximum\n")
        self.apply()
        self.assertIn("policy='disable' name='svm'", self.xml("a").read_text().replace('"', "'"))
        self.assertIn("maximum", self.xml("d").read_text())
        self.assertEqual(self.outcomes(self.apply()), {"a": "unchanged", "b": "unchanged", "c": "failed", "d": "unchanged", "e": "unchanged"})

    def uuid(self, name):
        return self.xml(name).name

    def test_each_action_is_asked_once_and_before_anything_is_done(self):
        self.begin()
        self.say(OFF + "[Guests]\nNested=yes\n")
        pending = self.start_apply(client=self.nobody)
        wait_for(lambda: self.polkit.asked("CheckAuthorization"), "polkit to be asked")
        first = self.polkit.asked("CheckAuthorization")[0]
        self.assertEqual((first.arguments[1], first.arguments[2]["guest"]), ("org.nestvirt1.manage-guests", "a, d, e"))
        self.polkit.answer(first, YES)
        wait_for(lambda: len(self.polkit.asked("CheckAuthorization")) == 2, "polkit to be asked again")
        second = self.polkit.asked("CheckAuthorization")[1]
        self.assertEqual((second.arguments[1], second.arguments[2]["parameters"]), ("org.nestvirt1.manage-modules", "kvm_amd.nested=0"))
        self.assertEqual((self.changed(), self.calls()), ([], []))
        self.polkit.answer(second, YES)
        result = pending.result()[0]
        self.assertEqual((result["Outcome"], self.changed(), self.calls()), ("applied", ["a", "d", "e"], RELOAD_OFF))
        self.assertEqual(len(self.polkit.asked("CheckAuthorization")), 2)

    def test_no_to_the_second_leaves_all(self):
        self.begin()
        self.say(OFF + "[Guests]\nNested=yes\n")
        pending = self.start_apply(client=self.nobody)
        wait_for(lambda: self.polkit.asked("CheckAuthorization"), "polkit to be asked")
        self.polkit.answer(self.polkit.asked("CheckAuthorization")[0], YES)
        wait_for(lambda: len(self.polkit.asked("CheckAuthorization")) == 2, "polkit to be asked again")
        self.polkit.answer(self.polkit.asked("CheckAuthorization")[1], ("(bba{ss})", (False, False, {})))
        with self.refused(DBUS_ERROR + "AccessDenied"):
            pending.result()
        self.assertEqual((self.changed(), self.calls(), self.dropin()), ([], [], []))

    def test_one_of_both_alone(self):
        self.begin()
        self.say(OFF + "[Guests]\nNested=yes\n")
        self.assertNotIn("Guests", self.apply(Only="parameters"))
        self.assertEqual((self.changed(), self.dropin()), ([], ["options kvm_amd nested=0"]))
        self.say("[Parameters]\nnested=on\n[Guests]\nNested=yes\n")
        self.assertEqual(self.outcome(Only="guests"), "applied")
        self.assertEqual((self.changed(), self.dropin()), (["a", "d", "e"], ["options kvm_amd nested=0"]))


main()
