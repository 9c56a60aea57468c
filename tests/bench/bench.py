# SPDX-License-Identifier: LGPL-2.1-or-later
"""How much nestvirtd costs, beside something that everybody knows: what `./run bench` runs, on the
emulated host or, where that is not about the host's KVM, on this machine.

Owns the list of measurements, and the anchors and goals of those on the emulated host. Whatever is
compared runs in turns in the same boot, so that the emulator's slowness is in both; only the ratios
mean something on other machines. Ends with 1 when a goal is missed.

    bench.py [MEASUREMENT…]
"""

import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "hosts"))

import client_counts  # noqa: E402
import daemon_counts  # noqa: E402
import emulator  # noqa: E402
import flooded  # noqa: E402
import loop  # noqa: E402
import many_guests  # noqa: E402
import page  # noqa: E402
import payload  # noqa: E402
import trees  # noqa: E402
from agent import HostError  # noqa: E402
from rows import Row, pair, print_table  # noqa: E402

TOOLS = ["call-time", "cpu-time", "spawn-time", "stall", "toggle-time"]
FOLDER = "/usr/lib/nestvirt-bench"
OURS = "nestvirtd"
HOSTNAMED = "systemd-hostnamed"

STATUS_ROUNDS = 15
CALL_ROUNDS, CALL_BATCH = 60, 20
PAIRS = 16
REST_SECONDS = 60
PROBE, PROBE_ROUNDS = "/usr/lib/nestvirt/nestvirt-probe", 5
CLIENTS, CLIENT_USERS = 500, "alice,bob,carol,nobody"
STALL_ROUNDS = 4
MIB = 1024 * 1024


def tool(host, *words, timeout=600):
    return host.check(" ".join([f"{FOLDER}/{words[0]}", *map(str, words[1:])]), timeout=timeout)


def settle(host):
    """Both services run, the daemon has nothing to do, udev neither."""
    host.check("busctl get-property org.nestvirt1 /org/nestvirt1 org.nestvirt1.Manager Nested && hostnamectl status"
               " && udevadm settle")


def reset(host):
    host.check("busctl call org.nestvirt1 /org/nestvirt1 org.nestvirt1.Manager ResetParameters 'a{sas}t' 0 0")


def measure_status(host):
    """The whole process, the daemon running already."""
    for anchor, goal in (("hostnamectl status", 0.7), ("virt-host-validate qemu", 0.2)):
        if host.run(f"command -v {anchor.split()[0]}").status != 0:
            raise HostError(f"the host has no {anchor.split()[0]} to compare with")
        text = tool(host, "spawn-time", "--any-status", STATUS_ROUNDS, f"nestvirtctl status -- {anchor}")
        yield Row("nestvirtctl status", **pair(text), anchor_name=anchor, goal=goal, note=f"{STATUS_ROUNDS} in turns")


def measure_calls(host):
    """A property of each, then all of them; hostnamed has more of them than our manager, and reads
    files for some."""
    targets = ("org.nestvirt1 /org/nestvirt1 org.nestvirt1.Manager Nested"
               " org.freedesktop.hostname1 /org/freedesktop/hostname1 org.freedesktop.hostname1 Hostname")
    text = tool(host, "call-time", CALL_ROUNDS, CALL_BATCH, targets)
    note = f"{CALL_ROUNDS} batches of {CALL_BATCH} in turns"
    yield Row("Get of a property", **pair(text), anchor_name=HOSTNAMED, goal=1.0, note=note)
    yield Row("GetAll of the manager", **pair(text, 2, 3), anchor_name=HOSTNAMED, goal=1.0, note=note)


def private_dirty(host, unit):
    text = host.check(f"cat /proc/$(systemctl show -P MainPID {unit})/smaps_rollup")
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line and line[0].isupper())
    return int(fields["Private_Dirty"].split()[0]) * 1024 / MIB


def measure_memory(host):
    host.check(f"systemctl restart {OURS} {HOSTNAMED}")
    settle(host)
    yield Row("memory at rest, private dirty", private_dirty(host, OURS), private_dirty(host, HOSTNAMED), HOSTNAMED, 1.0,
              unit="MiB", note="both just started and asked once")


def switches(host):
    """How often any thread of the daemon was given a CPU and left it again."""
    text = host.check(f"cat /proc/$(systemctl show -P MainPID {OURS})/task/*/status | grep ctxt_switches")
    return sum(int(line.split()[1]) for line in text.splitlines())


def measure_rest(host):
    """Nobody calls and nothing changes; the watchdog's three minutes are longer than this, but may
    end in it."""
    settle(host)
    host.check("sleep 3")
    before = switches(host)
    host.check(f"sleep {REST_SECONDS}", timeout=REST_SECONDS * 4)
    yield Row(f"wake-ups in {REST_SECONDS} s at rest", switches(host) - before, goal=1, absolute=True, unit="")


def measure_toggle(host):
    """kvm and kvm_amd unloaded and loaded with the other value of nested. Ours also checks, writes
    files and reads back."""
    text = tool(host, "toggle-time", PAIRS, "kvm_amd nested")
    theirs = "modprobe -r + modprobe"
    yield Row("toggle, call to reply", **pair(text), anchor_name=theirs, goal=0.95, note=f"{PAIRS} pairs")
    yield Row("toggle, time without a device of KVM's", **pair(text, 2, 3), anchor_name=theirs, goal=0.9, note=f"{PAIRS} pairs")
    reset(host)


def measure_stall(host):
    """Many clients ask for all properties in a loop: the longest time that none of them got an
    answer."""
    quiet = [[int(cell) for cell in tool(host, "stall", CLIENTS, CLIENT_USERS, 2).split()] for _ in range(2)]
    busy = [[int(cell) for cell in tool(host, "stall", CLIENTS, CLIENT_USERS, "kvm_amd nested", turn % 2).split()]
            for turn in range(STALL_ROUNDS)]
    reset(host)
    failed = sum(run[1] for run in quiet + busy)
    if failed:
        raise HostError(f"{failed} calls of {CLIENTS} clients failed")
    note = f"{STALL_ROUNDS} runs, {sum(run[0] for run in busy)} answers, none failed; the median of each run's worst"
    for what, column in ((f"longest stall for {CLIENTS} clients, toggle under way", 3), ("slowest single answer", 2)):
        ours, anchor = (statistics.median(run[column] for run in runs) / 1e6 for runs in (busy, quiet))
        yield Row(what, ours, anchor, "the same without a toggle", note=note)


def measure_probe(host):
    """The whole process, with a CPU that is emulated: on hardware it takes a hundredth. Then what
    of its CPU time its own code takes; the rest is the guests' and the kernel's, which handles
    their exits. By the ticks of the clock, of all runs together, as one has few (cpu-time.c)."""
    runs = [[int(cell) / 1e6 for cell in line.split()] for line in tool(host, "cpu-time", PROBE_ROUNDS, f"{PROBE} --json").splitlines()]
    _, total, own, guests = (sum(column) / len(runs) for column in zip(*runs, strict=True))
    yield Row("probe, whole process", statistics.median(run[0] for run in runs), goal=5000, absolute=True, note=f"{PROBE_ROUNDS} runs")
    note = f"mean of {PROBE_ROUNDS} runs, by ticks; {guests / total:.0%} of its CPU time is its guests'"
    yield Row("probe, user space of it", own, total, "all of its CPU time", note=note)


# On the emulated host.
THERE = {
    "status": measure_status,
    "calls": measure_calls,
    "memory": measure_memory,
    "rest": measure_rest,
    "toggle": measure_toggle,
    "stall": measure_stall,
    "probe": measure_probe,
}
# On this machine.
LOCAL = {
    "guests": many_guests.measure,
    "flood": flooded.measure,
    "instructions": daemon_counts.measure,
    "client": client_counts.measure,
    "loop": loop.measure,
    "trees": trees.measure,
    "cockpit": page.measure,
}


def make_payload(folder):
    """What is installed, and the measuring programs with it."""
    tree, build = folder / "tree", payload.build_folder()
    if not (build / "build.ninja").exists():
        raise HostError(f"{build} is no build tree: run ./run build, or set NESTVIRT_BUILD")
    subprocess.run(["meson", "install", "-C", build, "--destdir", tree, "--no-rebuild", "--quiet"], check=True)
    target = tree / FOLDER.lstrip("/")
    target.mkdir(parents=True)
    for name in TOOLS:
        shutil.copy(build / "tests" / "bench" / name, target)
    return payload.from_tree(tree, folder / "payload.tar")


def measure(names, functions, *arguments, before=lambda: None):
    """The rows of those measurements, and the names of those that came to nothing, which the others
    do not suffer from."""
    rows, failed = [], []
    for name in names:
        print(f"Measuring {name}…", flush=True)
        try:
            before()
            rows += functions[name](*arguments)
        except HostError as error:
            print(f"{name}: {error}", file=sys.stderr, flush=True)
            failed.append(name)
        except Exception:
            traceback.print_exc()
            failed.append(name)
    return rows, failed


def measure_there(names):
    with tempfile.TemporaryDirectory(prefix="nestvirt-bench-") as folder:
        with emulator.Host(make_payload(pathlib.Path(folder))) as host:
            print("Booting the emulated host…", flush=True)
            host.boot()
            host.check("systemctl start nestvirtd systemd-hostnamed")
            return measure(names, THERE, host, before=lambda: settle(host))


def run(names):
    there, here = ([name for name in functions if name in names] for functions in (THERE, LOCAL))
    rows, failed = measure(here, LOCAL)
    if there:
        more = measure_there(there)
        rows, failed = rows + more[0], failed + more[1]
    print_table(rows)
    missed = [row.what for row in rows if row.met() is False]
    print(f"{sum(row.met() is True for row in rows)} goals met, {len(missed)} missed, {len(failed)} not measured")
    return 1 if missed or failed else 0


def main(names):
    known = [*THERE, *LOCAL]
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"bench.py: no measurement {', '.join(unknown)}; there are {', '.join(known)}")
    try:
        return run(names or known)
    except HostError as error:
        sys.exit(f"bench.py: {error}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
