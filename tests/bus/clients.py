# SPDX-License-Identifier: LGPL-2.1-or-later
"""Connections to a private bus: clients of any uid that keep what comes in, and stand-ins for other
services."""

import contextlib
import os

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

NAME = "org.nestvirt1"
PATH = "/org/nestvirt1"
MANAGER = "org.nestvirt1.Manager"
MODULE = "org.nestvirt1.Module"
GUEST = "org.nestvirt1.Guest"
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
ERROR = "org.nestvirt1.Error."
DBUS_ERROR = "org.freedesktop.DBus.Error."

DRY_RUN, RUNTIME, NEXT_BOOT, WHEN_IDLE, HOLDERS = 1, 2, 4, 8, 16
NOBODY = 65534
# Generous: a sanitizer on a loaded machine. Nothing waits for it unless it fails.
TIMEOUT = 60

# The number of signals that have come in, to whomever; written by GLib's thread alone.
arrived = [0]


def module_path(name):
    return f"{PATH}/module/{name}"


def guest_path(uuid):
    return f"{PATH}/guest/{uuid.replace('-', '_')}"


class Message:
    """A message as a client got it: in the order of the wire, which callbacks of a main loop need
    not keep."""

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
        # GLib's thread; a list takes one item at a time. Waking the main loop makes wait_for() look
        # again.
        if incoming:
            self.messages.append(Message(message))
            if message.get_message_type() == Gio.DBusMessageType.SIGNAL:
                arrived[0] += 1
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

    def wait_gone(self, name):
        """Until the bus has forgotten the connection @name, and has told everybody so."""
        while self.call("NameHasOwner", ("s", name), destination="org.freedesktop.DBus", path="/org/freedesktop/DBus",
                        interface="org.freedesktop.DBus")[0]:
            pass

    def close(self):
        if not self.connection.is_closed():
            self.connection.close_sync(None)


class Service(Client):
    """Stands for another service: owns its name, keeps the calls, and answers them as @answers
    says: by member, a function of the Request that returns a body as in variant(), () for none, a
    Failure, or None to let the caller wait."""

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
    """("st", "a", 1) as the body of a message; what is one already stays."""
    if arguments is None or isinstance(arguments, GLib.Variant):
        return arguments
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
    """Serves the main loop until @condition, which may call: a signal that comes in meanwhile is
    then served, too, and what it is about is looked at once more."""
    context = GLib.MainContext.default()
    late = []
    source = GLib.timeout_add_seconds(timeout, lambda: late.append(True))
    try:
        before = arrived[0]
        while not condition():
            if late:
                raise AssertionError(f"waited in vain for {what}")
            if arrived[0] == before:
                context.iteration(True)
            before = arrived[0]
    finally:
        if not late:
            GLib.source_remove(source)
