# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verbs about guests: what they print of what the daemon says, and what they say when there is
nothing to be known."""

import os

from clients import ERROR, GUEST, guest_path
from ctl import run, start
from harness import BusTest, without_libgit2, write
from tap import main

ONE, TWO, THREE = (f"3b5b08e4-3dca-4ff9-9a1d-40389758d08{i}" for i in (1, 2, 3))
KEYS = {"active", "cpu_mode", "cpu_model", "mmu", "name", "next_start", "now", "persistent", "policy", "reason", "restart_needed",
        "saved_state", "type", "using", "uuid"}


class Guests(BusTest):
    def setUp(self):
        super().setUp()
        self.guest(ONE, name="web1", defined="host-passthrough", live="host-passthrough - require", run=7, inside=1)
        self.guest(TWO, name="db", defined="custom EPYC disable", saved="custom EPYC require")
        self.guest(THREE, name="a\x1bb", defined="- - -", live="host-passthrough", persistent="no")
        self.daemon = self.start_fake("--guests")

    def ctl(self, *arguments, status=0):
        result = run(*arguments, address=self.bus.address)
        self.assertEqual(result.status, status, result)
        return result

    def test_table(self):
        lines = self.ctl("guests").out.splitlines()
        self.assertEqual([line.split() for line in lines], [
            ["GUEST", "STATE", "CPU", "POLICY", "NEXT", "START", "NOW", "USING"],
            ["a\\x1bb", "running", "default", "-", "no", "yes", "unknown"],
            ["db", "off", "custom", "EPYC", "disable", "yes", "-", "-"],
            ["web1", "running", "host-passthrough", "-", "yes", "yes", "yes"]])

    def test_one(self):
        text = self.ctl("guest", "db").out
        for line in ("CPU: custom EPYC", "Policy: disable", "Next start: yes", "Saved state: managed save", f"UUID: {TWO}", "State: off"):
            self.assertRegex(text, rf"(?m)^ *{line}$")
        self.assertRegex(text, r"(?m)^ *Why: The next start brings it back from its managed save")
        self.assertEqual(self.ctl("guest", TWO).out, text)
        self.assertRegex(self.ctl("guest", "a\x1bb").out, r"(?m)^ *State: running, transient$")

    def test_json_is_what_the_bus_has(self):
        caller = self.client()
        found = self.ctl("--json=short", "guests").json
        self.assertEqual(set(found), {"guests"})
        self.assertEqual([guest["uuid"] for guest in found["guests"]], [THREE, TWO, ONE])
        for guest in found["guests"]:
            there = caller.get_all(GUEST, guest_path(guest["uuid"]))
            self.assertEqual(set(guest), KEYS)
            self.assertEqual({key.replace("_", ""): value for key, value in guest.items()},
                             {name.lower(): value for name, value in there.items()})
            self.assertEqual(self.ctl("--json=short", "guest", guest["uuid"]).json, guest)
        self.assertEqual(self.ctl("--json=short", "status").json["guests"], found["guests"])

    def test_status(self):
        self.assertRegex(self.ctl("status").out, r"(?m)^ +Guests: 3, 2 running, 3 can nest, 1 in use as hypervisors$")

    def test_what_it_runs_is_of_now(self):
        self.guest(ONE, name="web1", defined="host-passthrough", live="host-passthrough - require", run=7, inside=0)
        self.assertRegex(self.ctl("guests").out, r"(?m)^web1 .* has$")

    def test_monitor(self):
        monitor = start("monitor", address=self.bus.address)
        self.addCleanup(lambda: (monitor.kill(), monitor.communicate()))
        lines = (line.partition(" ")[2].rstrip("\n") for line in monitor.stdout)
        self.assertIn("Listening", next(lines))
        self.guest(TWO, name="db", defined="custom EPYC require")
        (self.host / "fake/guests" / ONE).unlink()
        self.client().call("RefreshGuests", ("t", 0))
        said = {next(lines) for _ in range(4)}
        self.assertEqual(said, {
            "guest web1 is gone", "guest db policy: disable -> require", "guest db saved state: managed save -> nothing",
            "guest db: Its CPU has svm, and nested is on on this host."})

    def test_paging_in_words(self):
        self.assertRegex(self.ctl("guest", "web1").out, r"(?m)^ *Paging: NPT on NPT$")
        self.assertEqual(self.ctl("--json=short", "guest", "web1").json["mmu"], "npt-on-npt")
        self.guest(ONE, name="web1", defined="custom EPYC disable", live="custom EPYC disable", run=0)
        self.client().call("RefreshGuests", ("t", 0))
        self.assertNotIn("Paging", self.ctl("guest", "web1").out)

    def test_nobody_of_that_name(self):
        result = self.ctl("guest", "web", status=1)
        self.assertEqual((result.out, result.err),
                         ("", 'Cannot tell of the guest "web": No guest is called "web"; those that there are: nestvirtctl guests\n'))
        error = self.ctl("--json=short", "guest", "web", status=1).json["error"]
        self.assertEqual(error["name"], ERROR + "NoSuchGuest")


class Unknown(BusTest):
    def test_whom_a_change_concerns(self):
        """There is a libvirt, which is not reached."""
        self.start_fake("--guests")
        result = run("set", "nested=off", "--dry-run", address=self.bus.address)
        self.assertRegex(result.out, r"(?m)^  unknown: libvirt (can't be reached|has not answered yet), so which guests this concerns is not known")


class Editing(BusTest):
    XML = f"""<domain type='kvm'>
  <name>web1</name>
  <uuid>{ONE}</uuid>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
  <memory unit='KiB'>1048576</memory>
  <vcpu>1</vcpu>
  <cpu mode='host-passthrough'/>
</domain>
"""

    def setUp(self):
        super().setUp()
        write(self.host / "fake/xml" / ONE, self.XML)
        self.guest(ONE, name="web1", live="host-passthrough", run=1, inside=1)
        self.start_fake("--guests")

    def ctl(self, *arguments, status=0):
        result = run(*arguments, address=self.bus.address)
        self.assertEqual(result.status, status, result)
        return result

    def test_set_cpu(self):
        plan = self.ctl("set-cpu", "web1", "--nested=no", "--dry-run").out.splitlines()
        self.assertEqual(plan[:5], [
            "This would be done; nothing has been changed:", "  disable svm",
            "  loses-nested: web1 runs guests of its own now, and will not be able to once it has been switched off and on",
            "web1 runs with another CPU until it is switched off and on again; a reboot from inside is not enough.", "--- web1"])
        self.assertIn("+    <feature policy='disable' name='svm'/>", "\n".join(plan).replace('"', "'"))
        self.assertEqual((self.host / "fake/xml" / ONE).read_text(), self.XML)
        done = self.ctl("set-cpu", ONE, "--nested=no").out.splitlines()
        self.assertEqual(done[:2], ["Done: it is defined so now.", "  disable svm"])
        self.assertIn("name='svm'", (self.host / "fake/xml" / ONE).read_text())
        self.assertEqual(self.ctl("set-cpu", "web1", "--nested=no").out.splitlines()[0], "Nothing to do: it is so already.")

    def test_set_cpu_without_libgit2(self):
        self.stop(self.daemons[0])
        program, version = without_libgit2(self.folder, os.environ["NESTVIRTD_FAKE"])
        self.start_fake("--guests", program=program)
        plan = self.ctl("set-cpu", "web1", "--nested=no", "--dry-run").out.splitlines()
        self.assertEqual(plan[:2], ["This would be done; nothing has been changed:", "  disable svm"])
        self.assertRegex(plan[-1], rf"^No difference can be shown: libgit2, .* is missing .*libgit2-{version}\b")
        done = self.ctl("set-cpu", "web1", "--nested=no").out
        self.assertRegex(done, "^Done: it is defined so now.\n")
        self.assertNotIn("libgit2", done)
        self.assertIn("name='svm'", (self.host / "fake/xml" / ONE).read_text())

    def test_prepare(self):
        plan = self.ctl("--json=short", "prepare", "web1", "esxi", "--release=6.7", "--dry-run").json
        self.assertEqual(set(plan), {"outcome", "changed", "changes", "steps", "advice", "impact", "diff", "restart_needed"})
        self.assertEqual(plan["outcome"], "planned")
        self.assertEqual(self.ctl("--json=short", "prepare", "web1", "esxi", "--release=6.7").json, {**plan, "outcome": "applied"})
        self.assertIn("kvm.ignore_msrs=on", self.ctl("prepare", "web1", "esxi", "--release=6.7").out)

    def test_refused(self):
        for words, status in ((["set-cpu", "web2", "--nested=no"], 1), (["set-cpu", "web1", "--mode=none"], 2),
                              (["prepare", "web1", "vax"], 2)):
            self.assertRegex(self.ctl(*words, status=status).err, r"^Cannot (set the CPU of|prepare) the guest .web[12].: ")


class EditingMany(BusTest):
    """web1 and web2 can be changed, web3 is transient, "db[1]" is called like a pattern."""

    NAMES = ["web1", "web2", "web3", "db[1]"]

    def setUp(self):
        super().setUp()
        for number, name in enumerate(self.NAMES):
            uuid = f"{ONE[:-1]}{number}"
            keys = {"live": "host-passthrough", "persistent": "no"} if name == "web3" else {}
            write(self.host / "fake/xml" / uuid, Editing.XML.replace("web1", name).replace(ONE, uuid))
            self.guest(uuid, **{"name": name, "defined": "host-passthrough"} | keys)
        self.start_fake("--guests")

    def ctl(self, *arguments, status=0):
        result = run("set-cpu", *arguments, address=self.bus.address)
        self.assertEqual(result.status, status, result)
        return result

    def outcomes(self, *arguments, status=0):
        result = self.ctl("--json=short", "--nested=no", *arguments, status=status).json
        return {name: guest["outcome"] for name, guest in result["guests"].items()}

    def changed(self):
        return {name for number, name in enumerate(self.NAMES)
                if "name='svm'" in (self.host / "fake/xml" / f"{ONE[:-1]}{number}").read_text()}

    def test_all(self):
        done = self.ctl("--all", "--nested=no", status=1).out.splitlines()
        self.assertEqual(done[0], "Guests defined so now: 3, so already: 0, failed: 1.")
        self.assertEqual([line.split() for line in done[1:3]], [["GUEST", "OUTCOME"], ["web3", "failed"]])
        self.assertIn("web3", done[3])
        self.assertIn(["db[1]", "applied"], [line.split() for line in done])
        self.assertEqual(self.changed(), {"web1", "web2", "db[1]"})
        again = self.ctl("web1", "web2", "--nested=no").out.splitlines()
        self.assertEqual(again[0], "Guests defined so now: 0, so already: 2, failed: 0.")

    def test_dry_run(self):
        plan = self.ctl("web1", "web2", "--nested=no", "--dry-run").out
        self.assertEqual(plan.splitlines()[0], "Nothing has been changed: 2 would be, 0 so already, 0 can't.")
        self.assertEqual([line for line in plan.splitlines() if line.startswith("--- ")], ["--- web1", "--- web2"])
        self.assertEqual(self.changed(), set())

    def test_patterns(self):
        self.assertEqual(self.outcomes("web[12]", "--dry-run"), {"web1": "planned", "web2": "planned"})
        self.assertEqual(self.outcomes("*", "--except=web3", "--except=db*", "--dry-run"), {"web1": "planned", "web2": "planned"})
        self.assertEqual(self.outcomes("--all", "--except=web*"), {"db[1]": "applied"})
        self.assertEqual(self.changed(), {"db[1]"})

    def test_a_name_is_no_pattern(self):
        self.assertEqual(self.outcomes("db[1]", "web1"), {"db[1]": "applied", "web1": "applied"})

    def test_what_comes_to_nothing_is_not_everything(self):
        """An empty list would mean all of them."""
        for words, said in ((["x*"], 'No guest\'s name is like "x\\*"'), (["web1", "--except=web?"], "No guest is left"),
                            (["--all", "--except=*"], "No guest is left")):
            result = self.ctl(*words, "--nested=no", status=1)
            self.assertRegex(result.err, rf"^Cannot set the CPU of guests: {said}; those that there are: nestvirtctl guests\n$")
        self.assertEqual(self.changed(), set())

    def test_who_is_not_there(self):
        self.assertEqual(self.outcomes("web1", "nobody", status=1), {"nobody": "failed", "web1": "applied"})


class Without(BusTest):
    def ctl(self, *arguments):
        return run(*arguments, address=self.bus.address)

    def test_no_libvirt(self):
        """Not the same as a libvirt without guests; and no matter for whoever asks about the
        host."""
        self.start_fake()
        for words in (["guests"], ["guest", "web1"]):
            result = self.ctl(*words)
            self.assertEqual((result.status, result.out), (1, ""))
            self.assertRegex(result.err, r"^Cannot .*: No libvirt is configured\n$")
        self.assertEqual(self.ctl("--json=short", "guests").json["error"]["name"], ERROR + "LibvirtUnavailable")
        self.assertEqual(self.ctl("status").status, 0)
        self.assertNotIn("Guests", self.ctl("status").out)

    def test_no_guests(self):
        (self.host / "fake").mkdir(parents=True)
        (self.host / "fake/libvirt").touch()
        self.start_fake("--guests")
        self.assertEqual(self.ctl("guests").out, "libvirt knows of no guests.\n")
        self.assertEqual(self.ctl("-j", "guests").json, {"guests": []})


if __name__ == "__main__":
    main()
