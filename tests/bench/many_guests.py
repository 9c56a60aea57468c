# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a thousand and ten thousand guests cost, beside virsh on the same connection: of libvirt's
test driver, and of a libvirtd of our own.

It runs on this machine; the host of the daemon is a tree of files. virsh is one process for all
guests, that is told what to do on its standard input; it opens its connection each time, and the
daemon has its own.
"""

import os
import statistics
import subprocess
import sys
import time
import uuid

from local import BUILD, TESTS, Place
from rows import Row

sys.path.insert(0, str(TESTS / "xml"))

import libvirt  # noqa: E402
from clients import ERROR, GUEST, GLib, error_name, guest_path, wait_for  # noqa: E402
from session import Session  # noqa: E402

SOME, MANY = 1000, 10000
ROUNDS = {SOME: 9, MANY: 5}
EVENTS = 15
PATCH_ROUNDS = 3
UNDER_WAY = 8  # calls at a time of the one client that changes all guests
LIST = "virsh: list, dumpxml each"
SECURE = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE

CPU = "<cpu mode='custom' match='exact'><model>EPYC</model><feature policy='{}' name='svm'/></cpu>"
DOMAIN = """<domain type='{kind}'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='KiB'>1048576</memory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64'{machine}>hvm</type></os>
  {cpu}
  <devices>
    <disk type='file' device='disk'><source file='/images/{name}'/><target dev='vda' bus='virtio'/></disk>
    <interface type='user'><mac address='{mac}'/></interface>
  </devices>
</domain>
"""


def identity(number):
    return str(uuid.UUID(int=number + 1))


def definition(number, kind, machine=""):
    return DOMAIN.format(kind=kind, name=f"guest{number}", uuid=identity(number), machine=machine, cpu=CPU.format("require"),
                         mac=f"52:54:00:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}")


class TestDriver:
    """Each connection has guests of its own, read from one file when it is opened. They run."""

    name = "the test driver"

    def __init__(self, folder, count):
        node = folder / "node.xml"
        node.write_text("<node>" + "".join(definition(number, "test") for number in range(count)) + "</node>")
        self.uri = f"test://{node}"

    def close(self):
        pass


class Libvirtd:
    """A libvirtd that knows them from before; they are off."""

    name = "a libvirtd"

    def __init__(self, folder, count):
        self.session = Session({f"guest{number}": definition(number, "qemu", " machine='pc'") for number in range(count)})
        self.uri, self.connection = self.session.uri, self.session.connection

    def close(self):
        self.session.close()


class Side(Place):
    """The daemon on a bus of its own, over @kind's guests, and virsh."""

    def __init__(self, kind, count):
        super().__init__()
        self.kind, self.count = kind, count

    def setUp(self):
        super().setUp()
        self.libvirt = self.kind(self.folder, self.count)
        self.addCleanup(self.libvirt.close)

    def begin(self):
        """Starts the daemon: milliseconds until all guests are there."""
        before = time.perf_counter()
        self.daemon = self.start_real("amd-epyc-6.1", f"--libvirt={self.libvirt.uri}")
        self.caller = self.client()
        self.settle()
        return (time.perf_counter() - before) * 1000

    def settle(self):
        """Until it has nothing to ask of libvirt any more."""
        try:
            self.caller.call("RefreshGuests", ("t", 0))
        except GLib.Error as error:
            if error_name(error) != ERROR + "TimedOut":
                raise
            self.settle()

    def timed(self, *command, words=""):
        """Milliseconds of a whole process, whose standard input has the @words."""
        given = self.folder / "words"
        given.write_text(words)
        with open(given, encoding="utf-8") as stream:
            before = time.perf_counter()
            subprocess.run(command, check=True, stdin=stream, stdout=subprocess.DEVNULL,
                           env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.bus.address})
            return (time.perf_counter() - before) * 1000

    def ours(self):
        return self.timed(BUILD / "client/nestvirtctl", "guests")

    def virsh(self, words):
        return self.timed("virsh", "--quiet", "--connect", self.libvirt.uri, words=words)

    def virsh_open(self):
        return self.virsh("uri\n")

    def virsh_list(self):
        return self.virsh("list --all\n" + "".join(f"dumpxml guest{number}\n" for number in range(self.count)))


def private_dirty(process):
    with open(f"/proc/{process.pid}/smaps_rollup", encoding="utf-8") as stream:
        fields = dict(line.split(":", 1) for line in stream if line[0].isupper())
    return int(fields["Private_Dirty"].split()[0])


def idle_client(uri):
    """KiB of a virsh that is connected and waits."""
    command = ["virsh", "--quiet", "--connect", uri]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdin.write("uri\n")
        process.stdin.flush()
        process.stdout.readline()
        size = private_dirty(process)
        process.stdin.close()
    return size


def alternate(rounds, ours, anchor):
    """Both in turns, each first as often as the other: what Row wants of pairs."""
    pairs = []
    for number in range(rounds):
        if number % 2:
            theirs = anchor()
            pairs.append((ours(), theirs))
        else:
            pairs.append((ours(), anchor()))
    return {"ours": statistics.median(a for a, _ in pairs), "anchor": statistics.median(b for _, b in pairs),
            "of_pairs": statistics.median(a / b for a, b in pairs)}


def measure_list(kind):
    """Lists, their growth, the start and the memory; all of one kind of connection."""
    sizes, times = {}, {}
    for count in (0, SOME, MANY):
        with Side(kind, count) as side:
            started = side.begin()
            side.ours()
            sizes[count] = private_dirty(side.daemon), idle_client(side.libvirt.uri)
            if count == 0:
                continue
            pairs = alternate(ROUNDS[count], side.ours, side.virsh_list)
            times[count] = pairs["ours"]
            opening = statistics.median(side.virsh_open() for _ in range(3))
            yield Row(f"{count} guests of {kind.name}: nestvirtctl guests", **pairs, anchor_name=LIST, goal=0.1,
                      note=f"{ROUNDS[count]} in turns; {opening:.0f} ms of virsh's are for opening the connection")
    yield Row(f"growth of that, {MANY} for {SOME}", times[MANY] / times[SOME] / (MANY / SOME), goal=1.2, absolute=True, unit="×")
    ours, client = (max(0.0, round((sizes[MANY][i] - sizes[0][i]) / MANY, 2)) for i in (0, 1))
    yield Row(f"memory for each of {MANY} guests of {kind.name}", ours, client, "virsh, idle", client + 2, absolute=True, unit="KiB",
              note="private dirty, above that without guests")
    yield Row(f"start until {MANY} guests of {kind.name} are there", started, pairs["anchor"], LIST)


def time_event(side, watcher, policy):
    """Milliseconds from when somebody else begins to define a guest anew until that is
    signalled."""
    text = definition(0, "qemu", " machine='pc'").replace("policy='require'", f"policy='{policy}'")
    watcher.messages.clear()
    before = time.perf_counter()
    side.libvirt.connection.defineXML(text)
    wait_for(lambda: watcher.signals("PropertiesChanged"), "the signal")
    return (time.perf_counter() - before) * 1000


def measure_event():
    medians = {}
    for count in (SOME, MANY):
        with Side(Libvirtd, count) as side:
            side.begin()
            watcher = side.client(watch=True)
            medians[count] = statistics.median(time_event(side, watcher, ("disable", "require")[turn % 2]) for turn in range(EVENTS))
    yield Row(f"one guest of {MANY} is defined anew, until the signal", medians[MANY], medians[SOME], f"one of {SOME}",
              note=f"{EVENTS} times; 20 ms of it the daemon waits for more events")


def patch_ours(side):
    """SetCpu for every guest, by one client that has several calls under way."""
    side.begin()
    pending, before = [], time.perf_counter()
    for number in range(side.count):
        if len(pending) == UNDER_WAY:
            pending.pop(0).result()
        pending.append(side.caller.start("SetCpu", ("a{sv}t", {"Nested": GLib.Variant("b", False)}, 0), path=guest_path(identity(number)),
                                         interface=GUEST))
    outcomes = {call.result()[0]["Outcome"] for call in pending}
    took = (time.perf_counter() - before) * 1000
    side.assertEqual(outcomes, {"applied"})
    side.stop(side.daemon)
    return took


def patch_together(side):
    """The same by one call."""
    side.begin()
    before = time.perf_counter()
    result = side.caller.start("SetCpus", ("asa{sv}t", [], {"Nested": GLib.Variant("b", False)}, 0)).result()[0]
    took = (time.perf_counter() - before) * 1000
    side.assertEqual({guest["Outcome"] for guest in result["Guests"].values()}, {"applied"})
    side.stop(side.daemon)
    return took


def patch_virsh(side):
    """The files that are defined are not virsh's work; and no daemon of ours asks libvirtd about
    what it does."""
    folder = side.folder / "patched"
    folder.mkdir(exist_ok=True)
    for number in range(side.count):
        text = side.libvirt.connection.lookupByName(f"guest{number}").XMLDesc(SECURE)
        (folder / f"guest{number}").write_text(text.replace("policy='disable' name='svm'", "policy='require' name='svm'"))
    return side.virsh("".join(f"dumpxml --inactive --security-info guest{number}\ndefine {folder}/guest{number}\n"
                              for number in range(side.count)))


def measure_patch():
    """virsh comes after each, as it gives back what is taken away."""
    with Side(Libvirtd, SOME) as side:
        rounds = [(patch_ours(side), patch_virsh(side), patch_together(side), patch_virsh(side)) for _ in range(PATCH_ROUNDS)]
    for what, column, goal, note in (("SetCpu each", 0, 1.2, f"{UNDER_WAY} calls under way"), ("SetCpus of all", 2, 1.1, "one call")):
        ours, theirs = (statistics.median(row[i] for row in rounds) for i in (column, column + 1))
        yield Row(f"{SOME} guests of a libvirtd: {what}", ours, theirs, "virsh: dumpxml, define each", goal,
                  of_pairs=statistics.median(row[column] / row[column + 1] for row in rounds), note=f"{PATCH_ROUNDS} in turns; {note}")


def measure():
    for kind in (TestDriver, Libvirtd):
        yield from measure_list(kind)
    yield from measure_event()
    yield from measure_patch()
