# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cockpit with the page in it: its own web server and bridge, one of each for each page: they serve
one session, and are of no use when that has ended.
"""

import atexit
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "cockpit"
BUILD = pathlib.Path(os.environ["NESTVIRT_BUILD"])
HERE = "127.0.0.1"
WEB_SERVER = "/usr/lib/cockpit/cockpit-ws"
# The release of Debian whose bridge and shell are behind the web server; empty: the machine's.
RELEASE = os.environ.get("COCKPIT_RELEASE", "")


def fetch(folder):
    import packages
    packages.unpack(RELEASE, ["cockpit-bridge", "cockpit-system"], folder)


def cockpit():
    """The bridge as a command, and the folder of Cockpit's own pages. A newer bridge is Python, and
    runs beneath an older web server."""
    if not RELEASE:
        return ["/usr/bin/cockpit-bridge"], "/usr/share"
    sys.path.insert(0, str(SOURCES.parent / "tests/hosts"))
    import cache
    # Not in the cache, where others than its owner may not look.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cockpit-"))
    atexit.register(shutil.rmtree, folder)
    shutil.copytree(cache.get("cockpit", RELEASE, fetch), folder, symlinks=True, dirs_exist_ok=True)
    folder.chmod(0o755)
    modules = folder / "usr/lib/python3/dist-packages"
    return ["env", f"PYTHONPATH={modules}", "/usr/bin/python3", "-m", "cockpit.bridge"], folder / "usr/share"


BRIDGE, PAGES = cockpit()


def install(folder):
    """The page beneath @folder/share, as Cockpit finds it."""
    page = folder / "share/cockpit/nestvirt"
    page.mkdir(parents=True)
    for path in [*SOURCES.glob("*.js"), *SOURCES.glob("*.css"), *SOURCES.glob("*.html"), *(BUILD / "cockpit").glob("po.*.js")]:
        shutil.copy(path, page)
    manifest = (SOURCES / "manifest.json").read_text()
    (page / "manifest.json").write_text(manifest.replace("@DATADIR@", str(folder / "share")))
    activation = folder / "share/dbus-1/system-services/org.nestvirt1.service"
    activation.parent.mkdir(parents=True)
    activation.touch()
    return folder / "share"


class WebServer:
    """cockpit-ws with one session, whose bridge finds @bus as the system's. It is handed its
    socket, so that it can be visited at once."""

    def __init__(self, folder, bus, bridge=BRIDGE, share=None):
        self.share = share or install(folder)
        home = folder / "home"
        home.mkdir(exist_ok=True)
        home.chmod(0o777)
        session = folder / "session"
        session.write_text("#!/bin/sh\nexec " + " ".join(bridge) + "\n")
        session.chmod(0o755)
        listener = socket.create_server((HERE, 0))
        self.port = listener.getsockname()[1]
        environment = {
            **os.environ, "DBUS_SYSTEM_BUS_ADDRESS": bus, "DBUS_SESSION_BUS_ADDRESS": bus, "SSH_AUTH_SOCK": "/dev/null",
            "XDG_DATA_DIRS": f"{self.share}:{PAGES}", "XDG_RUNTIME_DIR": str(home), "HOME": str(home), "LANG": "C.UTF-8", "LISTEN_FDS": "1",
        }
        start = f'exec 3<&{listener.fileno()}; LISTEN_PID=$$ exec "$@"'
        self.log = folder / "cockpit-ws.log"
        with open(self.log, "a", encoding="utf-8") as stream:
            self.process = subprocess.Popen(
                ["bash", "-c", start, "bash", WEB_SERVER, f"--local-session={session}", "--no-tls"],
                env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, pass_fds=[listener.fileno()])
        listener.close()

    @property
    def origin(self):
        return f"http://{HERE}:{self.port}"

    @property
    def address(self):
        """Of the page alone, without Cockpit's menus around it."""
        return f"{self.origin}/cockpit/@localhost/nestvirt/index.html"

    def stop(self):
        self.process.terminate()
        self.process.wait()
