# SPDX-License-Identifier: LGPL-2.1-or-later
"""The emulated host by hand: a root shell, or one command.

    shell.py [amd | intel] [--build=DIR | --tree=DIR | --plain] [--kernel=RELEASE]
             [--words="KERNEL WORDS"] [--user=NAME] [COMMAND]
"""

import argparse
import os
import pathlib
import signal
import sys
import tempfile
import termios
import threading
import tty

import emulator
import kernels
import payload
from agent import HostError
from image import ImageError


# A terminal inside, over the agent's port, for a machine that has none of its own.
TERMINAL = "TERM=xterm script -q -c 'stty rows 24 columns 80; exec bash -l' /dev/null"


def arguments(words):
    parser = argparse.ArgumentParser(prog="shell.py", description="The emulated host by hand.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--build", type=pathlib.Path, help="the build tree whose install is laid over the host")
    what.add_argument("--tree", type=pathlib.Path, help="a DESTDIR that is laid over it instead")
    what.add_argument("--plain", action="store_true", help="nothing is laid over it")
    parser.add_argument("--kernel", choices=kernels.names(), help="the kernel of another release of Debian")
    parser.add_argument("--words", default="", help="more words for the kernel command line")
    parser.add_argument("--user", default="root", help="who runs the command")
    parser.add_argument("command", nargs="?", help="run this and leave; without it, a root shell")
    machine = words.pop(0) if words and words[0] in emulator.MACHINES else "amd"
    return parser.parse_args(words, argparse.Namespace(machine=machine))


def make_payload(args, target):
    if args.plain:
        return None
    if args.tree:
        return payload.from_tree(args.tree, target)
    return payload.from_build(target, args.build)


def interactive(host, words):
    seconds = host.machine.boot_seconds
    if not host.machine.has_terminal:
        print(f"The emulated host boots (about {seconds} s). Leave it with: exit", file=sys.stderr, flush=True)
        return over_the_agent(host.boot(words))
    print(f"The emulated host boots (about {seconds} s). Leave it with Ctrl-A X.", file=sys.stderr, flush=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    host.launch(words, terminal=True, stdin=None)
    return host.process.wait()


def forward(job):
    """Keys to the host, in a thread of their own."""
    while data := os.read(sys.stdin.fileno(), 1024):
        job.send(data)
    job.end_input()


def over_the_agent(host):
    """A shell whose keys and output go through the agent; the keys unchanged, so that Ctrl-C ends a
    program inside."""
    settings = termios.tcgetattr(sys.stdin) if sys.stdin.isatty() else None
    with host.start(TERMINAL) as job:
        if settings:
            tty.setraw(sys.stdin)
        try:
            threading.Thread(target=forward, args=[job], daemon=True).start()
            for data in job.follow():
                sys.stdout.buffer.write(data)
                sys.stdout.flush()
        finally:
            if settings:
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)
    return 0


def one_command(host, words, args):
    result = host.boot(words).run(args.command, args.user, timeout=600)
    sys.stdout.write(result.stdout)
    sys.stderr.write(result.stderr)
    return result.status


def main():
    args = arguments(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="nestvirt-payload-") as folder:
        with emulator.Host(make_payload(args, pathlib.Path(folder) / "payload.tar"), args.kernel, machine=args.machine) as host:
            if args.command is None:
                return interactive(host, args.words.split())
            return one_command(host, args.words.split(), args)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (HostError, ImageError) as error:
        sys.exit(f"shell.py: {error}")
