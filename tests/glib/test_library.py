# SPDX-License-Identifier: LGPL-2.1-or-later
"""libnestvirt-glib from Python and from C, against the daemon: what a client of it sees, does, is
told and is refused; and that the daemon itself is built without it.

The environment says where its parts are: GI_TYPELIB_PATH, LD_LIBRARY_PATH, GLIB_CALLER.
"""

import os
import pathlib
import subprocess

import gi

from clients import DBUS_ERROR, ERROR, NAME, NOBODY, PATH, WHEN_IDLE, Gio, GLib, guest_path, module_path, wait_for
from harness import BusTest
from polkit import CHALLENGE, POLKIT
from tap import main

gi.require_version("Nestvirt", "1.0")
from gi.repository import Nestvirt  # noqa: E402

ONE = "3b5b08e4-3dca-4ff9-9a1d-40389758d081"
OFF = GLib.Variant("a{sa{ss}}", {"kvm_amd": {"nested": "off"}})
QUIET, ASK = Gio.DBusCallFlags.NONE, Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION


class Library(BusTest):
    def setUp(self):
        super().setUp()
        self.guest(ONE, name="web1", defined="host-passthrough")
        self.daemon = self.start_fake("--guests")

    def objects(self):
        return Nestvirt.ObjectManagerClient.new_sync(self.client().connection, Gio.DBusObjectManagerClientFlags.NONE, NAME, PATH, None)

    def manager(self, uid=0):
        return Nestvirt.ManagerProxy.new_sync(self.client(uid).connection, Gio.DBusProxyFlags.NONE, NAME, PATH, None)

    def caller(self, *words, uid=0):
        environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.bus.address}
        return subprocess.Popen([os.environ["GLIB_CALLER"], *words], env=environment, user=uid, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, text=True)

    def said(self, *words, uid=0):
        """The status and the lines of a run that ends by itself."""
        process = self.caller(*words, uid=uid)
        return process.communicate()[0].splitlines(), process.returncode

    def polkit(self):
        return self.service(POLKIT, {"CheckAuthorization": lambda request: CHALLENGE, "CancelCheckAuthorization": lambda request: ()})


class FromPython(Library):
    def test_list(self):
        client = self.objects()
        found = {found.get_object_path(): found for found in client.get_objects()}
        self.assertEqual(set(found), {module_path("kvm"), module_path("kvm_amd"), guest_path(ONE)})
        module = found[module_path("kvm_amd")].get_module()
        self.assertEqual((module.props.name, module.props.state), ("kvm_amd", "live"))
        self.assertEqual(module.props.parameters.unpack()["nested"]["Effective"], "on")
        guest = found[guest_path(ONE)].get_guest()
        self.assertEqual((guest.props.name, guest.props.type, guest.props.next_start), ("web1", "kvm", "yes"))
        self.assertEqual(self.manager().props.nested, "on")

    def test_set(self):
        client, manager, seen = self.objects(), self.manager(), []
        module = client.get_object(module_path("kvm_amd")).get_module()
        manager.connect("notify::nested", lambda proxy, _: seen.append(proxy.props.nested))
        module.connect("notify::parameters", lambda proxy, _: seen.append(proxy.props.parameters.unpack()["nested"]["Source"]))

        def on_answer(proxy, result):
            seen.append(proxy.call_set_parameters_finish(result).unpack()["Outcome"])

        manager.call_set_parameters(OFF, 0, QUIET, -1, None, on_answer)
        wait_for(lambda: len(seen) == 3, "the answer and what is told")
        self.assertEqual(set(seen), {"off", "applied", "/etc/modprobe.d/zz-nestvirt.conf:3"})
        self.assertEqual(self.value("kvm_amd", "nested"), "0")

    def test_signal(self):
        self.hold(1234)
        self.client().call("Refresh", ("t", 0))
        client, finished = self.objects(), []
        module = client.get_object(module_path("kvm_amd")).get_module()
        module.connect("change-finished", lambda _, *arguments: finished.append(arguments))
        answer = self.manager().call_set_parameters_sync(OFF, WHEN_IDLE, QUIET, -1, None)
        self.assertEqual(answer.unpack()["Outcome"], "deferred")
        wait_for(lambda: module.props.pending.unpack() == {"nested": "0"}, "what waits")
        module.call_cancel_pending_sync(0, QUIET, -1, None)
        wait_for(lambda: finished, "the end of it")
        self.assertEqual([(parameters.unpack(), *rest) for parameters, *rest in finished], [({"nested": "0"}, "configured", "")])

    def test_error(self):
        with self.refused(ERROR + "NoSuchParameter", "nestet"):
            self.manager().call_set_parameters_sync(GLib.Variant("a{sa{ss}}", {"kvm_amd": {"nestet": "1"}}), 0, QUIET, -1, None)

    def test_polkit_may_ask(self):
        polkit, manager = self.polkit(), self.manager(NOBODY)
        with self.refused(DBUS_ERROR + "InteractiveAuthorizationRequired", "manage-modules"):
            manager.call_set_parameters_sync(OFF, 0, QUIET, -1, None)
        with self.refused(DBUS_ERROR + "AccessDenied", "password"):
            manager.call_set_parameters_sync(OFF, 0, ASK, -1, None)
        self.assertEqual([request.arguments[3] for request in polkit.asked("CheckAuthorization")], [0, 1])

    def test_restart(self):
        """As the README says: the client has other objects, and what was kept is of no use."""
        client, manager = self.objects(), self.manager()
        kept = client.get_object(module_path("kvm_amd")).get_module()
        self.stop(self.daemon)
        wait_for(lambda: not manager.props.g_name_owner and not client.get_objects(), "the service to be gone")
        self.assertIsNone(manager.props.nested)
        (self.host / "sys/module/kvm_amd/parameters/nested").write_text("0\n")
        self.start_fake("--guests")
        wait_for(lambda: manager.props.nested and client.get_object(module_path("kvm_amd")), "the service")
        self.assertEqual(manager.props.nested, "off")
        again = client.get_object(module_path("kvm_amd")).get_module()
        self.assertEqual(again.props.parameters.unpack()["nested"]["Effective"], "off")
        self.assertEqual(kept.props.parameters.unpack()["nested"]["Effective"], "on")


class FromC(Library):
    def test_list(self):
        self.assertEqual((sorted(self.said("list")[0])), ["guest web1 yes", "module kvm live", "module kvm_amd live"])

    def test_set_and_error(self):
        self.assertEqual(self.said("set", "kvm_amd", "nested", "off", "0"), (["applied"], 0))
        self.assertEqual(self.value("kvm_amd", "nested"), "0")
        lines, status = self.said("set", "kvm_amd", "nested", "seven", "0")
        self.assertEqual((lines[0], status), (ERROR + "InvalidValue", 1))
        self.assertIn("seven", lines[1])
        self.assertNotIn("GDBus", lines[1])

    def test_signals(self):
        self.hold(1234)
        self.client().call("Refresh", ("t", 0))
        watching = self.caller("watch")
        self.addCleanup(watching.stdout.close)
        self.addCleanup(watching.wait)
        self.addCleanup(watching.kill)
        self.assertEqual(watching.stdout.readline(), "on\n")
        self.assertEqual(self.said("set", "kvm_amd", "nested", "off", str(WHEN_IDLE)), (["deferred"], 0))
        self.release(1234)
        self.client().call("Refresh", ("t", 0))
        self.assertEqual(watching.stdout.readlines(), ["off\n", "finished applied\n"])
        self.assertEqual(watching.wait(), 0)

    def test_polkit_may_ask(self):
        polkit = self.polkit()
        for words, name in ((("0",), "InteractiveAuthorizationRequired"), (("0", "ask"), "AccessDenied")):
            lines, status = self.said("set", "kvm_amd", "nested", "off", *words, uid=NOBODY)
            self.assertEqual((lines[0], status), (DBUS_ERROR + name, 1))
        self.assertEqual([request.arguments[3] for request in polkit.asked("CheckAuthorization")], [0, 1])


class Apart(BusTest):
    def test_nothing_is_linked_with_it(self):
        """Neither what is installed to run, nor what it opens later."""
        build = pathlib.Path(os.environ["NESTVIRT_BUILD"])
        programs = [path for folder in ("daemon", "client", "client/modules") for path in (build / folder).glob("nestvirt*")
                    if path.is_file() and os.access(path, os.X_OK)]
        self.assertLessEqual({"nestvirtd", "nestvirtctl", "nestvirt-device", "nestvirt-libvirt.so"}, {path.name for path in programs})
        for path in programs:
            needed = subprocess.run(["objdump", "-p", path], check=True, capture_output=True, text=True).stdout
            for library in ("nestvirt-glib", "libgio", "libgtk", "libadwaita"):
                self.assertNotIn(library, needed, path.name)


if __name__ == "__main__":
    main()
