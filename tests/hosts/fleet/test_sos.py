# SPDX-License-Identifier: LGPL-2.1-or-later
"""A collection that Debian's sos report(1) has made of a host, against what is said on that host:
the same, or unknown."""

import base64
import io
import json
import os
import pathlib
import subprocess
import tarfile
import tempfile
import unittest

import image
import l1
import packages
import payload
from emulator import Host
from nestvirt import Nestvirt

PLUGINS = "host,kernel,kvm,libvirt,processor"
# What sos is written in, as the host has none.
PYTHON = r"(lib)?python3.*|libexpat1|libffi8|libncursesw6|libreadline8|libsqlite3-0|media-types|readline-common"

# What no plugin takes along, and the words for it.
UNKNOWN = {"(QEMU)": "(unknown hypervisor)", "(hypervisor: qemu)": "(hypervisor: unknown)"}
# What only the device itself tells.
OF_DEVICE = {"device", "cpu-sources"}
# What follows from a guest's next start, of which the libvirt there can't be asked.
OF_NEXT_START = {"mmu", "reason"}


def payload_with_sos(folder):
    tree = folder / "tree"
    tree.mkdir()
    packages.unpack(image.release(), ["sosreport"], tree, PYTHON)
    command = ["meson", "install", "-C", payload.build_folder(), "--destdir", tree, "--no-rebuild", "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return payload.from_installed(tree, folder / "payload.tar")


def of_collection(root, verb):
    build = payload.build_folder()
    result = subprocess.run([build / "client/nestvirtctl", f"--root={root}", verb, "--json=short"], stdin=subprocess.DEVNULL,
                            env={**os.environ, "NESTVIRTD": str(build / "daemon/nestvirtd")}, capture_output=True, text=True)
    if result.stderr:
        raise AssertionError(result.stderr)
    return json.loads(result.stdout)


class Sos(unittest.TestCase):
    """A host with a guest that is to have SVM and a parameter that waits for the next boot."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="nestvirt-sos-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.host = Host(payload_with_sos(cls.folder), machine="amd-guests")
        cls.addClassCleanup(cls.host.close)
        cls.host.boot()
        l1.define(cls.host)

    def setUp(self):
        self.nestvirt = Nestvirt(self, self.host)
        self.nestvirt.ctl("set-cpu l1 --nested=yes")
        self.nestvirt.ctl("set npt=off --next-boot")
        self.host.check(f"sos report --batch --build --tmp-dir /root -o {PLUGINS}", timeout=300)
        packed = self.host.check("cd /root && tar c sosreport-* | base64 -w0", timeout=300)
        with tarfile.open(fileobj=io.BytesIO(base64.b64decode(packed))) as archive:
            archive.extractall(self.folder / "sos")

    def live(self, verb, status=0):
        text = self.nestvirt.ctl(f"--json=short {verb}", user="root", status=status).stdout
        for known, unknown in UNKNOWN.items():
            text = text.replace(known, unknown)
        return json.loads(text)

    def assert_same_or_unknown(self, there, here, path=""):
        if isinstance(here, dict):
            self.assertEqual(there.keys(), here.keys(), path)
            for name in here.keys() - (OF_NEXT_START if there.get("next_start") == "unknown" else set()):
                self.assert_same_or_unknown(there[name], here[name], f"{path}/{name}")
        elif isinstance(here, list):
            self.assertEqual(len(there), len(here), path)
            for number, pair in enumerate(zip(there, here)):
                self.assert_same_or_unknown(*pair, f"{path}/{number}")
        elif there != "unknown":
            self.assertEqual(there, here, path)

    def test_same_or_unknown(self):
        root = self.folder / "sos"  # the folder around it does as well
        for verb in ("status", "show", "guests"):
            with self.subTest(verb):
                self.assert_same_or_unknown(of_collection(root, verb), self.live(verb))

        status = of_collection(root, "status")
        self.assertEqual((status["hypervisor"], status["device"], status["nested"]), ("unknown", "unknown", "on"))
        guests = of_collection(root, "guests")["guests"]
        self.assertEqual([(guest["name"], guest["policy"], guest["next_start"]) for guest in guests], [("l1", "require", "unknown")])
        self.assertIn("libvirt", guests[0]["reason"])
        npt = next(m["parameters"]["npt"] for m in of_collection(root, "show")["modules"] if m["name"] == "kvm_amd")
        self.assertEqual((npt["configured"], npt["effective"]), ("0", "on"))

        there, here = ({one["id"]: one for one in findings["findings"] if one["id"] not in OF_DEVICE}
                       for findings in (of_collection(root, "check"), self.live("check")))
        self.assertEqual(there, here)
        self.assertIn("level", here)


if __name__ == "__main__":
    unittest.main()
