# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ten thousand guests of libvirt's test driver, all the way to what nestvirtctl prints: none is
lost, and one that changes is one signal.

The environment says how many: MANY.
"""

import os
import random
import re
import uuid

from clients import ERROR, GUEST, OBJECT_MANAGER, GLib, error_name, guest_path
from ctl import run
from harness import BusTest
from tap import main

MANY = int(os.environ["MANY"])
# In no order, and not in that of their names.
GUESTS = {str(uuid.UUID(int=number * 2 ** 64 + 1)): f"guest{number}" for number in random.Random(1).sample(range(MANY), MANY)}
DOMAIN = """<domain type='test'><name>{}</name><uuid>{}</uuid><memory>8192</memory><vcpu>1</vcpu><os><type arch='x86_64'>hvm</type></os>
<cpu mode='custom' match='exact'><model>EPYC</model><feature policy='disable' name='svm'/></cpu></domain>"""


class Many(BusTest):
    def setUp(self):
        super().setUp()
        node = self.folder / "node.xml"
        node.write_text("<node>" + "".join(DOMAIN.format(name, identity) for identity, name in GUESTS.items()) + "</node>")
        self.start_real("amd-epyc-6.1", f"--libvirt=test://{node}")
        self.observer = self.client()
        self.await_libvirt()
        self.observer.watch()

    def await_libvirt(self):
        """The daemon serves after some seconds, whether libvirt has told of all of them or not;
        this is answered when it has."""
        try:
            self.observer.call("RefreshGuests", ("t", 0))
        except GLib.Error as error:
            self.assertEqual(error_name(error), ERROR + "TimedOut")
            self.await_libvirt()

    def ctl(self, *arguments):
        result = run(*arguments, address=self.bus.address)
        self.assertEqual((result.status, result.err), (0, ""))
        return result

    def look_at_all(self):
        names = sorted(GUESTS.values())
        lines = self.ctl("guests").out.splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["GUEST", *names])
        self.assertEqual({re.sub(r"^guest\d+ +", "", line) for line in lines[1:]}, {"running  custom EPYC  disable  no          no   no"})
        told = self.ctl("--json=short", "guests").json["guests"]
        self.assertEqual([guest["name"] for guest in told], names)
        self.assertEqual({guest["uuid"]: guest["name"] for guest in told}, GUESTS)
        self.assertRegex(self.ctl("status").out, rf"(?m)^ +Guests: {MANY}, {MANY} running$")

        objects = self.observer.call("GetManagedObjects", interface=OBJECT_MANAGER)[0]
        self.assertEqual({interfaces[GUEST]["Uuid"]: interfaces[GUEST]["Name"] for interfaces in objects.values() if GUEST in interfaces},
                         GUESTS)

    def change_one(self):
        """Neither all of them that are read again and are the same, nor the event that follows the
        change, is a signal."""
        identity = next(iter(GUESTS))
        self.await_libvirt()
        self.observer.call("SetCpu", ("a{sv}t", {"Model": GLib.Variant("s", "Opteron_G2")}, 0), path=guest_path(identity), interface=GUEST)
        self.observer.call("Refresh", ("t", 0))
        self.await_libvirt()  # behind what Refresh has begun
        self.observer.call("GetGuest", ("s", identity))  # behind what libvirt's event has begun meanwhile
        signals = self.observer.signals()
        self.assertEqual([(m.member, m.path, m.body[1].get("CpuModel")) for m in signals],
                         [("PropertiesChanged", guest_path(identity), "Opteron_G2")])

    def test_many(self):
        self.look_at_all()
        self.change_one()


if __name__ == "__main__":
    main()
