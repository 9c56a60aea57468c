# SPDX-License-Identifier: LGPL-2.1-or-later
"""A desktop for one window: a display that nobody sees, and a bus that is that of the session and
of the assistive technologies, by which the window is read and used.

The environment says what the window is: NESTVIRT_WINDOW. There is one desktop in a process, as
libatspi has one bus.
"""

import os
import subprocess
import tempfile

import gi

from clients import GLib, wait_for
from harness import BUS_CONFIG

# Of nobody else's session: no settings, no portals, no graphics card.
ENVIRONMENT = {"GDK_BACKEND": "x11", "GSK_RENDERER": "cairo", "GSETTINGS_BACKEND": "memory", "ADW_DISABLE_PORTAL": "1",
               "GTK_A11Y": "atspi", "LC_ALL": "C.UTF-8"}
# Where at-spi2-core says how its registry is started.
SERVICES = "<servicedir>/usr/share/dbus-1/accessibility-services</servicedir>"


class Desktop:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="nestvirt-desktop-")
        os.chmod(self.folder.name, 0o777)
        config = f"{self.folder.name}/config"
        with open(config, "w", encoding="utf-8") as stream:
            stream.write(BUS_CONFIG.format(folder=self.folder.name).replace("<auth>", f"{SERVICES}\n<auth>"))
        address = f"unix:path={self.folder.name}/socket"
        os.environ.update(AT_SPI_BUS_ADDRESS=address, DBUS_SESSION_BUS_ADDRESS=address)
        # What a bus starts ends with it.
        self.bus = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "dbus-daemon", f"--config-file={config}", "--nofork",
                                     "--print-address"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.bus.stdout.readline()  # it listens now
        self.display = subprocess.Popen(["Xvfb", "-displayfd", "1", "-screen", "0", "800x1000x24", "-nolisten", "tcp", "-ac"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.environment = {**os.environ, **ENVIRONMENT, "DISPLAY": f":{self.display.stdout.readline().strip()}",
                            "XDG_RUNTIME_DIR": self.folder.name, "HOME": self.folder.name}
        gi.require_version("Atspi", "2.0")
        from gi.repository import Atspi
        self.atspi = Atspi
        Atspi.init()

    def close(self):
        for process in (self.display, self.bus):
            process.kill()
            process.wait()
            process.stdout.close()
        self.folder.cleanup()


class Window:
    """The program, and what a screen reader knows of it: each thing by its role and its name."""

    def __init__(self, test, desktop, address, user=None, **environment):
        self.atspi, self.log = desktop.atspi, test.folder / "window.log"
        with open(self.log, "w", encoding="utf-8") as stream:
            self.process = subprocess.Popen([os.environ["NESTVIRT_WINDOW"]], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                                            user=user, env={**desktop.environment, "DBUS_SYSTEM_BUS_ADDRESS": address, **environment})
        test.addCleanup(self.process.wait)
        test.addCleanup(self.process.kill)

    def _below(self, thing, depth=40):
        try:
            yield thing
            for index in range(thing.get_child_count() if depth else 0):
                child = thing.get_child_at_index(index)
                if child:
                    yield from self._below(child, depth - 1)
        except GLib.Error:
            pass  # it has gone meanwhile

    def things(self):
        """(role, name, it) of all that there is now."""
        found = []
        for thing in self._below(self.atspi.get_desktop(0)):
            try:
                found.append((thing.get_role_name(), thing.get_name() or "", thing))
            except GLib.Error:
                pass
        return found

    def find(self, role, name):
        return next((thing for has, called, thing in self.things() if (has, called) == (role, name)), None)

    def texts(self):
        return [name for _role, name, _thing in self.things() if name]

    def wait(self, condition, what):
        """Events of assistive technologies don't tell everything: it is looked now and then."""
        ticking = GLib.timeout_add(100, lambda: True)
        try:
            wait_for(condition, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; there are: {[(role, name) for role, name, _ in self.things()]}\n{self.log.read_text()}") from error
        finally:
            GLib.source_remove(ticking)

    def wait_for_text(self, text):
        self.wait(lambda: any(text in shown for shown in self.texts()), f"\"{text}\"")

    def has(self, role, name, state):
        try:
            thing = self.find(role, name)
            return bool(thing) and thing.get_state_set().contains(state)
        except GLib.Error:
            return False  # it has gone meanwhile

    def _pressed(self, role, name):
        try:
            return self.has(role, name, self.atspi.StateType.SENSITIVE) and self.atspi.Action.do_action(self.find(role, name), 0)
        except (GLib.Error, TypeError):
            return False  # likewise: rows are made anew

    def press(self, role, name):
        self.wait(lambda: self._pressed(role, name), f"the {role} \"{name}\" to be pressed")
