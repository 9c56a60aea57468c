# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the daemon's catalogue says of a kernel's parameters, and what the kernel's own modules say
of them.

Owns the reading of both, and the list of parameters that the catalogue leaves out on purpose. The
judging is the tests'.
"""

import collections
import re
import subprocess

import initramfs
import payload

Entry = collections.namedtuple("Entry", "kind kept allowed default choices")

# In the kernel, and not in the catalogue: nobody is to change them, or nobody is to know.
LEFT_OUT = {
    ("kvm", "flush_on_reuse"): "an experiment in flushing TLBs, without effect on what guests can do",
    ("kvm", "force_emulation_prefix"): "for the kernel's own tests of its emulator; guests could tell",
    ("kvm", "vector_hashing"): "which CPU gets an interrupt of the lowest priority; has nothing to do with nesting",
    ("kvm_intel", "warn_on_missed_cc"): "a warning for developers about consistency checks that KVM lacks",
}

# The kinds in the catalogue that are right for the type that a module declares (kernel/params.c),
# and how a value looks.
TYPES = {
    "bint": [("bool", "letters")],
    "bool": [("bool", "letters"), ("choice", "letters")],  # words more than on and off are not declared
    "int": [("bool", "numbers"), ("int", "numbers")],
    "uint": [("uint", "numbers")],
    "ushort": [("uint", "numbers")],
}
RANGES = {"ushort": "a number from 0 to 65535", "uint": "a number from 0 to 4294967295"}


def read(release):
    """The catalogue for a kernel: an Entry by module and name."""
    program = payload.build_folder() / "tests/hosts/print-catalog"
    lines = subprocess.run([program, release], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    rows = [line.split("\t") for line in lines]
    return {(module, name): Entry(*rest[:-1], rest[-1].split(",") if rest[-1] else []) for module, name, *rest in rows}


def modinfo(path):
    """The declarations in a module file: its kernel's release, and the type of each parameter."""
    text = initramfs.module_text(path)
    release = re.search(rb"(?<![ -~])vermagic=(\S+)", text)[1].decode()
    types = re.findall(rb"(?<![ -~])parmtype=(\w+):(\w+)\0", text)
    return release, {name.decode(): kind.decode() for name, kind in types}
