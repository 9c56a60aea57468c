# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands inside an emulated host, over the stream socket of its agent (guest/agent.c says what
the frames are).

Owns the frames, the running jobs and their output. Knows nothing of how the host was started.
"""

import collections
import os
import re
import signal
import struct
import threading
import time

HEADER = struct.Struct("<IIB")
CHUNK = 65536

Result = collections.namedtuple("Result", "status stdout stderr")


class HostError(Exception):
    """The host, not the command, failed: it died, it hangs, or an awaited line did not come."""


def text(data):
    """Output as a string; bytes that are no UTF-8 survive (encode with the same handler to get them
    back)."""
    return data.decode(errors="surrogateescape")


class Job:
    """A command that was started. Its output is kept whole; `wait_for` walks through it line by
    line."""

    def __init__(self, agent, number, command):
        self.agent = agent
        self.number = number
        self.command = command
        self.output = {"stdout": bytearray(), "stderr": bytearray()}
        self.seen = {"stdout": 0, "stderr": 0}
        self.status = None

    def stdout(self):
        with self.agent.changed:
            return text(bytes(self.output["stdout"]))

    def stderr(self):
        with self.agent.changed:
            return text(bytes(self.output["stderr"]))

    def wait(self, timeout=60):
        """The Result, once the command has ended. The status is negative for a signal."""
        with self.agent.changed:
            self.agent.wait(lambda: self.status is not None, timeout, f"the end of: {self.command}", self)
            return Result(self.status, text(bytes(self.output["stdout"])), text(bytes(self.output["stderr"])))

    def wait_bytes(self, timeout=60):
        """Like `wait`, with the output as it came."""
        with self.agent.changed:
            self.agent.wait(lambda: self.status is not None, timeout, f"the end of: {self.command}", self)
            return Result(self.status, bytes(self.output["stdout"]), bytes(self.output["stderr"]))

    def wait_for(self, pattern, timeout=60, stream="stdout"):
        """The match in the next line of output, after those already walked through, where the
        pattern is found."""
        what = f"a line with {pattern!r} from: {self.command}"
        with self.agent.changed:
            found = []
            self.agent.wait(lambda: self.walk(pattern, stream, found), timeout, what, self)
            if not found:
                raise HostError(f"{self.command} ended with status {self.status} before {what}{self.tail()}")
            return found[0]

    def walk(self, pattern, stream, found):
        output = self.output[stream]
        while True:
            end = output.find(b"\n", self.seen[stream])
            if end < 0:
                return self.status is not None
            line = text(bytes(output[self.seen[stream] : end]))
            self.seen[stream] = end + 1
            match = re.search(pattern, line)
            if match:
                found.append(match)
                return True

    def follow(self):
        """Its standard output piece by piece as it comes, until the command has ended."""
        done = 0
        while True:
            with self.agent.changed:
                self.agent.changed.wait_for(lambda: self.status is not None or self.agent.lost or len(self.output["stdout"]) > done)
                data = bytes(self.output["stdout"][done:])
            if not data:
                return
            done += len(data)
            yield data

    def send(self, data):
        """Write to the command's standard input."""
        data = data.encode() if isinstance(data, str) else data
        for start in range(0, len(data), CHUNK):
            self.agent.send(self.number, "I", data[start : start + CHUNK])

    def end_input(self):
        self.agent.send(self.number, "E", b"")

    def kill(self, number=signal.SIGTERM):
        """Send a signal to the command and all that it started (its process group)."""
        self.agent.send(self.number, "K", bytes([number]))

    def stop(self, timeout=60):
        """Kill it when it still runs, and wait for its end. What a shell has started may end after
        the shell: whoever needs it gone starts it with exec."""
        if self.status is None:
            self.kill(signal.SIGKILL)
        return self.wait(timeout)

    def tail(self):
        parts = [f"\n--- its {name}, the end:\n{text(bytes(data[-2000:]))}" for name, data in self.output.items() if data]
        return "".join(parts)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.agent.lost is None:
            self.stop()


class Agent:
    """The connection. `explain` gives words for an error: the end of the console, say. `patience`
    multiplies all timeouts: how much slower than others this host may be."""

    answer_seconds = 30

    def __init__(self, connection, explain, patience=1):
        self.connection = connection
        self.explain = explain
        self.patience = patience
        self.changed = threading.Condition()
        self.sending = threading.Lock()
        self.jobs = {}
        self.last = 0
        self.greetings = 0
        self.lost = None
        self.reader = threading.Thread(target=self.read, name="agent", daemon=True)
        self.reader.start()

    def start(self, command, user="root"):
        with self.changed:
            self.last += 1
            job = Job(self, self.last, command)
            self.jobs[job.number] = job
        self.send(job.number, "R", f"{user}\0{command}".encode(errors="surrogateescape"))
        return job

    def greet(self, timeout):
        """Wait until the agent has said that it is there; also right after a host was woken from a
        saved state."""
        with self.changed:
            self.wait(lambda: self.greetings > 0, timeout, "the host to come up")

    def send(self, number, kind, data):
        try:
            with self.sending:
                self.connection.sendall(HEADER.pack(len(data), number, ord(kind)) + data)
        except OSError as error:
            raise HostError(f"the host is gone ({error}){self.explain()}") from error

    def wait(self, done, timeout, what, job=None):
        """Called with `changed` held. Returns when done() is true; raises when the host is lost or
        time is up."""
        timeout *= self.patience
        end = time.monotonic() + timeout
        while not done():
            if self.lost is not None:
                raise HostError(f"the host is gone ({self.lost}) while waiting for {what}{self.explain()}")
            left = end - time.monotonic()
            if left <= 0:
                if not self.answers():
                    self.lost = "it has stopped to answer"
                raise HostError(f"{timeout} s were not enough for {what}{job.tail() if job else ''}{self.explain()}")
            self.changed.wait(left)

    def answers(self):
        """Whether it still runs commands. One that does not is of no use to further tests, which
        would all wait in vain."""
        job = self.start("true")
        return self.changed.wait_for(lambda: job.status is not None or self.lost, self.answer_seconds * self.patience)

    def read(self):
        try:
            with self.connection.makefile("rb") as stream:
                while True:
                    header = stream.read(HEADER.size)
                    if len(header) < HEADER.size:
                        raise EOFError("its emulator has ended")
                    length, number, kind = HEADER.unpack(header)
                    self.handle(number, chr(kind), stream.read(length))
        except (OSError, EOFError, ValueError) as error:
            with self.changed:
                self.lost = error
                self.changed.notify_all()

    def handle(self, number, kind, data):
        with self.changed:
            if kind == "H":
                self.greetings += 1
            job = self.jobs.get(number)
            if job and kind == "O":
                job.output["stdout"] += data
            elif job and kind == "S":
                job.output["stderr"] += data
            elif job and kind == "X":
                job.status = os.waitstatus_to_exitcode(struct.unpack("<I", data)[0])
                del self.jobs[number]
            self.changed.notify_all()

    def close(self):
        self.connection.close()
