# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a caller is told of other users' processes and machines: all, with root's uid or polkit's
yes to read-details; else what is their own, and how much else there is."""

from clients import (DBUS_ERROR, DRY_RUN, ERROR, GUEST, HOLDERS, GLib, MODULE, NOBODY, OBJECT_MANAGER, Failure, guest_path, module_path,
                     wait_for)
from harness import BusTest, write
from polkit import CHALLENGE, NO, POLKIT, READ_DETAILS, YES, start_polkitd
from tap import main
from test_guests import ONE, TWO, Fake

KVM_AMD = {"path": module_path("kvm_amd"), "interface": MODULE}
OFF = {"kvm_amd": {"nested": "0"}}
ALLOWED, OTHER = 1, 2
MACHINES = {"1234-13": 1000, "1235-13": 1000, "1236-14": NOBODY}


def omitted(count):
    return [{"Omitted": count}] if count else []


class Visibility(BusTest):
    """Three holders: two of a user of root's choice, one of nobody's."""

    def setUp(self):
        super().setUp()
        self.start_fake()
        for machine, uid in MACHINES.items():
            self.hold(int(machine[:4]), uid=uid)
            write(self.host / "sys/kernel/debug/kvm" / machine / "exits", "7\n")
        self.root, self.nobody, self.other = self.client(), self.client(uid=NOBODY), self.client(uid=OTHER)

    def pids(self, client, **keywords):
        """Those of ListUsers, and how many more it says there are."""
        rows = client.call("ListUsers", ("t", 0), **KVM_AMD, **keywords)[0]
        more = rows.pop()["Omitted"] if rows and "Omitted" in rows[-1] else 0
        for row in rows:
            self.assertEqual(set(row), {"Pid", "Uid", "Command", "Unit", "Guest", "NestedClaim"})
        return [row["Pid"] for row in rows], more

    def assert_sees(self, client, pids, more):
        self.assertEqual(self.pids(client), (pids, more))
        impact = client.set(OFF, DRY_RUN)["Impact"]
        self.assertEqual([i["Subject"] for i in impact if "Subject" in i], [f"pid {pid}" for pid in pids])
        self.assertEqual([i for i in impact if "Subject" not in i], omitted(more))
        statistics = client.call("GetStatistics", ("ast", [], 0))[0]
        machines = {name for name in MACHINES if int(name[:4]) in pids}
        self.assertEqual(statistics, {name: {"exits": 7} for name in machines} | ({"others": omitted(more)[0]} if more else {}))
        with self.refused(ERROR + "Busy") as caught:
            client.set(OFF)
        for pid in range(1234, 1237):
            self.assertEqual(f"pid {pid}" in caught.exception.message, pid in pids)
        self.assertEqual(f"{more} of other users" in caught.exception.message, more > 0)
        with self.refused(ERROR + "Busy"):
            client.set(OFF, HOLDERS)
        told = client.messages[-1].body[1]
        self.assertEqual(([h["Pid"] for h in told if "Pid" in h], [h for h in told if "Pid" not in h]), (pids, omitted(more)))

    def assert_all(self, client):
        self.assert_sees(client, [1234, 1235, 1236], 0)


class StandIn(Visibility):
    """Something that answers in polkitd's place."""

    def polkit(self, answer):
        return self.service(POLKIT, {"CheckAuthorization": lambda request: answer, "CancelCheckAuthorization": lambda request: ()})

    def test_root(self):
        gate = self.polkit(NO)
        self.assert_all(self.root)
        self.assertEqual(gate.asked("CheckAuthorization"), [])

    def test_without_polkit(self):
        self.assert_sees(self.nobody, [1236], 2)
        self.assert_sees(self.other, [], 3)

    def test_not_allowed(self):
        for answer in (NO, CHALLENGE, Failure(POLKIT + ".Error.Failed", "Action is not registered"), ("s", "yes")):
            gate = self.polkit(answer)
            self.assert_sees(self.nobody, [1236], 2)
            gate.close()

    def test_allowed(self):
        gate = self.polkit(YES)
        self.assertEqual(self.pids(self.other, interactive=True), ([1234, 1235, 1236], 0))
        subject, action, _details, flags, _cancellation = gate.asked("CheckAuthorization")[0].arguments
        self.assertEqual((subject, action), (("system-bus-name", {"name": self.other.name}), "org.nestvirt1.read-details"))
        self.assertEqual(flags, 0)  # no person is asked, whatever the caller would allow
        self.assert_all(self.other)

    def test_one_machine_of_others(self):
        self.assertEqual(self.other.call("GetStatistics", ("ast", ["1234-13"], 0))[0], {"others": {"Omitted": 1}})
        with self.refused(ERROR + "NoSuchGuest"):
            self.other.call("GetStatistics", ("ast", ["1-1"], 0))

    def test_who_may_change_sees_who_is_in_the_way(self):
        """They came while polkit was asked, and the change is under way by then."""
        self.set_refcnt("kvm_amd", 0)

        def answer(request):
            self.set_refcnt("kvm_amd", 3)
            return YES if request.arguments[1] == "org.nestvirt1.manage-modules" else NO

        gate = self.service(POLKIT, {"CheckAuthorization": answer})
        with self.refused(ERROR + "Busy", "pid 1234", "pid 1235", "pid 1236"):
            self.nobody.set(OFF)
        self.assertEqual(len(gate.asked("CheckAuthorization")), 1)

    def test_nothing_is_asked_where_nobody_is_looked_for(self):
        gate = self.polkit(NO)
        self.assertEqual(self.nobody.set({"kvm_amd": {"nested": "1"}}, DRY_RUN)["Impact"], [])
        self.assertEqual(gate.asked("CheckAuthorization"), [])

    def test_many_wait_for_polkit(self):
        """However many ask, polkit has eight questions at a time, and each has its own answer."""
        gate = self.polkit(None)
        clients = [self.client(uid=uid) for uid in (OTHER, NOBODY) for _ in range(2)]
        calls = [client.start("ListUsers", ("t", 0), **KVM_AMD) for client in clients for _ in range(5)]
        done = 0
        while done < len(calls):
            wait_for(lambda: len(gate.asked("CheckAuthorization")) >= min(done + 8, len(calls)), "polkit to be asked")
            self.assertLessEqual(len(gate.asked("CheckAuthorization")), done + 8)
            gate.answer(gate.asked("CheckAuthorization")[done], YES if done % 2 else NO)
            done += 1
        for call in calls:
            self.assertIn(len(call.result()[0]), (1, 2, 3))
        self.assertEqual(sum(len(call.result()[0]) == 3 for call in calls), len(calls) // 2)

    def test_the_caller_leaves(self):
        gate = self.polkit(None)
        for client in [self.client(uid=OTHER) for _ in range(10)]:
            client.start("ListUsers", ("t", 0), **KVM_AMD)
            client.start("GetStatistics", ("ast", [], 0))
            client.start_set(OFF, DRY_RUN)
            client.call("Ping", destination="org.nestvirt1", path="/", interface="org.freedesktop.DBus.Peer")
            client.close()
            self.root.wait_gone(client.name)
        gate.answers["CheckAuthorization"] = lambda request: YES
        self.assert_all(self.nobody)


class Polkitd(Visibility):
    """The real one, with the policy's own answers and a rule."""

    def test_each_sees_what_is_theirs(self):
        start_polkitd(self, READ_DETAILS)
        self.assert_all(self.root)
        self.assert_all(self.client(uid=ALLOWED))
        self.assert_sees(self.nobody, [1236], 2)
        self.assert_sees(self.other, [], 3)


class Hidden(Fake):
    """Guests are shown to nobody but those who may read details, as an administrator has said."""

    def setUp(self):
        super().setUp()
        write(self.host / "etc/nestvirt/nestvirtd.conf", "[Guests]\nHidden=true\n")
        self.guest(ONE, name="one", defined="host-passthrough", live="host-passthrough")
        self.begin()
        start_polkitd(self, READ_DETAILS)

    def objects(self, client):
        return {path for path in client.call("GetManagedObjects", interface=OBJECT_MANAGER)[0] if "/guest/" in path}

    def assert_hidden(self, client):
        for member, arguments in (("ListGuests", ("t", 0)), ("GetGuest", ("s", "one")), ("GetGuest", ("s", "two"))):
            with self.refused(DBUS_ERROR + "AccessDenied", "read-details", "nestvirtd.conf"):
                client.call(member, arguments, interactive=True)
        self.assertEqual(self.objects(client), set())
        with self.refused(DBUS_ERROR + "UnknownObject"):
            client.get_all(GUEST, guest_path(ONE))
        with self.refused(DBUS_ERROR + "UnknownObject"):
            client.get("Name", GUEST, guest_path(ONE))
        with self.refused(DBUS_ERROR + "UnknownObject"):
            client.call("SetCpu", ("a{sv}t", {"Nested": GLib.Variant("b", False)}, DRY_RUN), path=guest_path(ONE), interface=GUEST)
        with self.refused(DBUS_ERROR + "UnknownObject"):
            client.call("Introspect", path=guest_path(ONE), interface="org.freedesktop.DBus.Introspectable")
        impact = client.set(OFF, DRY_RUN)["Impact"]
        self.assertEqual(impact, omitted(1))

    def test_who_may(self):
        for uid in (0, ALLOWED):
            client = self.client(uid=uid)
            self.assertEqual(self.objects(client), set())  # not before it was asked for
            self.assertEqual(client.call("GetGuest", ("s", "one"))[0], guest_path(ONE))
            self.assertEqual(client.get_all(GUEST, guest_path(ONE))["Name"], "one")
            self.assertEqual(self.objects(client), {guest_path(ONE)})
            client = self.client(uid=uid)
            self.assertEqual([row[1] for row in client.call("ListGuests", ("t", 0))[0]], ["one"])
            self.assertEqual(self.objects(client), {guest_path(ONE)})
            self.assertEqual([i["Subject"] for i in client.set(OFF, DRY_RUN)["Impact"]], ["one"])

    def test_who_may_not(self):
        self.assert_hidden(self.client(uid=NOBODY))
        allowed = self.client(uid=ALLOWED)
        allowed.call("ListGuests", ("t", 0))
        self.assert_hidden(self.client(uid=NOBODY))
        self.assert_hidden(self.client(uid=OTHER))
        allowed.close()

    def test_findings_name_nobody(self):
        self.change(ONE, name="one", defined="host-passthrough", windows="yes")
        nobody = self.client(uid=NOBODY)
        findings = lambda: [f for f in nobody.call("Check", ("t", 0))[0] if f["Id"] == "windows-nests"]
        wait_for(findings, "the finding")
        finding, = findings()
        self.assertTrue(finding["Message"].startswith("1 of libvirt's guests is Windows"), finding)
        self.assertEqual(finding["Fix"], "")

    def test_nothing_is_signalled(self):
        seer = self.client(watch=True)
        seer.call("ListGuests", ("t", 0))
        self.change(ONE, name="other", defined="host-passthrough")
        self.change(TWO, name="two", defined="host-passthrough")
        (self.fake / "guests" / ONE).unlink()
        self.tell(ONE)
        wait_for(lambda: [row[1] for row in seer.call("ListGuests", ("t", 0))[0]] == ["two"], "the news")
        for client in (seer, self.observer):
            client.call("RefreshGuests", ("t", 0))
        self.assertEqual([m.member for client in (seer, self.observer) for m in client.signals() if "/guest/" in str((m.path, m.body))], [])

    def test_what_is_no_answer_hides(self):
        self.stop(self.daemons.pop())
        write(self.host / "etc/nestvirt/nestvirtd.conf", "[Guests]\nHidden=certainly\n")
        daemon = self.begin()
        self.assertIn("Hidden is neither true nor false", daemon.log.read_text())
        self.assert_hidden(self.client(uid=NOBODY))


if __name__ == "__main__":
    main()
