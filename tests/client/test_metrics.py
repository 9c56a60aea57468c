# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirtctl metrics: text that node_exporter's textfile collector takes, and numbers that are
those of the daemon."""

import re

from ctl import run
from harness import FIXTURES, BusTest, write
from tap import main

SAMPLE = re.compile(r'(?P<name>[a-z_]+)(?:\{(?P<labels>(?:[a-z0-9_]+="(?:[^"\\\n]|\\[\\"n])*",?)+)\})? (?P<value>-?[0-9.e+-]+)')


def parse(text):
    """(metric, labels) -> value; what the format does not allow is an error."""
    assert text.endswith("\n")
    samples, helps, types, current = {}, {}, {}, None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            _, _, current, words = line.split(" ", 3)
            assert current not in helps and words, line
            helps[current] = words
        elif line.startswith("# TYPE "):
            assert line == f"# TYPE {current} gauge" and current not in types, line
            types[current] = "gauge"
        else:
            match = SAMPLE.fullmatch(line)
            assert match and match["name"] == current and current in types, line
            key = (current, tuple(re.findall(r'([a-z0-9_]+)="((?:[^"\\]|\\.)*)"', match["labels"] or "")))
            assert key not in samples, line
            samples[key] = float(match["value"])
    assert set(helps) == {name for name, _ in samples}
    return samples


class Metrics(BusTest):
    def read(self):
        result = run("metrics", address=self.bus.address)
        self.assertEqual((result.status, result.err), (0, ""), result)
        return parse(result.out)

    def test_numbers(self):
        self.start_real("amd-epyc-6.1")
        write(self.host / "etc/nestvirt/50.conf", "[Parameters]\nnested=off\n")
        run("apply", "--check", address=self.bus.address)
        client = self.client()
        client.call("Refresh", ("t", 0))
        samples = self.read()
        self.assertEqual(samples["nestvirt_info", (("version", client.get("Version")), ("vendor", "amd"), ("level", str(client.get("Level"))))], 1)
        self.assertEqual({labels[0][1]: value for (name, labels), value in samples.items() if name == "nestvirt_nested_state"},
                         {"on": 1, "off": 0, "unavailable": 0})
        views = {labels[2][1]: value for (name, labels), value in samples.items()
                 if name == "nestvirt_parameter_enabled" and labels[:2] == (("module", "kvm_amd"), ("parameter", "nested"))}
        self.assertEqual(views, {"desired": 0, "effective": 1})  # nothing is configured: no number of it
        self.assertEqual((samples["nestvirt_drift", ()], samples["nestvirt_desired_error", ()], samples["nestvirt_pending", ()]), (1, 0, 0))
        statuses = [finding["Status"] for finding in client.call("Check", ("t", 0))[0]]
        self.assertEqual({labels[0][1]: value for (name, labels), value in samples.items() if name == "nestvirt_findings"},
                         {status: statuses.count(status) for status in ("pass", "info", "warn", "fail")})

    def test_what_is_not_known_has_no_number(self):
        self.start_real("amd-epyc-6.1")
        write(self.host / "etc/nestvirt/50.conf", "[Parameters]\nnested=of\n")
        self.client().call("Refresh", ("t", 0))
        samples = self.read()
        self.assertEqual(samples["nestvirt_desired_error", ()], 1)
        names = {name for name, _ in samples}
        self.assertEqual(names & {"nestvirt_drift", "nestvirt_guests"}, set())

    def test_json(self):
        self.start_real("amd-epyc-6.1")
        self.assertEqual(run("metrics", "--json=short", address=self.bus.address).json,
                         {"metrics": run("metrics", address=self.bus.address).out})


def each(name):
    def test(self):
        self.start_real(name)
        samples = self.read()
        nested = self.client().get("Nested")
        shown = {labels[0][1] for (metric, labels), value in samples.items() if metric == "nestvirt_nested_state" and value}
        self.assertEqual(shown, set() if nested == "unknown" else {nested})
    return test


for fixture in sorted(path.name for path in FIXTURES.iterdir() if path.is_dir()):
    setattr(Metrics, "test_" + re.sub(r"[-.]", "_", fixture), each(fixture))

main()
