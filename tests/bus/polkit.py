# SPDX-License-Identifier: LGPL-2.1-or-later
"""polkit's part in the tests: what is said in its place, and the real one with a test's rules."""

import os
import subprocess

from clients import Failure, Gio, GLib, Service, wait_for

POLKIT = "org.freedesktop.PolicyKit1"
AUTHORITY = {"destination": POLKIT, "path": "/org/freedesktop/PolicyKit1/Authority", "interface": POLKIT + ".Authority"}

YES = ("(bba{ss})", (True, False, {}))
NO = ("(bba{ss})", (False, False, {}))
CHALLENGE = ("(bba{ss})", (False, True, {}))

# The user with uid 1 may, and nobody else without being asked.
READ_DETAILS = """
polkit.addRule(function(action, subject) {
        if (action.id == "org.nestvirt1.read-details" && subject.user == "daemon")
                return polkit.Result.YES;
        return polkit.Result.NOT_HANDLED;
});
"""

# Its folders are built in, so it gets a view of the file system in which they are ours.
START = """
set -e
mount -t tmpfs -o mode=0755 tmpfs /etc/polkit-1/rules.d
cp "$RULES" /etc/polkit-1/rules.d/50-test.rules
mount -t tmpfs -o mode=0755 tmpfs /usr/share/polkit-1/rules.d
mount -t tmpfs -o mode=0755 tmpfs /usr/share/polkit-1/actions
cp "$POLICY" /usr/share/polkit-1/actions/
exec /usr/lib/polkit-1/polkitd --no-debug
"""


def start_polkitd(test, rules):
    """polkitd on the bus of @test, a BusTest, with our policy and those rules alone."""
    path = test.folder / "test.rules"
    path.write_text(rules)
    owned = []
    Gio.bus_watch_name_on_connection(test.client().connection, POLKIT, Gio.BusNameWatcherFlags.NONE,
                                     lambda *_: owned.append(True), None)
    process = subprocess.Popen(
        ["unshare", "--mount", "--propagation=private", "sh", "-c", START],
        env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": test.bus.address, "RULES": str(path)}, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL)
    test.addCleanup(process.wait)
    test.addCleanup(process.terminate)
    wait_for(lambda: owned, "polkitd")


def process_subject(pid):
    """A process as polkit knows it: by its start, too."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stream:
        start = int(stream.read().rpartition(")")[2].split()[19])
    return "unix-process", {"pid": GLib.Variant("u", pid), "start-time": GLib.Variant("t", start)}


class Agent(Service):
    """What shows polkit's questions on the desktop of a process and of its user; here to the test,
    which answers them."""

    def __init__(self, test, pid):
        super().__init__(test.bus.address, "org.nestvirt1.TestAgent", {"BeginAuthentication": lambda request: None,
                                                                      "CancelAuthentication": lambda request: ()})
        test.addCleanup(self.close)
        self.call("RegisterAuthenticationAgent", ("(sa{sv})ss", process_subject(pid), "C.UTF-8", "/agent"), **AUTHORITY)

    def question(self):
        """The last one, when it is there: the action, what a person reads, and the icon."""
        wait_for(lambda: self.asked("BeginAuthentication"), "polkit's question")
        action, message, icon, *_ = self.asked("BeginAuthentication")[-1].arguments
        return action, message, icon

    def give_password(self):
        """As the first of those whose password would do."""
        request = self.asked("BeginAuthentication")[-1]
        *_, cookie, identities = request.arguments
        (kind, details), *_ = identities
        identity = kind, {name: GLib.Variant("u", value) for name, value in details.items()}
        self.call("AuthenticationAgentResponse2", ("us(sa{sv})", 0, cookie, identity), **AUTHORITY)
        self.answer(request, ())

    def dismiss(self):
        self.answer(self.asked("BeginAuthentication")[-1], Failure(POLKIT + ".Error.Cancelled", "Closed"))
