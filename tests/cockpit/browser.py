# SPDX-License-Identifier: LGPL-2.1-or-later
"""A browser that looks at the page, through Cockpit's own web server and bridge.

Owns Chromium (one for all tests of a process), the web server (one for each page: it serves one
session, and is of no use when that has ended), and waiting: the page itself says when what is
waited for is there, by watching its own document.
"""

import atexit
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "cockpit"
BUILD = pathlib.Path(os.environ["NESTVIRT_BUILD"])
HERE = "127.0.0.1"
WEB_SERVER = "/usr/lib/cockpit/cockpit-ws"
# The release of Debian whose bridge and shell are behind the web server; empty: the machine's.
RELEASE = os.environ.get("COCKPIT_RELEASE", "")
# Generous: nothing waits for it unless it fails.
TIMEOUT = 120

# Calls back as soon as the expression is true, which is looked at each time that the document
# changes.
AWAIT = """
const done = arguments[arguments.length - 1];
const holds = () => { try { return %s; } catch (error) { return null; } };
let value = holds();
if (value) {
    done(value);
} else {
    const observer = new MutationObserver(() => {
        value = holds();
        if (value) {
            observer.disconnect();
            done(value);
        }
    });
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
}
"""
# All has been asked for and is there.
CALM = """!document.querySelector(".spinner") && document.querySelector("#status[aria-busy=false]") &&
    (!document.querySelector("#nested") || document.querySelector("#findings li, #findings p"))"""


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
    shutil.copytree(cache.get("cockpit", f"{RELEASE}-1", fetch), folder, symlinks=True, dirs_exist_ok=True)
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


class Browser:
    """Chromium, with what a test does in it."""

    def __init__(self):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
                     "--force-device-scale-factor=1", "--enable-precise-memory-info", "--js-flags=--expose-gc", "--lang=en-US"):
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Driver("/usr/bin/chromedriver"), options=options)
        self.driver.set_script_timeout(TIMEOUT)
        self.driver.set_page_load_timeout(TIMEOUT)

    def close(self):
        self.driver.quit()

    # What it is

    def command(self, name, /, **arguments):
        return self.driver.execute_cdp_cmd(name, arguments)

    def size(self, width, height=900):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def scheme(self, value):
        """What the system prefers: "light" or "dark"."""
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value},
                                                             {"name": "prefers-reduced-motion", "value": "reduce"}])

    def reset(self):
        """As if nobody had used it."""
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        self.command("Network.clearBrowserCookies")
        self.size(1200)
        self.scheme("light")

    # What is done and seen

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def await_(self, expression, what=None):
        try:
            return self.driver.execute_async_script(AWAIT % expression)
        except TimeoutException:
            raise AssertionError(f"the page does not come to {what or expression}; it says:\n{self.text()}\n{self.errors()}") from None

    def calm(self):
        self.await_(CALM, "rest")

    def see(self, *texts):
        for text in texts:
            self.await_(f"document.body.innerText.includes({json.dumps(text)})", text)

    def miss(self, text):
        """Until it is not there."""
        self.await_(f"!document.body.innerText.includes({json.dumps(text)})", f"be without {text}")

    def text(self, selector="body"):
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def find(self, selector):
        self.await_(f"document.querySelector({json.dumps(selector)})", selector)
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def on(self, selector, action):
        """Does it with an element; once more with that which has taken its place meanwhile."""
        while True:
            try:
                return action(self.find(selector))
            except StaleElementReferenceException:
                continue

    def click(self, selector):
        self.await_(f"document.querySelector({json.dumps(selector)})?.matches(':enabled, :not(button)')", f"{selector} to click at")
        self.on(selector, lambda element: element.click())

    def type(self, selector, text):
        self.on(selector, lambda element: element.send_keys(text))

    def press(self, *keys):
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def focused(self):
        return self.run("return document.activeElement.id || document.activeElement.tagName")

    def errors(self):
        """What our own files complained about."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE" and "/nestvirt/" in entry["message"] and "favicon" not in entry["message"]]

    def picture(self, path):
        """The whole page."""
        size = self.command("Page.getLayoutMetrics")["cssContentSize"]
        self.size(size["width"], size["height"])
        self.driver.save_screenshot(str(path))
        return size["width"], size["height"]
