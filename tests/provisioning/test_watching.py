# SPDX-License-Identifier: LGPL-2.1-or-later
"""What watches many hosts, with what a host tells it: Prometheus' node_exporter and promtool of the
release, over what the unit writes; and Ansible's facts."""

import os
import pathlib
import re
import subprocess
import urllib.request

from controller import FACTS
from fleet import FleetTest
from tap import main

UNITS = pathlib.Path(os.environ["UNITS"])
EXPORTER = ["prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile", "--web.listen-address=127.0.0.1:0"]


def command_of(unit):
    """The shell command of a unit, by the client that is tested."""
    text = (UNITS / unit).read_text()
    (command,) = re.findall(r"^ExecStart=/bin/sh -c '(.*)'$", text, re.M)
    return command.replace("/usr/bin/", "")


class Published(FleetTest):
    HOSTS = {"alpha": None}

    def publish(self, unit):
        """What a unit writes on the host, in a folder that the test sees."""
        folder = self.folder / unit
        folder.mkdir(exist_ok=True)
        done = self.fleet.run("alpha", f"cd {folder} && {command_of(unit)}")
        return folder, done

    def scrape(self, folder):
        """Samples as node_exporter tells them: text of a series -> value."""
        exporter = subprocess.Popen([*EXPORTER, f"--collector.textfile.directory={folder}"], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            address = next(filter(None, (re.search(r'"Listening on" address=(\S+)', line) for line in exporter.stderr)))[1]
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=120) as answer:
                self.assertEqual(answer.status, 200)
                lines = answer.read().decode().splitlines()
        finally:
            exporter.terminate()
            exporter.communicate()
        return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))

    def test_node_exporter_takes_all_of_it(self):
        folder, done = self.publish("nestvirt-metrics.service")
        self.assertEqual((done.returncode, [path.name for path in folder.iterdir()]), (0, ["nestvirt.prom"]), done)
        written = [line for line in (folder / "nestvirt.prom").read_text().splitlines() if not line.startswith("#")]
        samples = self.scrape(folder)
        ours = {series: value for series, value in samples.items() if series.startswith("nestvirt_")}
        self.assertEqual((len(ours), samples["node_textfile_scrape_error"]), (len(written), "0"))
        self.assertGreater(len(ours), 20)
        self.assertEqual((ours['nestvirt_nested_state{state="on"}'], ours["nestvirt_drift"]), ("1", "0"))

    def test_and_none_of_what_it_does_not_take(self):
        folder, _ = self.publish("nestvirt-metrics.service")
        with open(folder / "nestvirt.prom", "a", encoding="utf-8") as file:
            file.write("# TYPE nestvirt_drift gauge\n")
        samples = self.scrape(folder)
        self.assertEqual((samples["node_textfile_scrape_error"], [s for s in samples if s.startswith("nestvirt_")]), ("1", []))

    def test_promtool_has_nothing_to_say(self):
        folder, _ = self.publish("nestvirt-metrics.service")
        text = (folder / "nestvirt.prom").read_text()
        for given, status in ((text, 0), (text.replace("# HELP nestvirt_drift", "# nestvirt_drift"), 3)):
            done = subprocess.run(["promtool", "check", "metrics"], input=given, capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, bool(done.stdout + done.stderr)), (status, status != 0), done)

    def test_labels(self):
        folder, done = self.publish("nestvirt-labels.service")
        self.assertEqual((done.returncode, [path.name for path in folder.iterdir()]), (0, ["nestvirt"]), done)
        self.assertIn("nestvirt.org/nested=on\n", (folder / "nestvirt").read_text())

    def test_the_old_one_stays_when_nothing_is_told(self):
        """And what reads the folder never sees half of it."""
        folder, _ = self.publish("nestvirt-labels.service")
        before = (folder / "nestvirt").read_text()
        self.fleet.run("alpha", "rm", "/run/dbus/system_bus_socket")
        _, done = self.publish("nestvirt-labels.service")
        self.assertEqual((done.returncode, (folder / "nestvirt").read_text()), (8, before), done)
        self.assertEqual([path.name for path in folder.iterdir() if not path.name.startswith(".")], ["nestvirt"])


class Facts(FleetTest):
    HOSTS = {"alpha": None}
    PLAY = """
- hosts: alpha
  gather_facts: false
  tasks:
    - file: {{path: /etc/ansible/facts.d, state: directory, mode: "0755"}}
    - copy: {{src: {script}, dest: /etc/ansible/facts.d/nestvirt.fact, mode: "0755"}}
    - setup: {{gather_subset: ["!all", "!min", local]}}
    - assert: {{that: "{that}"}}
"""

    def test_with_a_daemon_and_without(self):
        self.play(self.PLAY.format(script=FACTS, that="ansible_local.nestvirt.nested == 'on' and ansible_local.nestvirt.vendor == 'amd'"))
        self.fleet.run("alpha", "rm", "/run/dbus/system_bus_socket")
        self.play(self.PLAY.format(script=FACTS, that="ansible_local.nestvirt == {}"))

    def test_without_a_client(self):
        done = subprocess.run(["/bin/sh", FACTS], env={"PATH": "/nonexistent"}, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "{}\n", ""))


if __name__ == "__main__":
    main()
