# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirtctl fingerprint and compare: two hosts, one after the other, files that are none, and one
guest."""

import json

from clients import GLib
from cases import AMD, Case
from ctl import run
from tap import main
from test_fingerprints import ABILITY, GuestTest, WITHOUT_NPT as NO_NPT

OFFERED = """CPU 0:
   0x00000001 0x00: eax=0x0 ebx=0x0 ecx=0x0 edx=0x0
   0x80000001 0x00: eax=0x0 ebx=0x0 ecx=0x00000004 edx=0x0
   0x8000000a 0x00: eax=0x00000001 ebx=0x00000008 ecx=0x0 edx={features}
"""
WITHOUT_NPT = "0x00000008"


class Fingerprint(Case):
    def begin_amd(self, features="0x00000009"):
        self.begin(AMD)
        self.write("facts/kvm-cpuid", OFFERED.format(features=features))

    def keep(self, name="a.json"):
        path = self.folder / name
        path.write_text(self.ctl("fingerprint", "--json=short").out)
        return path

    def change(self, path, **changes):
        content = json.loads(path.read_text())
        other = self.folder / "other.json"
        other.write_text(json.dumps({**content, **changes}))
        return other

    def ability(self, path, **changes):
        content = json.loads(path.read_text())
        del content["sha256"]
        path.write_text(json.dumps({**content, "ability": {**content["ability"], **changes}}))
        return path

    def test_for_people(self):
        self.begin_amd()
        out = self.ctl("fingerprint").out
        self.assertRegex(out, r"\A[0-9a-f]{64}\n(.*\n)*.*Features: +npt, nrip-save, svm\n")
        self.assertRegex(out, r"Parameters: .*kvm_amd.npt=1")

    def test_json_is_canonical(self):
        self.begin_amd()
        text = self.ctl("fingerprint", "--json=short").out
        self.assertEqual(text, json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n")
        self.assertEqual(text, self.ctl("fingerprint", "--json=short").out)

    def test_with_itself(self):
        self.begin_amd()
        path = self.keep()
        self.assertEqual(self.ctl("compare", path).out,
                         f"A guest of {path} on this host: identical\nA guest of this host on {path}: identical\n")
        self.assertEqual(self.ctl("compare", "--json", path).json["first_to_second"], {"verdict": "identical", "differences": []})

    def test_another_host(self):
        self.begin_amd()
        path = self.keep()
        other = self.ability(self.keep("b.json"), **{"cpuid.8000000a.edx": "0x8"})
        out = self.ctl("compare", path, other, status=3).out
        self.assertIn(f"A guest of {path} on {other}: refuses\n", out)
        self.assertRegex(out, rf"npt +not offered there +kvm_amd.npt=0 on {path}\n")
        self.assertIn(f"A guest of {other} on {path}: accepts\n", out)
        self.assertIn(f"A guest of this host on {other}: refuses\n", self.ctl("compare", other, status=3).out)
        differences = self.ctl("compare", "-j", path, other, status=3).json["first_to_second"]["differences"]
        self.assertEqual(differences, [{"feature": "npt", "kind": "missing", "host": "first", "parameter": "kvm_amd.npt=0"}])
        self.assertEqual(self.ctl("compare", "-q", path, other, status=3).out, "")

    def test_unknown_is_no_yes(self):
        self.begin_amd()
        path = self.keep()
        content = json.loads(path.read_text())
        del content["ability"]["cpuid.8000000a.edx"], content["sha256"]
        path.write_text(json.dumps(content))
        self.assertEqual(self.ctl("compare", path, status=3).out.count(": unknown\n"), 2)

    def test_what_is_no_fingerprint(self):
        self.begin_amd()
        path = self.keep()
        wrong = self.folder / "wrong"
        for text, status, message in (
                ("", 2, "is no fingerprint"), ("{", 2, "is no fingerprint"), ("[]", 2, "is no fingerprint"), ("null", 2, "is no fingerprint"),
                ('{"ability": 1}', 2, "is no fingerprint"), ('{"ability": {"svm": "0x1"}} x', 2, "is no fingerprint"),
                ("[" * 100000, 2, "is no fingerprint"), ('{"ability": {"svm": "0x1"}}', 2, "lacks"),
                (path.read_text().replace('"0x9"', '"0x8"'), 2, "checksum"), ("\0", 2, "zero byte"),
                (self.ctl("fingerprint").out, 2, "is no fingerprint")):
            wrong.write_text(text)
            self.assertIn(message, self.ctl("compare", wrong, status=status).err)
        self.assertIn("can't be read", self.ctl("compare", self.folder / "missing", status=1).err)
        self.assertIn("sha", self.change(path, sha256="0").read_text())
        self.ctl("compare", self.folder / "other.json", status=2)

    def test_a_host_that_does_not_tell(self):
        self.begin(AMD)
        self.assertIn("could not be asked", self.ctl("fingerprint", status=6).err)
        self.assertEqual(self.ctl("fingerprint", "-j", status=6).json["error"]["name"], "org.nestvirt1.Error.Unsupported")

    def test_usage(self):
        for words in (["compare"], ["compare", "a", "b", "c"], ["fingerprint", "a"]):
            self.assertEqual(run(*words).status, 2)


class OfOneGuest(GuestTest):
    def keep(self, name, ability):
        path = self.folder / name
        path.write_text(json.dumps({"ability": ability, "parameters": {"kvm_amd.npt": "0"}}))
        return path

    def ctl(self, *arguments, status=0):
        result = run("compare", *arguments, address=self.bus.address)
        self.assertEqual(result.status, status, result)
        return result

    def test_for_people(self):
        same, without = self.keep("same.json", ABILITY), self.keep("without.json", NO_NPT)
        self.assertEqual(self.ctl("--guest=one", same).out,
                         f"one on {same}: accepts\nBoth hosts offer the very same to guests with guests.\n")
        self.assertRegex(self.ctl("--guest=named", without, status=3).out,
                         rf"\Anamed on {without}: refuses\nIt has npt, which that host does not offer\.\n"
                         rf"FEATURE .*\nnpt +not offered there +kvm_amd\.npt=1 on {without}\n\Z")
        other = self.keep("other.json", {**ABILITY, "cpuid.8000000a.edx": "0x1"})
        self.assertRegex(self.ctl("--guest", self.named, other, status=3).out,
                         r": unknown\n.*\n.*\nnrip-save +not offered there +kvm_amd\.nrips=0 on this host\n\Z")

    def test_json_is_what_the_bus_has(self):
        without = self.keep("without.json", NO_NPT)
        self.assertEqual(self.ctl("--json", "--guest=one", without, status=3).json, {
            "verdict": "refuses", "reason": self.compare_guest(self.one, {"Ability": GLib.Variant("a{ss}", NO_NPT)})["Reason"],
            "differences": [{"feature": "npt", "kind": "missing", "host": "there", "parameter": "kvm_amd.npt=1"}]})
        self.assertEqual(self.ctl("-q", "--guest=one", without, status=3).out, "")
        self.assertEqual(self.ctl("-j", "--guest=without", without).json["verdict"], "accepts")

    def test_what_can_not_be_compared(self):
        same = self.keep("same.json", ABILITY)
        self.assertIn('Cannot compare the guest "nobody"', self.ctl("--guest=nobody", same, status=1).err)
        self.assertIn("--guest is one of this host", self.ctl("--guest=one", same, same, status=2).err)
        self.assertIn("is no fingerprint", self.ctl("--guest=one", self.keep("none.json", {}), status=2).err)


if __name__ == "__main__":
    main()
