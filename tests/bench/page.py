# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the page for Cockpit does with ten thousand guests of libvirt's test driver: how long until
it is there, how long it is deaf meanwhile, and what it keeps in memory. On this machine.
"""

import os
import statistics
import sys

from local import BUILD, TESTS, Place
from many_guests import MANY, TestDriver
from rows import Row

os.environ.setdefault("NESTVIRT_BUILD", str(BUILD))
sys.path.insert(0, str(TESTS / "cockpit"))

from browser import Browser  # noqa: E402
from clients import ERROR, GLib, error_name  # noqa: E402
from server import WebServer  # noqa: E402

ROUNDS = 5
# Milliseconds, from the moment that the page was asked for; what takes more than 50 is a stall.
WATCH = """
window.stall = 0;
new PerformanceObserver(list => list.getEntries().forEach(entry => { window.stall = Math.max(window.stall, entry.duration); }))
    .observe({ type: "longtask", buffered: true });
"""
PAINT = "return performance.getEntriesByName('first-contentful-paint')[0].startTime"
SEARCH = """
const search = document.getElementById("search"), before = performance.now();
search.value = "guest99"; search.dispatchEvent(new Event("input"));
return [performance.now() - before, document.querySelectorAll("#guests tbody tr").length];
"""
MIB = 1024 * 1024


def await_guests(place):
    client = place.client()
    try:
        client.call("RefreshGuests", ("t", 0))
    except GLib.Error as error:
        if error_name(error) != ERROR + "TimedOut":
            raise
        await_guests(place)


def visit(browser, folder, place):
    """One session of its own; a tuple of what is measured."""
    folder.mkdir()
    server = WebServer(folder, place.bus.address)
    try:
        browser.driver.get(server.address)
        browser.see(f"{MANY} guests")
        there = browser.run("return performance.now()")
        browser.calm()
        stall, paint = browser.run("return window.stall"), browser.run(PAINT)
        searched, found = browser.run(SEARCH)
        if found != 20:
            raise RuntimeError(f"the search shows {found} guests")
        browser.command("HeapProfiler.collectGarbage")
        return paint, there, stall, searched, browser.run("return performance.memory.usedJSHeapSize") / MIB
    finally:
        browser.driver.get("about:blank")
        server.stop()


def measure():
    with Place() as place:
        place.start_real("amd-epyc-6.1", f"--libvirt={TestDriver(place.folder, MANY).uri}")
        await_guests(place)
        browser = Browser()
        try:
            browser.reset()
            browser.command("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
            rounds = [visit(browser, place.folder / f"visit-{number}", place) for number in range(ROUNDS)]
        finally:
            browser.close()
    paint, there, stall, searched, heap = (statistics.median(column) for column in zip(*rounds, strict=True))
    note = f"{MANY} guests, {ROUNDS} sessions"
    yield Row("page, first paint", paint, goal=2000, absolute=True, digits=0, note=note)
    yield Row("page, all guests there", there, goal=3000, absolute=True, digits=0)
    yield Row("page, longest stall", stall, goal=200, absolute=True, digits=0)
    yield Row("page, search", searched, goal=100, absolute=True, digits=0)
    yield Row("page, heap of the tab", heap, goal=10, absolute=True, unit="MiB", digits=1)
