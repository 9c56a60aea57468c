# SPDX-License-Identifier: LGPL-2.1-or-later
"""What nestvirtctl says of every fixture, beside what is right. The table is written by hand, from
the facts that each tree's README.md names and the kernel's rules for what its modules make of them,
never from what came out."""

import unittest
from typing import NamedTuple

from ctl import run
from harness import FIXTURES, BusTest
from tap import main

# Of a host with KVM live, where cpuinfo is all that is known of the CPU: the findings.
LIVE = """level=info cpu=pass firmware=pass cpu-features=info cpus-differ=pass kvm=pass vendor-module=pass device=info nested=pass
          paging=pass nx-huge-pages=info"""
INTEL = LIVE + " l1d-flush=info"
# Where the CPU speaks for itself, too.
AGREED = "cpu-sources=pass"
# KVM's modules are there, not loaded. A flag svm does not tell whether the firmware lets it be
# used.
IDLE = "level=info cpu=pass cpu-features=info cpus-differ=pass vendor-module=fail device=info nested=info"
# No vmx or svm: of what KVM could use nothing is said, and that it is not loaded is all right.
WITHOUT = "level=info cpu=info cpus-differ=pass vendor-module=info device=info nested=info"
# Neither Intel nor AMD.
OTHER = "level=info cpu=info device=info"

# Of Intel's parameters those that a CPU decides about, where it has all; "!" is: the CPU lacks it.
FULL = """nested=on ept=on enable_shadow_vmcs=on enable_apicv=on eptad=on unrestricted_guest=on vpid=on flexpriority=on vnmi=on pml=on
          preemption_timer=on enable_ipiv=off! ple_gap=128"""
SVM = """nested=on npt=on avic=off vgif=on vls=on nrips=on lbrv=on tsc_scaling=on pause_filter_count=3000 pause_filter_thresh=128"""
# QEMU's EPYC without KVM.
TCG = """nested=on npt=on avic=off! vgif=off! vls=off! nrips=off! lbrv=off! tsc_scaling=off! pause_filter_count=0!
         pause_filter_thresh=0!"""


def words(text, *changes):
    """The words "name=value" of the text, overridden by those of the changes; "-name" takes one
    away."""
    found = {}
    for word in " ".join((text, *changes)).split():
        if word.startswith("-"):
            del found[word[1:]]
        else:
            name, _, value = word.partition("=")
            found[name] = value
    return found


class Host(NamedTuple):
    vendor: str
    nested: str
    mmu: str
    effective: dict  # of the vendor's module: parameter -> what KVM does, with "!" when the CPU can't
    findings: dict   # all of them: id -> status
    hypervisor: str = ""
    module: str = "live"
    says: tuple = ()  # words that the messages must have: (id, words), or ("status", words) for the text of status


HOSTS = {
    # On the hardware.
    "intel-nehalem": Host(
        "intel", "on", "tdp", words(
            FULL, """enable_shadow_vmcs=off! enable_apicv=off! eptad=off! unrestricted_guest=off! pml=off! ple_gap=0!
                     preemption_timer=off"""),
        words(INTEL), says=(("cpu-features", "shadow_vmcs"), ("cpu-features", "unrestricted_guest"))),
    "intel-haswell-desktop": Host(
        "intel", "on", "tdp", words(FULL, "enable_apicv=off! pml=off!"), words(INTEL, AGREED),
        says=(("cpu-features", "vapic_reg, vid, posted_intr"),)),
    "intel-skylake-server": Host("intel", "on", "tdp", words(FULL), words(INTEL, AGREED), says=(("cpu-sources", "CPUID"),)),
    "intel-sapphire-rapids": Host(
        "intel", "on", "tdp", words(FULL, "enable_ipiv=on mbec=on enable_device_posted_irqs=on"), words(INTEL, "cpu-features=pass")),
    "intel-sapphire-rapids-w9": Host(
        "intel", "on", "tdp", words(FULL, "enable_shadow_vmcs=off!"), words(INTEL, AGREED), says=(("cpu-features", "shadow_vmcs"),)),
    "amd-zen2": Host("amd", "on", "tdp", words(SVM, "vnmi=off! sev=off!"), words(LIVE, AGREED)),
    "amd-zen4": Host(
        "amd", "on", "tdp", words(SVM, "avic=on vnmi=on enable_ipiv=on gmet=on sev=on sev_es=on sev_snp=off!"), words(LIVE, AGREED)),

    # What firmware and boards do to good CPUs.
    "firmware-off-intel": Host(
        "intel", "unavailable", "", {}, words(WITHOUT, AGREED, "firmware=fail"), module="loadable",
        says=(("firmware", "0x3a is 0x1"), ("firmware", "VT-x"), ("status", "the firmware has vmx switched off"))),
    "firmware-off-amd": Host(
        "amd", "unavailable", "", {}, words(WITHOUT, AGREED, "firmware=fail"), module="loadable",
        says=(("firmware", "0xc0010114 is 0x18"), ("firmware", "SVM Mode"), ("status", "the firmware has svm switched off"))),
    "firmware-off-amd-6.1": Host(
        "amd", "unavailable", "", {}, words(WITHOUT, AGREED, "cpu=pass firmware=fail"), module="loadable",
        says=(("firmware", "0xc0010114 is 0x18"), ("status", "the firmware has svm switched off"))),
    "cpus-differ": Host(
        "intel", "unavailable", "", {}, words(WITHOUT, AGREED, "cpu=pass firmware=pass cpus-differ=fail"), module="loadable",
        says=(("cpus-differ", "Processor 3 lacks"), ("cpus-differ", "MSR 0x3a"))),
    "cpu-sources-disagree": Host(
        "intel", "on", "tdp", words(FULL, "enable_shadow_vmcs=off"), words(INTEL, "cpu-sources=warn"),
        says=(("cpu-sources", "/proc/cpuinfo has shadow_vmcs"), ("cpu-sources", "MSR 0x48b"))),

    # Inside virtual machines.
    "l1-kvm-intel": Host(
        "intel", "on", "tdp", words(FULL, "ple_gap=0!"), words(INTEL, "below=pass"), "kvm", says=(("status", "inside a virtual machine"),)),
    "l1-kvm-amd": Host("amd", "on", "tdp", words(SVM, "avic=off! vnmi=off!"), words(LIVE, "below=info"), "qemu", says=(("below", "vnmi"),)),
    "l1-hyperv": Host(
        "intel", "on", "tdp", words(
            FULL, """enable_shadow_vmcs=off! enable_apicv=off! flexpriority=off! pml=off! preemption_timer=off! ple_gap=0!
                     enlightened_vmcs=on fasteoi=off"""),
        words(INTEL, "below=info"), "microsoft", says=(("below", "shadow_vmcs"),)),
    "l1-vmware": Host(
        "intel", "on", "tdp", words(
            FULL, "enable_shadow_vmcs=off! enable_apicv=off! flexpriority=off! pml=off! preemption_timer=off!"),
        words(INTEL, "below=info"), "vmware", says=(("below", "shadow_vmcs"),)),
    "cloud-guest": Host(
        "intel", "unavailable", "", {}, words(WITHOUT, "below=info"), "amazon", "loadable",
        says=(("cpu", "hypervisor below"), ("below", "Amazon EC2"), ("status", "the hypervisor below"))),

    # Where there is nothing for nestvirtd to do, or little.
    "s390x": Host("", "unavailable", "", {}, words(OTHER, "kvm=pass nested=info"), module="", says=(("nested", "s390x"), ("nested", "nested is off"))),
    "aarch64": Host(
        "", "off", "", {}, words(OTHER, "kvm=pass builtin=info nested=info"), module="",
        says=(("nested", "kvm-arm.mode=nested"), ("status", "it takes kvm-arm.mode=nested"))),
    "ppc64le": Host("", "on", "", words("nested=on"), words(OTHER, "kvm=pass vendor-module=pass nested=pass"),
                    says=(("cpu", "kvm_hv itself"), ("status", "POWER9"), ("status", "kvm_hv.nested is on"))),
    "ppc64le-guest": Host(
        "", "unavailable", "", {}, words(OTHER, "kvm=info nested=info"), "kvm", "", says=(("nested", "ppc64le"),)),

    # QEMU's CPUs without KVM, in several states.
    "amd-epyc-6.1": Host("amd", "on", "tdp", words(TCG), words(LIVE, "below=info"), "qemu"),
    "loadable": Host("amd", "unavailable", "", {}, words(IDLE, "below=info"), "qemu", "loadable", says=(("status", "kvm_amd is not loaded"),)),
    "modules-disabled": Host("amd", "on", "tdp", words(TCG), words(LIVE, "below=info modules-disabled=info"), "qemu"),
    "no-kvm": Host("intel", "unavailable", "", {}, words(WITHOUT, "below=info -cpus-differ"), "qemu", "missing"),
    "builtin-kvm-pvm": Host(
        "amd", "unavailable", "", {},
        words("level=info below=info cpu=info cpus-differ=pass kvm=pass vendor-module=pass builtin=info device=info nested=info nx-huge-pages=info"),
        "unknown", "builtin", says=(("nested", "kvm_pvm"),)),
}


class Fixtures(BusTest):
    def test_each_is_judged_and_tells_its_origin(self):
        folders = {path.name for path in FIXTURES.iterdir() if path.is_dir()}
        self.assertEqual(set(HOSTS), folders)
        for name in folders:
            text = (FIXTURES / name / "README.md").read_text()
            self.assertTrue(text.startswith(f"# {name}\n\n"), name)
            self.assertRegex(text.lower(), "composed|copied|as firmware-off-amd|the host of amd-epyc-6.1", name)

    def ctl(self, *arguments, status=0):
        result = run(*arguments, address=self.bus.address)
        self.assertEqual((result.status, result.err), (status, ""), result)
        return result

    def judge(self, name):
        host = HOSTS[name]
        self.start_real(name)
        findings = self.ctl("--json=short", "check", status=3 if "fail" in host.findings.values() else 0).json["findings"]
        for finding in findings:
            self.assertEqual(bool(finding["fix"]), finding["status"] == "fail", finding)
        status, text = self.ctl("--json=short", "status").json, self.ctl("status").out
        self.ctl("status", "--quiet", status=0 if host.nested == "on" else 3)

        said = {key: status[key] for key in ("vendor", "level", "hypervisor", "nested", "mmu")}
        self.assertEqual(said, {"vendor": host.vendor, "level": 1 if host.hypervisor else 0, "hypervisor": host.hypervisor,
                                "nested": host.nested, "mmu": host.mmu})
        vendors = [module for module in status["modules"] if module["name"] != "kvm"]
        self.assertEqual([module["state"] for module in vendors], [host.module] if host.module else [])
        self.assertEqual(self.effective(vendors, host), host.effective)
        self.assertEqual({f"{f['id']}={f['status']}" for f in findings}, {f"{i}={s}" for i, s in host.findings.items()},
                         "\n".join(f"{f['status']} {f['id']}: {f['message']}" for f in findings))
        for source, expected in host.says:
            messages = [text] if source == "status" else [f["message"] for f in findings if f["id"] == source]
            self.assertTrue(any(expected in message for message in messages), (source, expected, messages))

    def effective(self, modules, host):
        """Those that the table names, and "!" as it has it."""
        parameters = modules[0]["parameters"] if modules else {}
        return {name: parameters[name]["effective"] + ("" if parameters[name]["supported"] else "!")
                for name in host.effective if name in parameters}


def one_of(name):
    return lambda self: self.judge(name)


for each in HOSTS:
    setattr(Fixtures, "test_" + each.replace("-", "_").replace(".", "_"), one_of(each))


if __name__ == "__main__":
    main()
