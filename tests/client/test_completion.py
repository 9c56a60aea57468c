# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a Tab offers, in bash and in zsh: asked from the shells themselves, over a folder of
parameters. No bus is there to be called."""

import os
import pathlib
import pty
import shlex
import subprocess
import tempfile
import unittest

from ctl import NOWHERE, SOURCES, environment
from tap import main

COMPLETION = SOURCES / "completion"
PARAMETERS = {"kvm_amd/nested": "1", "kvm_amd/npt": "Y", "kvm_amd/pause_filter_count": "3000", "kvm/ignore_msrs": "N",
              "kvm/halt_poll_ns": "200000"}
NAMES = {"nested", "npt", "pause_filter_count", "ignore_msrs", "halt_poll_ns", "kvm.ignore_msrs", "kvm.halt_poll_ns"}
VERBS = {"status", "check", "show", "set", "reset", "apply", "reload", "cancel", "users", "guests", "guest", "set-cpu", "prepare",
         "probe", "fingerprint", "compare", "stat", "exits", "ensure-device", "metrics", "labels", "monitor", "patch-xml", "help"}
PATCHING = {"--nested", "--mode", "--model", "--recipe", "--release", "--vendor"}
SETTING = {"--dry-run", "--runtime", "--next-boot", "--when-idle", "--wait", "--verify"}

BASH = r"""
source "$1"
COMP_LINE=$2 COMP_POINT=${#2}
_nestvirtctl
printf '%s\n' "${COMPREPLY[@]}"
"""

# The words are caught where zsh adds them, and the shell ends when it has completed once.
ZSH = r"""
PROMPT=
fpath=($COMPLETION $fpath)
autoload -Uz compinit && compinit -C -d $DUMP
compadd() {
        local -a hits
        [[ " $* " == *" "-[OAD]" "* ]] && { builtin compadd "$@"; return }
        builtin compadd -A hits "$@"
        print -rl -- $hits >>$HITS
        builtin compadd "$@"
}
finish() { exit }
comppostfuncs=(finish)
bindkey '^I' complete-word
print >$READY
"""


class Shell(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name, value in PARAMETERS.items():
            module, parameter = name.split("/")
            path = self.folder / "modules" / module / "parameters" / parameter
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(value + "\n")
        (self.folder / "guests").mkdir()
        for name in ("web1", "web2", "db"):
            (self.folder / f"guests/{name}.xml").write_text("")
        self.environment = environment(NOWHERE, {"NESTVIRTCTL_MODULES": str(self.folder / "modules"), "COMPLETION": str(COMPLETION),
                                                 "NESTVIRTCTL_GUESTS": str(self.folder / "guests")})


class Bash(Shell):
    def offer(self, line):
        result = subprocess.run(["bash", "--norc", "-c", BASH, "bash", COMPLETION / "nestvirtctl.bash", line], text=True,
                                env=self.environment, cwd=self.folder, capture_output=True, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""), line)
        return set(shlex.split(result.stdout))  # as a shell takes what is typed in for a Tab


class Zsh(Shell):
    @classmethod
    def setUpClass(cls):
        """What zsh makes of its folders at the first start is kept for the others."""
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.dump = pathlib.Path(folder.name, "dump")

    def offer(self, line):
        for name in ("hits", "ready"):
            (self.folder / name).unlink(missing_ok=True)
        os.mkfifo(self.folder / "ready")
        (self.folder / ".zshrc").write_text(ZSH)
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            ["zsh", "-d", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, cwd=self.folder,
            env={**self.environment, "TERM": "dumb", "ZDOTDIR": str(self.folder), "HITS": str(self.folder / "hits"),
                 "READY": str(self.folder / "ready"), "DUMP": str(self.dump)})
        os.close(theirs)
        (self.folder / "ready").read_text()
        os.write(ours, f"{line}\t".encode())
        try:
            while os.read(ours, 4096):
                pass
        except OSError:
            pass  # it has ended
        os.close(ours)
        process.wait()
        hits = self.folder / "hits"
        return set(shlex.split(hits.read_text())) if hits.exists() else set()


class Cases:
    """The same of both."""

    def test_verbs(self):
        self.assertEqual(self.offer("nestvirtctl "), VERBS)
        self.assertEqual(self.offer("nestvirtctl s"), {"status", "show", "set", "stat", "set-cpu"})
        self.assertEqual(self.offer("nestvirtctl --no-pager re"), {"reset", "reload"})

    def test_parameters(self):
        for verb in ("show", "reset", "set"):
            with self.subTest(verb):
                self.assertEqual({word.rstrip("=") for word in self.offer(f"nestvirtctl {verb} ")}, NAMES)
        self.assertEqual(self.offer("nestvirtctl show nested kvm.i"), {"kvm.ignore_msrs"})
        self.assertEqual(self.offer("nestvirtctl --quiet reset np"), {"npt"})

    def test_values(self):
        self.assertEqual(self.offer("nestvirtctl set nested="), {"on", "off"})
        self.assertEqual(self.offer("nestvirtctl set nested=of"), {"off"})
        self.assertEqual(self.offer("nestvirtctl set npt=1 kvm.ignore-msrs="), {"on", "off"})
        self.assertEqual(self.offer("nestvirtctl set pause_filter_count="), set())

    def test_options(self):
        self.assertLess(SETTING, {word.partition("=")[0] for word in self.offer("nestvirtctl set --")})
        self.assertEqual(self.offer("nestvirtctl reset --wh"), {"--when-idle"})
        self.assertEqual(self.offer("nestvirtctl reload --d"), {"--dry-run"})
        self.assertEqual(self.offer("nestvirtctl probe --t"), {"--times"})
        self.assertEqual(self.offer("nestvirtctl show --a"), {"--all"})
        for verb in ("", "status ", "check ", "show ", "guests ", "guest "):
            self.assertEqual({word.rstrip("=") for word in self.offer(f"nestvirtctl {verb}--ro")}, {"--root"}, verb)
        for verb in ("set", "users", "monitor", "probe", "patch-xml"):
            self.assertEqual(self.offer(f"nestvirtctl {verb} --ro"), set(), verb)
        self.assertTrue(any("modules" in word for word in self.offer(f"nestvirtctl --root={self.folder}/mod")))
        self.assertEqual({word.rstrip("=") for word in self.offer("nestvirtctl stat --int")}, {"--interval"})
        self.assertFalse((SETTING | {"--all", "--times", "--interval", "--count"}) & self.offer("nestvirtctl status --"))
        self.assertEqual(self.offer("nestvirtctl --q"), {"--quiet"})
        self.assertEqual(self.offer("nestvirtctl --json="), {"short", "pretty", "off"})

    def test_patch_xml(self):
        options = {word.partition("=")[0] for word in self.offer("nestvirtctl patch-xml --")}
        self.assertLess(PATCHING, options)
        self.assertEqual(SETTING & options, {"--dry-run"})
        self.assertFalse(PATCHING & {word.partition("=")[0] for word in self.offer("nestvirtctl set --")})
        self.assertEqual(self.offer("nestvirtctl patch-xml --nested="), {"yes", "no"})
        self.assertEqual(self.offer("nestvirtctl patch-xml --mode=host-p"), {"host-passthrough"})
        self.assertEqual(self.offer("nestvirtctl patch-xml --recipe=e"), {"esxi"})
        (self.folder / "guest one.xml").write_text("")
        for verb in ("patch-xml", "compare"):
            self.assertTrue(any("guest" in word for word in self.offer(f"nestvirtctl {verb} {self.folder}/gue")))

    def test_verbs_without_words_get_none(self):
        for verb in ("status", "users", "guests", "cancel", "monitor"):
            with self.subTest(verb):
                self.assertEqual(self.offer(f"nestvirtctl {verb} "), set())

    def test_guests(self):
        self.assertEqual(self.offer("nestvirtctl guest "), {"web1", "web2", "db"})
        self.assertEqual(self.offer("nestvirtctl guest w"), {"web1", "web2"})
        self.assertEqual(self.offer("nestvirtctl set-cpu w"), {"web1", "web2"})
        self.assertEqual(self.offer("nestvirtctl prepare "), {"web1", "web2", "db"})
        self.assertEqual(self.offer("nestvirtctl prepare web1 h"), {"hyperv"})
        self.assertEqual(self.offer("nestvirtctl set-cpu web1 --nested="), {"yes", "no"})
        self.assertEqual(self.offer("nestvirtctl set-cpu web1 --re"), set())
        self.assertEqual({word.partition("=")[0] for word in self.offer("nestvirtctl prepare web1 --re")}, {"--release"})
        self.environment["NESTVIRTCTL_GUESTS"] = str(self.folder / "none")
        self.assertEqual(self.offer("nestvirtctl guest "), set())

    def test_names_mean_nothing_to_the_shell(self):
        names = {"my web", "my other", "x$(touch ran)y", "x`touch${IFS}ran`", "z;touch ran", "$HOME", "*", "a'b", 'a"b', "n:1", "back\\slash"}
        for name in names:
            (self.folder / f"guests/{name}.xml").write_text("")
        for verb in ("guest", "set-cpu", "prepare"):
            self.assertEqual(self.offer(f"nestvirtctl {verb} "), names | {"web1", "web2", "db"})
            self.assertEqual(self.offer(f"nestvirtctl {verb} my"), {"my web", "my other"})
        for word, name in (("my\\ w", "my web"), ("x\\$", "x$(touch ran)y"), ("x\\`", "x`touch${IFS}ran`"), ("\\*", "*"), ("z", "z;touch ran")):
            self.assertEqual(self.offer(f"nestvirtctl guest {word}"), {name})
        self.assertEqual(self.offer("nestvirtctl prepare my\\ web h"), {"hyperv"})
        (self.folder / "modules/kvm_amd/parameters/$(touch ran)").write_text("Y\n")
        for verb in ("show", "set"):
            self.assertIn("$(touch ran)", {word.rstrip("=") for word in self.offer(f"nestvirtctl {verb} ")})
        self.assertFalse((self.folder / "ran").exists())

    def test_no_modules_no_parameters(self):
        self.environment["NESTVIRTCTL_MODULES"] = str(self.folder / "none")
        self.assertEqual(self.offer("nestvirtctl show "), set())


class BashOffers(Cases, Bash):
    pass


class ZshOffers(Cases, Zsh):
    pass


if __name__ == "__main__":
    main()
