# SPDX-License-Identifier: LGPL-2.1-or-later
"""How many instructions whole processes of nestvirtctl take, each beside a program that everybody
knows, counted in the same run by the same callgrind; and how that grows with what there is.

The daemon runs as it is and is not counted, but for Check, where most of the work is its own.
"""

import contextlib
import pathlib
import resource
import statistics
import subprocess

import daemon_counts
from agent import HostError
from daemon_counts import count_call
from instructions import END, ROUNDS, build_release
from local import TIMEOUT
from many_guests import Side, TestDriver
from rows import Row

from clients import GLib  # local.py says where

# What systemd says of itself, which hostnamectl shows. A stand-in that says nothing else leaves
# hostnamectl less to read than it has on a real system.
SYSTEMD = {"Virtualization": "kvm", "Architecture": "x86-64"}
BOOTED = pathlib.Path("/run/systemd/system")
# sd_booted(3): without that folder hostnamectl does not even ask.
AS_BOOTED = ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs none /run && mkdir -p {BOOTED} && exec "$@"', "sh"]

CHECKS = 5
TURNS = 41
GUESTS, MANY_GUESTS = 1000, 10000
MACHINES, COUNTERS, PAIRS = 800, 42, 9
DEBUGFS = "sys/kernel/debug/kvm"
DISKS = {"small": 1, "1 MB": 3800}
DOMAIN = """<domain type='kvm'>
  <name>g</name>
  <memory unit='KiB'>1048576</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <cpu mode='custom' match='exact'><model>EPYC</model><feature policy='disable' name='svm'/></cpu>
  <devices>
{}  </devices>
</domain>
"""
DISK = """    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/var/lib/libvirt/images/disk{0}.qcow2'/>
      <target dev='vd{0}' bus='virtio'/>
      <address type='pci' domain='0x0000' bus='0x05' slot='0x00' function='0x0'/>
    </disk>
"""


class Beside(daemon_counts.Side):
    """The daemon, and whoever else is to be counted, on one bus."""

    settle = Side.settle

    def begin(self, *options):
        """Until all guests are there, if there are any."""
        self.running = self.start("./nestvirtd", "--root=host", "--helper-dir=.", *options,
                                  wrap=["env", f"--chdir={self.folder}"])
        self.running.expected = -END
        self.addCleanup(self.end)
        self.caller = self.client()
        if options:
            self.settle()

    def end(self):
        self.running.send_signal(END)
        self.running.wait(TIMEOUT)

    def count(self, *words, wrap=(), statuses=(0,)):
        """A whole process."""
        done = subprocess.run([*wrap, *self.callgrind(), *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode not in statuses:
            raise HostError(f"{' '.join(words)} ended with {done.returncode}: {done.stderr}")
        return self.counted()

    def cpu_time(self, *words):
        """Seconds of a whole process, the kernel's among them."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(["env", f"--chdir={self.folder}", f"DBUS_SYSTEM_BUS_ADDRESS={self.bus.address}", *words], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    @contextlib.contextmanager
    def booted(self):
        """What goes before a command, so that sd_booted() is true to it."""
        if BOOTED.exists():
            yield []
            return
        with subprocess.Popen([*AS_BOOTED, "sh", "-c", "echo ready && exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            holder.stdout.readline()
            yield ["nsenter", f"--target={holder.pid}", "--mount"]
            holder.stdin.close()

    def ours(self, *words, **keywords):
        return self.count("./nestvirtctl", *words, **keywords)

    def hostnamectl(self):
        return self.count("hostnamectl", "status", wrap=() if BOOTED.exists() else AS_BOOTED)


def row(what, ours, anchor, anchor_name, goal, **more):
    return Row(f"instructions: {what}", ours / 1e6, anchor / 1e6, anchor_name, goal, unit="M", digits=3, **more)


def cpu_times(ours, anchor, rounds):
    """Of two processes in turns, what Row wants of pairs; milliseconds."""
    pairs = [(ours(), anchor()) for _ in range(rounds)]
    return {"ours": statistics.median(pair[0] for pair in pairs) * 1000, "anchor": statistics.median(pair[1] for pair in pairs) * 1000,
            "of_pairs": statistics.median(pair[0] / pair[1] for pair in pairs)}


def time_status(place):
    with place.booted() as wrap:
        times = cpu_times(lambda: place.cpu_time(*wrap, f"{place.folder}/nestvirtctl", "status"),
                          lambda: place.cpu_time(*wrap, "hostnamectl", "status"), TURNS)
    return Row("nestvirtctl status, time", **times, anchor_name="hostnamectl status", goal=0.7,
               note=f"CPU time of the process, {TURNS} in turns")


def measure_verbs():
    with Beside() as place:
        place.begin()
        place.service("org.freedesktop.systemd1",
                      {"GetAll": lambda request: ("a{sv}", {name: GLib.Variant("s", text) for name, text in SYSTEMD.items()})})
        with place.hostnamed(["env", f"DBUS_SYSTEM_BUS_ADDRESS={place.bus.address}"]):
            anchor = statistics.median(place.hostnamectl() for _ in range(ROUNDS))
            yield time_status(place)
        for words, goal in ((["status"], 0.55), (["show"], 0.6), (["show", "--all"], 0.6), (["status", "--json=short"], 1.0),
                            (["show", "--json=short"], 1.0)):
            counts = [place.ours(*words) for _ in range(ROUNDS)]
            spread = (max(counts) - min(counts)) / min(counts)
            yield row(f"nestvirtctl {' '.join(words)}", statistics.median(counts), anchor, "hostnamectl status", goal,
                      note=f"{ROUNDS} runs, which differ by {spread:.3%}")


def check(caller):
    caller.call("Check", ("t", 0))


def measure_check():
    """virt-host-validate does all of it itself; of ours the daemon does most."""
    daemon = count_call(check, CHECKS)
    with Beside() as place:
        place.begin()
        place.caller.get("Nested")
        anchor = place.count("virt-host-validate", "qemu", statuses=(0, 1))
        client = place.ours("check", statuses=(0, 3))
        child = place.count("./nestvirt-device", "check", statuses=range(256))
    yield row("nestvirtctl check, client and daemon", client + daemon, anchor, "virt-host-validate qemu", 0.3,
              note=f"the client {client / 1e6:.2f} M, the daemon {daemon / 1e6:.2f} M, each child that looks at /dev/kvm {child / 1e6:.2f} M")


def measure_guests():
    """show has nothing to say of guests, however many there are."""
    with Beside() as place:
        place.begin()
        without = place.ours("show")
    for guests, goal in ((GUESTS, 1.2), (MANY_GUESTS, 1.5)):
        with Beside() as place:
            place.begin(f"--libvirt={TestDriver(place.folder, guests).uri}")
            listed = place.ours("guests")
            yield row(f"nestvirtctl status with {guests} guests", place.ours("status"), listed, "nestvirtctl guests", goal)
            yield row(f"nestvirtctl show with {guests} guests", place.ours("show"), without, "without guests", 1.02)


def make_machines(place, machines):
    for machine in range(machines):
        folder = place.host / DEBUGFS / f"{1000 + machine}-13"
        folder.mkdir(parents=True)
        for counter in range(COUNTERS):
            (folder / f"counter_{counter}").write_text(f"{machine * counter}\n")


def measure_statistics():
    """Most of what grep takes is the kernel's, which opens a file for each counter: times are
    compared. Ten times the machines are not much more than ten times the work."""
    counts = {}
    for machines in (MACHINES // 10, MACHINES):
        with Beside() as place:
            make_machines(place, machines)
            place.begin()
            place.caller.get("Nested")
            counts[machines] = place.ours("stat")
            times = cpu_times(lambda place=place: place.cpu_time("./nestvirtctl", "stat"),
                              lambda place=place: place.cpu_time("grep", "-rH", "", f"host/{DEBUGFS}"), PAIRS)
    yield Row(f"nestvirtctl stat, {MACHINES} machines with {COUNTERS} counters", **times, anchor_name="grep -rH of the same",
              goal=1.2, note=f"CPU time of the process, {PAIRS} in turns")
    yield row(f"nestvirtctl stat, {MACHINES} machines", counts[MACHINES], counts[MACHINES // 10], f"{MACHINES // 10} machines", 11)


def measure_patching():
    with Beside() as place:
        for (size, disks), goal in zip(DISKS.items(), (1.3, 1.0), strict=True):
            (place.folder / "guest.xml").write_text(DOMAIN.format("".join(DISK.format(number) for number in range(disks))))
            ours = place.ours("patch-xml", "--nested=yes", "--vendor=amd", "guest.xml")
            yield row(f"nestvirtctl patch-xml, {size}", ours, place.count("xmllint", "--format", "guest.xml"), "xmllint --format", goal)


def measure():
    build_release()
    for measurement in (measure_verbs, measure_check, measure_guests, measure_statistics, measure_patching):
        yield from measurement()
