# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page over a host that is made of files, to look at and to try, by `./run demo cockpit`.
Nothing of this machine is shown or changed.
"""

import os
import pathlib
import signal
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.setdefault("NESTVIRT_BUILD", str(TESTS.parent / "build")))
# The harness reads them when it is imported.
os.environ.update(NESTVIRTD_FAKE=str(BUILD / "tests/bus/nestvirtd-fake"), HELPER_DIR=str(BUILD / "daemon"),
                  FIXTURES=str(TESTS / "fixtures"))
sys.path.insert(0, str(TESTS / "bus"))

from harness import BusTest  # noqa: E402
from scene import furnish  # noqa: E402
from server import WebServer  # noqa: E402


class Demonstration(BusTest):
    def runTest(self):
        """unittest wants one."""


def main():
    place = Demonstration()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        place.setUp()
        furnish(place)
        server = WebServer(place.folder, place.bus.address)
        place.addCleanup(server.stop)
        print("A host made of files, with guests and a probe; nothing of this machine is shown or changed.")
        print(f"The page: {server.address}")
        print(f"Within Cockpit: {server.origin}/nestvirt")
        print("It serves one visit: when its last page was closed, start it again. Ctrl+C ends it.", flush=True)
        signal.pause()
    except KeyboardInterrupt:
        print()
    finally:
        place.doCleanups()


if __name__ == "__main__":
    main()
