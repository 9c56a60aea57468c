# SPDX-License-Identifier: LGPL-2.1-or-later
"""The four switches of kvm_intel in all 16 combinations, on the real module: what is asked, what
sysfs shows, what is in effect, why, and what a guest hypervisor is offered. Half of the changes and
readings go through nestvirtctl, half over D-Bus by busctl."""

import json
import unittest

from nestvirt import NestvirtTest

SWITCHES = ("nested", "enable_shadow_vmcs", "enable_apicv", "ept")
SHORT = {"enable_shadow_vmcs": "shadow-vmcs", "enable_apicv": "apicv"}
# What kvm_intel switches off by itself without ept.
BUILT_ON_EPT = ("eptad", "unrestricted_guest", "pml", "mbec")
MODULE = "org.nestvirt1 /org/nestvirt1/module/kvm_intel org.nestvirt1.Module"

# What the module offers to guests, asked of /dev/kvm: the VMX bit of KVM_GET_SUPPORTED_CPUID, and
# of the VMX capability MSRs in KVM_GET_MSRS those bits that a guest hypervisor may set (secondary
# controls 0x48b, pin-based controls 0x481).
OFFERED = r"""perl -e '
open(K, "+<", "/dev/kvm") or die "$!";
sub msr { my $b = pack("LLLLQ", 1, 0, $_[0], 0, 0); return ioctl(K, 0xC008AE88, $b) == 1 ? (unpack("LLLLQ", $b))[4] >> 32 : 0 }
my $b = pack("LL", 256, 0) . "\0" x (40 * 256);
ioctl(K, 0xC008AE05, $b) or die "$!";
for (0 .. unpack("L", $b) - 1) { my @e = unpack("L7", substr($b, 8 + 40 * $_, 40)); print "nested ", $e[5] >> 5 & 1, "\n" if $e[0] == 1 }
print "ept ", msr(0x48b) >> 1 & 1, "\nunrestricted_guest ", msr(0x48b) >> 7 & 1, "\npml ", msr(0x48b) >> 17 & 1, "\n";
print "enable_apicv ", msr(0x481) >> 7 & 1, "\n"'"""
OFFERS = ("nested", "enable_apicv", "ept", "unrestricted_guest", "pml")


def gray(number):
    """The combinations one after the other, of which each differs from the last in one switch: 0 is
    all off."""
    bits = number ^ number >> 1
    return {name: bits >> place & 1 for place, name in enumerate(SWITCHES)}


def words(values):
    return " ".join("on" if value else "off" for value in values)


class Switches(NestvirtTest):
    machine = "intel"

    def set_by_client(self, values):
        return self.json("set " + " ".join(f"{SHORT.get(name, name)}={'on' if on else 'off'}" for name, on in values.items()))["outcome"]

    def set_over_bus(self, values):
        pairs = " ".join(f"{name} {on}" for name, on in values.items())
        answer = self.host.check(f"busctl --json=short call {MODULE} SetParameters 'a{{ss}}t' {len(values)} {pairs} 0", user="alice", timeout=120)
        return json.loads(answer)["data"][0]["Outcome"]["data"]

    def read_by_client(self):
        modules = {module["name"]: module["parameters"] for module in self.json("show")["modules"]}
        return modules["kvm_intel"]

    def read_over_bus(self):
        answer = json.loads(self.host.check(f"busctl --json=short get-property {MODULE} Parameters", user="bob"))
        return {
            name: {key.lower(): value["data"] for key, value in entry.items()} for name, entry in answer["data"].items()
        }

    def sysfs(self):
        text = self.host.check("cd /sys/module/kvm_intel/parameters && grep . *")
        return dict(line.split(":", 1) for line in text.splitlines())

    def offered(self):
        return {name: int(bit) for name, bit in map(str.split, self.host.check(OFFERED).splitlines())}

    def assert_combination(self, asked, read):
        """sysfs, the daemon and the module's own offers agree with the rules; returns the row of
        the table."""
        sysfs, shown, offered = self.sysfs(), read(), self.offered()
        effective = dict(asked, enable_shadow_vmcs=asked["enable_shadow_vmcs"] & asked["nested"])
        for name in BUILT_ON_EPT:
            effective[name] = asked["ept"]

        for name, on in effective.items():
            entry = shown[name]
            self.assertEqual(sysfs[name], "NY"[asked.get(name, on)], name)
            self.assertEqual((entry["value"], entry["effective"]), (sysfs[name], "on" if on else "off"), name)
            self.assertEqual(entry["configured"], str(asked[name]) if name in asked else "", name)
            self.assertEqual(entry["pending"], "")
        for name in SWITCHES:
            self.assertEqual(shown[name]["reason"] != "", effective[name] != asked[name], name)
        if asked["enable_shadow_vmcs"] and not asked["nested"]:
            self.assertIn("nested is off", shown["enable_shadow_vmcs"]["reason"])
        for name in BUILT_ON_EPT:
            self.assertEqual(shown[name]["reason"], "" if asked["ept"] else "It needs ept, which is off")
        for name in OFFERS:
            self.assertEqual(offered[name], effective[name] & asked["nested"], f"{name} as offered to a guest")

        reasons = "; ".join(f"{name}: {shown[name]['reason']}" for name in SWITCHES if shown[name]["reason"])
        offers = " ".join(name for name in OFFERS if offered[name])
        return [words(asked.values()), " ".join(sysfs[name] for name in SWITCHES), words(effective[name] for name in SWITCHES), offers or "nothing", reasons]

    def test_all_combinations(self):
        rows = [["asked", "sysfs", "effective", "a guest is offered", "reason"]]
        last = {}
        try:
            for number in range(16):
                asked = gray(number)
                change = {name: value for name, value in asked.items() if last.get(name) != value}
                set_values, read = (self.set_over_bus, self.read_by_client) if number % 2 else (self.set_by_client, self.read_over_bus)
                before = self.nestvirt.loads()
                self.assertEqual(set_values(change), "applied")
                self.assertNotEqual(self.nestvirt.loads(), before)
                rows.append(self.assert_combination(asked, read))
                last = asked
        finally:
            print_table(rows)
        self.nestvirt.assert_whole()
        self.assertEqual(self.json("reset")["outcome"], "applied")
        sysfs = self.sysfs()
        self.assertEqual([sysfs[name] for name in (*SWITCHES, *BUILT_ON_EPT)], ["Y"] * 8)


def print_table(rows):
    print("\n" + ", ".join(SWITCHES) + ":")
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip(), flush=True)


if __name__ == "__main__":
    unittest.main()
