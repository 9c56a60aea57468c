# SPDX-License-Identifier: LGPL-2.1-or-later
"""Definitions of guests, several hundred of them and each another one, for the tests of the XML
editor.

They are made, not kept: the same ones every time, from lists of what libvirt's schema allows in
each place and a random number generator with a fixed seed. Each is a definition that libvirt
accepts, unless its `cause` says why not.

    guests.py FOLDER [N]      writes N of them as files, to look at
"""

import dataclasses
import pathlib
import random
import sys
import uuid

COUNT = 260

# <cpu> in the forms that there are: what tools write, what people write, and what libvirt itself
# makes of them.
INTEL_MODELS = ["Haswell-noTSX", "Skylake-Client-IBRS", "Broadwell", "SandyBridge", "Cascadelake-Server", "Nehalem", "core2duo", "kvm64"]
AMD_MODELS = ["EPYC", "EPYC-Rome", "EPYC-Milan", "Opteron_G3", "Dhyana", "phenom", "qemu64"]
TOPOLOGIES = ["", "<topology sockets='1' cores='2' threads='1'/>", "<topology sockets='1' dies='2' cores='1' threads='1'/>"]
CACHES = ["", "<cache mode='disable'/>", "<cache level='3' mode='emulate'/>"]
CACHE_PASSTHROUGH = "<cache mode='passthrough'/>"
ADDRESSES = ["<maxphysaddr mode='passthrough'/>", "<maxphysaddr mode='emulate' bits='40'/>"]
NUMA = ("<numa><cell id='0' cpus='0' memory='1048576' unit='KiB'/><cell id='1' cpus='1' memory='1048576' unit='KiB'>"
        "<distances><sibling id='0' value='21'/></distances></cell></numa>")
OTHER_FEATURES = ["x2apic", "invtsc", "pdpe1gb", "avx2", "hypervisor", "ssbd", "pcid"]
POLICIES = ["require", "optional", "force", "disable", "forbid"]

OPTIONAL = [
    "<title>A  guest &amp; its   title</title>",
    "<description>Several\n    lines, \u00e9\u4e2d\U0001f427 &lt;cpu mode='host-model'/&gt;</description>",
    "<metadata>\n    <app:cpu xmlns:app='urn:app' mode='custom'><app:model>&#x45;PYC</app:model><!-- kept --></app:cpu>\n  </metadata>",
    "<iothreads>2</iothreads>",
    "<memoryBacking>\n    <hugepages/>\n    <nosharepages/>\n  </memoryBacking>",
    "<cputune>\n    <shares>2048</shares>\n    <vcpupin vcpu='0' cpuset='0-1'/>\n  </cputune>",
    "<resource>\n    <partition>/machine</partition>\n  </resource>",
    "<features>\n    <acpi/>\n    <apic/>\n    <hyperv mode='custom'>\n      <relaxed state='on'/>\n    </hyperv>\n    <vmport state='off'/>\n  </features>",
    "<clock offset='localtime'>\n    <timer name='hpet' present='no'/>\n  </clock>",
    "<on_poweroff>destroy</on_poweroff>\n  <on_reboot>restart</on_reboot>",
    "<pm>\n    <suspend-to-mem enabled='no'/>\n  </pm>",
    "<perf>\n    <event name='cmt' enabled='no'/>\n  </perf>",
    "<seclabel type='none'/>",
    "<sysinfo type='smbios'>\n    <oemStrings>\n      <entry>secret=1</entry>\n    </oemStrings>\n  </sysinfo>",
]

DISKS = [
    "<disk type='file' device='disk'>\n      <driver name='qemu' type='qcow2' cache='none' discard='unmap'/>\n"
    "      <source file='/var/lib/a.qcow2'/>\n      <target dev='{vd}' bus='virtio'/>\n    </disk>",
    "<disk type='block' device='disk'>\n      <driver name='qemu' type='raw' queues='2' packed='on'/>\n"
    "      <source dev='/dev/sdz'/>\n      <target dev='{vd}' bus='virtio'/>\n      <serial>A1 B</serial>\n    </disk>",
    "<disk type='file' device='disk'>\n      <source file='/a b'/>\n      <target dev='{sd}' bus='scsi'/>\n    </disk>",
    "<disk type='file' device='disk'>\n      <source file='/c'/>\n      <target dev='{sd}' bus='sata'/>\n      <boot order='{order}'/>\n    </disk>",
    "<disk type='network' device='disk'>\n      <driver name='qemu' type='raw'/>\n      <auth username='u'>\n"
    "        <secret type='ceph' uuid='2a5b08e4-3dca-4ff9-9a1d-40389758d081'/>\n      </auth>\n"
    "      <source protocol='rbd' name='pool/image'>\n        <host name='mon' port='6789'/>\n      </source>\n"
    "      <target dev='{vd}' bus='virtio'/>\n    </disk>",
    "<disk type='file' device='cdrom'>\n      <target dev='{sd}' bus='sata' tray='open'/>\n      <readonly/>\n    </disk>",
]
NICS = [
    "<interface type='user'>\n      <mac address='{mac}'/>\n      <model type='virtio'/>\n    </interface>",
    "<interface type='network'>\n      <mac address='{mac}'/>\n      <source network='default' portid='3dca08e4-3dca-4ff9-9a1d-40389758d081'/>\n"
    "      <model type='virtio'/>\n      <driver name='vhost' queues='4'/>\n    </interface>",
    "<interface type='bridge'>\n      <mac address='{mac}'/>\n      <source bridge='br0'/>\n      <model type='e1000'/>\n    </interface>",
    "<interface type='user'>\n      <mac address='{mac}'/>\n      <model type='e1000e'/>\n    </interface>",
    "<interface type='user'>\n      <mac address='{mac}'/>\n    </interface>",
    "<interface type='user'>\n      <mac address='{mac}'/>\n      <model type='vmxnet3'/>\n    </interface>",
]
DEVICES = [
    "<graphics type='vnc' port='-1' autoport='yes' passwd='secret'/>",
    "<graphics type='spice' autoport='yes' passwd=\"se'cret\"/>",
    "<video>\n      <model type='vga' vram='16384' heads='1'/>\n    </video>",
    "<serial type='pty'>\n      <target port='0'/>\n    </serial>",
    "<channel type='unix'>\n      <target type='virtio' name='org.qemu.guest_agent.0'/>\n    </channel>",
    "<input type='tablet' bus='usb'/>",
    "<rng model='virtio'>\n      <backend model='random'>/dev/urandom</backend>\n    </rng>",
    "<memballoon model='virtio'/>",
    "<!-- <cpu mode='host-passthrough'/> -->",
    "<watchdog model='i6300esb' action='reset'/>",
]
SIZES = [("KiB", 524288), ("KiB", 2097152), ("MiB", 4096), ("GiB", 16), ("G", 1), ("", 1048576), ("MB", 5000), ("b", 8589934592)]


@dataclasses.dataclass
class Guest:
    name: str
    text: str
    vendor: str
    cause: str = ""  # why libvirt does not accept it as it is
    traits: set = dataclasses.field(default_factory=set)


class Maker:
    """One guest, out of the random numbers of its own."""

    def __init__(self, number):
        self.random = random.Random(f"guest {number}")
        self.number = number
        self.vendor = "intel" if number % 2 else "amd"
        self.feature = "vmx" if number % 2 else "svm"
        self.traits = set()
        self.cause = ""

    def some(self, things, most):
        return self.random.sample(things, self.random.randint(0, min(most, len(things))))

    def features(self):
        lines = [f"<feature policy='{self.random.choice(POLICIES)}' name='{name}'/>" for name in self.some(OTHER_FEATURES, 3)]
        named = self.random.choice([None, None, *POLICIES, "", "twice"])
        if named == "twice":
            self.cause = "duplicate"
            lines += [f"<feature policy='disable' name='{self.feature}'/>", f"<feature policy='require' name='{self.feature}'/>"]
        elif named == "":
            self.cause = "no policy"
            lines.append(f"<feature name='{self.feature}'/>")
        elif named:
            lines.append(f"<feature name='{self.feature}' policy='{named}'/>")
        self.random.shuffle(lines)
        return lines

    def cpu_mode(self):
        """(attributes, lines, may it have features)"""
        form = self.number % 9
        check = self.random.choice(["", " check='none'", " check='partial'", " check='full'"])
        if form == 0:
            return None, [], False
        if form == 1:
            return "", [], False
        if form in (2, 3):
            model = self.random.choice(INTEL_MODELS if self.vendor == "intel" else AMD_MODELS)
            fallback = self.random.choice(["", " fallback='allow'", " fallback='forbid'", " vendor_id='AuthenticAMD'"])
            lines = [f"<model{fallback}>{model}</model>"]
            if self.random.random() < 0.3:
                lines.append(f"<vendor>{'Intel' if self.vendor == 'intel' else 'AMD'}</vendor>")
            mode = self.random.choice([" mode='custom'", ""])
            return f"{mode} match='{self.random.choice(['exact', 'minimum', 'strict'])}'{check}", lines, True
        if form in (4, 5):
            return f" mode='host-model'{check}", self.random.choice([[], [], ["<model fallback='forbid'/>"]]), True
        if form in (6, 7):
            migratable = self.random.choice(["", " migratable='on'", " migratable='off'"])
            return f" mode='host-passthrough'{check}{migratable}", [], True
        return " mode='maximum'", [], True

    def cpu(self):
        attributes, lines, may_have_features = self.cpu_mode()
        if attributes is None:
            return ""
        topology = self.random.choice(TOPOLOGIES)
        lines += [line for line in (topology, self.random.choice(CACHES)) if line]
        if "host-passthrough" in attributes and self.random.random() < 0.2:
            self.traits.add("passthrough")
            lines = [line for line in lines if not line.startswith("<cache")] + [CACHE_PASSTHROUGH]
        if self.random.random() < 0.15:
            lines.append(self.random.choice(ADDRESSES))
        if may_have_features:
            lines += self.features()
        if self.random.random() < 0.15:
            self.traits.add("numa")
            lines.append(NUMA)
        if self.random.random() < 0.2:
            lines.insert(0, "<!-- somebody's -->")
        if topology:
            self.traits.add("topology")
        if not lines and self.random.random() < 0.5:
            return f"<cpu{attributes}/>"
        return f"<cpu{attributes}>" + "".join(f"\n    {line}" for line in lines) + "\n  </cpu>"

    def sizes(self):
        unit, size = ("KiB", 2097152) if "numa" in self.traits else self.random.choice(SIZES)
        unit = f" unit='{unit}'" if unit else ""
        lines = [f"<memory{unit}>{size}</memory>"]
        if self.random.random() < 0.5:
            lines.append(f"<currentMemory{unit}>{size}</currentMemory>")
        if {"topology", "numa"} & self.traits:
            lines.append("<vcpu placement='static'>2</vcpu>")
        else:
            lines.append(self.random.choice(["<vcpu>1</vcpu>", "<vcpu placement='static'>4</vcpu>", "<vcpu placement='static' current='1'>2</vcpu>",
                                             "<vcpu cpuset='0-3'>16</vcpu>"]))
        return lines

    def devices(self):
        lines = ["<emulator>/usr/bin/qemu-system-x86_64</emulator>"] if self.random.random() < 0.7 else []
        # Each kind counts for itself, so that a disk that moves can find its name taken.
        names = {kind: iter([f"{kind}{letter}" for letter in "abcdefghijkl"]) for kind in ("vd", "sd")}
        for order, disk in enumerate(self.some(DISKS * 2, 5), 1):
            kind = "vd" if "{vd}" in disk else "sd"
            lines.append(disk.format(order=order, **{kind: next(names[kind])}))
        for number, nic in enumerate(self.some(NICS, 3)):
            lines.append(nic.format(mac=f"52:54:00:{self.number >> 8:02x}:{self.number & 255:02x}:{number:02x}"))
        lines += self.some(DEVICES, 6)
        self.random.shuffle(lines)
        return "<devices>" + "".join(f"\n    {line}" for line in lines) + "\n  </devices>"

    def make(self):
        cpu = self.cpu()
        name = f"guest-{self.number}"
        machine = self.random.choice(["pc-q35-7.2", "pc-i440fx-7.2", "pc", "q35"])
        parts = [f"<name>{name}</name>", f"<uuid>{uuid.UUID(int=self.random.getrandbits(128), version=4)}</uuid>", *self.sizes(),
                 f"<os>\n    <type arch='x86_64' machine='{machine}'>hvm</type>\n    <boot dev='hd'/>\n  </os>"]
        if "<boot order" in (devices := self.devices()):
            parts[-1] = parts[-1].replace("\n    <boot dev='hd'/>", "")
        parts += self.some(OPTIONAL, 8)
        if cpu:
            parts.insert(self.random.randint(4, len(parts)), cpu)
        parts.append(devices)
        return Guest(name, self.layout(parts), self.vendor, self.cause, self.traits)

    def layout(self, parts):
        """As virsh prints it, or as another program or somebody would have."""
        text = "<domain type='kvm'>\n" + "".join(f"  {part}\n" for part in parts) + "</domain>\n"
        style = self.number % 5
        if style == 1:
            text = "<?xml version='1.0' encoding='UTF-8'?>\n<!-- written by hand -->\n" + text
        elif style == 2:
            text = text.replace("\n  ", "\n\t").replace("'/>", "' />")
        elif style == 3 and '"' not in text:
            text = text.replace("'", '"')
        elif style == 4 and "<description>" not in text:
            text = "".join(line.strip() for line in text.splitlines())
        return text


def guests(count=COUNT):
    return [Maker(number).make() for number in range(count)]


if __name__ == "__main__":
    for guest in guests(int(sys.argv[2]) if len(sys.argv) > 2 else COUNT):
        (pathlib.Path(sys.argv[1]) / f"{guest.name}.xml").write_text(guest.text, encoding="utf-8")
