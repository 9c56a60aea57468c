# SPDX-License-Identifier: LGPL-2.1-or-later
"""The editor as its users have it, and what is the same in two documents. Shared by the tests
beside it.

NESTVIRTCTL in the environment says where the program is.
"""

import concurrent.futures
import os
import subprocess
import xml.etree.ElementTree as ElementTree

NESTVIRTCTL = os.environ["NESTVIRTCTL"]
RECIPES = [["kvm"], ["proxmox"], ["hyperv"], ["esxi", "--release=6.7"], ["esxi", "--release=7.0"], ["esxi"]]
MODES = ["host-model", "host-passthrough", "maximum"]
MODELS = {"intel": "Haswell-noTSX", "amd": "EPYC"}
UNSUPPORTED = 6


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(f"{status}: {message}")
        self.status = status


def edit(text, vendor, *options):
    result = subprocess.run([NESTVIRTCTL, "patch-xml", f"--vendor={vendor}", *options], input=text.encode(), capture_output=True,
                            timeout=60, check=False)
    if result.returncode:
        raise Refused(result.returncode, result.stderr.decode())
    return result.stdout.decode()


def edits(guest):
    """{options: result or Refused} for all edits there are, each done to the guest as it came."""
    all_options = [["--nested=yes"], ["--nested=no"], [f"--model={MODELS[guest.vendor]}"], *([f"--mode={mode}"] for mode in MODES),
                   *([f"--recipe={recipe[0]}", *recipe[1:]] for recipe in RECIPES)]
    return {" ".join(options): attempt(guest.text, guest.vendor, options) for options in all_options}


def attempt(text, vendor, options):
    try:
        return edit(text, vendor, *options)
    except Refused as refused:
        return refused


def edits_of_all(guests):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(zip(guests, pool.map(edits, guests)))


def parse(text):
    builder = ElementTree.TreeBuilder(insert_comments=True, insert_pis=True)
    return ElementTree.fromstring(text, ElementTree.XMLParser(target=builder))


def canonical(tree, hide):
    """C14N of what is left when @hide has taken its part out; white space between elements is
    layout."""
    hide(tree)
    for node in tree.iter():
        node.tail = (node.tail or "").strip() or None
        if len(node) and not (node.text or "").strip():
            node.text = None
    return ElementTree.canonicalize(ElementTree.tostring(tree, encoding="unicode"), with_comments=True)


def hide_cpu(root):
    for cpu in root.findall("cpu"):
        root.remove(cpu)


def hide_cpu_and_what_recipes_name(root):
    """CPU, sizes, the models of interfaces, the buses of disks, and what belongs to the old ones;
    enlightenments and their clock, with what they stand in when nothing else is in it."""
    hide_cpu(root)
    for name in ("memory", "currentMemory", "vcpu"):
        for node in root.findall(name):
            root.remove(node)
    for interface in root.iterfind("devices/interface"):
        for name in ("model", "driver", "address"):
            for node in interface.findall(name):
                interface.remove(node)
    for disk in root.iterfind("devices/disk"):
        for node in disk.findall("target"):
            node.attrib.pop("dev", None), node.attrib.pop("bus", None)
        for node in disk.findall("driver"):
            for name in ("queues", "packed"):
                node.attrib.pop(name, None)
    hide_enlightenments(root)


def hide_enlightenments(root):
    for path, name in (("features", "hyperv"), ("clock", "timer[@name='hypervclock']")):
        for parent in root.findall(path):
            for node in parent.findall(name):
                parent.remove(node)
            if not len(parent) and parent.attrib in ({}, {"offset": "utc"}):
                root.remove(parent)


def rest_of_cpu(text, vendor, recipe=False):
    """What of <cpu> no edit is about: its other attributes, then each child, always spelled in the
    same way. @recipe: nor the one for Hyper-V."""
    cpu = parse(text).find("cpu")
    name = {"intel": "vmx", "amd": "svm"}[vendor]
    if cpu is None:
        return [{}]
    names = [name, *(("hle", "rtm", "hypervisor") if recipe else ())]
    kept = [node for node in cpu if node.tag not in ("model", "vendor") and not (node.tag == "feature" and node.get("name") in names)]
    attributes = {key: value for key, value in cpu.attrib.items() if key not in ("mode", "match", "migratable")}
    # This one libvirt writes for the mode; test_corpus.py tells when it goes with that.
    if cpu.get("check") == "none":
        del attributes["check"]
    return [attributes, *(ElementTree.tostring(node, encoding="unicode").strip() for node in kept)]


def policy(text, vendor):
    """(policies of the feature, in their order; mode; model)"""
    cpu = parse(text).find("cpu")
    name = {"intel": "vmx", "amd": "svm"}[vendor]
    if cpu is None:
        return [], "", ""
    found = [f.get("policy", "require") for f in cpu.findall("feature") if f.get("name") == name]
    return found, cpu.get("mode", ""), cpu.findtext("model", "").strip()
