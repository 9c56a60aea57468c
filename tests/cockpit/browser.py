# SPDX-License-Identifier: LGPL-2.1-or-later
"""A browser that looks at the page.

Owns Chromium, one for all tests of a process, and waiting: the page itself says when what is waited
for is there, by watching its own document.
"""

import json

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By

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
    document.querySelector("#findings li, #findings p") && document.querySelector("#guests:not([hidden])")"""
# Texts that run the other way than what they are written in, as far as both their ends are on one
# line: the place of the first and of the last character.
BACKWARDS = """
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const found = [];
const place = (node, offset) => {
    const range = document.createRange();
    range.setStart(node, offset);
    range.setEnd(node, offset + 1);
    return range.getBoundingClientRect();
};
while (walker.nextNode()) {
    const node = walker.currentNode;
    const text = node.data.trimEnd();
    if (text.length < 2 || !/\\p{L}/u.test(text) || !node.parentElement.checkVisibility()) continue;
    const [first, last] = [place(node, text.search(/\\S/)), place(node, text.length - 1)];
    if (first.width && last.width && Math.abs(first.top - last.top) < 2 && first.left < last.left === /[\\u0590-\\u08ff]/.test(text))
        found.push(text);
}
return found;
"""


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

    def backwards(self):
        return self.run(BACKWARDS)

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
