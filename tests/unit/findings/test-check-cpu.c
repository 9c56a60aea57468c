/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found about the CPU when those who tell of it are known: the firmware's switch,
 * contradictions, processors that are not alike, and what follows for the parameters. */

#include <string.h>

#include "check-row.h"
#include "effect-judge.h"

/* What cpuid -r prints: of an Intel CPU on the hardware, with and without VMX; likewise AMD and
 * SVM. The last is a virtual machine's. */
#define LEAF1(ecx) "CPU 0:\n   0x00000001 0x00: eax=0x000306c3 ebx=0x00100800 ecx=0x" ecx " edx=0xbfebfbff\n"
#define CPUID_VMX LEAF1("7ffafbff")
#define CPUID_NO_VMX LEAF1("7ffafbdf")
#define CPUID_VMX_BELOW LEAF1("fffafbff")
#define CPUID_SVM_BIT(ecx, edx)                                                            \
        LEAF1("7ed8320b")                                                                  \
        "   0x80000001 0x00: eax=0x00830f10 ebx=0x40000000 ecx=0x" ecx " edx=0x2fd3fbff\n" \
        "   0x8000000a 0x00: eax=0x00000001 ebx=0x00008000 ecx=0x00000000 edx=0x" edx "\n"
#define CPUID_SVM CPUID_SVM_BIT("75c237ff", "00000009")
#define CPUID_NO_SVM CPUID_SVM_BIT("75c237fb", "00000000")

/* The registers that go with VMX_FLAGS, but for those of EPT and VPID. */
#define MSRS_BUT_48C                                                                               \
        "0x3a 0x5\n0x480 0x00d8100000000004\n0x481 0x0000006000000016\n0x482 0x8000000000000000\n" \
        "0x485 0x20000000\n0x48b 0x000044a200000000\n"
#define MSRS MSRS_BUT_48C "0x48c 0x0000060104204040\n"
#define FLAGS_LINE "vmx flags\t: " VMX_FLAGS "\n"
#define INTEL_LOADED .loaded = "kvm_intel.nested=Y kvm_intel.ept=Y kvm_intel.enable_shadow_vmcs=Y"
#define INTEL_OFF .vendor = "GenuineIntel", .flags = "sse2", .loadable = "kvm. kvm_intel.nested kvm_intel.ept"
#define SETUP "systemctl reboot --firmware-setup"
#define SID "7.2.13-1"

/* clang-format off */
static const CheckRow rows[] = {
        { "CPUID says that there is none", { INTEL_OFF, .cpuid = CPUID_NO_VMX }, .id = "cpu", "info",
          "The CPU lacks vmx: CPUID says that it has none", NULL },
        { "CPUID has it", { INTEL_OFF, .cpuid = CPUID_VMX }, .id = "cpu", "info", "the firmware has it switched off", NULL },
        { "a virtual machine of which CPUID has none", { .flags = "hypervisor", .cpuid = CPUID_NO_SVM }, .id = "cpu", "info",
          "The CPU lacks svm: the hypervisor below", NULL },

        { "unknown proves nothing", { INTEL_OFF }, .id = "firmware" },
        { "nothing to switch", { INTEL_OFF, .cpuid = CPUID_NO_VMX }, .id = "firmware" },
        { "vmx is off by CPUID", { INTEL_OFF, .cpuid = CPUID_VMX }, .id = "firmware", "fail",
          "CPUID has vmx, but the kernel has not. In its setup switch on \"Intel Virtualization Technology\"", SETUP },
        { "vmx is off by its register", { INTEL_OFF, .cpuid = CPUID_VMX, .msr = "0x3a 0x1\n" }, .id = "firmware", "fail",
          "CPUID has vmx, but MSR 0x3a is 0x1", SETUP },
        { "vmx is off and an old kernel shows it", { .vendor = "GenuineIntel", .flags = "vmx", .msr = "0x3a 0x3\n" },
          .id = "firmware", "fail", "/proc/cpuinfo has vmx, but MSR 0x3a is 0x3", SETUP },
        { "vmx is not locked", { INTEL, .msr = "0x3a 0x0\n" }, .id = "firmware", "pass", "MSR 0x3a is 0x0", NULL },
        { "vmx is on by the kernel's flags", { INTEL }, .id = "firmware", "pass", "/proc/cpuinfo has vmx", NULL },
        { "an old kernel proves nothing by its flag", { .vendor = "GenuineIntel", .flags = "vmx" }, .id = "firmware" },
        { "the register lets it and the kernel does not", { INTEL_OFF, .cpuid = CPUID_VMX, .msr = "0x3a 0x5\n" }, .id = "firmware" },
        { "the kernel was told to hide it", { INTEL_OFF, .cpuid = CPUID_VMX, .cmdline = "clearcpuid=vmx" }, .id = "firmware" },
        { "vmx is off in a virtual machine's firmware", { .vendor = "GenuineIntel", .flags = "hypervisor", .cpuid = CPUID_VMX_BELOW },
          .id = "firmware", "warn", "The firmware of this virtual machine has vmx switched off", NULL },
        { "a guest of Xen sees the hardware", { .vendor = "GenuineIntel", .flags = "hypervisor", .cpuid = CPUID_VMX },
          .id = "firmware" },
        { "svm is off and a new kernel hides it", { .release = SID, .flags = "sse2", .cpuid = CPUID_SVM }, .id = "firmware", "fail",
          "switch on \"SVM Mode\" (AMD-V)", SETUP },
        { "svm is off and an old kernel shows it", { AMD_LOADABLE, .cpuid = CPUID_SVM, .msr = "0xc0010114 0x18\n" },
          .id = "firmware", "fail", "CPUID has svm, but MSR 0xc0010114 is 0x18", SETUP },
        { "an old kernel proves nothing by svm", { AMD_LOADABLE, .cpuid = CPUID_SVM }, .id = "firmware" },
        { "a new kernel proves it by svm", { AMD_LOADABLE, .release = SID, .cpuid = CPUID_SVM }, .id = "firmware", "pass",
          "/proc/cpuinfo has svm", NULL },
        { "a loaded module proves it", { AMD_LOADED, .cpuid = CPUID_SVM }, .id = "firmware", "pass", "KVM uses it", NULL },
        { "another architecture has none", { .vendor = "" }, .id = "firmware" },

        { "no load is advised that the firmware makes fail", { AMD_LOADABLE, .msr = "0xc0010114 0x10\n" }, .id = "vendor-module",
          "info", "kvm_amd is not loaded", NULL },
        { "what the firmware has off is not supported", { AMD_LOADABLE, .msr = "0xc0010114 0x10\n",
          .modprobe = "options kvm_amd nested=1\n" }, .id = "parameter-unsupported", "warn",
          "lacks svm (the firmware has it switched off)", NULL },

        { "registers instead of flags", { .vendor = "GenuineIntel", .flags = "vmx", INTEL_LOADED, .msr = MSRS },
          .id = "cpu-features", "pass", "has all", NULL },
        { "registers instead of flags lack something", { .vendor = "GenuineIntel", .flags = "vmx ept",
          .loaded = "kvm_intel.nested=Y kvm_intel.pml=N kvm_intel.ept=Y", .msr = MSRS }, .id = "cpu-features", "info",
          "lacks: pml", NULL },
        { "what the flags do not show", { INTEL, .loaded = "kvm_intel.nested=Y kvm_intel.vpid=N",
          .msr = MSRS_BUT_48C "0x48c 0x0000000104204040\n" }, .id = "cpu-features", "info",
          "lacks: INVVPID of one or of all contexts", NULL },
        { "one kind of INVVPID is enough", { INTEL, .loaded = "kvm_intel.nested=Y kvm_intel.vpid=Y",
          .msr = MSRS_BUT_48C "0x48c 0x0000040104204040\n" }, .id = "cpu-features", "pass", "has all", NULL },
        { "shadow_vmcs without VMWRITE to every field", { INTEL, .loaded = "kvm_intel.nested=Y kvm_intel.enable_shadow_vmcs=N",
          .msr = "0x485 0x1\n", .modprobe = "options kvm_intel enable_shadow_vmcs=1\n" }, .id = "parameter-unsupported", "warn",
          "The CPU lacks VMWRITE to every field (MSR 0x485 bit 29)", NULL },

        { "one source agrees with itself", { INTEL, INTEL_LOADED }, .id = "cpu-sources" },
        { "CPUID agrees", { INTEL, INTEL_LOADED, .cpuid = CPUID_VMX }, .id = "cpu-sources", "pass", "/proc/cpuinfo, CPUID", NULL },
        { "all agree", { INTEL, INTEL_LOADED, .cpuid = CPUID_VMX, .msr = MSRS, .kvm_msr = MSRS, .kvm_cpuid = CPUID_VMX },
          .id = "cpu-sources", "pass", "/proc/cpuinfo, CPUID, the CPU's registers (MSR), what /dev/kvm offers", NULL },
        { "the flags have ept and its register has not", { INTEL, INTEL_LOADED, .msr = "0x482 0x8000000000000000\n0x48b 0x000044a000000000\n" },
          .id = "cpu-sources", "warn", "/proc/cpuinfo has ept, but MSR 0x48b (0x44a000000000) says that the CPU has not", NULL },
        { "the register has what the flags have not", { INTEL, INTEL_LOADED, .msr = "0x48b 0x000244a200000000\n" },
          .id = "cpu-sources", "warn", "MSR 0x48b (0x244a200000000) says that the CPU has pml, but /proc/cpuinfo has not", NULL },
        { "without its gate a register says no", { INTEL, INTEL_LOADED, .msr = "0x482 0x0\n0x48b 0x000044a200000000\n" },
          .id = "cpu-sources", "warn", "/proc/cpuinfo has ept, vpid, unrestricted_guest, ple, shadow_vmcs, but MSR 0x48b", NULL },
        { "a kernel that is too old for a flag", { INTEL, INTEL_LOADED, .msr = MSRS_BUT_48C "0x48c 0x0000060104204040\n0x492 0x10\n" },
          .id = "cpu-sources", "pass", "agree", NULL },
        { "CPUID has no vmx", { INTEL, INTEL_LOADED, .cpuid = CPUID_NO_VMX }, .id = "cpu-sources", "warn",
          "/proc/cpuinfo has vmx, but CPUID 0x1 (ecx=0x7ffafbdf) says that the CPU has not", NULL },
        { "hidden by the command line", { INTEL_OFF, .cpuid = CPUID_VMX, .cmdline = "quiet clearcpuid=vmx" }, .id = "cpu-sources",
          "warn", "clearcpuid=", NULL },
        { "the firmware lets it", { INTEL_OFF, .cpuid = CPUID_VMX, .msr = "0x3a 0x5\n" }, .id = "cpu-sources", "warn",
          "MSR 0x3a (0x5) that the firmware lets it", NULL },
        { "the firmware explains it", { INTEL_OFF, .cpuid = CPUID_VMX }, .id = "cpu-sources", "pass", "agree", NULL },
        { "CPUID sees no hypervisor", { .vendor = "GenuineIntel", .flags = "vmx hypervisor", .vmx_flags = VMX_FLAGS, .cpuid = CPUID_VMX }, .id = "cpu-sources", "warn",
          "says that this is the hardware", NULL },
        { "the kernel sees no hypervisor", { INTEL, .cpuid = CPUID_VMX_BELOW }, .id = "cpu-sources", "warn",
          "says that this is a virtual machine", NULL },
        { "a flag that CPUID has not", { AMD_LOADED, .flags = "svm npt nrip_save avic", .cpuid = CPUID_SVM }, .id = "cpu-sources", "warn",
          "/proc/cpuinfo has avic, but CPUID 0x8000000a (edx=0x9) says that the CPU has not", NULL },
        { "nested on and no VMX registers", { INTEL, INTEL_LOADED, .kvm_msr = "0x10a 0x1\n" }, .id = "cpu-sources", "warn",
          "kvm_intel.nested is on, but /dev/kvm offers guests no VMX registers", NULL },
        { "nested off and VMX registers", { INTEL, .loaded = "kvm_intel.nested=N", .kvm_msr = MSRS }, .id = "cpu-sources", "warn",
          "kvm_intel.nested is off, but /dev/kvm offers guests still VMX registers", NULL },
        { "nested off and none", { INTEL, .loaded = "kvm_intel.nested=N", .kvm_msr = "" }, .id = "cpu-sources", "pass", "agree", NULL },
        { "nested on and no svm", { AMD_LOADED, .kvm_cpuid = CPUID_NO_SVM }, .id = "cpu-sources", "warn",
          "kvm_amd.nested is on, but /dev/kvm offers guests no svm", NULL },
        { "ept on and not offered", { INTEL, INTEL_LOADED, .kvm_msr = "0x480 0x1\n0x482 0x8000000000000000\n0x48b 0x0\n" },
          .id = "cpu-sources", "warn", "kvm_intel.ept is on, but /dev/kvm offers guests no ept (its MSR 0x48b (0x0))", NULL },
        { "another module's list is not compared", { .flags = "sse2", .builtin = "kvm. kvm_pvm.", .kvm_msr = "0x10a 0x1\n" },
          .id = "cpu-sources" },

        { "all alike", { INTEL, INTEL_LOADED, .others = "processor : 1\nflags : fpu lm vmx\n" FLAGS_LINE }, .id = "cpus-differ",
          "pass", "All 2 processors", NULL },
        { "one alone", { INTEL, INTEL_LOADED }, .id = "cpus-differ" },
        { "what does not concern us", { INTEL, INTEL_LOADED, .others = "processor : 1\nflags : lm vmx xyz\n" FLAGS_LINE },
          .id = "cpus-differ", "pass", "All 2 processors", NULL },
        { "others have no svm", { AMD_LOADABLE, .others = "processor : 1\nflags : npt nrip_save\n\nprocessor : 2\nflags : npt nrip_save\n\n"
          "processor : 5\nflags : npt nrip_save\n" }, .id = "cpus-differ", "fail",
          "Processors 1-2, 5 lack svm, unlike the first one: kvm_amd does not load", "chcpu --disable 1-2,5" },
        { "others have more", { AMD_LOADED, .others = "processor : 1\nflags : svm npt nrip_save avic\n" }, .id = "cpus-differ", "warn",
          "Processor 1 has avic, unlike the first one", NULL },
        { "a register differs", { INTEL, INTEL_LOADED, .msr = "CPU 0:\n" MSRS "CPU 3:\n0x48b 0x000044a000000000\n" },
          .id = "cpus-differ", "warn", "Processor 3 has another value in MSR 0x48b, unlike the first one: kvm_intel does not load", NULL },
        { "several flags of the same processors", { INTEL, INTEL_LOADED, .others = "processor : 4\nflags : lm vmx\nvmx flags : ept\n\n"
          "processor : 5\nflags : lm vmx\nvmx flags : ept\n" }, .id = "cpus-differ", "warn",
          "Processors 4-5 lack ept_ad, flexpriority, invvpid, ple, ", NULL },
        { "vmx and all that hangs on it", { INTEL, INTEL_LOADED, .others = "processor : 4\nflags : lm\n" }, .id = "cpus-differ",
          "warn", "Processor 4 lacks vmx, unlike the first one", NULL },
        { "several registers", { INTEL, INTEL_LOADED, .msr = "CPU 0:\n" MSRS "CPU 3:\n0x48b 0x0\n0x48c 0x0\n" },
          .id = "cpus-differ", "warn", "Processor 3 has another value in MSR 0x48b, MSR 0x48c, unlike", NULL },
        { "bits that KVM does not compare", { INTEL, INTEL_LOADED, .msr = "CPU 0:\n0x3a 0x5\nCPU 3:\n0x3a 0x100005\n" },
          .id = "cpus-differ" },
};
/* clang-format on */

/* A flag that the kernel has cleared for an erratum is no contradiction, and the parameter's reason
 * knows. */
static void test_a_flag_that_the_kernel_hides(void) {
        const MadeHost made = {.loaded = "kvm_amd.nested=1 kvm_amd.npt=Y kvm_amd.vls=0",
                               .cpuid = CPUID_SVM_BIT("75c237ff", "00008009")};
        g_autoptr(CheckFacts) facts = NULL;
        g_autoptr(Host) host = made_host_around(&made, &facts);
        g_autoptr(GPtrArray) findings = check_host(host, facts, "");
        g_autoptr(Effect) vls = effect_new(host, catalog_find("kvm_amd", "vls"));
        unsigned n;

        g_assert_cmpstr(check_row_find(findings, "cpu-sources", &n)->status, ==, "pass");
        g_assert_cmpuint(n, ==, 2);
        const Finding *f = g_ptr_array_index(findings, 4);
        g_assert_cmpstr(f->id, ==, "cpu-sources");
        g_assert_cmpstr(f->status, ==, "info");
        g_assert_nonnull(strstr(f->message, "CPUID 0x8000000a (edx=0x8009) says that the CPU has v_vmsave_vmload"));
        g_assert_false(vls->supported);
        g_assert_cmpstr(vls->reason, ==, "The CPU lacks v_vmsave_vmload (CPUID has it, but the kernel hides it)");
}

/* A finding for each register, with all flags that it is about. */
static void test_each_register_by_itself(void) {
        const MadeHost made = {INTEL, INTEL_LOADED, .msr = "0x481 0x4000000000\n0x48b 0x0000448000000000\n"};
        g_autoptr(CheckFacts) facts = NULL;
        g_autoptr(Host) host = made_host_around(&made, &facts);
        g_autoptr(GPtrArray) findings = check_host(host, facts, "");
        const char *const expected[] = {"has vnmi, but MSR 0x481 (0x4000000000)",
                                        "has ept, vpid, but MSR 0x48b (0x448000000000)"};
        unsigned n = 0;

        for (unsigned i = 0; i < findings->len; i++) {
                const Finding *f = g_ptr_array_index(findings, i);
                if (!g_str_equal(f->id, "cpu-sources"))
                        continue;
                g_assert_cmpuint(n, <, G_N_ELEMENTS(expected));
                g_assert_nonnull(strstr(f->message, expected[n++]));
        }
        g_assert_cmpuint(n, ==, G_N_ELEMENTS(expected));
}

/* Not all of them can be named, so no command is given that would leave some. */
static void test_too_many_to_name(void) {
        g_autoptr(GString) others = g_string_new(NULL);

        for (unsigned i = 1; i < 40; i++)
                g_string_append_printf(others, "processor : %u\nflags : npt nrip_save%s\n\n", i, i % 2 ? "" : " svm");
        const MadeHost made = {AMD_LOADABLE, .others = others->str};
        g_autoptr(CheckFacts) facts = NULL;
        g_autoptr(Host) host = made_host_around(&made, &facts);
        g_autoptr(GPtrArray) findings = check_host(host, facts, "");
        unsigned n;

        const Finding *f = check_row_find(findings, "cpus-differ", &n);
        g_assert_cmpuint(n, ==, 1);
        g_assert_cmpstr(f->status, ==, "fail");
        g_assert_nonnull(strstr(f->message, "Processors 1, 3, 5,"));
        g_assert_nonnull(strstr(f->message, " and more lack svm, unlike"));
        g_assert_cmpstr(f->fix, ==, "");
}

/* The same facts about a module that is not the CPU's own, and of a CPU that nobody knows, are
 * never compared. */
static void test_unknown_vendor(void) {
        const MadeHost made = {
                        .vendor = "SomebodyElse", .flags = "vmx svm", .cpuid = CPUID_NO_SVM, .msr = "0x3a 0x1\n"};
        g_autoptr(CheckFacts) facts = NULL;
        g_autoptr(Host) host = made_host_around(&made, &facts);
        g_autoptr(GPtrArray) findings = check_host(host, facts, "");
        unsigned n;

        g_assert_null(check_row_find(findings, "firmware", &n));
        g_assert_null(check_row_find(findings, "cpu-sources", &n));
        g_assert_null(check_row_find(findings, "cpus-differ", &n));
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        check_rows_add(rows, G_N_ELEMENTS(rows));
        g_test_add_func("/check/cpu-sources/a-flag-that-the-kernel-hides", test_a_flag_that_the_kernel_hides);
        g_test_add_func("/check/cpu-sources/each-register-by-itself", test_each_register_by_itself);
        g_test_add_func("/check/cpus-differ/too-many-to-name", test_too_many_to_name);
        g_test_add_func("/check/cpu-sources/unknown-vendor", test_unknown_vendor);
        return g_test_run();
}
