# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real libvirtd with its QEMU driver takes what the editor makes; and behaves as the editor's
rules say that it does.

Guests are of type qemu here, as no KVM is needed to define them. They are edited as guests of type
kvm.
"""

import json
import re
import unittest
import xml.etree.ElementTree as ElementTree

import editing
import libvirt
import libvirt_qemu
from editing import Refused
from guests import COUNT, guests
from session import Session
from tap import main

VALIDATE = libvirt.VIR_DOMAIN_DEFINE_VALIDATE
INACTIVE, SECURE = libvirt.VIR_DOMAIN_XML_INACTIVE, libvirt.VIR_DOMAIN_XML_SECURE
GUEST = """<domain type='kvm'>
  <name>{name}</name>
  <uuid>3b5b08e4-3dca-4ff9-9a1d-40389758d081</uuid>
  <memory unit='MiB'>64</memory>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
  </os>
  {cpu}
  <devices>
    <graphics type='vnc' passwd='geheim'/>
    {devices}
  </devices>
</domain>
"""
MODEL = "<cpu mode='custom' match='exact'><model>EPYC</model>{}</cpu>"


def emulated(text):
    return re.sub(r"""<domain type=(['"])kvm""", r"<domain type=\1qemu", text, count=1)


class WithLibvirt(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.session = Session()
        cls.addClassCleanup(cls.session.close)
        cls.connection = cls.session.connection

    def setUp(self):
        self.assertEqual(self.connection.listAllDomains(), [])

    def define(self, text, flags=VALIDATE):
        domain = self.connection.defineXMLFlags(emulated(text), flags)
        self.addCleanup(self.forget, domain)
        return domain

    def forget(self, domain):
        """Once, however often it was defined."""
        if any(other.UUID() == domain.UUID() for other in self.connection.listAllDomains()):
            domain.undefine()

    def refusal(self, text, flags=VALIDATE):
        with self.assertRaises(libvirt.libvirtError) as caught:
            self.connection.defineXMLFlags(emulated(text), flags).undefine()
        return str(caught.exception)


class Corpus(WithLibvirt):
    """test_corpus.py has all results held against the schema, by itself; libvirt reads that anew
    each time, which takes it a hundred times as long as all else."""

    def accepted(self, text, number, guest):
        flags = 0 if guest.cause or number % 8 else VALIDATE
        self.connection.defineXMLFlags(emulated(text), flags).undefine()

    def test_every_guest_as_it_is(self):
        for number, guest in enumerate(guests()):
            with self.subTest(guest=guest.name):
                if guest.cause == "duplicate":
                    self.assertIn("specified more than once", self.refusal(guest.text))
                else:
                    self.accepted(guest.text, number, guest)

    def test_every_result(self):
        """On, off, a mode or model, and a recipe for each guest; all of them in turn."""
        shapes = [f"--model={{}}", *(f"--mode={mode}" for mode in editing.MODES)]
        count = 0
        for number, guest in enumerate(guests()):
            recipe, shape = editing.RECIPES[number % len(editing.RECIPES)], shapes[number % len(shapes)]
            for options in (["--nested=yes"], ["--nested=no"], [shape.format(editing.MODELS[guest.vendor])], [f"--recipe={recipe[0]}", *recipe[1:]]):
                result = editing.attempt(guest.text, guest.vendor, options)
                if isinstance(result, Refused):
                    continue
                twice = guest.cause == "duplicate" and not ("nested" in options[0] or "recipe" in options[0])
                with self.subTest(guest=guest.name, options=options):
                    if twice:
                        self.assertIn("specified more than once", self.refusal(result, 0))
                    else:
                        self.accepted(result, number, guest)
                        count += 1
        self.assertGreater(count, COUNT * 3)


class Facts(WithLibvirt):
    def guest(self, cpu="", devices="", name="fact"):
        return GUEST.format(name=name, cpu=cpu, devices=devices)

    def test_a_feature_that_is_named_twice_is_an_error(self):
        for features in ("<feature policy='disable' name='svm'/><feature policy='require' name='svm'/>",
                         "<feature policy='require' name='svm'/><feature policy='require' name='svm'/>"):
            text = self.guest(MODEL.format(features))
            self.assertIn("CPU feature 'svm' specified more than once", self.refusal(text))
            self.define(editing.edit(text, "amd", "--nested=yes"))

    def test_features_without_a_model_are_an_error(self):
        for cpu in ("<cpu><feature policy='require' name='svm'/></cpu>",
                    "<cpu><topology sockets='1' cores='2' threads='1'/><feature policy='require' name='svm'/></cpu>"):
            text = self.guest(cpu)
            self.assertIn("Non-empty feature list specified without CPU model", self.refusal(text))
            self.define(editing.edit(text, "amd", "--nested=yes"))

    def test_without_cpu_a_mode_is_needed(self):
        for cpu in ("", "<cpu><topology sockets='1' cores='2' threads='1'/></cpu>"):
            domain = self.define(editing.edit(self.guest(cpu), "amd", "--nested=yes"))
            self.assertEqual(ElementTree.fromstring(domain.XMLDesc(INACTIVE)).find("cpu").get("mode"), "host-model")

    def test_a_password_is_there_with_secure_only(self):
        domain = self.define(self.guest(MODEL.format("")))
        self.assertNotIn("geheim", domain.XMLDesc(INACTIVE))
        text = domain.XMLDesc(INACTIVE | SECURE)
        self.assertIn("geheim", text)
        self.define(editing.edit(text.replace("type='qemu'", "type='kvm'", 1), "amd", "--nested=no"))
        self.assertIn("geheim", domain.XMLDesc(INACTIVE | SECURE))
        self.assertIn("<feature policy='disable' name='svm'/>", domain.XMLDesc(INACTIVE))

    def test_another_uuid_of_the_same_name_is_an_error(self):
        self.define(self.guest())
        text = self.guest().replace("<uuid>3", "<uuid>4")
        self.assertIn("already exists with uuid", self.refusal(text))

    def test_what_libvirt_wrote_and_the_editor_left_alone_is_the_same_text(self):
        domain = self.define(self.guest("<cpu mode='host-passthrough'/>"))
        text = domain.XMLDesc(INACTIVE | SECURE).replace("type='qemu'", "type='kvm'", 1)
        self.assertEqual(editing.edit(text, "amd", "--nested=yes"), text)

    def test_of_what_libvirt_wrote_only_lines_of_the_cpu_change(self):
        domain = self.define(self.guest("<cpu mode='host-passthrough'/>", "<disk type='file'><source file='/a'/><target dev='vda'/></disk>"))
        text = domain.XMLDesc(INACTIVE | SECURE).replace("type='qemu'", "type='kvm'", 1)
        edited = editing.edit(text, "amd", "--nested=no")
        domain = self.define(edited)
        self.assertEqual(domain.XMLDesc(INACTIVE | SECURE).replace("type='qemu'", "type='kvm'", 1), edited)

    def test_a_running_guest_has_its_definition_changed_and_nothing_else(self):
        domain = self.define(self.guest(MODEL.format("<feature policy='disable' name='svm'/>")))
        domain.create()
        self.addCleanup(domain.destroy)
        live = domain.XMLDesc(0)
        text = domain.XMLDesc(INACTIVE | SECURE).replace("type='qemu'", "type='kvm'", 1)
        self.define(editing.edit(text, "amd", "--nested=yes"))
        self.assertIn("<feature policy='require' name='svm'/>", domain.XMLDesc(INACTIVE))
        self.assertEqual(domain.XMLDesc(0), live)

    def started(self, text):
        """The <cpu> of it when it runs, where libvirt has written what QEMU gave."""
        domain = self.define(text)
        domain.create()
        live = ElementTree.fromstring(domain.XMLDesc(0)).find("cpu")
        domain.destroy()
        return live

    def test_what_hangs_on_svm_goes_with_it_and_comes_back(self):
        """The live definition of a guest is exact to the last feature (check='full'), and starts
        again."""
        wanted = "".join(f"<feature policy='require' name='{name}'/>" for name in ("svm", "npt", "vgif", "svme-addr-chk"))
        live = self.started(self.guest(f"<cpu mode='custom' match='exact' check='partial'><model>qemu64</model>{wanted}</cpu>"))
        self.assertEqual(live.get("check"), "full")
        text = self.guest(ElementTree.tostring(live, encoding="unicode").strip())
        self.assertEqual(self.policies(self.started(text)), {"npt": "require", "vgif": "require", "svme-addr-chk": "require", "svm": "require"})
        off = editing.edit(text, "amd", "--nested=no")
        self.assertEqual(self.policies(self.started(off)), {"npt": "disable", "vgif": "disable", "svme-addr-chk": "disable", "svm": "disable"})
        self.assertEqual(self.policies(self.started(editing.edit(off, "amd", "--nested=yes"))), {"svm": "require"})
        half = text.replace('policy="require" name="svm"', 'policy="disable" name="svm"')
        with self.assertRaisesRegex(libvirt.libvirtError, "missing features: .*npt"):
            self.started(half)

    def given(self, text):
        """(svm, lm) of the CPU that QEMU gives it."""
        domain = self.define(text)
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        path = self.ask(domain, "query-cpus-fast")[0]["qom-path"]
        result = tuple(self.ask(domain, "qom-get", path=path, property=name) for name in ("svm", "lm"))
        domain.destroy()
        return result

    def ask(self, domain, command, **arguments):
        answer = libvirt_qemu.qemuMonitorCommand(domain, json.dumps({"execute": command, "arguments": arguments}), 0)
        return json.loads(answer)["return"]

    def test_of_i686_the_program_decides(self):
        guest = self.guest("<cpu mode='maximum'/>").replace("arch='x86_64'", "arch='i686'").replace("type='vnc' passwd='geheim'", "type='vnc'")
        for program, long_mode in (("", False), ("/usr/bin/qemu-system-i386", False), ("/usr/bin/qemu-system-x86_64", True)):
            text = guest.replace("<devices>", f"<devices><emulator>{program}</emulator>") if program else guest
            with self.subTest(program):
                self.assertEqual(self.given(text), (True, long_mode))
                edited = editing.attempt(text, "amd", ["--nested=yes"])
                self.assertEqual(edited if long_mode else edited.status, text if long_mode else editing.UNSUPPORTED)
                self.assertEqual(self.given(editing.edit(text, "amd", "--nested=no")), (False, long_mode))

    def test_an_argument_makes_another_cpu(self):
        for cpu, name, value, svm in (("<cpu mode='maximum'><feature policy='disable' name='svm'/></cpu>", "-cpu", "max", True),
                                      ("<cpu mode='maximum'/>", "--cpu", "max,svm=off", False),
                                      ("<cpu mode='custom'><model>kvm64</model></cpu>", "-global", "cpu.svm=on", True),
                                      ("<cpu mode='custom'><model>kvm64</model></cpu>", "-global", "ICH9-LPC.disable_s3=1", False)):
            arguments = f"<qemu:commandline><qemu:arg value='{name}'/><qemu:arg value='{value}'/></qemu:commandline>"
            text = self.guest(cpu).replace("type='kvm'", "type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'")
            text = text.replace("</domain>", arguments + "</domain>")
            with self.subTest(value):
                self.assertEqual(self.given(text), (svm, True))
                edited = editing.attempt(text, "amd", ["--nested=no"])
                self.assertEqual(isinstance(edited, Refused), "ICH9" not in value)

    def policies(self, cpu):
        hanging = ("svm", "npt", "nrip-save", "vgif", "svme-addr-chk")
        return {feature.get("name"): feature.get("policy") for feature in cpu.iterfind("feature") if feature.get("name") in hanging}

    def test_the_other_vendor_s_feature_is_more_than_a_wish(self):
        """Nobody's CPU has both. How libvirt compares is no matter of who runs the guest."""
        intel = "<vendor>Intel</vendor>" in self.connection.getCapabilities()
        other = "svm" if intel else "vmx"
        models = ("EPYC", "EPYC-Rome", "Dhyana", "phenom", *(f"Opteron_G{n}" for n in range(2, 6)), "qemu64") if intel else ()
        for model, policy in (("kvm64", "require"), ("Haswell", "require"), *((model, "") for model in models)):
            feature = f"<feature policy='{policy}' name='{other}'/>" if policy else ""
            with self.subTest(model), self.assertRaisesRegex(libvirt.libvirtError, rf"not provide required features: .*\b{other}\b"):
                self.compare(model, feature)
        for policy in ("disable", "optional", "force"):
            self.assertNotEqual(self.compare("kvm64", f"<feature policy='{policy}' name='{other}'/>"), libvirt.VIR_CPU_COMPARE_INCOMPATIBLE)

    def compare(self, model, feature):
        cpu = f"<cpu mode='custom' match='exact'><model>{model}</model>{feature}</cpu>"
        return self.connection.compareCPU(cpu, libvirt.VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE)

    def test_the_host_s_cache_needs_the_host_s_cpu(self):
        for mode in ("host-passthrough", "maximum"):
            self.define(self.guest(f"<cpu mode='{mode}'><cache mode='passthrough'/></cpu>"))
        text = self.guest("<cpu mode='host-passthrough'><cache mode='passthrough'/></cpu>")
        self.assertIn("can only be used with 'host-passthrough'", self.refusal(text.replace("host-passthrough", "host-model")))
        self.assertEqual(editing.attempt(text, "amd", ["--mode=host-model"]).status, editing.UNSUPPORTED)

    def test_the_host_s_maxphysaddr_is_for_all(self):
        text = self.guest("<cpu mode='host-passthrough'><maxphysaddr mode='passthrough'/></cpu>")
        for option in ("--mode=host-model", "--mode=maximum", "--model=EPYC"):
            self.define(editing.edit(text, "amd", option))

    def test_driver_options_of_virtio_are_refused_elsewhere(self):
        disk = "<disk type='file'><driver name='qemu' type='raw' {}/><source file='/a'/><target dev='{}' bus='{}'/></disk>"
        text = self.guest("", disk.format("queues='2' packed='on'", "vda", "virtio"))
        self.define(text)
        self.refusal(self.guest("", disk.format("queues='2' packed='on'", "sda", "sata")))
        self.define(editing.edit(text.replace(">64<", ">8192<"), "amd", "--recipe=esxi"))


if __name__ == "__main__":
    main()
