# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ten thousand guests of libvirt's test driver, seen by the library: as rows, as objects, and the
one that changes.

The environment says how many: MANY.
"""

import os
import uuid

import gi

from clients import ERROR, NAME, PATH, Gio, GLib, error_name, guest_path, wait_for
from harness import BusTest
from tap import main

gi.require_version("Nestvirt", "1.0")
from gi.repository import Nestvirt  # noqa: E402

MANY = int(os.environ["MANY"])
GUESTS = {str(uuid.UUID(int=number * 2 ** 64 + 1)): f"guest{number:05}" for number in range(MANY)}
DOMAIN = """<domain type='test'><name>{}</name><uuid>{}</uuid><memory>8192</memory><vcpu>1</vcpu><os><type arch='x86_64'>hvm</type></os>
<cpu mode='custom' match='exact'><model>EPYC</model></cpu></domain>"""
QUIET = Gio.DBusCallFlags.NONE


class Many(BusTest):
    def setUp(self):
        super().setUp()
        node = self.folder / "node.xml"
        node.write_text("<node>" + "".join(DOMAIN.format(name, identity) for identity, name in GUESTS.items()) + "</node>")
        self.start_real("amd-epyc-6.1", f"--libvirt=test://{node}")
        # Of the library's own: the tests' clients keep, and take apart, each message.
        self.connection = Gio.DBusConnection.new_for_address_sync(
            self.bus.address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        self.manager = Nestvirt.ManagerProxy.new_sync(self.connection, Gio.DBusProxyFlags.NONE, NAME, PATH, None)

    def rows(self):
        """When libvirt has told of all of them, for which the daemon waits some seconds each time
        that it is asked."""
        while True:
            try:
                return self.manager.call_list_guests_sync(0, QUIET, GLib.MAXINT, None).unpack()
            except GLib.Error as error:
                self.assertEqual(error_name(error), ERROR + "TimedOut")

    def test_many(self):
        self.assertEqual([(path, name, active) for path, name, active, *_ in self.rows()],
                         [(guest_path(identity), name, True) for identity, name in GUESTS.items()])
        client = Nestvirt.ObjectManagerClient.new_sync(self.connection, Gio.DBusObjectManagerClientFlags.NONE, NAME, PATH, None)
        guests = {found.get_object_path(): found.get_guest() for found in client.get_objects() if found.get_guest()}
        self.assertEqual({path: guest.props.name for path, guest in guests.items()},
                         {guest_path(identity): name for identity, name in GUESTS.items()})

        changed = []
        for guest in guests.values():
            guest.connect("notify::cpu-model", lambda proxy, _: changed.append(proxy.props.g_object_path))
        last = guests[guest_path(list(GUESTS)[-1])]
        answer = last.call_set_cpu_sync(GLib.Variant("a{sv}", {"Model": GLib.Variant("s", "Opteron_G2")}), 0, QUIET, GLib.MAXINT, None)
        self.assertEqual(answer.unpack()["Outcome"], "applied")
        wait_for(lambda: last.props.cpu_model == "Opteron_G2", "the other model")
        self.manager.call_refresh_guests_sync(0, QUIET, GLib.MAXINT, None)
        self.assertEqual(changed, [last.props.g_object_path])


if __name__ == "__main__":
    main()
