# SPDX-License-Identifier: LGPL-2.1-or-later
"""A package of Debian made anew with a higher version, to have something to upgrade to."""

import pathlib
import re
import subprocess
import tempfile


def make(package, target):
    with tempfile.TemporaryDirectory() as tree:
        subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
        control = pathlib.Path(tree, "DEBIAN/control")
        control.write_text(re.sub(r"^(Version: .*)$", r"\1+1", control.read_text(), flags=re.M))
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, target], check=True, stdout=subprocess.DEVNULL)
    return target
