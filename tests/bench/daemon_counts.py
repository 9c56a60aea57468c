# SPDX-License-Identifier: LGPL-2.1-or-later
"""How many instructions the daemon takes for a call and for a refresh, beside systemd-hostnamed,
which is counted in the same run; and how a refresh grows with what the host has.

What is counted, and how, is told by instructions.py.
"""

import contextlib
import pathlib
import subprocess

from agent import HostError
from instructions import END, LARGE_CACHE, TIMEOUT, Counted, build_release, count
from rows import Row

# instructions.py makes the folder known.
from clients import MODULE, OBJECT_MANAGER, PROPERTIES, Gio, GLib, module_path, wait_for  # noqa: E402

HOSTNAMED = pathlib.Path("/usr/lib/systemd/systemd-hostnamed")
HOSTNAME = "org.freedesktop.hostname1"
THERE = {"path": "/org/freedesktop/hostname1", "destination": HOSTNAME, "interface": PROPERTIES}
MANY, SOME, EVENTS = 1000, 100, 10

CPUS, LINES, FILES = 4096, 10000, 1000


class Side(Counted):
    """The daemon, or its peer on the same bus."""

    @contextlib.contextmanager
    def hostnamed(self, wrap):
        log, there, watcher = self.folder / "log-hostnamed", [], self.client()
        with open(log, "w", encoding="utf-8") as stream:
            process = subprocess.Popen([*wrap, HOSTNAMED], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream)
        process.log, process.expected = log, -END
        self.daemons.append(process)
        watch = Gio.bus_watch_name_on_connection(watcher.connection, HOSTNAME, Gio.BusNameWatcherFlags.NONE,
                                                 lambda *_: there.append(True), None)
        ticking = GLib.timeout_add(50, lambda: True)
        wait_for(lambda: there or process.poll() is not None, HOSTNAME)
        GLib.source_remove(ticking)
        Gio.bus_unwatch_name(watch)
        yield
        process.send_signal(END)
        if process.wait(TIMEOUT) != -END:
            raise HostError(f"hostnamed has ended by itself: {log.read_text()}")


def get(caller):
    caller.get("Nested")


def get_all(caller):
    caller.get_all()


def get_all_module(caller):
    caller.get_all(MODULE, module_path("kvm_amd"))


def get_managed(caller):
    caller.call("GetManagedObjects", interface=OBJECT_MANAGER)


def refresh(caller):
    caller.call("Refresh", ("t", 0))


def hostname(caller):
    caller.call("Get", ("ss", HOSTNAME, "Hostname"), **THERE)


def hostname_all(caller):
    caller.call("GetAll", ("s", HOSTNAME), **THERE)


def call_once(call, times):
    """A process that is asked so often, once before that."""
    with Side() as side:
        start = side.hostnamed if call in (hostname, hostname_all) else side.daemon
        with start(side.callgrind(LD_PRELOAD="./steady.so", **LARGE_CACHE)):
            caller = side.client()
            for _ in range(1 + times):
                call(caller)
        return side.counted()


def count_start():
    """From the start of the process until its first answer."""
    return call_once(get, 0)


def count_call(call, times=MANY):
    """Of many that are alike: the difference to a process that is asked once."""
    return (call_once(call, times) - call_once(call, 0)) / times


def many_cpus(host):
    """The fixture's first processor, so often."""
    path = host / "proc/cpuinfo"
    first = path.read_text().split("\n\n")[0]
    path.write_text("".join(first.replace("processor\t: 0", f"processor\t: {number}") + "\n\n" for number in range(CPUS)))


def many_lines(host):
    folder = host / "etc/modprobe.d"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "many.conf").write_text("".join(f"options kvm_amd npt={number % 2}\n" for number in range(LINES)))


def many_files(host):
    folder = host / "etc/modprobe.d"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(FILES):
        (folder / f"{number}.conf").write_text("options other x=1\n")


def events_once(events, prepare):
    """The daemon, in whose host so often /dev/kvm comes or goes, which it signals each time."""
    with Side() as side:
        (side.host / "dev").mkdir(exist_ok=True)
        if prepare:
            prepare(side.host)
        node = side.host / "dev/kvm"
        with side.daemon(side.callgrind(LD_PRELOAD="./steady.so", **LARGE_CACHE)):
            caller = side.client(watch=True)
            for number in range(events):
                caller.messages.clear()
                if number % 2:
                    node.unlink()
                else:
                    node.touch()
                wait_for(lambda: caller.signals("PropertiesChanged"), "the signal of an event")
            caller.get("Nested")
        return side.counted()


def count_event(prepare=None):
    return (events_once(1 + EVENTS, prepare) - events_once(1, prepare)) / EVENTS


def beside(what, call, peer, goal, times):
    """A row beside hostnamed's."""
    ours, theirs = count_call(call, times), count_call(peer, times)
    return Row(f"instructions: {what}", ours / 1e3, theirs / 1e3, "systemd-hostnamed", goal, unit="k", note=f"of {times} alike")


def growth(what, prepare, plain):
    grown = count_event(prepare)
    return Row(f"instructions: an event's refresh, {what}", grown / 1e6, plain / 1e6, "the plain one", 2, unit="M",
               note=f"of {EVENTS} alike")


def measure():
    if not HOSTNAMED.exists():
        raise HostError(f"there is no {HOSTNAMED} to compare with")
    build_release()
    yield count("start to the first answer", count_start, goal=12)
    yield beside("a Get, daemon", get, hostname, 0.9, MANY)
    yield beside("GetAll of the manager", get_all, hostname_all, 0.4, SOME)
    yield count("GetAll of kvm_amd", count_call, get_all_module, SOME, goal=0.8)
    yield count("GetManagedObjects, no guest", count_call, get_managed, SOME, goal=2)
    yield count("a Refresh, daemon", count_call, refresh, EVENTS, goal=3)
    yield count("an event's refresh", count_event, goal=3)
    plain = count_event()
    yield growth(f"{CPUS} CPUs", many_cpus, plain)
    yield growth(f"{LINES} option lines", many_lines, plain)
    yield growth(f"{FILES} files in modprobe.d", many_files, plain)
