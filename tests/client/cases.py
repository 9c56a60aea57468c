# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host as somebody has told of it: a fixture with a few files changed, and what nestvirtctl has
to say there."""

import re
import shutil

from ctl import run
from harness import FIXTURES, BusTest, write

INTEL, AMD = "intel-skylake-server", "amd-zen2"


class Case(BusTest):
    """A copy of a fixture, edited before the daemon starts."""

    def begin(self, fixture):
        shutil.copytree(FIXTURES / fixture, self.host, symlinks=True)

    def write(self, path, text):
        write(self.host / path, text)

    def remove(self, *paths):
        for path in paths:
            target = self.host / path
            if target.is_dir():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)

    def without(self, flag):
        """The CPU is not given vmx or svm."""
        path = self.host / "proc/cpuinfo"
        text = path.read_text().replace(f" {flag} ", " ")
        path.write_text(re.sub(r"^vmx flags.*\n", "", text, flags=re.M) if flag == "vmx" else text)

    def build_in(self, *modules):
        """As sysfs shows a module that is part of the kernel."""
        for module in modules:
            self.remove(*(f"sys/module/{module}/{name}" for name in ("refcnt", "initstate", "taint", "holders")))
        self.remove("lib/modules")

    def ctl(self, *arguments, status=0):
        if not self.daemons:
            self.start_real("")
        result = run(*arguments, address=self.bus.address)
        self.assertEqual(result.status, status, result)
        return result

    def findings(self, status=0):
        """Id -> (status, message, fix); of several the last."""
        found = self.ctl("check", "--json", status=status).json["findings"]
        return {f["id"]: (f["status"], f["message"], f["fix"]) for f in found}
