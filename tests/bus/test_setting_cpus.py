# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changing the definitions of many guests in one call, over a hypervisor made of files: who is
meant, who is asked, and what becomes of the others when one fails."""

import os

from clients import DBUS_ERROR, DRY_RUN, ERROR, NOBODY, guest_path, wait_for
from harness import write
from journal import Journal
from tap import main
from test_editing import POLKIT, YES, XML, variant
from test_guests import ONE, Fake

NAMES = ("a", "b", "c", "d", "e")
UUIDS = {name: f"{ONE[:-1]}{number}" for number, name in enumerate(NAMES, 1)}
REQUIRED = "<feature policy='require' name='svm'/>"


class Many(Fake):
    """a, b, c, d, e; of b it is so already, c is transient."""

    def begin(self, *options):
        for name, uuid in UUIDS.items():
            keys = {"live": "custom EPYC", "persistent": "no"} if name == "c" else {}
            self.guest(uuid, **{"name": name, "defined": "custom EPYC"} | keys)
            write(self.xml(name), XML.replace("one", name).replace(ONE, uuid))
        text = self.xml("b").read_text()
        self.xml("b").write_text(text.replace("    <topology", f"    {REQUIRED}\n    <topology"))
        super().begin(*options)
        self.nobody = self.client(uid=NOBODY)
        self.polkit = self.service(POLKIT, {"CheckAuthorization": lambda request: None, "CancelCheckAuthorization": lambda request: ()})

    def xml(self, name):
        return self.fake / "xml" / UUIDS[name]

    def changed(self):
        return [name for name in NAMES if REQUIRED in self.xml(name).read_text() and name != "b"]

    def start_set(self, names, client=None, flags=0, **cpu):
        options = {name: variant(value) for name, value in (cpu or {"Nested": True}).items()}
        return (client or self.observer).start("SetCpus", ("asa{sv}t", names, options, flags))

    def set(self, names, client=None, flags=0, **cpu):
        return self.start_set(names, client, flags, **cpu).result()[0]

    def outcomes(self, result):
        return {name: guest["Outcome"] for name, guest in result["Guests"].items()}

    def question(self):
        wait_for(lambda: self.polkit.asked("CheckAuthorization"), "polkit to be asked")
        return self.polkit.asked("CheckAuthorization")[0]


class Changes(Many):
    def test_all(self):
        """Each as by a call of its own; one that fails undoes no other."""
        self.begin()
        result = self.set([])
        self.assertEqual(self.outcomes(result), {"a": "applied", "b": "unchanged", "c": "failed", "d": "applied", "e": "applied"})
        self.assertEqual((result["Outcome"], result["Failed"]), ("applied", 1))
        self.assertEqual(list(result["Guests"])[0], "c")
        failed = result["Guests"]["c"]
        self.assertEqual(set(failed), {"Outcome", "Error", "ErrorName"})
        self.assertEqual(failed["ErrorName"], ERROR + "TransientGuest")
        self.assertIn("c", failed["Error"])
        applied = result["Guests"]["a"]
        self.assertEqual(set(applied), {"Outcome", "Changed", "Changes", "Steps", "Advice", "Impact", "Diff", "RestartNeeded"})
        self.assertEqual({name: guest["Changed"] for name, guest in result["Guests"].items() if "Changed" in guest},
                         {"a": True, "b": False, "d": True, "e": True})
        self.assertEqual(applied["Changes"], [
            {"Guest": "a", "Name": "svm", "Before": {"Configured": ""}, "After": {"Configured": "require"}}])
        self.assertEqual(applied["Steps"], ["require svm"])
        self.assertEqual(self.changed(), ["a", "d", "e"])
        self.assertEqual(self.get(UUIDS["a"])["Policy"], "require")
        self.assertEqual({m.path for m in self.observer.signals("PropertiesChanged")}, {guest_path(UUIDS[name]) for name in "ade"})
        again = self.set(["a", "b"])
        self.assertEqual((result["Changed"], again["Outcome"], again["Changed"]), (True, "unchanged", False))
        self.assertEqual([guest["Changes"] for guest in again["Guests"].values()], [[], []])

    def test_by_name_and_by_uuid(self):
        self.begin()
        result = self.set(["e", UUIDS["d"].upper(), "d", "nobody", "e"])
        self.assertEqual(self.outcomes(result), {"nobody": "failed", "e": "applied", "d": "applied"})
        self.assertEqual(result["Guests"]["nobody"]["ErrorName"], ERROR + "NoSuchGuest")
        self.assertEqual(self.changed(), ["d", "e"])

    def test_dry_run(self):
        """All but the change, by anybody."""
        self.begin()
        before = self.observer.signals()
        result = self.set([], self.nobody, DRY_RUN)
        self.assertEqual(self.outcomes(result), {"a": "planned", "b": "unchanged", "c": "failed", "d": "planned", "e": "planned"})
        self.assertEqual(result["Outcome"], "planned")
        self.assertIn('+    <feature policy="require" name="svm"/>', result["Guests"]["a"]["Diff"])
        self.assertEqual((self.changed(), self.observer.signals()), ([], before))

    def test_no_guests(self):
        Fake.begin(self)
        self.assertEqual(self.set([]), {"Outcome": "unchanged", "Changed": False, "Failed": 0, "Guests": {}})

    def test_what_can_not_be_asked(self):
        self.begin()
        for arguments, words in ((((["a"]), {"Sort": variant("x")}, 0), "Sort"), ((["a"], {}, 0), "Nothing"),
                                 ((["a"], {"Nested": variant(True)}, 2), "0x2"), ((["x" * 5000], {"Nested": variant(True)}, 0), "4096"),
                                 ((["x" * 4000] * 270, {"Nested": variant(True)}, 0), "together")):
            with self.refused(ERROR + "InvalidArgs", words):
                self.observer.call("SetCpus", ("asa{sv}t", *arguments))


class Gate(Many):
    def test_asked_once_and_before_anything_is_done(self):
        self.begin()
        pending = self.start_set(["b", "a", "c", "d", "e"], self.nobody, Mode="host-model", Nested=True)
        request = self.question()
        _, action, details, *_ = request.arguments
        self.assertEqual(action, "org.nestvirt1.manage-guests")
        self.assertEqual((details["guest"], details["parameters"]), ("b, a, c and 2 more", "mode=host-model nested=yes"))
        self.assertEqual([name for name in NAMES if "host-model" in self.xml(name).read_text()], [])
        self.polkit.answer(request, YES)
        result = pending.result()[0]
        self.assertEqual((result["Failed"], result["Outcome"]), (1, "applied"))
        self.assertEqual(len(self.polkit.asked("CheckAuthorization")), 1)
        self.assertEqual([name for name in NAMES if "host-model" in self.xml(name).read_text()], ["a", "b", "d", "e"])

    def test_what_changes_nothing_asks_nobody(self):
        self.begin()
        self.assertEqual(self.outcomes(self.set(["b", "c"], self.nobody)), {"b": "unchanged", "c": "failed"})
        self.assertEqual(self.polkit.asked("CheckAuthorization"), [])

    def test_no(self):
        self.begin()
        pending = self.start_set([], self.nobody)
        self.polkit.answer(self.question(), ("(bba{ss})", (False, False, {})))
        with self.refused(DBUS_ERROR + "AccessDenied"):
            pending.result()
        self.assertEqual(self.changed(), [])

    def test_who_leaves_wants_no_more(self):
        """Of a guest that libvirt is at it is seen to the end, the next is not begun."""
        self.begin()
        self.start_set([], self.nobody)
        request = self.question()
        os.mkfifo(self.fake / "hang")
        self.polkit.answer(request, YES)
        wait_for(lambda: self.asked("define") == (1,), "the first to be begun")
        name = self.nobody.name
        self.nobody.close()
        self.observer.wait_gone(name)
        with open(self.fake / "hang", "w", encoding="utf-8"):
            (self.fake / "hang").unlink()
        self.observer.call("GetGuest", ("s", "a"))
        self.observer.call("GetGuest", ("s", "a"))
        self.assertEqual((self.changed(), self.asked("define")), (["a"], (1,)))


class Limit(Many):
    def test_it_counts_for_many_calls(self):
        """What is kept until it is answered may be large."""
        self.begin("--guest-patience=3000000")
        os.mkfifo(self.fake / "hang")
        pending = [self.start_set([], self.nobody, DRY_RUN) for _ in range(5)]
        with self.refused(DBUS_ERROR + "LimitsExceeded", "256 calls", f"uid {NOBODY}"):
            pending.pop().result()
        self.assertEqual(self.observer.get("Nested"), "on")
        for call in pending:
            with self.refused(ERROR + "TimedOut"):
                call.result()
        with open(self.fake / "hang", "w", encoding="utf-8"):
            (self.fake / "hang").unlink()
        self.assertEqual(self.set([], self.nobody, DRY_RUN)["Failed"], 1)


class Journalled(Many):
    def test_each_has_its_entry(self):
        journal = Journal(self.folder)
        self.addCleanup(journal.close)
        self.wrap = journal.wrap
        self.begin()
        self.set([])
        entries = journal.entries("CHANGE_MADE")
        self.assertEqual([entry["NESTVIRT_REQUEST"] for entry in entries], [f"{name}: nested=yes" for name in "ade"])


class Hanging(Many):
    def test_a_libvirt_that_hangs_is_asked_no_more(self):
        """Each of the others would be as late. What was begun may still be done."""
        self.begin("--guest-patience=3000000")
        pending = self.start_set([], self.nobody)
        request = self.question()
        os.mkfifo(self.fake / "hang")
        self.polkit.answer(request, YES)
        result = pending.result()[0]
        self.assertEqual(self.outcomes(result), dict.fromkeys(NAMES, "failed"))
        self.assertEqual((result["Failed"], result["Outcome"]), (5, "unchanged"))
        self.assertEqual({guest["ErrorName"] for guest in result["Guests"].values()}, {ERROR + "TimedOut"})
        self.assertIn("may still do it", result["Guests"]["a"]["Error"])
        self.assertTrue(result["Guests"]["b"]["Error"].startswith("Not tried"), result["Guests"]["b"])
        self.assertEqual(self.asked("define"), (1,))
        with open(self.fake / "hang", "w", encoding="utf-8"):
            (self.fake / "hang").unlink()
        self.observer.call("GetGuest", ("s", "a"))
        self.assertEqual(self.changed(), ["a"])

    def test_a_libvirt_that_goes(self):
        self.begin()
        pending = self.start_set(["d", "e"], self.nobody)
        request = self.question()
        (self.fake / "libvirt").unlink()
        self.polkit.answer(request, YES)
        result = pending.result()[0]
        self.assertEqual({guest["ErrorName"] for guest in result["Guests"].values()}, {ERROR + "LibvirtUnavailable"})
        self.assertEqual(self.changed(), [])


if __name__ == "__main__":
    main()
