# SPDX-License-Identifier: LGPL-2.1-or-later
"""README's pictures are those of the page as it is: made anew, they are as large, and the page says
the same.

What differs is written where artefacts are kept; to take it over: COCKPIT_RENEW=yes.
"""

import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys

from clients import WHEN_IDLE
from pages import ARTEFACTS, PageTest
from scene import furnish
from server import SOURCES
from tap import main

LICENCE = "SPDX-License-Identifier: LGPL-2.1-or-later"
TAKE_OVER = "COCKPIT_RENEW=yes meson test -C build cockpit-readme"
KEPT = SOURCES / "pictures"
RENEW = bool(os.environ.get("COCKPIT_RENEW"))
FOLDER = pathlib.Path(ARTEFACTS) / "here"


def size(path):
    """Width and height, which a PNG has in its first chunk."""
    return struct.unpack(">II", path.read_bytes()[16:24])


class Readme(PageTest):
    def setUp(self):
        super().setUp()
        furnish(self)
        self.hold(1234)
        self.client().set({"kvm_amd": {"nested": "0"}}, WHEN_IDLE)
        self.browser.command("Emulation.setTimezoneOverride", timezoneId="UTC")
        self.browser.size(1000)

    def same(self, name, measure):
        made = FOLDER / f"readme-{name}"
        if RENEW:
            shutil.copy(made, KEPT / name)
        self.assertEqual(measure(made), measure(KEPT / name), f"{made} differs from {KEPT / name}; if it is right: {TAKE_OVER}")

    def test_pictures(self):
        self.show()
        self.browser.see("Changes pending", "web-02")
        self.picture("readme-light")
        text = "\n".join(" ".join(line.split()) for line in self.browser.text().splitlines() if line.strip())
        (FOLDER / "readme-page.txt").write_text(f"{LICENCE}\n\n{text}\n")
        self.browser.scheme("dark")
        self.browser.await_("document.documentElement.classList.contains('dark')", "darkness")
        self.picture("readme-dark")
        self.same("page.txt", pathlib.Path.read_text)
        self.same("light.png", size)
        self.same("dark.png", size)

class Demonstration(PageTest):
    def test_it_says_where_to_look(self):
        demo = pathlib.Path(__file__).with_name("demo.py")
        process = subprocess.Popen([sys.executable, demo], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        address = next(line.split()[-1] for line in process.stdout if line.startswith("The page: "))
        self.browser.driver.get(address)
        self.browser.calm()
        self.browser.see("Guests started now can run virtual machines.", "esxi-lab")
        self.browser.click("#nested")
        self.browser.await_("document.querySelector('#dialog-do:enabled')", "a plan")
        self.browser.click("#dialog-do")
        self.browser.see("Guests started now cannot run virtual machines.")
        self.browser.driver.get("about:blank")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(), 0)


if __name__ == "__main__":
    main()
