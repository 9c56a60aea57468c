# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirtctl labels: a feature file of Node Feature Discovery's, read as its documentation says
that it is read, of every fixture."""

import re

from cases import AMD
from ctl import run
from harness import FIXTURES, BusTest, write
from tap import main
from test_fingerprint import OFFERED

# Of a feature file (Customization guide, Local feature source), and of a label's name and value in
# Kubernetes.
SIZE_MAX = 64 * 1024
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")


def parse(text):
    """Label -> value; what the rules do not allow is an error."""
    assert len(text.encode()) <= SIZE_MAX and text.endswith("\n")
    labels = {}
    for line in text.splitlines():
        if line.startswith("#"):
            assert not line.startswith("# +"), line  # a directive
            continue
        key, _, value = line.partition("=")
        domain, _, name = key.partition("/")
        assert DOMAIN.fullmatch(domain) and NAME.fullmatch(name) and VALUE.fullmatch(value), line
        assert key not in labels, line
        labels[key] = value or "true"
    return labels


class Labels(BusTest):
    def read(self):
        result = run("labels", address=self.bus.address)
        self.assertEqual((result.status, result.err), (0, ""), result)
        return {name.removeprefix("nestvirt.org/"): value for name, value in parse(result.out).items()}

    def test_a_host(self):
        self.start_real("amd-epyc-6.1")
        self.assertEqual(self.read(), {"nested": "on", "paging": "tdp", "drift": "false"})

    def test_drift(self):
        self.start_real("amd-epyc-6.1")
        for text, drift in (("[Parameters]\nnested=off\n", "true"), ("[Parameters]\nnested=of\n", None)):
            write(self.host / "etc/nestvirt/50.conf", text)
            self.client().call("Refresh", ("t", 0))
            self.assertEqual(self.read().get("drift"), drift)

    def test_a_fingerprint(self):
        self.start_real(AMD)
        write(self.host / "facts/kvm-cpuid", OFFERED.format(features="0x00000009"))
        checksum = run("--json=short", "fingerprint", address=self.bus.address).json["sha256"]
        self.assertEqual(self.read()["fingerprint"], checksum[:32])

    def test_json(self):
        self.start_real("amd-epyc-6.1")
        self.assertEqual(run("labels", "--json=short", address=self.bus.address).json,
                         {"labels": run("labels", address=self.bus.address).out})


def each(name):
    def test(self):
        self.start_real(name)
        nested = self.client().get("Nested")
        self.assertEqual(self.read().get("nested"), None if nested == "unknown" else nested)
    return test


for fixture in sorted(path.name for path in FIXTURES.iterdir() if path.is_dir()):
    setattr(Labels, "test_" + re.sub(r"[-.]", "_", fixture), each(fixture))

main()
