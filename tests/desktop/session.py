# SPDX-License-Identifier: LGPL-2.1-or-later
"""A desktop for one window: a display that nobody sees, and a bus that is that of the session and
of the assistive technologies, by which the window is read and used.

The environment says what the window is, NESTVIRT_WINDOW and TRANSLATED_WINDOW, and where pictures
of it are left, DESKTOP_PICTURES.
"""

import contextlib
import os
import pathlib
import struct
import subprocess
import tempfile
import zlib

from clients import DBUS_ERROR, PROPERTIES, Client, GLib, error_name, wait_for
from harness import BUS_CONFIG

# Of nobody else's session: no settings, no portals, no graphics card.
ENVIRONMENT = {"GDK_BACKEND": "x11", "GSK_RENDERER": "cairo", "GSETTINGS_BACKEND": "memory", "ADW_DISABLE_PORTAL": "1",
               "GDK_DISABLE": "gl,vulkan",
               "GTK_A11Y": "atspi", "LC_ALL": "C.UTF-8", "LANGUAGE": ""}
# Where at-spi2-core says how its registry is started.
SERVICES = "<servicedir>/usr/share/dbus-1/accessibility-services</servicedir>"

APPLICATION = "org.nestvirt1.Window"
REGISTRY = "org.a11y.atspi.Registry"
ROOT = "/org/a11y/atspi/accessible/root"
ACCESSIBLE = "org.a11y.atspi.Accessible"
# As at-spi2 numbers them.
CHECKED, PRESSED, SENSITIVE = 4, 20, 24
PICTURE = (560, 720)  # the window's own size, which it has without a window manager


class Desktop:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="nestvirt-desktop-")
        os.chmod(self.folder.name, 0o777)
        config = f"{self.folder.name}/config"
        with open(config, "w", encoding="utf-8") as stream:
            stream.write(BUS_CONFIG.format(folder=self.folder.name).replace("<auth>", f"{SERVICES}\n<auth>"))
        address = f"unix:path={self.folder.name}/socket"
        environment = {**os.environ, "AT_SPI_BUS_ADDRESS": address, "DBUS_SESSION_BUS_ADDRESS": address}
        # What a bus starts ends with it.
        self.bus = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "dbus-daemon", f"--config-file={config}", "--nofork",
                                     "--print-address"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                    env=environment)
        self.bus.stdout.readline()  # it listens now
        self.display = subprocess.Popen(["Xvfb", "-displayfd", "1", "-screen", "0", "800x1000x24", "-nolisten", "tcp", "-ac",
                                         "-fbdir", self.folder.name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.environment = {**environment, **ENVIRONMENT, "DISPLAY": f":{self.display.stdout.readline().strip()}",
                            "XDG_RUNTIME_DIR": self.folder.name, "HOME": self.folder.name}
        self.reader = Client(address)
        self.reader.call("AddMatch", ("s", "type='signal',interface='org.a11y.atspi.Event.Object'"), destination="org.freedesktop.DBus",
                         path="/org/freedesktop/DBus", interface="org.freedesktop.DBus")
        self.applications()  # which starts the registry

    def german(self):
        """What a German session has. C.UTF-8 would not do: newer C libraries ask LANGUAGE there as
        little as in C."""
        name = "de_DE.UTF-8"
        subprocess.run(["localedef", "--no-archive", "--inputfile=de_DE", "--charmap=UTF-8", f"{self.folder.name}/{name}"], check=True)
        return {"LC_ALL": name, "LOCPATH": self.folder.name}

    def applications(self):
        """Whom assistive technologies know: the names of their connections."""
        return [name for name, _path in self.reader.call("GetChildren", path=ROOT, interface=ACCESSIBLE, destination=REGISTRY)[0]]

    def screen(self):
        """The rows of what there is to see, three bytes a pixel."""
        data = pathlib.Path(self.folder.name, "Xvfb_screen0").read_bytes()
        # XWD: the header's size; and at 12, words on, the bytes of a row; and at 19 the colours.
        header = struct.unpack(">25I", data[:100])
        start, stride, (width, height) = header[0] + 12 * header[19], header[12], PICTURE
        rows = []
        for row in range(height):
            pixels = data[start + row * stride:start + row * stride + 4 * width]
            colours = bytearray(3 * width)
            colours[0::3], colours[1::3], colours[2::3] = pixels[2::4], pixels[1::4], pixels[0::4]
            rows.append(bytes(colours))
        return rows

    def close(self):
        self.reader.close()
        for process in (self.display, self.bus):
            process.kill()
            process.wait()
            process.stdout.close()
        self.folder.cleanup()


def png(rows):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">2I5B", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


class Changed(Exception):
    """The window has changed while it was looked at."""


class Window:
    """The program, and what a screen reader knows of it: each thing by its role and its name."""

    def __init__(self, test, desktop, address, user=None, program="NESTVIRT_WINDOW", **environment):
        self.desktop, self.log = desktop, test.folder / "window.log"
        with open(self.log, "w", encoding="utf-8") as stream:
            self.process = subprocess.Popen([os.environ[program]], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                                            user=user, env={**desktop.environment, "DBUS_SYSTEM_BUS_ADDRESS": address, **environment})
        test.addCleanup(self.close)
        self.wait(desktop.applications, "the window to be known")
        [self.name] = desktop.applications()

    def close(self):
        """The next one would otherwise be this one's second instance, or be taken for it."""
        self.process.kill()
        self.process.wait()
        self.desktop.reader.wait_gone(APPLICATION)
        self.wait(lambda: not self.desktop.applications(), "the window to be forgotten")

    def _ask(self, paths, member, arguments=None, interface=ACCESSIBLE):
        """The first of the values that each of these answers, who are all asked at once."""
        asked = [self.desktop.reader.start(member, arguments, path=path, interface=interface, destination=self.name) for path in paths]
        wait_for(lambda: all(one.done for one in asked), f"{member} of {len(paths)} things")
        try:
            return [one.result()[0] for one in asked]
        except GLib.Error as error:
            if error_name(error) not in (DBUS_ERROR + "UnknownMethod", DBUS_ERROR + "UnknownObject"):
                raise  # the window has ended
            raise Changed from error

    def _look(self):
        found, below = [], [ROOT]
        while below:
            below = [path for children in self._ask(below, "GetChildren") for _bus, path in children]
            names = self._ask(below, "Get", ("ss", ACCESSIBLE, "Name"), PROPERTIES)
            # Newer GTK tells a button that stays pressed from others.
            found += zip((role.removeprefix("toggle ") for role in self._ask(below, "GetRoleName")), names, below)
        return found

    def things(self):
        """(role, name, path) of all that there is now."""
        while True:
            with contextlib.suppress(Changed):
                return self._look()

    def find(self, role, name):
        return next((path for has, called, path in self.things() if (has, called) == (role, name)), None)

    def texts(self):
        return [name for _role, name, _path in self.things() if name]

    def wait(self, condition, what):
        """Events of assistive technologies don't tell everything: it is looked now and then."""
        def holds():
            try:
                return condition()
            except Changed:
                return False  # looked at once more

        ticking = GLib.timeout_add(200, lambda: True)
        try:
            wait_for(holds, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; there are: {[thing[:2] for thing in self.things()]}\n{self.log.read_text()}") from error
        finally:
            GLib.source_remove(ticking)

    def wait_for_text(self, text):
        self.wait(lambda: any(text in shown for shown in self.texts()), f"\"{text}\"")

    def has(self, role, name, state):
        path = self.find(role, name)
        return bool(path) and bool(self._ask([path], "GetState")[0][0] >> state & 1)

    def _pressed(self, role, name):
        path = self.find(role, name)
        return bool(path) and self._ask([path], "DoAction", ("i", 0), "org.a11y.atspi.Action")[0]

    def press(self, role, name):
        """One that can't be pressed says so."""
        self.wait(lambda: self._pressed(role, name), f"the {role} \"{name}\" to be pressed")

    def write(self, path, text):
        self._ask([path], "SetTextContents", ("s", text), "org.a11y.atspi.EditableText")

    def picture(self, name):
        """Left for people, when what is seen stands still."""
        seen = [None]

        def still():
            seen.append(self.desktop.screen())
            return seen[-1] == seen.pop(0)

        self.wait(still, "the window to stand still")
        folder = pathlib.Path(os.environ["DESKTOP_PICTURES"])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.png").write_bytes(png(seen[-1]))
        return seen[-1]
