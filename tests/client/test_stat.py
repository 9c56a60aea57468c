# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirtctl stat: what is asked, rates between two readings, and the same for people, on a
terminal and for programs."""

import json
import re

from clients import ERROR, GUEST, Failure, GLib, guest_path
from ctl import run, run_on_terminal, start
from daemon import FakeDaemon, variants
from harness import BusTest
from tap import main

FIRST = ["nested_run", "guest_mode", "exits", "io_exits", "mmio_exits", "tlb_flush", "insn_emulation"]


def counters(values):
    return {name: value if isinstance(value, GLib.Variant) else GLib.Variant("t", value) for name, value in values.items()}


ONE = "3b5b08e4-3dca-4ff9-9a1d-40389758d081"


def guest(identity, name, machine=None, **values):
    """What GetStatistics says of a guest of libvirt's, and its object."""
    known = {"Machine": GLib.Variant("s", machine)} if machine else {}
    return {identity: {**known, **values}}, {guest_path(identity): {GUEST: variants({"Name": name, "Uuid": identity})}}


class Stat(BusTest):
    def setUp(self):
        super().setUp()
        self.asked, self.turns, self.machines = [], 0, {"812-13": {"exits": 100}}
        users = [variants({"Pid": 812, "Uid": 0, "Command": "qemu-system-x86", "Unit": "", "Guest": "web1"}),
                 variants({"Pid": 99, "Uid": 0, "Command": "cloud-hyper", "Unit": "", "Guest": ""})]
        self.daemon = FakeDaemon(self.bus.address, answers={"GetStatistics": self.answer, "ListUsers": lambda request: ("aa{sv}", users)})
        self.addCleanup(self.daemon.close)

    def answer(self, request):
        names, flags = request.arguments
        self.asked.append((names, flags))
        self.turns += 1
        found = self.machines(self.turns) if callable(self.machines) else self.machines
        return found if isinstance(found, Failure) else ("a{sa{sv}}", {
            name: counters(values) for name, values in found.items()
            if not names or name in names or "Machine" in values and values["Machine"].unpack() in names})

    def ctl(self, *arguments, status=0, **keywords):
        result = run(*arguments, address=self.bus.address, **keywords)
        self.assertEqual(result.status, status, result)
        return result

    def users_listed(self):
        return [r.member for r in self.daemon.requests].count("ListUsers")


class Programs(Stat):
    def test_once(self):
        self.machines = {"812-13": {"exits": 2**63 - 1, "largepages": 2}, "99-4": {}}
        before = GLib.get_real_time()
        done = self.ctl("--json=short", "stat").json
        self.assertTrue(before <= done.pop("time") <= GLib.get_real_time())
        self.assertEqual(done, {"guests": {"812-13": "web1", "99-4": "cloud-hyper"},
                                "statistics": {"812-13": {"exits": 2**63 - 1, "largepages": 2}, "99-4": {}}})
        self.assertEqual(self.asked, [([], 0)])

    def test_rates_are_between_two(self):
        self.machines = lambda turn: {"812-13": {"exits": 100 * turn, "guest_mode": turn, "hypercalls": 10 - turn}, **(
            {"99-4": {"exits": 7}} if turn == 2 else {})}
        lines = self.ctl("--json=short", "stat", "--interval=0.05", "--count=3").out.splitlines()
        objects = [json.loads(line) for line in lines]
        self.assertEqual([o["statistics"]["812-13"]["exits"] for o in objects], [100, 200, 300])
        self.assertEqual([set(o) for o in objects], [{"time", "guests", "statistics"}] + 2 * [{"time", "guests", "statistics", "rates"}])
        for before, now in zip(objects, objects[1:]):
            # One per machine that was there before; none for a level, nor for what was cleared.
            self.assertEqual(set(now["rates"]["812-13"]), {"exits"})
            self.assertAlmostEqual(now["rates"]["812-13"]["exits"], 100e6 / (now["time"] - before["time"]), delta=200)
        self.assertEqual(objects[1]["rates"]["99-4"], {})
        self.assertEqual(set(objects[2]["rates"]), {"812-13"})
        # All processes are looked through when a machine is new, and then not again.
        self.assertEqual(self.users_listed(), 2)

    def test_withheld(self):
        self.machines = {"812-13": {"Withheld": GLib.Variant("as", ["exits"]), "Reason": GLib.Variant("s", "It is locked"), "guest_mode": 1}}
        self.assertEqual(self.ctl("-j", "stat").json["statistics"]["812-13"], {"guest_mode": 1, "withheld": ["exits"], "reason": "It is locked"})
        self.assertIn("1 counters of 812-13 are withheld. It is locked.\n", self.ctl("stat").out)

    def test_guests(self):
        self.machines = {"812-13": {"exits": 1}, "812-14": {"exits": 2}, "99-4": {"exits": 3}}
        for words, names in ((["99-4"], ["99-4"]), (["812"], ["812-13", "812-14"]), (["web1"], ["812-13", "812-14"]), (["cloud-hyper"], ["99-4"]),
                             (["99", "812-14"], ["812-14", "99-4"])):
            with self.subTest(words):
                self.asked.clear()
                self.assertEqual(sorted(self.ctl("-j", "stat", *words).json["statistics"]), names)
                self.assertEqual(sorted(self.asked[-1][0]), names)
        for word in ("8", "99-", "web", ""):
            error = self.ctl("-j", "stat", "99", word, status=1).json["error"]
            self.assertEqual(error["name"], ERROR + "NoSuchGuest")

    def test_guests_of_libvirt(self):
        one, objects = guest(ONE, "web1", "1812-13", exits=4)
        self.machines = {"812-13": {"exits": 1}, "99-4": {"exits": 3}, **one}
        self.daemon.guests = objects
        done = self.ctl("-j", "stat").json
        self.assertEqual(done["guests"], {ONE: "web1", "812-13": "web1", "99-4": "cloud-hyper"})
        self.assertEqual(done["statistics"][ONE], {"machine": "1812-13", "exits": 4})
        # It is asked for as the kernel calls it, which holds whatever becomes of libvirt.
        for words, names, asked in (([ONE], [ONE], ["1812-13"]), ([ONE.upper()], [ONE], ["1812-13"]), (["1812"], [ONE], ["1812-13"]),
                                    (["1812-13"], [ONE], ["1812-13"]), (["812"], ["812-13"], ["812-13"]),
                                    # Two that have the same name.
                                    (["web1"], [ONE, "812-13"], ["1812-13", "812-13"])):
            with self.subTest(words):
                self.assertEqual(sorted(self.ctl("-j", "stat", *words).json["statistics"]), names)
                self.assertEqual(sorted(self.asked[-1][0]), asked)
        for word in (ONE[:8], "3", ""):
            self.assertEqual(self.ctl("-j", "stat", word, status=1).json["error"]["name"], ERROR + "NoSuchGuest")
        # The kernel says nothing of it: nobody knows its process.
        self.machines, self.daemon.guests = guest(ONE, "web1", exits=4)
        self.assertEqual(self.ctl("-j", "stat", "web1").json["statistics"], {ONE: {"exits": 4}})
        self.assertEqual(self.asked[-1][0], [ONE])
        for word in (ONE[:8], ""):
            self.ctl("-j", "stat", word, status=1)

    def test_until_it_is_enough(self):
        process = start("stat", "--interval=0.05", "--json=short", address=self.bus.address)
        for _ in range(3):
            self.assertTrue(process.stdout.readline().startswith("{"))
        process.terminate()
        while process.poll() is None:
            GLib.MainContext.default().iteration(False)
        process.stdout.close()
        self.assertEqual((process.returncode, process.stderr.read()), (0, ""))
        process.stderr.close()

    def test_failures(self):
        self.machines = Failure(ERROR + "Unsupported", "debugfs is not mounted")
        self.assertEqual(self.ctl("stat", status=6).err, "Cannot show KVM's counters: debugfs is not mounted\n")
        self.machines = lambda turn: {"99-4": {"exits": 1}} if turn < 4 else Failure(ERROR + "NoSuchGuest", "No more")
        self.turns = 0
        done = self.ctl("stat", "99", "--interval=0.05", status=1)
        self.assertEqual((done.out.count(" exits "), done.err), (2, "Cannot show KVM's counters: No more\n"))

    def test_usage(self):
        for option in ("--interval=0", "--interval=-1", "--interval=x", "--interval=1s", "--interval=nan", "--interval=1e9", "--interval=",
                       "--count=0", "--count=x", "--count=-1", "--count=", "--count=99999999999"):
            self.assertIn(option.partition("=")[0], self.ctl("stat", option, status=2).err)
        self.assertIn("--quiet", self.ctl("-q", "stat", status=2).err)
        self.assertEqual(self.asked, [])


class People(Stat):
    MACHINES = {"99-4": {"exits": 5, "zeros": 0}, "812-13": {"exits": 90, "nested_run": 3, "signal_exits": 2, "halt_exits": 40, "mmio_exits": 0,
                                                            "tlb_flush": 0, "guest_mode": 1, "io_exits": 8, "insn_emulation": 0, "zeros": 0}}

    def test_lines(self):
        self.machines = self.MACHINES
        lines = [re.split("  +", line) for line in self.ctl("stat").out.splitlines()]
        self.assertEqual(lines[0], ["TIME", "GUEST", "MACHINE", "COUNTER", "TOTAL", "PER SECOND"])
        self.assertRegex(lines[1][0], r"^\d\d:\d\d:\d\d$")
        self.assertEqual([line[1:] for line in lines[1:4]], [["web1", "812-13", "nested_run", "3", "-"], ["web1", "812-13", "guest_mode", "1", "-"],
                                                             ["web1", "812-13", "exits", "90", "-"]])
        self.assertEqual([line[3] for line in lines[1:]], [*FIRST, "halt_exits", "signal_exits", "zeros", "exits", "zeros"])

    def test_guest_of_libvirt(self):
        withheld = {"Withheld": GLib.Variant("as", ["x"]), "Reason": GLib.Variant("s", "No")}
        for machine, label in (("1812-13", "1812-13"), (None, ONE)):
            self.machines, self.daemon.guests = guest(ONE, "db", machine, exits=4, **withheld)
            done = self.ctl("stat").out
            self.assertEqual(re.split("  +", done.splitlines()[1])[1:], ["db", label, "exits", "4", "-"])
            self.assertIn(f"1 counters of {label} are withheld. No.\n", done)
            self.assertTrue(self.see("--count=1").startswith(f"db ({label})\n"))

    def test_no_machine(self):
        self.machines = {}
        self.assertEqual(self.ctl("stat").out, "No virtual machine runs now.\n")
        self.assertEqual(self.ctl("-j", "stat").json["statistics"], {})

    def see(self, *arguments, **keywords):
        done = run_on_terminal("stat", *arguments, address=self.bus.address, NO_COLOR="1", **keywords)
        self.assertEqual(done.status, 0, done)
        return done.out

    def test_once_on_a_terminal(self):
        self.machines = self.MACHINES
        seen = self.see("--count=1")
        self.assertTrue(seen.startswith("web1 (812-13)\nCOUNTER "), seen)
        self.assertEqual(re.findall(r"^(\w+) +\d+ ", seen, re.MULTILINE), [*FIRST, "halt_exits", "signal_exits", "exits"])
        self.assertNotIn("\x1b[", seen)

    def test_in_place(self):
        self.machines = lambda turn: {"812-13": {name: turn * (50 - i) for i, name in enumerate([*FIRST, *(f"c{n}" for n in range(20))])}}
        for rows in (9, 100):
            self.turns = 0
            begin, *screens = self.see("--interval=0.05", "--count=3", rows=rows).split("\x1b[H\x1b[J")
            self.assertEqual((begin, len(screens)), ("", 3))
            for screen in screens:
                self.assertEqual(screen.count("\n"), min(rows - 1, 29))
                self.assertTrue(screen.startswith("web1 (812-13)\nCOUNTER"))
            self.assertRegex(screens[2], r"\nnested_run +150 +\d+\.\d\n")

    def test_what_changes_most_comes_first(self):
        self.machines = lambda turn: {"812-13": {"exits": 1000 + turn, "c1": 500, "c2": 10 * turn, "c3": 100 * turn},
                                      "99-4": {"exits": 300 * turn, "c1": turn}}
        last = self.see("--interval=0.05", "--count=2").split("\x1b[H\x1b[J")[-1]
        self.assertEqual(re.findall(r"^(\S+)", last, re.MULTILINE), ["cloud-hyper", "COUNTER", "exits", "c1", "web1", "COUNTER", "exits", "c3", "c2", "c1"])


class ThroughTheDaemon(BusTest):
    def machine(self, pid, exits):
        folder = self.host / f"sys/kernel/debug/kvm/{pid}-5"
        folder.mkdir(parents=True)
        (folder / "exits").write_text(f"{exits}\n")

    def test_from_files_to_the_client(self):
        self.start_fake()
        self.machine(1234, 7)
        self.hold(1234, "cloud-hyper")
        done = run("-j", "stat", "cloud-hyper", address=self.bus.address)
        self.assertEqual((done.status, done.json["statistics"]), (0, {"1234-5": {"exits": 7}}), done)

    def test_a_guest(self):
        self.guest(ONE, name="web1", defined="host-passthrough", live="host-passthrough")
        self.start_fake("--guests")
        self.machine(1234, 7)
        self.hold(1234)
        (self.host / "proc/1234/cmdline").write_text(f"qemu-system-x86_64\0-name\0guest=web1\0-uuid\0{ONE}\0")
        for word in ("web1", "1234", "1234-5", ONE):
            done = run("-j", "stat", word, address=self.bus.address)
            self.assertEqual((done.status, done.json["statistics"]), (0, {ONE: {"machine": "1234-5", "exits": 7}}), done)


if __name__ == "__main__":
    main()
