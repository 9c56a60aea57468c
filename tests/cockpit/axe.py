# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rules of accessibility that are looked after by axe-core, of the version and the checksum in
package-lock.json; fetched once with npm, and kept."""

import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "hosts"))

import cache  # noqa: E402

RECIPE = [HERE / "package.json", HERE / "package-lock.json"]
RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ["violations"] }).then(result => done(result.violations.map(rule =>
    [rule.impact, rule.id, rule.nodes.map(node => node.html + " " + node.failureSummary)])));
"""
BAD = ("serious", "critical")


def fetch(folder):
    for path in RECIPE:
        shutil.copy(path, folder)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL)


def folder():
    return cache.get("axe", cache.key(files=RECIPE), fetch)


def source():
    return (folder() / "node_modules/axe-core/axe.min.js").read_text()


def violations(browser):
    """What is serious on the page as it is now."""
    browser.run(source())
    return [[name, nodes] for impact, name, nodes in browser.driver.execute_async_script(RUN) if impact in BAD]
