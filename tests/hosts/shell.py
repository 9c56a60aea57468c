# SPDX-License-Identifier: LGPL-2.1-or-later
"""The emulated host by hand: a root shell on its console, or one command.

    shell.py [--build=DIR | --tree=DIR | --plain] [--kernel=RELEASE] [--words="KERNEL WORDS"] [--user=NAME] [COMMAND]
"""

import argparse
import pathlib
import signal
import sys
import tempfile

import emulator
import kernels
import payload
from agent import HostError
from image import ImageError

# Keys that end a program go to the guest; Ctrl-A X is QEMU's own.
TERMINAL = ["-chardev", "stdio,id=tty,mux=on,signal=off", "-mon", "chardev=tty", "-device", "virtconsole,chardev=tty"]


def arguments():
    parser = argparse.ArgumentParser(prog="shell.py", description="The emulated AMD host by hand.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--build", type=pathlib.Path, help="the build tree whose install is laid over the host")
    what.add_argument("--tree", type=pathlib.Path, help="a DESTDIR that is laid over it instead")
    what.add_argument("--plain", action="store_true", help="nothing is laid over it")
    parser.add_argument("--kernel", choices=kernels.names(), help="the kernel of another release of Debian")
    parser.add_argument("--words", default="", help="more words for the kernel command line")
    parser.add_argument("--user", default="root", help="who runs the command")
    parser.add_argument("command", nargs="?", help="run this and leave; without it, a root shell")
    return parser.parse_args()


def make_payload(args, target):
    if args.plain:
        return None
    if args.tree:
        return payload.from_tree(args.tree, target)
    return payload.from_build(target, args.build)


def interactive(host, words):
    print("The emulated host boots (about 10 s). Leave it with Ctrl-A X.", file=sys.stderr, flush=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    host.launch(words, TERMINAL, stdin=None)
    return host.process.wait()


def one_command(host, words, args):
    result = host.boot(words).run(args.command, args.user, timeout=600)
    sys.stdout.write(result.stdout)
    sys.stderr.write(result.stderr)
    return result.status


def main():
    args = arguments()
    with tempfile.TemporaryDirectory(prefix="nestvirt-payload-") as folder:
        with emulator.Host(make_payload(args, pathlib.Path(folder) / "payload.tar"), args.kernel) as host:
            if args.command is None:
                return interactive(host, args.words.split())
            return one_command(host, args.words.split(), args)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (HostError, ImageError) as error:
        sys.exit(f"shell.py: {error}")
