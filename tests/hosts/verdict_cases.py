# SPDX-License-Identifier: LGPL-2.1-or-later
"""Definitions whose next start is foretold, and then tried: modes, models, checks, policies and
matches of <cpu>, and what else of a definition has a say in svm.

What comes of them depends on the host's CPU and on the libvirt, so nothing of it is written here.
"""

# What QEMU's emulated CPU lacks of EPYC, whatever its version; and what QEMU does not give under
# KVM.
LACKING = ("vme", "rdseed", "sha-ni", "xsavec", "fxsr_opt", "misalignsse", "3dnowprefetch", "osvw", "monitor")

EVMCS = "<hyperv{mode}><vapic state='on'/><evmcs state='on'/></hyperv>"


def feature(name, policy="require"):
    return f"<feature policy='{policy}' name='{name}'/>"


def svm(policy="require"):
    return feature("svm", policy)


WITHOUT = "".join(feature(name, "disable") for name in LACKING)


def custom(model, features="", check="", match="exact", inside=""):
    """<cpu> of a named model; `inside`: what comes before its features."""
    check = f" check='{check}'" if check else ""
    return f"<cpu mode='custom' match='{match}'{check}><model fallback='forbid'>{model}</model>{inside}{features}</cpu>"


def mode(name, features="", **attributes):
    return f"<cpu mode='{name}'" + "".join(f" {key}='{value}'" for key, value in attributes.items()) + f">{features}</cpu>"


# Words for people, and <cpu>; or <cpu> and what is in <features>.
CASES = {
    # The host's own CPU
    "host-passthrough": mode("host-passthrough"),
    "host-passthrough +svm": mode("host-passthrough", svm()),
    "host-passthrough -svm": mode("host-passthrough", svm("disable")),
    "host-passthrough optional": mode("host-passthrough", svm("optional")),
    "host-passthrough force": mode("host-passthrough", svm("force")),
    "host-passthrough forbid": mode("host-passthrough", svm("forbid")),
    "host-passthrough forbid, partial": mode("host-passthrough", svm("forbid"), check="partial"),
    "host-passthrough full": mode("host-passthrough", check="full"),
    "host-passthrough +svm, full": mode("host-passthrough", svm(), check="full"),
    "host-passthrough +vme, full": mode("host-passthrough", feature("vme"), check="full"),
    "host-passthrough +vme": mode("host-passthrough", feature("vme")),
    "host-passthrough, not migratable": mode("host-passthrough", migratable="off"),
    "maximum": mode("maximum"),
    "maximum -svm": mode("maximum", svm("disable")),
    # The host's model
    "host-model": mode("host-model"),
    "host-model +svm": mode("host-model", svm()),
    "host-model -svm": mode("host-model", svm("disable")),
    "host-model optional": mode("host-model", svm("optional")),
    "host-model forbid": mode("host-model", svm("forbid")),
    "host-model +vme": mode("host-model", feature("vme")),
    "host-model +svm -npt": mode("host-model", svm() + feature("npt", "disable")),
    "host-model full": mode("host-model", check="full"),
    "host-model +svm, full": mode("host-model", svm(), check="full"),
    "host-model +svm, none": mode("host-model", svm(), check="none"),
    # Models that this host has not all of
    "EPYC": custom("EPYC"),
    "EPYC +svm": custom("EPYC", svm()),
    "EPYC +svm, none": custom("EPYC", svm(), check="none"),
    "EPYC, none": custom("EPYC", check="none"),
    "EPYC, full": custom("EPYC", check="full"),
    "EPYC +svm, full": custom("EPYC", svm(), check="full"),
    "EPYC minimum +svm": custom("EPYC", svm(), match="minimum"),
    "EPYC-Rome +svm": custom("EPYC-Rome", svm()),
    "Opteron_G2": custom("Opteron_G2"),
    "Opteron_G5 force": custom("Opteron_G5", svm("force")),
    # And without that
    "EPYC-": custom("EPYC", WITHOUT),
    "EPYC- +svm": custom("EPYC", WITHOUT + svm()),
    "EPYC- optional": custom("EPYC", WITHOUT + svm("optional")),
    "EPYC- -svm": custom("EPYC", WITHOUT + svm("disable")),
    "EPYC- forbid": custom("EPYC", WITHOUT + svm("forbid")),
    "EPYC- forbid, none": custom("EPYC", WITHOUT + svm("forbid"), check="none"),
    "EPYC- full": custom("EPYC", WITHOUT, check="full"),
    "EPYC- +svm, full": custom("EPYC", WITHOUT + svm(), check="full"),
    "EPYC- minimum": custom("EPYC", WITHOUT, match="minimum"),
    "EPYC- strict +svm": custom("EPYC", WITHOUT + svm(), match="strict"),
    "EPYC- of Intel": custom("EPYC", WITHOUT, inside="<vendor>Intel</vendor>"),
    "Opteron_G2- +svm": custom("Opteron_G2", feature("vme", "disable") + svm()),
    # Models without svm
    "qemu64": custom("qemu64"),
    "qemu64 +svm": custom("qemu64", svm()),
    "kvm64": custom("kvm64"),
    "kvm64 +svm": custom("kvm64", svm()),
    "kvm64- +svm": custom("kvm64", svm() + feature("vme", "disable")),
    "kvm64- +svm, full": custom("kvm64", svm() + feature("vme", "disable"), check="full"),
    "kvm64- minimum +svm": custom("kvm64", svm() + feature("vme", "disable"), match="minimum"),
    "kvm64- optional, minimum": custom("kvm64", svm("optional") + feature("vme", "disable"), match="minimum"),
    # The other vendor's
    "Skylake-Client": custom("Skylake-Client"),
    "kvm64- +vmx": custom("kvm64", feature("vmx") + feature("vme", "disable")),
    "kvm64 +vmx, none": custom("kvm64", feature("vmx"), check="none"),
    "host-model +vmx": mode("host-model", feature("vmx")),
    "host-passthrough +vmx": mode("host-passthrough", feature("vmx")),
    "host-passthrough +vmx, full": mode("host-passthrough", feature("vmx"), check="full"),
    # Beside <cpu>
    "none": "",
    "host-passthrough, evmcs": (mode("host-passthrough"), EVMCS.format(mode="")),
    "host-model -svm, evmcs": (mode("host-model", svm("disable")), EVMCS.format(mode=" mode='custom'")),
}

# Models of which libvirt knows since 10.9, and which it compares in another way.
NEWER = {
    "EPYC-v1 +svm": custom("EPYC-v1", svm()),
    "EPYC-v1-": custom("EPYC-v1", WITHOUT),
    "EPYC-v1- +svm": custom("EPYC-v1", WITHOUT + svm()),
    "EPYC-v1- force": custom("EPYC-v1", WITHOUT + svm("force")),
    "EPYC-v1- forbid": custom("EPYC-v1", WITHOUT + svm("forbid")),
    "EPYC-v1- strict": custom("EPYC-v1", WITHOUT, match="strict"),
    "EPYC-Rome-v4": custom("EPYC-Rome-v4"),
    "Opteron_G2-v1- +svm": custom("Opteron_G2-v1", feature("vme", "disable") + svm()),
    "qemu64-v1": custom("qemu64-v1"),
    "qemu64-v1 +svm": custom("qemu64-v1", svm()),
    "qemu64-v1 +svm, full": custom("qemu64-v1", svm(), check="full"),
    "kvm64-v1 +svm": custom("kvm64-v1", svm()),
}

# What is tried each time, with nested on and off; each takes an emulated machine some seconds.
OFTEN = {
    "on": """host-passthrough; host-passthrough forbid; host-passthrough forbid, partial; host-passthrough +svm, full;
        host-passthrough +vme, full; host-passthrough +vmx; host-passthrough +vmx, full; host-passthrough, evmcs; maximum -svm;
        host-model; host-model +svm; host-model optional; host-model +vme; host-model +vmx; host-model full; EPYC; EPYC +svm;
        EPYC +svm, none; EPYC, full; EPYC minimum +svm; Opteron_G5 force; EPYC-; EPYC- +svm; EPYC- forbid; EPYC- strict +svm;
        EPYC- of Intel; kvm64- +vmx; kvm64- +svm, full; kvm64- minimum +svm""",
    "off": """host-passthrough +svm; host-passthrough forbid, partial; host-passthrough +svm, full; host-model +svm;
        host-model forbid; host-model +svm, full; EPYC; EPYC +svm; EPYC- +svm; EPYC- forbid; EPYC- full; Opteron_G2- +svm;
        kvm64 +svm; kvm64- +svm, full; kvm64- optional, minimum""",
}

DOMAIN = """<domain type='kvm'>
  <name>{name}</name>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/><apic/>{features}</features>
  {cpu}
  <devices><controller type='usb' model='none'/><memballoon model='none'/></devices>
</domain>
"""


def often(nested):
    return [" ".join(words.split()) for words in OFTEN[nested].split(";")]


def definition(name, case):
    """The XML of a guest of that name."""
    cpu, features = (case, "") if isinstance(case, str) else case
    return DOMAIN.format(name=name, cpu=cpu, features=features)
