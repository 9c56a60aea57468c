# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is said of the next start, held against starts: libvirt's answer, and what QEMU has given.

Some of the cases each time, on the machine's libvirt; all of them, and on newer ones as well, in
the tier `verdicts`.
"""

import json
import os
import unittest

import image
import l1
import userland
import verdict_cases
from nestvirt import Nestvirt
from shared import own_host

WHOLE = bool(os.environ.get("NESTVIRT_VERDICTS"))

# What is not under test and takes a slow machine longer than QEMU itself.
CONFIGURATION = """
security_driver = "none"
namespaces = []
cgroup_controllers = []
"""
# Another release's root has not the user whom the host's /dev/kvm is for.
AS_ROOT = """
user = "root"
group = "root"
"""

DEFINE = "for file in /run/verdicts/*.xml; do echo define $file; done | virsh --quiet"

# A line for each: whether it has started, and what QEMU says of svm, or libvirt of why not.
START = """
exec 3<&0 < /dev/null
svm='{"execute": "qom-get", "arguments": {"path": "/machine/unattached/device[0]", "property": "svm"}}'
while read -r name <&3; do
    if said=$(virsh --quiet start --paused "$name" 2>&1 >/dev/null); then
        echo "$name" $(virsh --quiet qemu-monitor-command "$name" "$svm")
        virsh --quiet destroy "$name" >/dev/null
    else
        echo "$name" $said
    fi
done
"""


def truth(said):
    """What a start came to, and the words for it."""
    if not said.startswith("{"):
        return "fails", said.rpartition("error: ")[2]
    has = json.loads(said)["return"]
    return ("yes" if has else "no"), f"svm={str(has).lower()}"


class Verdicts(unittest.TestCase):
    suite = None  # whose libvirt and QEMU it is; None: the machine's
    UNKNOWN = 0.2  # so many at most are not known before they are started

    @classmethod
    def setUpClass(cls):
        cls.host = own_host(machine="amd-guests")
        cls.addClassCleanup(cls.host.finish)
        if cls.suite:
            cls.host.machine.more = userland.get(cls.suite)
        cls.host.boot()
        print(*cls.begin(), sep=", ", flush=True)
        cases = verdict_cases.CASES | (verdict_cases.NEWER if cls.suite else {})
        cls.names = {f"v{number}": words for number, words in enumerate(cases)}
        parts = [f"cat > /run/verdicts/{name}.xml <<'END'\n{verdict_cases.definition(name, cases[words])}END\n"
                 for name, words in cls.names.items()]
        cls.host.check("mkdir /run/verdicts\n" + "".join(parts) + DEFINE, timeout=300)

    @classmethod
    def begin(cls):
        """Start libvirtd; its version."""
        if cls.suite:
            return userland.start(cls.host, CONFIGURATION + AS_ROOT)
        cls.host.check("cat >> /etc/libvirt/qemu.conf", input=CONFIGURATION)
        cls.host.check(l1.UNMASK.format(units=" ".join(image.LIBVIRT)), timeout=120)
        return cls.host.check("libvirtd --version; qemu-system-x86_64 --version | head -n 1").splitlines()

    def setUp(self):
        self.nestvirt = Nestvirt(self, self.host)

    def foretold(self):
        guests = self.nestvirt.json("guests", "alice")["guests"]
        return {guest["name"]: (guest["next_start"], guest["reason"]) for guest in guests}

    def start(self, names):
        lines = self.host.check(START, timeout=1800, input="".join(f"{name}\n" for name in names)).splitlines()
        return {name: truth(said) for name, said in (line.split(" ", 1) for line in lines)}

    def hold_against_starts(self, nested):
        """A verdict is what a start then is; or it is not known, for a reason."""
        wanted = set(self.names.values() if WHOLE else verdict_cases.often(nested))
        names = {name: words for name, words in self.names.items() if words in wanted}
        self.assertEqual(set(names.values()), wanted)
        foretold, found, wrong = self.foretold(), self.start(names), []
        for name, words in names.items():
            (verdict, reason), (came, said) = foretold[name], found[name]
            print(f"{words:34} nested {nested:3}  {verdict:7}  {came:5}  {said}", flush=True)
            if verdict != came and not (verdict == "unknown" and reason):
                wrong.append((words, verdict, reason, came, said))
        self.assertEqual(wrong, [])
        self.assertLess(sum(foretold[name][0] == "unknown" for name in names), len(names) * self.UNKNOWN)

    def settle(self):
        """libvirt looks again at what KVM gives, which takes it long here, and what it says of that
        is taken over in a turn."""
        self.host.check("virsh domcapabilities --virttype kvm", timeout=120)
        self.nestvirt.ctl("set nested=on --dry-run")

    def test_nested_on(self):
        self.settle()
        self.hold_against_starts("on")

    def test_nested_off(self):
        self.addCleanup(self.nestvirt.ctl, "reset")
        self.nestvirt.ctl("set nested=off")
        self.settle()
        self.hold_against_starts("off")


class VerdictsOfTrixie(Verdicts):
    suite = "trixie"


class VerdictsOfTheNewest(Verdicts):
    suite = "sid"


def load_tests(loader, tests, pattern):
    cases = (Verdicts, VerdictsOfTrixie, VerdictsOfTheNewest) if WHOLE else (Verdicts,)
    return unittest.TestSuite(map(loader.loadTestsFromTestCase, cases))


if __name__ == "__main__":
    unittest.main()
