# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same daemon on the kernels of three releases of Debian: what it shows is what each kernel
has, and does.

The kernel of the machine's own release is that of the shared host; the two others boot once each.
"""

import sys
import unittest

import catalog
import image
import kernels
import qemu
import shared
from nestvirt import Nestvirt

LIST = "for f in /sys/module/kvm/parameters/* /sys/module/kvm_amd/parameters/*; do echo $(stat -c %a $f) $f $(cat $f); done"

# What reads back other than the default of old, since the emulated CPU has no such thing, or since
# KVM decides it by the CPU.
OFF_HERE = {
    "avic", "enable_device_posted_irqs", "enable_ipiv", "enable_pmu", "gmet", "lbrv", "nrips", "pause_filter_count",
    "pause_filter_thresh", "tsc_scaling", "vgif", "vls", "vnmi",
}
DECIDED = {"nx_huge_pages", "pi_inject_timer"}

# Holds kvm alone, as perf does that counts its events: a tracepoint of a module is in use as long
# as somebody counts it (perf_event_open, PERF_TYPE_TRACEPOINT). kvm_amd can be unloaded meanwhile.
HOLD_KVM = r"""exec perl -e '
open(F, "<", "/sys/kernel/tracing/events/kvm/kvm_exit/id") or die "$!"; $id = 0 + <F>;
$event = pack("LLQx104", 2, 120, $id);
syscall(298, $event, -1, 0, -1, 0) >= 0 or die "$!"; $| = 1; print "$$ holds\n"; <STDIN>'"""

# Does KVM let a virtual CPU have EFER.SVME, which is what running guests takes? (KVM_CREATE_VM,
# KVM_CREATE_VCPU, KVM_SET_MSRS) While kvm stays, Linux 7.2 says yes to that and no to the guest's
# own WRMSR, which would take a guest to find out.
SVME = r"""perl -e '
open(K, "+<", "/dev/kvm") or die "$!"; $vm = ioctl(K, 0xAE01, 0) or die "$!"; open(V, "+<&=", $vm) or die "$!";
$cpu = ioctl(V, 0xAE41, 0) or die "$!"; open(C, "+<&=", $cpu) or die "$!";
$msr = pack("LLLLQ", 1, 0, 0xc0000080, 0, 0x1000);
print 0 + ioctl(C, 0x4008AE89, $msr), "\n"'"""


class OnKernel:
    """Tests that hold on each of the kernels; what is different stands in the attributes."""

    kernel = None  # the version, for kernels.get()
    release = None  # a pattern of uname -r
    cpu = None
    avic = ["auto", "1", "0"]
    has = ["avic", "gmet", "vnmi", "enable_ipiv", "lapic_timer_advance", "enable_virt_at_load"]
    lacks = ["lapic_timer_advance_ns", "kvmclock_periodic_sync"]
    writable_tdp_mmu = False
    shrink = "2"
    outlives = False  # whether guests go on being allowed EFER.SVME for as long as kvm stays

    @classmethod
    def setUpClass(cls):
        if kernels.suite_of(cls.kernel) == image.release():
            cls.host = shared.host()
        else:
            cls.host = shared.own_host(cls.kernel, cls.cpu)
            cls.addClassCleanup(cls.host.finish)
            cls.host.boot()
        cls.loaded = cls.host.check(LIST)

    def setUp(self):
        self.nestvirt = Nestvirt(self, self.host)
        self.ctl, self.json, self.value = self.nestvirt.ctl, self.nestvirt.json, self.nestvirt.value
        self.addCleanup(self.tidy)

    def tidy(self):
        """A reload takes seconds here, so it is done only where it is needed."""
        self.nestvirt.clean()
        if self.host.check(LIST) != self.loaded:
            self.nestvirt.reload()

    def listing(self):
        """Mode and text of each parameter in sysfs, by module and name."""
        rows = (line.split(" ", 2) for line in self.host.check(LIST).splitlines())
        found = {}
        for mode, path, *text in rows:
            _, _, _, module, _, name = path.split("/")
            found[module, name] = (int(mode, 8), "".join(text))
        return found

    def shown(self):
        modules = self.json("show")["modules"]
        return {(module["name"], name): entry for module in modules for name, entry in module["parameters"].items()}

    def test_all_parameters_are_as_the_kernel_has_them(self):
        release = self.host.check("uname -r").strip()
        self.assertRegex(release, self.release)
        listing, shown, known = self.listing(), self.shown(), catalog.read(release)

        self.assertLessEqual(set(shown), set(listing))
        for which in sorted(set(listing) - set(shown) - set(catalog.LEFT_OUT)):
            print(f"not in the catalogue on Linux {release}: {'.'.join(which)}", file=sys.stderr)
            self.assertEqual(self.kernel, "sid", which)
        for which, entry in shown.items():
            with self.subTest(release=release, parameter=".".join(which)):
                self.check_entry(which[1], *listing[which], entry, known[which])

    def check_entry(self, name, mode, text, entry, known):
        self.assertEqual((entry["kind"], entry["choices"], entry["default"]), (known.kind, known.choices, known.default))
        self.assertEqual((entry["value"], entry["writable"]), (text, bool(mode & 0o200)))
        self.assertEqual((entry["configured"], entry["source"], entry["pending"]), ("", "", ""))
        if entry["kind"] in ("int", "uint"):
            normal = effective = text
        else:
            self.assertIn(text, ("Y", "N") if known.kept == "letters" and name != "pi_inject_timer" else ("0", "1"))
            normal = {"Y": "1", "N": "0"}.get(text, text)
            effective = {"1": "on", "0": "off"}[normal]
        self.assertEqual(entry["effective"], effective)
        if name in OFF_HERE:
            self.assertEqual(normal, "0")
        elif name not in DECIDED:
            self.assertEqual(normal, entry["default"])

    def test_what_this_kernel_has_and_lacks(self):
        names = {name for _, name in self.shown()}
        self.assertLessEqual(set(self.has), names)
        self.assertFalse(set(self.lacks) & names)
        self.assertEqual(self.nestvirt.parameter("avic")["choices"], self.avic)
        self.assertEqual(self.nestvirt.parameter("halt_poll_ns_shrink", "kvm")["default"], self.shrink)
        for name in self.lacks:
            self.assertIn(f"has no parameter {name}", self.ctl(f"set {name}=0", status=6).stderr)

    def test_nested_off_and_on(self):
        for value, effective in (("0", "off"), ("1", "on")):
            before = self.nestvirt.loads()
            self.assertEqual(self.json(f"set nested={value}")["outcome"], "applied")
            self.assertNotEqual(self.nestvirt.loads(), before)
            entry = self.nestvirt.parameter("nested")
            self.assertEqual((self.value("nested"), entry["effective"], entry["configured"], entry["reason"]), (value, effective, value, ""))
            self.assertEqual(self.json("status")["nested"], effective)
            self.assertEqual(self.host.check(SVME), f"{value}\n")
            self.nestvirt.assert_whole()

    def test_avic(self):
        if self.avic:
            self.assertEqual(self.json("set avic=auto")["outcome"], "configured")
            self.assertEqual(self.json("reload")["outcome"], "applied")
            entry = self.nestvirt.parameter("avic")
            self.assertEqual((entry["value"], entry["effective"], entry["configured"]), ("N", "off", "auto"))
            self.assertNotIn("parameter-unsupported", [finding["id"] for finding in self.json("check")["findings"]])
        else:
            self.assertIn("avic can be on or off", self.ctl("set avic=auto", status=2).stderr)
        self.assertIn("lacks avic", self.ctl("set avic=1", status=6).stderr)

    def test_tdp_mmu(self):
        """It lost its write bit: what was a write takes a reload."""
        before = self.nestvirt.loads()
        self.assertEqual(self.json("set kvm.tdp_mmu=off")["outcome"], "applied")
        self.assertEqual(self.value("tdp_mmu", "kvm"), "N")
        self.assertEqual(self.nestvirt.loads() == before, self.writable_tdp_mmu)
        self.assertEqual(self.json("reset kvm.tdp_mmu")["outcome"], "applied")
        self.assertEqual(self.value("tdp_mmu", "kvm"), "Y")

    def keep_kvm(self):
        """Somebody holds kvm, nobody kvm_amd: nested goes off, and on some kernels what kvm had
        been told stays."""
        with self.host.start(HOLD_KVM) as holder:
            holder.wait_for("holds")
            before = self.nestvirt.loads().split()
            self.assertEqual(self.json("set nested=0")["outcome"], "applied")
            after = self.nestvirt.loads().split()
            self.assertNotEqual(after[0], before[0])
            self.assertEqual(after[1], before[1])
            self.assertEqual(self.value("nested"), "0")
            findings = {finding["id"]: finding for finding in self.json("check")["findings"]}
            if self.outlives:
                self.assertEqual(self.host.check(SVME), "1\n")
                self.assertEqual((findings["kvm-kept"]["status"], findings["kvm-kept"]["fix"]), ("warn", "nestvirtctl reload"))
            else:
                self.assertNotIn("kvm-kept", findings)

    def assert_kept(self, kept):
        self.assertEqual("kvm-kept" in [finding["id"] for finding in self.json("check")["findings"]], kept)

    def test_kvm_is_kept(self):
        self.keep_kvm()
        self.assertEqual(self.json("reload")["outcome"], "applied")
        self.assertEqual(self.host.check(SVME), "0\n")
        self.assert_kept(False)

    def test_kvm_is_kept_and_then_loaded_by_hand(self):
        """What the daemon has recorded of the kvm that stayed is nothing about the next one."""
        self.keep_kvm()
        self.assert_kept(self.outlives)
        self.host.check("modprobe -r kvm_amd && ! test -e /sys/module/kvm && modprobe kvm_amd && udevadm settle", timeout=120)
        self.assertEqual((self.value("nested"), self.host.check(SVME)), ("0", "0\n"))
        self.assert_kept(False)


class Bookworm(OnKernel, unittest.TestCase):
    kernel = "6.1"
    release = r"^6\.1\."
    avic = []
    has = ["avic", "lapic_timer_advance_ns", "kvmclock_periodic_sync"]
    lacks = ["vnmi", "gmet", "enable_ipiv", "lapic_timer_advance", "enable_virt_at_load"]
    writable_tdp_mmu = True
    shrink = "0"
    outlives = True


class Trixie(OnKernel, unittest.TestCase):
    kernel = "6.12"
    release = r"^6\.12\."
    avic = []
    has = ["avic", "vnmi", "lapic_timer_advance", "enable_virt_at_load", "kvmclock_periodic_sync"]
    lacks = ["gmet", "enable_ipiv", "lapic_timer_advance_ns"]


class Unstable(OnKernel, unittest.TestCase):
    kernel = "sid"
    release = r"^([7-9]|[1-9][0-9])\."
    cpu = f"{qemu.CPU},family=25,model=1"  # the first on which KVM sends interrupts by AVIC (no erratum 1235)

    def test_a_bare_avic_is_on(self):
        """No value is a value here, and no reason for the kernel to refuse the load."""
        self.host.check("echo 'options kvm_amd avic' > /etc/modprobe.d/test.conf && modprobe -r kvm_amd && modprobe kvm_amd")
        entry = self.nestvirt.parameter("avic")
        self.assertEqual((entry["configured"], entry["effective"]), ("1", "off"))
        self.assertIn("lacks avic", entry["reason"])
        self.assertEqual(self.json("set nested=0 --dry-run")["outcome"], "planned")

    def test_what_avic_takes_with_it(self):
        for name in ("enable_ipiv", "enable_device_posted_irqs"):
            entry = self.nestvirt.parameter(name)
            self.assertEqual((entry["value"], entry["effective"], entry["reason"]), ("N", "off", "It needs avic, which is off"))

    def test_what_sticks_in_kvm(self):
        """enable_ipiv lives in kvm: what avic=0 took with it does not come back by itself while kvm
        stays loaded."""
        self.host.check("echo 'options kvm_amd force_avic=1' > /etc/modprobe.d/test.conf")
        self.assertEqual(self.json("set avic=on")["outcome"], "applied")
        self.assertEqual((self.value("avic"), self.value("enable_ipiv")), ("Y", "Y"))
        with self.host.start(HOLD_KVM) as holder:
            holder.wait_for("holds")
            self.host.check("rmmod kvm_amd && modprobe kvm_amd avic=0 && rmmod kvm_amd && modprobe kvm_amd")
            self.assertEqual((self.value("avic"), self.value("enable_ipiv")), ("Y", "N"))
            entry = self.nestvirt.parameter("enable_ipiv")
            self.assertEqual(entry["effective"], "off")
            self.assertIn("kvm keeps its value", entry["reason"])
            self.assertEqual(self.json("reload")["outcome"], "applied")
            self.assertEqual((self.value("avic"), self.value("enable_ipiv")), ("Y", "Y"))


if __name__ == "__main__":
    unittest.main()
