# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the measurements on this machine stand on: the build tree, and the harness of the bus tests,
outside of any test. It measures nothing.
"""

import os
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("NESTVIRT_BUILD") or TESTS.parent / "build")
# The harness reads them when it is imported.
os.environ.update(NESTVIRTD=str(BUILD / "daemon/nestvirtd"), HELPER_DIR=str(BUILD / "daemon"),
                  FIXTURES=str(TESTS / "fixtures"))
sys.path.insert(0, str(TESTS / "bus"))

from harness import FIXTURES, TIMEOUT, BusTest  # noqa: E402, F401


class Place(BusTest):
    """A folder, a bus, and daemons, for as long as the `with` lasts."""

    def runTest(self):
        """unittest wants one."""

    def __enter__(self):
        self.setUp()
        return self

    def __exit__(self, *_unused):
        self.doCleanups()
