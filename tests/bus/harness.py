# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests on a private bus share: the bus, the daemon (over a tree of files, with the real loader that touches nothing or with one
that edits the tree), clients of any uid, and waiting for events instead of sleeping.

Where the programs are is told by the environment: NESTVIRTD, NESTVIRTD_FAKE, HELPER_DIR, FIXTURES, and API (the XML).
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
import unittest

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

NAME = "org.nestvirt1"
PATH = "/org/nestvirt1"
MANAGER = "org.nestvirt1.Manager"
MODULE = "org.nestvirt1.Module"
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
ERROR = "org.nestvirt1.Error."
DBUS_ERROR = "org.freedesktop.DBus.Error."

DRY_RUN, RUNTIME, NEXT_BOOT, WHEN_IDLE = 1, 2, 4, 8
NOBODY = 65534
# Generous: a sanitizer on a loaded machine. Nothing waits for it unless it fails.
TIMEOUT = 60

FIXTURES = pathlib.Path(os.environ["FIXTURES"])
HELPER_DIR = os.environ["HELPER_DIR"]

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={folder}/socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
  <limit name="max_completed_connections">2000</limit>
  <limit name="max_incomplete_connections">2000</limit>
  <limit name="max_connections_per_user">2000</limit>
  <limit name="max_replies_per_connection">10000</limit>
</busconfig>
"""


def module_path(name):
    return f"{PATH}/module/{name}"


class Bus:
    """A dbus-daemon of our own in @folder, which everybody may use."""

    def __init__(self, folder):
        folder.mkdir()
        folder.chmod(0o755)
        config = folder / "config"
        config.write_text(BUS_CONFIG.format(folder=folder))
        self.address = f"unix:path={folder}/socket"
        self.process = subprocess.Popen(
            ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        self.process.stdout.readline()  # it listens now

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Message:
    """A message as a client got it: in the order of the wire, which callbacks of a main loop need not keep."""

    def __init__(self, message):
        self.type = message.get_message_type()
        self.serial = message.get_reply_serial()
        self.path = message.get_path()
        self.interface = message.get_interface()
        self.member = message.get_member()
        body = message.get_body()
        self.body = body.unpack() if body else ()

    def is_signal(self, member, path=None):
        return self.type == Gio.DBusMessageType.SIGNAL and self.member == member and path in (None, self.path)


class Client:
    """One connection to the bus. Everything that comes in is kept in `messages`."""

    def __init__(self, address, uid=0):
        with as_user(uid):
            self.connection = Gio.DBusConnection.new_for_address_sync(
                address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
                None, None)
        self.messages = []
        self.connection.add_filter(self._filter)
        self.subscriptions = []

    def _filter(self, _connection, message, incoming, *_unused):
        # GLib's thread; a list takes one item at a time. Waking the main loop makes wait_for() look again.
        if incoming:
            self.messages.append(Message(message))
            GLib.idle_add(lambda: False)
        return message

    @property
    def name(self):
        return self.connection.get_unique_name()

    def watch(self):
        """From now on all signals of the daemon come in."""
        self.call("AddMatch", ("s", f"type='signal',sender='{NAME}'"), destination="org.freedesktop.DBus",
                  path="/org/freedesktop/DBus", interface="org.freedesktop.DBus")
        return self

    def signals(self, member=None, path=None):
        return [m for m in self.messages if m.type == Gio.DBusMessageType.SIGNAL and m.interface != "org.freedesktop.DBus"
                and member in (None, m.member) and path in (None, m.path)]

    def start(self, member, arguments=None, path=PATH, interface=MANAGER, destination=NAME, interactive=False):
        """Sends a call; the answer is a Pending."""
        return Pending(self, member, variant(arguments), path, interface, destination, interactive)

    def call(self, member, arguments=None, **keywords):
        """The unpacked reply, or GLib.Error."""
        return self.start(member, arguments, **keywords).result()

    def get_all(self, interface=MANAGER, path=PATH):
        return self.call("GetAll", ("s", interface), path=path, interface=PROPERTIES)[0]

    def get(self, name, interface=MANAGER, path=PATH):
        return self.call("Get", ("ss", interface, name), path=path, interface=PROPERTIES)[0]

    def set(self, parameters, flags=0, **keywords):
        return self.call("SetParameters", ("a{sa{ss}}t", parameters, flags), **keywords)[0]

    def start_set(self, parameters, flags=0, **keywords):
        return self.start("SetParameters", ("a{sa{ss}}t", parameters, flags), **keywords)

    def close(self):
        if not self.connection.is_closed():
            self.connection.close_sync(None)


class Service(Client):
    """Stands for another service: owns its name, keeps the calls, and answers them as @answers says: by member, a function of the
    Request that returns a body as in variant(), () for none, a Failure, or None to let the caller wait."""

    def __init__(self, address, name, answers):
        self.answers, self.requests = answers, []
        super().__init__(address)
        self.call("RequestName", ("su", name, 0), destination="org.freedesktop.DBus", path="/org/freedesktop/DBus",
                  interface="org.freedesktop.DBus")

    def _filter(self, connection, message, incoming, *unused):
        if not incoming or message.get_message_type() != Gio.DBusMessageType.METHOD_CALL:
            return super()._filter(connection, message, incoming, *unused)
        request = Request(message)
        self.requests.append(request)
        answer = self.answers[request.member](request)
        if answer is not None:
            self.answer(request, answer)
        GLib.idle_add(lambda: False)
        return None

    def answer(self, request, answer):
        if isinstance(answer, Failure):
            reply = Gio.DBusMessage.new_method_error_literal(request.message, answer.name, answer.text)
        else:
            reply = Gio.DBusMessage.new_method_reply(request.message)
            if answer:
                reply.set_body(variant(answer))
        self.connection.send_message(reply, Gio.DBusSendMessageFlags.NONE)

    def emit(self, path, interface, member, arguments):
        signal_message = Gio.DBusMessage.new_signal(path, interface, member)
        signal_message.set_body(variant(arguments))
        self.connection.send_message(signal_message, Gio.DBusSendMessageFlags.NONE)

    def asked(self, member):
        return [request for request in self.requests if request.member == member]


class Request:
    """A call that a Service got."""

    def __init__(self, message):
        self.message, self.member, self.path, self.sender = (message, message.get_member(), message.get_path(),
                                                             message.get_sender())
        body = message.get_body()
        self.arguments = body.unpack() if body else ()


class Failure:
    def __init__(self, name, text):
        self.name, self.text = name, text


def variant(arguments):
    """("st", "a", 1) as the body of a message."""
    if arguments is None:
        return None
    signature, *values = arguments
    return GLib.Variant(f"({signature})", tuple(values))


class Pending:
    def __init__(self, client, member, body, path, interface, destination, interactive):
        self.client, self.reply = client, None
        message = Gio.DBusMessage.new_method_call(destination, path, interface, member)
        if body is not None:
            message.set_body(body)
        if interactive:
            message.set_flags(Gio.DBusMessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION)
        client.connection.send_message_with_reply(message, Gio.DBusSendMessageFlags.NONE, TIMEOUT * 1000, None, self._done)
        self.serial = message.get_serial()

    def _done(self, connection, result):
        try:
            self.reply = connection.send_message_with_reply_finish(result)
        except GLib.Error as error:
            self.reply = error

    @property
    def done(self):
        return self.reply is not None

    def result(self):
        wait_for(lambda: self.done, "the reply")
        if isinstance(self.reply, GLib.Error):
            raise self.reply
        self.reply.to_gerror()  # raises what is an error
        body = self.reply.get_body()
        return body.unpack() if body else ()


def error_name(error):
    return Gio.DBusError.get_remote_error(error)


def error_text(error):
    return error.message.partition(": ")[2]


@contextlib.contextmanager
def as_user(uid):
    """A connection is whoever makes it."""
    if uid == os.geteuid():
        yield
        return
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


def wait_for(condition, what, timeout=TIMEOUT):
    """Serves the main loop until @condition."""
    context = GLib.MainContext.default()
    late = []
    source = GLib.timeout_add_seconds(timeout, lambda: late.append(True))
    try:
        while not condition():
            if late:
                raise AssertionError(f"waited in vain for {what}")
            context.iteration(True)
    finally:
        if not late:
            GLib.source_remove(source)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def snapshot(folder):
    """Every file's path and content, for comparison."""
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None
            for p in sorted(folder.rglob("*")) if not p.is_fifo()}


class BusTest(unittest.TestCase):
    """A folder, a bus, and a daemon when the test wants one."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nestvirt-"))
        self.folder.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.folder)
        self.bus = Bus(self.folder / "bus")
        self.addCleanup(self.bus.stop)
        self.host = self.folder / "host"
        self.daemons = []
        self.addCleanup(self._stop_all)

    def _stop_all(self):
        for daemon in self.daemons:
            if daemon.poll() is None:
                daemon.send_signal(signal.SIGTERM)
            self.assertEqual(daemon.wait(TIMEOUT), daemon.expected, f"how the daemon ended: {daemon.log.read_text()}")

    def client(self, uid=0, watch=False):
        client = Client(self.bus.address, uid)
        self.addCleanup(client.close)
        return client.watch() if watch else client

    def service(self, name, answers):
        service = Service(self.bus.address, name, answers)
        self.addCleanup(service.close)
        return service

    def start(self, *command, wrap=()):
        """Starts a daemon and waits until it owns its name."""
        observer = self.client()
        watcher = []
        subscription = Gio.bus_watch_name_on_connection(
            observer.connection, NAME, Gio.BusNameWatcherFlags.NONE, lambda *_: watcher.append(True), None)
        log = self.folder / f"log-{len(self.daemons)}"
        environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.bus.address}
        environment.pop("NOTIFY_SOCKET", None)
        with open(log, "w", encoding="utf-8") as stream:
            process = subprocess.Popen([*wrap, *map(str, command)], env=environment, stdin=subprocess.DEVNULL, stdout=stream,
                                       stderr=stream)
        process.log, process.expected = log, 0
        self.daemons.append(process)
        # Its death has no place in this main loop; it is looked for now and then.
        ticking = GLib.timeout_add(50, lambda: True)
        wait_for(lambda: watcher or process.poll() is not None, "the daemon")
        GLib.source_remove(ticking)
        Gio.bus_unwatch_name(subscription)
        self.assertIsNone(process.poll(), log.read_text())
        return process

    def start_real(self, fixture, *options, **keywords):
        """The daemon as it is, over a copy of a fixture."""
        if not self.host.exists():
            shutil.copytree(FIXTURES / fixture, self.host, symlinks=True)
        return self.start(os.environ["NESTVIRTD"], f"--root={self.host}", *options, **keywords)

    def start_fake(self, *options, **keywords):
        """The daemon with the loader that edits the tree; the tree is an AMD host of its own making."""
        (self.host / "fake").mkdir(parents=True, exist_ok=True)
        return self.start(os.environ["NESTVIRTD_FAKE"], self.host, *options, **keywords)

    def stop(self, daemon):
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(TIMEOUT), 0, daemon.log.read_text())

    @contextlib.contextmanager
    def refused(self, name, *words):
        """The call within ends in the error @name, whose message has all the @words."""
        with self.assertRaises(GLib.Error) as caught:
            yield caught
        self.assertEqual(error_name(caught.exception), name, caught.exception.message)
        for word in words:
            self.assertIn(word, caught.exception.message)

    # The fake host

    def value(self, module, name):
        return (self.host / "sys/module" / module / "parameters" / name).read_text().strip()

    def dropin(self):
        path = self.host / "etc/modprobe.d/zz-nestvirt.conf"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if not line.startswith("#") and line]

    def calls(self):
        """What the loader was asked to do, so far."""
        path = self.host / "fake/calls"
        return path.read_text().splitlines() if path.exists() else []

    def hold(self, pid, command="qemu-system-x86", module="kvm_amd"):
        """A process that holds /dev/kvm, as /proc and the module show it."""
        folder = self.host / "proc" / str(pid)
        write(folder / "comm", command + "\n")
        write(folder / "status", "Name:\tqemu\nUid:\t1000\t1000\t1000\t1000\n")
        write(folder / "cgroup", "0::/machine.slice/web1.scope\n")
        write(folder / "cmdline", "")
        (folder / "fd").mkdir()
        (folder / "fd/3").symlink_to("/dev/kvm")
        self.set_refcnt(module, 1)

    def set_refcnt(self, module, count):
        write(self.host / "sys/module" / module / "refcnt", f"{count}\n")

    def release(self, pid, module="kvm_amd"):
        self.set_refcnt(module, 0)
        shutil.rmtree(self.host / "proc" / str(pid), ignore_errors=True)

    def close_gate(self):
        """The next load of kvm_amd waits."""
        os.mkfifo(self.host / "fake/gate")

    def wait_at_gate(self):
        """Until the load waits there; returns what opens the gate."""
        path = self.host / "fake/gate"
        found = []

        def look():
            try:
                found.append(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))
                return False
            except OSError:
                return True  # nobody reads yet

        GLib.timeout_add(5, look)
        wait_for(lambda: found, "a load at the gate")
        path.unlink()
        return lambda: os.close(found[0])


class TapResult(unittest.TestResult):
    """TAP on stdout, as meson counts it; what went wrong as diagnostics."""

    def __init__(self, total):
        super().__init__()
        self.wrong = []
        print(f"1..{total}", flush=True)

    def startTest(self, test):
        super().startTest(test)
        self.wrong = []

    def stopTest(self, test):
        super().stopTest(test)
        print(f"{'not ok' if self.wrong else 'ok'} {self.testsRun} - {test.id().removeprefix('__main__.')}", flush=True)
        for text in self.wrong:
            for line in text.splitlines():
                print(f"# {line}", flush=True)

    def addError(self, test, err):
        super().addError(test, err)
        self.wrong.append("".join(traceback.format_exception(*err)))

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.wrong.append(f"{subtest.id()}\n{''.join(traceback.format_exception(*err))}")


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    loader = unittest.defaultTestLoader
    module = sys.modules["__main__"]
    suite = loader.loadTestsFromNames(sys.argv[1:], module) if sys.argv[1:] else loader.loadTestsFromModule(module)
    result = TapResult(suite.countTestCases())
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)
