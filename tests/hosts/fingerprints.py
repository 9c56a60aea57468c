# SPDX-License-Identifier: LGPL-2.1-or-later
"""One host with several sets of parameters, as if it were several: what is said of a guest of the
one on the other is what KVM says to a virtual CPU that is given what the one offers
(vcpu-takes.c)."""

import json
import shlex

from payload import build_folder

PROGRAM = "/run/vcpu-takes"


class Fingerprints:
    """Of a test whose class has `module`, and whose host is left as the last set has it."""

    def __init__(self, test):
        self.test, self.host = test, test.host
        program = (build_folder() / "tests/hosts/vcpu-takes").read_bytes()
        self.host.check(f"cat > {PROGRAM}; chmod +x {PROGRAM}", input=program)

    def load(self, options):
        """The modules anew, both of them."""
        module = self.test.nestvirt.vendor
        self.host.check(f"modprobe -r {module} && modprobe {module} {options} && udevadm settle", timeout=120)

    def read(self, options):
        self.load(options)
        text = self.test.ctl("fingerprint --json=short").stdout
        self.host.check(f"cat > {self.path(options)}", input=text.encode())
        return json.loads(text)

    @staticmethod
    def path(options):
        return shlex.quote(f"/run/fingerprint-{options or 'default'}.json")

    def takes(self, ability):
        """By name, whether KVM takes it here and now."""
        words = " ".join(f"{name}={value}" for name, value in ability.items())
        lines = [line.split() for line in self.host.check(f"{PROGRAM} {words}").splitlines()]
        self.test.assertTrue(lines)
        return {name: word == "taken" for word, name in lines}

    def starts(self, features):
        """Whether QEMU starts a guest here and now whose CPU has these features, and what it says;
        no vCPU runs."""
        cpu = ",".join(["base", *(f"+{name}" for name in features), "enforce"])
        machine = "-accel kvm -nodefaults -display none -S -monitor stdio"
        result = self.host.run(f"echo quit | qemu-system-x86_64 {machine} -cpu {cpu}", timeout=120)
        return result.status == 0, result.stderr

    def verdict(self, options):
        """Of a guest of that set, here and now; and the differences."""
        result = self.host.run(f"nestvirtctl compare --json=short {self.path(options)}", user="alice", timeout=120)
        there = json.loads(result.stdout)["first_to_second"]
        return there["verdict"], there["differences"]

    def hold_against_kvm(self, sets):
        """Each pair. Returns the verdicts by the two sets."""
        found = {options: self.read(options) for options in sets}
        verdicts = {}
        for here in sets:
            self.load(here)
            for there in sets:
                verdict, differences = self.verdict(there)
                taken = self.takes(found[there]["ability"])
                print(f"# {there or 'default'} on {here or 'default'}: {verdict}, refused: {[n for n, good in taken.items() if not good]}")
                self.test.assertEqual(verdict in ("identical", "accepts"), all(taken.values()), (there, here, taken, differences))
                verdicts[there, here] = verdict, differences
        return verdicts
