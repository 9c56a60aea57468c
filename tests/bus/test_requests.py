# SPDX-License-Identifier: LGPL-2.1-or-later
"""What callers may not ask for, and what a tree of files can't do: refused with a clear error,
nothing touched, in bounded memory."""

import os
import pathlib

from clients import DBUS_ERROR, DRY_RUN, ERROR, GUEST, GLib, MODULE, NEXT_BOOT, NOBODY, RUNTIME, WHEN_IDLE, guest_path, module_path
from harness import BusTest, snapshot
from tap import main

KVM_AMD = {"path": module_path("kvm_amd"), "interface": MODULE}


def twice(option, value):
    """The arguments of a method with options, one of which is given more than once: no dictionary
    of Python's can do that."""
    entries = ", ".join([f"'{option}': {value}"] * 4)
    return GLib.Variant.new_tuple(GLib.Variant.parse(GLib.VariantType("a{sv}"), "{" + entries + "}", None, None), GLib.Variant("t", 0))


class OddWords(BusTest):
    """What stands in files of others reaches the caller as UTF-8, or there would be no answer at
    all."""

    def refuse(self, line, name, *words):
        self.start_fake()
        (self.host / "etc/modprobe.d/zzzz.conf").write_bytes(line)
        with self.refused(ERROR + name, *words):
            self.client().set({"kvm_amd": {"nested": "0"}})

    def test_cut_within_a_character(self):
        self.refuse("options kvm_amd npt={}é\n".format("a" * 63).encode(), "Unsupported", "a" * 63, "zzzz.conf")

    def test_no_utf8_at_all(self):
        self.refuse(b"options kvm_amd nested=1\xe9\n", "Overridden", "zzzz.conf")


class Refused(BusTest):
    def setUp(self):
        super().setUp()
        self.start_fake()
        self.caller = self.client(watch=True)
        self.before = snapshot(self.host)

    def tearDown(self):
        self.assertEqual(snapshot(self.host), self.before)
        self.assertEqual(self.caller.signals(), [])

    def test_flags(self):
        for flags, word in ((32, "0x20"), (1 << 63, "0x8000000000000000"), (0x21, "0x20")):
            with self.refused(ERROR + "InvalidArgs", word):
                self.caller.set({"kvm_amd": {"nested": "0"}}, flags)
        for flags in (RUNTIME | NEXT_BOOT, RUNTIME | WHEN_IDLE, NEXT_BOOT | WHEN_IDLE, DRY_RUN | RUNTIME | NEXT_BOOT):
            with self.refused(ERROR + "InvalidArgs", "exclude"):
                self.caller.set({"kvm_amd": {"nested": "0"}}, flags)
        with self.refused(ERROR + "InvalidArgs", "0x8"):
            self.caller.call("Reload", ("t", WHEN_IDLE), **KVM_AMD)
        with self.refused(ERROR + "InvalidArgs", "0x2"):
            self.caller.call("EnsureDevice", ("t", RUNTIME))

    def test_names(self):
        for name in ("a/b", "nested\n", "../nested", "", "n" * 65, "né", "nested nested"):
            with self.subTest(name=name):
                with self.refused(ERROR + "InvalidArgs", "can be no name") as caught:
                    self.caller.set({"kvm_amd": {name: "0"}})
                self.assertNotIn("\n", caught.exception.message)
                with self.refused(ERROR + "InvalidArgs", "can be no name"):
                    self.caller.set({name: {"nested": "0"}})
                with self.refused(ERROR + "InvalidArgs", "can be no name"):
                    self.caller.call("ResetParameters", ("ast", [name], 0), **KVM_AMD)
        with self.refused(ERROR + "NoSuchParameter", "nestde"):
            self.caller.set({"kvm_amd": {"nestde": "0"}})
        with self.refused(ERROR + "Unsupported", "npt"):
            self.caller.set({"kvm_intel": {"ept": "0"}})
        for module in ("kvm", "kvm_intel"):
            with self.refused(ERROR + "Unsupported", "set kvm_amd.nested="):
                self.caller.set({module: {"nested": "0"}})
        with self.refused(ERROR + "InvalidArgs", "kvm_intel"):
            self.caller.call("ResetParameters", ("a{sas}t", {"kvm_intel": []}, 0))

    def test_values(self):
        for value in ("banana", "", "2", "0\n", "-1"):
            with self.refused(ERROR + "InvalidValue"):
                self.caller.set({"kvm_amd": {"nested": value}})
        with self.refused(ERROR + "InvalidArgs", "256"):
            self.caller.set({"kvm_amd": {"nested": "1" * 257}})
        with self.refused(ERROR + "Unsupported", "avic"):
            self.caller.set({"kvm_amd": {"avic": "1"}})

    def test_nothing_and_twice(self):
        with self.refused(ERROR + "InvalidArgs", "No parameter"):
            self.caller.set({})
        with self.refused(ERROR + "InvalidArgs", "No parameter"):
            self.caller.call("SetParameters", ("a{ss}t", {}, 0), **KVM_AMD)
        with self.refused(ERROR + "InvalidArgs", "twice"):
            self.caller.call("ResetParameters", ("ast", ["nested", "nested"], 0), **KVM_AMD)
        with self.refused(ERROR + "InvalidArgs", "twice"):
            self.caller.call("ResetParameters", ("a{sas}t", {"kvm_amd": ["nested"], "kvm-amd": ["nested"]}, 0))

    def test_too_many(self):
        with self.refused(ERROR + "InvalidArgs", "256"):
            self.caller.set({"kvm_amd": {f"p{i}": "0" for i in range(10000)}})
        with self.refused(ERROR + "InvalidArgs", "256"):
            self.caller.call("SetParameters", ("a{ss}t", {f"p{i}": "0" for i in range(257)}, 0), **KVM_AMD)
        with self.refused(ERROR + "NoSuchParameter"):
            self.caller.call("SetParameters", ("a{ss}t", {f"p{i}": "0" for i in range(256)}, 0), **KVM_AMD)
        with self.refused(ERROR + "InvalidArgs", "4096"):
            self.caller.set({"kvm_amd": {f"p{i}": "0" * 256 for i in range(17)}})
        with self.refused(ERROR + "NoSuchParameter"):
            self.caller.set({"kvm_amd": {f"p{i}": "0" * 256 for i in range(15)}})
        with self.refused(ERROR + "InvalidArgs", "modules"):
            self.caller.set({f"m{i}": {"nested": "0"} for i in range(9)})

    def test_signatures(self):
        with self.refused(DBUS_ERROR + "InvalidArgs"):
            self.caller.call("SetParameters", ("a{ss}t", {"nested": "0"}, 0))
        with self.refused(DBUS_ERROR + "InvalidArgs"):
            self.caller.call("SetParameters", ("a{sa{ss}}", {"kvm_amd": {"nested": "0"}}))

    def test_nothing_to_cancel(self):
        self.assertEqual(self.caller.call("CancelPending", ("t", 0), **KVM_AMD), ())


class Memory(BusTest):
    @staticmethod
    def resident(daemon):
        """Anonymous memory in KiB."""
        for line in pathlib.Path(f"/proc/{daemon.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
        raise AssertionError("no RssAnon")

    def test_large_calls_leave_nothing(self):
        daemon = self.start_fake()
        caller = self.client()
        large = {f"p{i}": "0" * 100 for i in range(10000)}
        long = {"nested": "1" * (8 << 20)}

        def ask():
            with self.refused(ERROR + "InvalidArgs"):
                caller.set({"kvm_amd": large})
            with self.refused(ERROR + "InvalidArgs"):
                caller.set({"kvm_amd": long})

        for _ in range(3):
            ask()
        before = self.resident(daemon)
        for _ in range(20):
            ask()
        # 20 x 9 MiB have been sent. AddressSanitizer keeps what is freed for a while, up to a limit
        # that the tests set.
        self.assertLess(self.resident(daemon), before + 64 * 1024)


    def test_what_waits_for_its_turn_is_small(self):
        """A call is kept until its turn: what is too large, anywhere in it, is refused at once."""
        self.start_fake("--guests")
        changing, caller = self.client(), self.client(uid=NOBODY)
        self.close_gate()
        change = changing.start_set({"kvm_amd": {"nested": "0"}})
        open_gate = self.wait_at_gate()
        long = "n" * (8 << 20)
        for name, member, arguments, where in (
                ("InvalidArgs", "SetParameters", ("a{sa{ss}}t", {"kvm_amd": {"nested": long}}, 0), {}),
                ("InvalidArgs", "SetParameters", ("a{sa{ss}}t", {"kvm_amd": {long: "0"}}, 0), {}),
                ("InvalidArgs", "SetParameters", ("a{sa{ss}}t", {long: {}, "kvm_amd": {"nested": "0"}}, 0), {}),
                ("InvalidArgs", "ResetParameters", ("a{sas}t", {"kvm_amd": ["nested"] * 100000}, 0), {}),
                ("InvalidArgs", "ResetParameters", ("a{sas}t", {long: []}, 0), {}),
                ("InvalidArgs", "SetParameters", ("a{ss}t", {"nested": long}, 0), KVM_AMD),
                ("InvalidArgs", "ResetParameters", ("ast", [long], 0), KVM_AMD),
                ("InvalidArgs", "Probe", twice("Times", "<true>"), {})):
            with self.subTest(member=member, signature=str(arguments)[:40]):
                with self.refused(ERROR + name):
                    caller.call(member, arguments, **where)
        waiting = caller.start_set({"kvm_amd": {"nested": "0"}}, DRY_RUN)
        caller.get_all()
        self.assertFalse(waiting.done)
        open_gate()
        change.result()
        self.assertEqual(waiting.result()[0]["Outcome"], "unchanged")

    def test_what_waits_for_libvirt_is_small(self):
        identity = "3b5b08e4-3dca-4ff9-9a1d-40389758d081"
        self.guest(identity, name="n" * 4096, defined="host-passthrough")
        self.start_fake("--guests")
        caller = self.client(uid=NOBODY)
        self.assertEqual(caller.call("GetGuest", ("s", "n" * 4096)), (guest_path(identity),))
        os.mkfifo(self.host / "fake/hang")
        for name, member, arguments, where in (
                ("NoSuchGuest", "GetGuest", ("s", "n" * 4097), {}),
                ("NoSuchGuest", "GetStatistics", ("ast", ["n" * 65], 0), {}),
                ("InvalidArgs", "SetCpu", twice("Nested", "<true>"), {"path": guest_path(identity), "interface": GUEST})):
            with self.subTest(member=member):
                with self.refused(ERROR + name):
                    caller.call(member, arguments, **where)
        (self.host / "fake/hang").unlink()


class Tree(BusTest):
    """A tree of files is looked at and planned for; only what the next boot gets is written,
    beneath it."""

    def setUp(self):
        super().setUp()
        self.start_real("amd-epyc-6.1")
        self.caller = self.client()

    def test_next_boot_is_written_beneath(self):
        observer = self.client(watch=True)
        before = snapshot(self.host)
        result = self.caller.set({"kvm_amd": {"nested": "off"}, "kvm": {"ignore_msrs": "on"}}, NEXT_BOOT)
        self.assertEqual(result["Outcome"], "configured")
        self.assertEqual(self.dropin(), ["options kvm ignore_msrs=1", "options kvm_amd nested=0"])
        changed = {path for path, content in snapshot(self.host).items() if before.get(path) != content}
        self.assertLessEqual({"etc/modprobe.d/zz-nestvirt.conf"}, changed)
        self.assertEqual([path for path in changed if not path.startswith(("etc", "var", "run"))], [])
        nested = observer.get("Parameters", MODULE, module_path("kvm_amd"))["nested"]
        self.assertEqual((nested["Configured"], nested["Effective"], nested["Source"]),
                         ("0", "on", "/etc/modprobe.d/zz-nestvirt.conf:" + nested["Source"].rpartition(":")[2]))
        self.assertFalse(pathlib.Path("/etc/modprobe.d/zz-nestvirt.conf").exists())

    def test_nothing_else_is_possible(self):
        before = snapshot(self.host)
        for flags in (0, RUNTIME, WHEN_IDLE):
            with self.refused(ERROR + "Unsupported", "--next-boot"):
                self.caller.set({"kvm_amd": {"nested": "0"}}, flags)
        with self.refused(ERROR + "Unsupported", "only --dry-run works") as caught:
            self.caller.call("Reload", ("t", 0), **KVM_AMD)
        self.assertNotIn("--next-boot", caught.exception.message)
        with self.refused(ERROR + "Unsupported"):
            self.caller.call("EnsureDevice", ("t", 0))
        self.assertEqual(snapshot(self.host), before)

    def test_what_would_be_done_is_told(self):
        before = snapshot(self.host)
        result = self.caller.set({"kvm_amd": {"nested": "0"}}, DRY_RUN)
        self.assertEqual((result["Outcome"], result["Impact"]), ("planned", []))
        self.assertIn("unload kvm_amd", result["Steps"])
        self.assertEqual(snapshot(self.host), before)


class Intel(BusTest):
    """A CPU with VMX, EPT and VMCS shadowing, and without APICv."""

    def test_what_the_cpu_lacks(self):
        self.start_real("intel-haswell-desktop")
        caller = self.client()
        before = snapshot(self.host)
        for flags in (0, NEXT_BOOT, DRY_RUN):
            with self.refused(ERROR + "Unsupported", "enable_apicv", "vapic_reg", "vid", "posted_intr"):
                caller.set({"kvm_intel": {"enable_apicv": "on"}}, flags)
            with self.refused(ERROR + "Unsupported", "nestvirtctl set ept="):
                caller.set({"kvm_amd": {"npt": "off"}}, flags)
        self.assertEqual(snapshot(self.host), before)


if __name__ == "__main__":
    main()
