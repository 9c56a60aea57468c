# SPDX-License-Identifier: LGPL-2.1-or-later
"""A socket of ours that is the journal's, in a view of the file system of the daemon's own."""

import pathlib
import re
import socket
import struct

from clients import TIMEOUT

LOG_H = pathlib.Path(__file__).parents[2] / "daemon/service/log-change.h"


def message_ids():
    return dict(re.findall(r'#define MESSAGE_(\w+) "([0-9a-f]{32})"', LOG_H.read_text()))


def parse(datagram):
    """The journal's own format: FIELD=value, or FIELD, a length and any bytes."""
    fields = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            length = struct.unpack("<Q", rest[:8])[0]
            value, rest = rest[8:8 + length], rest[9 + length:]
        fields[name.decode()] = value.decode()
        datagram = rest
    return fields


class Journal:
    """@wrap is what the daemon's command follows."""

    START = 'mkdir -p /run/systemd && mount -t tmpfs tmpfs /run/systemd && mkdir /run/systemd/journal && ' \
            'ln -s "$0" /run/systemd/journal/socket && exec "$@"'

    def __init__(self, folder):
        self.ids = message_ids()
        self.path = folder / "journal"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.path.chmod(0o666)
        self.socket.settimeout(TIMEOUT)
        self.wrap = ("unshare", "--mount", "--propagation=private", "sh", "-c", self.START, str(self.path))

    def close(self):
        self.socket.close()

    def entry(self):
        """The next one; waits for it."""
        return parse(self.socket.recv(1 << 16))

    def rest(self):
        """Those that are there already."""
        found = []
        self.socket.setblocking(False)
        try:
            while True:
                found.append(self.entry())
        except BlockingIOError:
            return found
        finally:
            self.socket.settimeout(TIMEOUT)

    def entries(self, kind):
        """Those of one kind that are there already; all others are dropped."""
        return [fields for fields in self.rest() if fields.get("MESSAGE_ID") == self.ids[kind]]
