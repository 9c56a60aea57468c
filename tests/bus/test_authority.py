# SPDX-License-Identifier: LGPL-2.1-or-later
"""The gate: who is asked, with which details, what a no, a silence and a missing polkit mean; with
polkitd itself, too."""

import os
import signal

from clients import DBUS_ERROR, DRY_RUN, MODULE, NEXT_BOOT, NOBODY, RUNTIME, TIMEOUT, WHEN_IDLE, Failure, module_path, wait_for
from harness import BusTest, snapshot
from polkit import CHALLENGE, NO, POLKIT, YES, Agent, start_polkitd
from tap import main

KVM_AMD = {"path": module_path("kvm_amd"), "interface": MODULE}
OFF = {"kvm_amd": {"nested": "0"}}
ON = {"kvm_amd": {"nested": "1"}}
DENIED = DBUS_ERROR + "AccessDenied"
CHALLENGED = DBUS_ERROR + "InteractiveAuthorizationRequired"


class Gate(BusTest):
    """With something that answers in polkitd's place."""

    def setUp(self):
        super().setUp()
        self.start_fake()
        self.nobody = self.client(uid=NOBODY)
        self.root = self.client()
        self.before = snapshot(self.host)

    def polkit(self, answer):
        return self.service(POLKIT, {"CheckAuthorization": lambda request: answer,
                                     "CancelCheckAuthorization": lambda request: ()})

    def assert_untouched(self):
        self.assertEqual((snapshot(self.host), self.calls()), (self.before, []))

    def test_without_polkit(self):
        for call in (lambda: self.nobody.set(OFF), lambda: self.nobody.set(OFF, NEXT_BOOT),
                     lambda: self.nobody.set(OFF, WHEN_IDLE), lambda: self.nobody.call("Reload", ("t", 0), **KVM_AMD),
                     lambda: self.nobody.call("SetParameters", ("a{ss}t", {"npt": "0"}, 0), **KVM_AMD)):
            with self.refused(DENIED, "polkit", "root"):
                call()
        self.assert_untouched()
        self.assertEqual(self.root.set(OFF)["Outcome"], "applied")

    def test_reading_needs_nothing(self):
        self.assertEqual(self.nobody.get("Nested"), "on")
        self.assertEqual(self.nobody.set(OFF, DRY_RUN)["Outcome"], "planned")
        self.nobody.call("Refresh", ("t", 0))
        self.nobody.call("Check", ("t", 0))
        self.assertEqual(self.nobody.call("CancelPending", ("t", 0), **KVM_AMD), ())
        self.root.set(OFF)
        self.assertEqual(self.nobody.set(OFF)["Outcome"], "unchanged")

    def test_no(self):
        polkit = self.polkit(NO)
        with self.refused(DENIED, "org.nestvirt1.manage-modules"):
            self.nobody.set(OFF)
        self.assertEqual(len(polkit.asked("CheckAuthorization")), 1)
        self.assert_untouched()

    def test_yes(self):
        polkit = self.polkit(YES)
        self.assertEqual(self.nobody.set({"kvm_amd": {"nested": "off", "npt": "no"}})["Outcome"], "applied")
        subject, action, details, flags, _cancellation = polkit.asked("CheckAuthorization")[0].arguments
        self.assertEqual(subject, ("system-bus-name", {"name": self.nobody.name}))
        self.assertEqual(action, "org.nestvirt1.manage-modules")
        self.assertEqual((details["module"], details["parameters"], details["when"]),
                         ("kvm_amd", "kvm_amd.nested=0 kvm_amd.npt=0", "now"))
        self.assertIn("$(parameters)", details["polkit.message"])
        self.assertEqual(flags, 0)

    def test_it_is_told_when(self):
        polkit = self.polkit(NO)
        for flags in (0, RUNTIME, NEXT_BOOT, WHEN_IDLE):
            with self.refused(DENIED):
                self.nobody.set(OFF, flags)
        asked = [request.arguments[2] for request in polkit.asked("CheckAuthorization")]
        self.assertEqual([details["when"] for details in asked], ["now", "runtime", "next-boot", "when-idle"])
        for details, words in zip(asked, ("now and after each", "until the next", "from the next", "as soon as no"), strict=True):
            self.assertIn(words, details["polkit.message"])
            self.assertEqual(details["polkit.gettext_domain"], "nestvirtd")

    def test_interaction_is_the_callers_choice(self):
        polkit = self.polkit(CHALLENGE)
        with self.refused(CHALLENGED):
            self.nobody.set(OFF)
        with self.refused(DENIED, "password"):
            self.nobody.set(OFF, interactive=True)
        self.assertEqual([request.arguments[3] for request in polkit.asked("CheckAuthorization")], [0, 1])
        self.assert_untouched()

    def test_polkit_fails(self):
        for answer in (Failure(POLKIT + ".Error.Failed", "Action is not registered"), ("s", "yes"), ("(bb)", (True, True))):
            polkit = self.polkit(answer)
            with self.refused(DENIED):
                self.nobody.set(OFF)
            polkit.close()
        self.assert_untouched()

    def test_root_is_not_asked(self):
        polkit = self.polkit(NO)
        self.assertEqual(self.root.set(OFF)["Outcome"], "applied")
        self.assertEqual(polkit.asked("CheckAuthorization"), [])

    def test_nothing_to_do_is_not_asked(self):
        self.root.set(OFF)
        polkit = self.polkit(NO)
        self.assertEqual(self.nobody.set(OFF)["Outcome"], "unchanged")
        self.assertEqual(polkit.asked("CheckAuthorization"), [])

    def test_what_changes_nothing_is_not_asked(self):
        self.root.set(OFF)
        calls = self.calls()
        polkit = self.polkit(NO)
        for flags in (0, NEXT_BOOT, WHEN_IDLE):
            self.assertEqual(self.nobody.set(OFF, flags)["Changed"], False)
        for call in (("SetParameters", ("a{sa{ss}}t", ON, DRY_RUN)), ("SetParameters", ("a{sa{ss}}t", ON, DRY_RUN | WHEN_IDLE)),
                     ("ResetParameters", ("a{sas}t", {"kvm_amd": ["npt"]}, 0)), ("ResetParameters", ("a{sas}t", {}, DRY_RUN)),
                     ("Apply", ("a{sv}t", {}, 0)), ("EnsureDevice", ("t", DRY_RUN)), ("Refresh", ("t", 0)), ("Check", ("t", 0))):
            self.nobody.call(*call)
        for call in (("CancelPending", ("t", 0)), ("Reload", ("t", DRY_RUN)), ("ListUsers", ("t", 0))):
            self.nobody.call(*call, **KVM_AMD)
        self.assertEqual([request.arguments[1:3] for request in polkit.asked("CheckAuthorization")
                          if request.arguments[1] != "org.nestvirt1.read-details"], [])
        self.assertEqual((self.dropin(), self.calls()), (["options kvm_amd nested=0"], calls))

    def test_other_actions(self):
        polkit = self.polkit(YES)
        self.hold(1234)
        self.root.set(OFF, WHEN_IDLE)
        self.nobody.call("CancelPending", ("t", 0), **KVM_AMD)
        self.nobody.call("ResetParameters", ("ast", ["nested"], NEXT_BOOT), **KVM_AMD)
        (self.host / "dev/kvm").write_text("")
        with self.refused("org.nestvirt1.Error.Internal"):  # there is no helper to be run
            self.nobody.call("EnsureDevice", ("t", 0))
        asked = [(r.arguments[1], r.arguments[2]["module"], r.arguments[2]["parameters"])
                 for r in polkit.asked("CheckAuthorization")]
        self.assertEqual(asked, [("org.nestvirt1.manage-modules", "kvm_amd", ""),
                                 ("org.nestvirt1.manage-modules", "kvm_amd", "kvm_amd.nested"),
                                 ("org.nestvirt1.manage-device", "", "")])

    def test_nobody_cancels_and_mends_without_a_yes(self):
        self.polkit(NO)
        self.hold(1234)
        self.root.set(OFF, WHEN_IDLE)
        with self.refused(DENIED):
            self.nobody.call("CancelPending", ("t", 0), **KVM_AMD)
        self.assertEqual(self.root.get("Pending", MODULE, module_path("kvm_amd")), {"nested": "0"})
        with self.refused(DENIED):
            self.nobody.call("EnsureDevice", ("t", 0))
        self.assertFalse((self.host / "dev/kvm").exists())


class Silence(BusTest):
    """polkit takes its time, as when it shows a dialog."""

    def setUp(self):
        super().setUp()
        self.daemon = self.start_fake()
        self.polkit = self.service(POLKIT, {"CheckAuthorization": lambda request: None,
                                            "CancelCheckAuthorization": lambda request: ()})
        self.nobody = self.client(uid=NOBODY)
        self.root = self.client()

    def questions(self, count=1):
        wait_for(lambda: len(self.polkit.asked("CheckAuthorization")) == count, "polkit to be asked")
        return self.polkit.asked("CheckAuthorization")

    def test_the_caller_leaves(self):
        leaving = self.client(uid=NOBODY)
        leaving.start_set(OFF, interactive=True)
        question = self.questions()[0]
        leaving.close()
        wait_for(lambda: self.polkit.asked("CancelCheckAuthorization"), "the dialog to be cancelled")
        self.assertEqual(self.polkit.asked("CancelCheckAuthorization")[0].arguments, (question.arguments[4],))
        self.polkit.answer(question, YES)  # too late
        self.polkit.call("Ping", destination="org.nestvirt1", path="/", interface="org.freedesktop.DBus.Peer")
        self.root.call("Refresh", ("t", 0))
        self.assertEqual((self.calls(), self.dropin()), ([], []))

    def test_the_caller_leaves_after_the_yes(self):
        """The yes came while another change was under way; by the time of its turn the caller is
        gone."""
        leaving = self.client(uid=NOBODY)
        leaving.start_set(OFF, interactive=True)
        question = self.questions()[0]
        self.close_gate()
        changing = self.root.start_set({"kvm_amd": {"npt": "0"}})
        open_gate = self.wait_at_gate()
        self.polkit.answer(question, YES)
        self.polkit.call("Ping", destination="org.nestvirt1", path="/", interface="org.freedesktop.DBus.Peer")
        leaving.close()
        self.root.wait_gone(leaving.name)
        open_gate()
        self.assertEqual(changing.result()[0]["Outcome"], "applied")
        self.root.call("Refresh", ("t", 0))
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin()), ("1", ["options kvm_amd npt=0"]))

    def test_the_host_changes_meanwhile(self):
        """What was authorised is carried out against the host as it is by then."""
        waiting = self.nobody.start_set(OFF)
        question = self.questions()[0]
        self.assertEqual(self.root.set({"kvm_amd": {"npt": "0"}})["Outcome"], "applied")
        self.polkit.answer(question, YES)
        self.assertEqual(waiting.result()[0]["Outcome"], "applied")
        self.assertEqual((self.value("kvm_amd", "nested"), self.value("kvm_amd", "npt")), ("0", "N"))
        self.assertEqual(self.dropin(), ["options kvm_amd nested=0 npt=0"])

    def test_done_meanwhile(self):
        waiting = self.nobody.start_set(OFF)
        question = self.questions()[0]
        self.root.set(OFF)
        calls = self.calls()
        self.polkit.answer(question, YES)
        self.assertEqual(waiting.result()[0]["Outcome"], "unchanged")
        self.assertEqual(self.calls(), calls)

    def test_in_use_meanwhile(self):
        waiting = self.nobody.start_set(OFF)
        question = self.questions()[0]
        self.hold(1234)
        self.polkit.answer(question, YES)
        with self.refused("org.nestvirt1.Error.Busy", "pid 1234"):
            waiting.result()
        self.assertEqual(self.value("kvm_amd", "nested"), "1")

    def test_each_question_has_its_own_answer(self):
        one = self.nobody.start_set(OFF)
        self.questions(1)
        two = self.nobody.start_set({"kvm_amd": {"npt": "0"}})
        first, second = self.questions(2)
        self.assertNotEqual(first.arguments[4], second.arguments[4])
        self.polkit.answer(second, NO)
        with self.refused(DENIED):
            two.result()
        self.assertFalse(one.done)
        self.polkit.answer(first, YES)
        self.assertEqual(one.result()[0]["Values"], {"nested": "0"})
        self.assertEqual(self.value("kvm_amd", "npt"), "Y")

    def test_nobody_else_waits(self):
        self.nobody.start_set(OFF)
        self.questions()
        self.assertEqual(self.root.set({"kvm_amd": {"npt": "0"}})["Outcome"], "applied")
        self.assertEqual(self.nobody.get("Mmu"), "shadow")

    def test_the_limit(self):
        calls = [self.nobody.start_set(OFF) for _ in range(17)]
        wait_for(lambda: any(call.done for call in calls), "the refusal")
        with self.refused(DBUS_ERROR + "LimitsExceeded"):
            next(call for call in calls if call.done).result()
        for question in self.questions(16):
            self.polkit.answer(question, NO)
        for call in calls[:16]:
            with self.refused(DENIED):
                call.result()
        self.nobody.start_set(OFF)
        self.questions(17)

    def test_one_user_leaves_polkit_to_the_others(self):
        """From as many connections as it takes to fill what dbus-daemon lets the daemon wait for,
        were there no limit."""
        for count in range(1, 10):
            greedy = self.client(uid=NOBODY)
            calls = [greedy.start_set(OFF, interactive=True) for _ in range(16)]
            self.questions(16)
            for call in calls if count > 1 else ():
                with self.refused(DBUS_ERROR + "LimitsExceeded", "16 questions", f"uid {NOBODY}", "close"):
                    call.result()
        other = self.client(uid=1).start_set(OFF, interactive=True)
        self.polkit.answer(self.questions(17)[-1], YES)
        self.assertEqual(other.result()[0]["Outcome"], "applied")

    def test_all_users_leave_the_rest_to_systemd(self):
        for uid in range(1, 7):
            client = self.client(uid=uid)
            calls = [client.start_set(OFF, interactive=True) for _ in range(16)]
            questions = self.questions(uid * 16)
        with self.refused(DBUS_ERROR + "LimitsExceeded", "96 questions", "as root"):
            self.nobody.set(OFF, interactive=True)
        self.assertEqual(self.root.set({"kvm_amd": {"npt": "0"}})["Outcome"], "applied")
        self.polkit.answer(questions[-1], NO)
        with self.refused(DENIED):
            calls[-1].result()
        waiting = self.nobody.start_set(OFF, interactive=True)
        self.polkit.answer(self.questions(97)[-1], YES)
        self.assertEqual(waiting.result()[0]["Outcome"], "applied")

    def test_the_daemon_ends(self):
        waiting = self.nobody.start_set(OFF)
        question = self.questions()[0]
        self.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.daemon.wait(TIMEOUT), 0, self.daemon.log.read_text())
        with self.refused(DBUS_ERROR + "NoReply"):
            waiting.result()
        wait_for(lambda: self.polkit.asked("CancelCheckAuthorization"), "the dialog to be cancelled")
        self.assertEqual(self.polkit.asked("CancelCheckAuthorization")[0].arguments, (question.arguments[4],))
        self.assertEqual(self.calls(), [])


class AlwaysAsk(BusTest):
    def test_root_is_asked(self):
        self.start_fake("--always-ask")
        root = self.client()
        with self.refused(DENIED, "polkit"):
            root.set(OFF)
        polkit = self.service(POLKIT, {"CheckAuthorization": lambda request: NO})
        with self.refused(DENIED):
            root.set(OFF)
        self.assertEqual(self.calls(), [])
        polkit.answers["CheckAuthorization"] = lambda request: YES
        self.assertEqual(root.set(OFF)["Outcome"], "applied")


RULES = """
polkit.addRule(function(action, subject) {
        if (action.id != "org.nestvirt1.manage-modules")
                return polkit.Result.NOT_HANDLED;
        if (subject.user == "nobody")
                return action.lookup("module") == "kvm_amd" && action.lookup("parameters") == "kvm_amd.nested=0" ?
                       polkit.Result.YES : polkit.Result.NO;
        if (subject.user == "daemon")
                return polkit.Result.NO;
        return polkit.Result.NOT_HANDLED;
});
"""

class Polkitd(BusTest):
    """The real one."""

    def setUp(self):
        super().setUp()
        start_polkitd(self, RULES)
        self.start_fake()
        self.before = snapshot(self.host)

    def test_a_rule_that_says_yes_to_this_change_alone(self):
        nobody = self.client(uid=NOBODY)
        for parameters in ({"kvm_amd": {"npt": "0"}}, {"kvm_amd": {"nested": "0", "npt": "0"}}):
            with self.refused(DENIED):
                nobody.set(parameters)
        self.assertEqual((snapshot(self.host), self.calls()), (self.before, []))
        self.assertEqual(nobody.set(OFF)["Outcome"], "applied")
        self.assertEqual((self.value("kvm_amd", "nested"), self.dropin()), ("0", ["options kvm_amd nested=0"]))
        with self.refused(DENIED):
            nobody.set(ON)

    def test_a_rule_that_says_no(self):
        other = self.client(uid=1)
        for interactive in (False, True):
            with self.refused(DENIED):
                other.set(OFF, interactive=interactive)
        self.assertEqual((snapshot(self.host), self.calls()), (self.before, []))

    def test_the_policys_own_answer_is_a_password(self):
        other = self.client(uid=2)
        with self.refused(CHALLENGED, "password"):
            other.set(OFF)
        with self.refused(DENIED):  # nobody is there to be asked for it
            other.set(OFF, interactive=True)
        with self.refused(CHALLENGED):
            other.call("EnsureDevice", ("t", 0))
        self.assertEqual((snapshot(self.host), self.calls()), (self.before, []))

    def test_what_a_person_reads(self):
        """polkit has put the details into the words, and what the person answers is done."""
        agent, user = Agent(self, os.getpid()), self.client(uid=2)
        changing = user.start_set(OFF, interactive=True)
        self.assertEqual(agent.question(), ("org.nestvirt1.manage-modules",
                                            "Authentication is required to change virtualization on this computer, now and after each "
                                            "boot: kvm_amd.nested=0", "computer"))
        agent.dismiss()
        with self.refused(DENIED, "closed", "manage-modules"):
            changing.result()
        self.assertEqual((snapshot(self.host), self.calls()), (self.before, []))

        agent.requests.clear()
        changing = user.start_set(OFF, NEXT_BOOT, interactive=True)
        self.assertIn("from the next boot on: kvm_amd.nested=0", agent.question()[1])
        agent.give_password()
        self.assertEqual(changing.result()[0]["Outcome"], "configured")
        self.assertEqual(self.dropin(), ["options kvm_amd nested=0"])


if __name__ == "__main__":
    main()
