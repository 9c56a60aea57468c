# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts made of files, as the page needs them: guests with a definition, a probe that says what it
is told, and the one host that is shown to people."""

import os
import stat

from clients import GLib
from harness import write

DOMAIN = """<domain type='kvm'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='KiB'>1048576</memory>
  <vcpu placement='static'>2</vcpu>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
  </os>
  <cpu mode='custom' match='exact' check='partial'>
    <model fallback='forbid'>EPYC</model>{feature}
  </cpu>
</domain>
"""
KVM_GROUP = 104
FEATURE = "\n    <feature policy='{policy}' name='svm'/>"

RESULT = """{{"Result": <"on">, "Time": <uint64 1700000000000000>, "BootId": <"this-boot">, "Stale": <false>,
"Parameters": <{{"kvm_amd.nested": "1"}}>, "Emulated": <false>, "Counts": <{{"round_trip": uint64 2, {counts}}}>,
"Loads": <@a{{st}} {{"kvm_amd": {load}}}>, "Message": <"Nested virtualization works: a guest of a guest ran">}}"""
COUNTS = {
    "one-level": {"round_trip": 1, "port": 1, "fresh_page": 0, "fresh_page_cold": 0, "cr3_reload": 0, "fault": 0, "workload": 1},
    "shadow-on-npt": {"round_trip": 2, "port": 1, "fresh_page": 2, "fresh_page_cold": 3, "cr3_reload": 2, "fault": 6, "workload": 6179},
    "npt-on-npt": {"round_trip": 2, "port": 1, "fresh_page": 4, "fresh_page_cold": 4, "cr3_reload": 0, "fault": 0, "workload": 259},
}

# What runs, what it was started with, and what is defined.
GUESTS = [
    ("build-01", "require", {"live": "custom EPYC require", "run": 1, "inside": 1}),
    ("build-02", "require", {"live": "custom EPYC require", "run": 0, "inside": 0}),
    ("database", "disable", {"live": "custom EPYC disable", "run": 0, "inside": 0}),
    ("esxi-lab", "require", {}),
    ("web-01", "disable", {"live": "custom EPYC require", "run": 0, "inside": 0}),
    ("web-02", "disable", {}),
]


def uuid(number):
    return f"3b5b08e4-3dca-4ff9-9a1d-{number:012}"


def define(test, number, name, policy="", **keys):
    """A guest of the hypervisor that is made of files."""
    feature = FEATURE.format(policy=policy) if policy else ""
    write(test.host / "fake/xml" / uuid(number), DOMAIN.format(name=name, uuid=uuid(number), feature=feature))
    test.guest(uuid(number), name=name, **keys)


def probe_program(test):
    """Returns what the service has to be started with."""
    path = test.folder / "nestvirt-probe"
    path.write_text(f"#!/bin/sh\ncat {test.folder}/found\n")
    path.chmod(0o755)
    return f"--helper-dir={test.folder}"


def probe_finds(test):
    """What the program finds on the host as it is now."""
    write(test.host / "proc/sys/kernel/random/boot_id", "this-boot\n")
    load = (test.host / "sys/module/kvm_amd/parameters").stat().st_ino
    counts = ", ".join(f'"{group}.{name}": {count}' for group, names in COUNTS.items() for name, count in names.items())
    write(test.folder / "found", RESULT.format(load=load, counts=counts))


def device(test):
    """/dev/kvm as it should be, and a program that says that it opens, since there may be no KVM
    behind it."""
    path = test.host / "dev/kvm"
    path.parent.mkdir(exist_ok=True)
    os.mknod(path, stat.S_IFCHR, os.makedev(10, 232))
    os.chown(path, 0, KVM_GROUP)
    path.chmod(0o660)
    write(test.host / "etc/group", f"kvm:x:{KVM_GROUP}:\n")
    program = test.folder / "nestvirt-device"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)


def furnish(test):
    """The host that people are shown: a server with some guests, which was probed."""
    test.stop(test.start_fake())  # makes the tree
    cpuinfo = test.host / "proc/cpuinfo"
    text = cpuinfo.read_text().replace("AMD EPYC Processor", "AMD EPYC 7502 32-Core Processor").replace(" hypervisor", "")
    cpuinfo.write_text(text.replace("npt nrip_save", "npt nrip_save avic vgif"))
    write(test.host / "fake/libvirt", "")
    device(test)
    for number, (name, policy, keys) in enumerate(GUESTS, 1):
        define(test, number, name, policy, **keys)
    test.start_fake("--guests", probe_program(test))
    probe_finds(test)
    client = test.client()
    client.call("Refresh", ("t", 0))
    client.call("Probe", ("a{sv}t", {"Times": GLib.Variant("b", False)}, 0))
