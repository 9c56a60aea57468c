/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is configured, in effect, and why: a made host for each fact. */

#include <string.h>

#include "effect-judge.h"
#include "made-host.h"

#define SID "7.2.4-cloud-amd64"
#define TRIXIE "6.12.43+deb13-amd64"
#define VMX_SKYLAKE                                                                                    \
        "vnmi preemption_timer posted_intr invvpid ept_ad flexpriority apicv vtpr mtf vapic ept vpid " \
        "unrestricted_guest vapic_reg vid ple shadow_vmcs pml"
#define INTEL .vendor = "GenuineIntel", .flags = "vmx", .vmx_flags = VMX_SKYLAKE
#define NOTHING_SAID .configured = "", .source = ""

typedef struct Row {
        const char *fact;
        MadeHost made;
        const char *of; /* "module.parameter" */
        const char *value, *effective, *configured, *source;
        Why why;
        const char *reason; /* a part of it; "=…": the whole; NULL: it is empty */
        const char *remedy; /* NULL: none */
        bool unsupported;
} Row;

/* clang-format off */
static const Row rows[] = {
        /* Y and N, 1 and 0 are the same; what is not configured is no cause for words */
        { "an int switch that is on", { .loaded = "kvm_amd.nested=1" }, .of = "kvm_amd.nested",
          "1", "on", NOTHING_SAID },
        { "an int switch that is off is not the default", { .loaded = "kvm_amd.nested=0" }, .of = "kvm_amd.nested",
          "0", "off", NOTHING_SAID, WHY_DEFAULT, "to keep off: nestvirtctl set nested=off" },
        { "any number but 0 is on", { .loaded = "kvm_amd.nested=2" }, .of = "kvm_amd.nested",
          "2", "on", NOTHING_SAID },
        { "a bool that is on", { INTEL, .loaded = "kvm_intel.nested=Y" }, .of = "kvm_intel.nested",
          "Y", "on", NOTHING_SAID },
        { "a number is itself", { .loaded = "kvm.halt_poll_ns+=200000" }, .of = "kvm.halt_poll_ns",
          "200000", "200000", NOTHING_SAID },
        { "a module that is not loaded has no value", { .loadable = "kvm. kvm_amd.nested" }, .of = "kvm_amd.nested",
          "", "", NOTHING_SAID },

        /* configured and in effect */
        { "configured as it is", { .loaded = "kvm_amd.nested=0", .modprobe = "options kvm_amd nested=0\n" }, .of = "kvm_amd.nested",
          "0", "off", "0", "/etc/modprobe.d/admin.conf:1" },
        { "the spelling of the module does not matter", { .loaded = "kvm_amd.nested=0", .modprobe = "\noptions kvm-amd nested=0\n" },
          .of = "kvm_amd.nested", "0", "off", "0", "/etc/modprobe.d/admin.conf:2" },
        { "the kernel's words for a bool are normalised", { INTEL, .loaded = "kvm_intel.nested=Y",
          .modprobe = "options kvm_intel nested=yes\n" }, .of = "kvm_intel.nested", "Y", "on", "1", "/etc/modprobe.d/admin.conf:1" },
        { "a bool without a value is on", { INTEL, .loaded = "kvm_intel.nested=Y", .modprobe = "options kvm_intel nested\n" },
          .of = "kvm_intel.nested", "Y", "on", "1", "/etc/modprobe.d/admin.conf:1" },
        { "the kernel command line", { .loaded = "kvm_amd.nested=0", .cmdline = "quiet kvm_amd.nested=0" }, .of = "kvm_amd.nested",
          "0", "off", "0", "kernel command line" },

        /* configured, and not in effect */
        { "loaded before it was configured", { .loaded = "kvm_amd.nested=1", .modprobe = "options kvm_amd nested=0\n" },
          .of = "kvm_amd.nested", "1", "on", "0", "/etc/modprobe.d/admin.conf:1", WHY_CONFIGURED,
          "kvm_amd was loaded before /etc/modprobe.d/admin.conf:1 said off", "nestvirtctl reload" },
        { "with modules disabled only a boot helps", { .loaded = "kvm_amd.nested=1", .modprobe = "options kvm_amd nested=0\n",
          .modules_disabled = true }, .of = "kvm_amd.nested", "1", "on", "0", "/etc/modprobe.d/admin.conf:1", WHY_CONFIGURED,
          "to put it in effect: systemctl reboot", "systemctl reboot" },
        { "what is writable needs no reload", { .loaded = "kvm_amd.nested=1 kvm.ignore_msrs+=N",
          .modprobe = "options kvm ignore_msrs=1\n" }, .of = "kvm.ignore_msrs", "N", "off", "1", "/etc/modprobe.d/admin.conf:1",
          WHY_CONFIGURED, "It was changed since kvm was loaded", "nestvirtctl set ignore_msrs=on" },
        { "npt that is off for an unknown reason", { .loaded = "kvm_amd.npt=N", .modprobe = "options kvm_amd npt=1\n" },
          .of = "kvm_amd.npt", "N", "off", "1", "/etc/modprobe.d/admin.conf:1", WHY_CONFIGURED,
          "or found that this host can't do that", "nestvirtctl reload" },
        { "nothing waits when auto was asked for", { .release = SID, .flags = "svm npt avic", .loaded = "kvm_amd.avic=N",
          .modprobe = "options kvm_amd avic=auto\n" }, .of = "kvm_amd.avic", "N", "off", "auto", "/etc/modprobe.d/admin.conf:1" },
        { "auto is the default of a current kernel", { .release = SID, .flags = "svm npt avic", .loaded = "kvm_amd.avic=Y" },
          .of = "kvm_amd.avic", "Y", "on", NOTHING_SAID },
        { "a number that differs", { .loaded = "kvm.halt_poll_ns+=100 kvm_amd.nested=1" }, .of = "kvm.halt_poll_ns",
          "100", "100", NOTHING_SAID, WHY_DEFAULT, "to keep 100: nestvirtctl set halt_poll_ns=100" },

        /* the CPU lacks it */
        { "asked for, and the CPU lacks it", { .loaded = "kvm_amd.avic=N", .modprobe = "options kvm_amd avic=1\n" },
          .of = "kvm_amd.avic", "N", "off", "1", "/etc/modprobe.d/admin.conf:1", WHY_UNSUPPORTED,
          "The CPU lacks avic: kvm_amd switched it off, though /etc/modprobe.d/admin.conf:1 asks for it",
          .unsupported = true },
        { "inside a virtual machine it is the CPU that is given", { .flags = "svm hypervisor npt", .loaded = "kvm_amd.vgif=0" },
          .of = "kvm_amd.vgif", "0", "off", NOTHING_SAID, WHY_UNSUPPORTED, "The CPU that this virtual machine is given lacks vgif",
          .unsupported = true },
        { "a default that the CPU can't do", { .loaded = "kvm_amd.vgif=0" }, .of = "kvm_amd.vgif",
          "0", "off", NOTHING_SAID, WHY_UNSUPPORTED, "=The CPU lacks vgif", .unsupported = true },
        { "a number that the CPU can't do", { .loaded = "kvm_amd.pause_filter_thresh=0", .flags = "svm pausefilter" },
          .of = "kvm_amd.pause_filter_thresh", "0", "0", NOTHING_SAID, WHY_UNSUPPORTED, "The CPU lacks pfthreshold", .unsupported = true },
        { "auto, and the CPU lacks it", { .release = SID, .loaded = "kvm_amd.avic=N", .modprobe = "options kvm_amd avic=auto\n" },
          .of = "kvm_amd.avic", "N", "off", "auto", "/etc/modprobe.d/admin.conf:1", WHY_UNSUPPORTED, "=The CPU lacks avic",
          .unsupported = true },
        { "forced on a CPU that does not say it can", { .loaded = "kvm_amd.avic=Y kvm_amd.force_avic=Y",
          .modprobe = "options kvm_amd avic=1 force_avic=1\n" }, .of = "kvm_amd.avic", "Y", "on", "1", "/etc/modprobe.d/admin.conf:1" },
        { "forced by hand", { .loaded = "kvm_amd.avic=N kvm_amd.force_avic=Y" }, .of = "kvm_amd.avic", "N", "off", NOTHING_SAID },
        { "forced until the next load", { .loaded = "kvm_amd.avic=Y kvm_amd.force_avic=Y",
          .modprobe = "options kvm_amd avic=1 force_avic=0\n" }, .of = "kvm_amd.avic", "Y", "on", "1", "/etc/modprobe.d/admin.conf:1",
          .unsupported = true },
        { "off by default and not supported is nothing to talk of", { .loaded = "kvm_amd.avic=N" }, .of = "kvm_amd.avic",
          "N", "off", NOTHING_SAID, .unsupported = true },
        { "off as asked for and not supported neither", { .loaded = "kvm_amd.vgif=0", .modprobe = "options kvm_amd vgif=0\n" },
          .of = "kvm_amd.vgif", "0", "off", "0", "/etc/modprobe.d/admin.conf:1", .unsupported = true },
        { "not loaded, asked for, and the CPU lacks it", { .loadable = "kvm. kvm_amd.avic",
          .modprobe = "options kvm_amd avic=1\n" }, .of = "kvm_amd.avic", "", "", "1", "/etc/modprobe.d/admin.conf:1", WHY_UNSUPPORTED,
          "kvm_amd will switch it off again", .unsupported = true },
        { "three features are needed", { .vendor = "GenuineIntel", .flags = "vmx", .vmx_flags = "ept vapic_reg",
          .loaded = "kvm_intel.enable_apicv=N" }, .of = "kvm_intel.enable_apicv", "N", "off", NOTHING_SAID, WHY_UNSUPPORTED,
          "The CPU lacks vid, posted_intr", .unsupported = true },
        { "without a line of vmx flags nothing is known to be lacking", { .vendor = "GenuineIntel", .flags = "vmx",
          .loaded = "kvm_intel.enable_apicv=N" }, .of = "kvm_intel.enable_apicv", "N", "off", NOTHING_SAID, WHY_STICKS, "kvm keeps" ,
          "nestvirtctl reload" },
        { "without vmx all of it is lacking", { .vendor = "GenuineIntel", .flags = "sse", .loadable = "kvm. kvm_intel.ept",
          .modprobe = "options kvm_intel ept=1\n" }, .of = "kvm_intel.ept", "", "", "1", "/etc/modprobe.d/admin.conf:1",
          WHY_UNSUPPORTED, "The CPU lacks vmx", .unsupported = true },
        { "without a cpuinfo nothing is known to be lacking", { .vendor = "", .loaded = "kvm_amd.vgif=1" }, .of = "kvm_amd.vgif",
          "1", "on", NOTHING_SAID },

        /* nested and shadow_vmcs: the kernel leaves the one as it is while the other is off */
        { "shadow_vmcs with nested", { INTEL, .loaded = "kvm_intel.nested=Y kvm_intel.enable_shadow_vmcs=Y" },
          .of = "kvm_intel.enable_shadow_vmcs", "Y", "on", NOTHING_SAID },
        { "shadow_vmcs without nested", { INTEL, .loaded = "kvm_intel.nested=N kvm_intel.enable_shadow_vmcs=Y" },
          .of = "kvm_intel.enable_shadow_vmcs", "Y", "off", NOTHING_SAID, WHY_NEEDS, "It does nothing while nested is off" },
        { "shadow_vmcs without nested on a CPU without it", { .vendor = "GenuineIntel", .flags = "vmx", .vmx_flags = "ept",
          .loaded = "kvm_intel.nested=N kvm_intel.enable_shadow_vmcs=Y" }, .of = "kvm_intel.enable_shadow_vmcs", "Y", "off", NOTHING_SAID,
          WHY_UNSUPPORTED, "The CPU lacks shadow_vmcs", .unsupported = true },
        { "shadow_vmcs off by wish", { INTEL, .loaded = "kvm_intel.nested=Y kvm_intel.enable_shadow_vmcs=N",
          .modprobe = "options kvm_intel enable_shadow_vmcs=0\n" }, .of = "kvm_intel.enable_shadow_vmcs", "N", "off", "0",
          "/etc/modprobe.d/admin.conf:1" },

        /* what ept, npt and vgif take with them */
        { "eptad without ept", { INTEL, .loaded = "kvm_intel.ept=N kvm_intel.eptad=N" }, .of = "kvm_intel.eptad",
          "N", "off", NOTHING_SAID, WHY_NEEDS, "It needs ept, which is off" },
        { "eptad off by wish, without ept", { INTEL, .loaded = "kvm_intel.ept=N kvm_intel.eptad=N",
          .modprobe = "options kvm_intel eptad=0\n" }, .of = "kvm_intel.eptad", "N", "off", "0", "/etc/modprobe.d/admin.conf:1" },
        { "pml without ept", { INTEL, .loaded = "kvm_intel.ept=N kvm_intel.eptad=N kvm_intel.pml=N" }, .of = "kvm_intel.pml",
          "N", "off", NOTHING_SAID, WHY_NEEDS, "It needs ept, which is off" },
        { "pml without eptad", { INTEL, .loaded = "kvm_intel.ept=Y kvm_intel.eptad=N kvm_intel.pml=N" }, .of = "kvm_intel.pml",
          "N", "off", NOTHING_SAID, WHY_NEEDS, "It needs eptad, which is off" },
        { "flexpriority does not need ept", { INTEL, .loaded = "kvm_intel.ept=N kvm_intel.flexpriority=Y" },
          .of = "kvm_intel.flexpriority", "Y", "on", NOTHING_SAID },
        { "avic without npt", { .flags = "svm npt avic", .loaded = "kvm_amd.npt=N kvm_amd.avic=N",
          .modprobe = "options kvm_amd npt=0 avic=1\n" }, .of = "kvm_amd.avic", "N", "off", "1", "/etc/modprobe.d/admin.conf:1",
          WHY_NEEDS, "It needs npt, which is off" },
        { "vnmi without vgif", { .release = TRIXIE, .flags = "svm npt vgif vnmi", .loaded = "kvm_amd.vgif=0 kvm_amd.vnmi=N" },
          .of = "kvm_amd.vnmi", "N", "off", NOTHING_SAID, WHY_NEEDS, "It needs vgif, which is off" },
        { "tdp_mmu without npt reads N on 6.12", { .release = TRIXIE, .loaded = "kvm_amd.npt=N kvm.tdp_mmu=N" }, .of = "kvm.tdp_mmu",
          "N", "off", NOTHING_SAID, WHY_NEEDS, "It needs npt, which is off" },
        { "tdp_mmu without ept reads Y on 6.1", { INTEL, .loaded = "kvm_intel.ept=N kvm.tdp_mmu+=Y" }, .of = "kvm.tdp_mmu",
          "Y", "off", NOTHING_SAID, WHY_NEEDS, "It does nothing while ept is off" },
        { "tdp_mmu with npt", { .loaded = "kvm_amd.npt=Y kvm.tdp_mmu+=Y" }, .of = "kvm.tdp_mmu", "Y", "on", NOTHING_SAID },

        /* what lives in kvm.ko */
        { "apicv stays as an earlier load left it", { INTEL, .loaded = "kvm_intel.enable_apicv=N" }, .of = "kvm_intel.enable_apicv",
          "N", "off", NOTHING_SAID, WHY_STICKS, "kvm keeps its value of this as long as it stays loaded", "nestvirtctl reload" },
        { "ipiv needs apicv before that", { .vendor = "GenuineIntel", .flags = "vmx", .vmx_flags = VMX_SKYLAKE " ipi_virt", .loaded = "kvm_intel.enable_apicv=N kvm_intel.enable_ipiv=N" },
          .of = "kvm_intel.enable_ipiv", "N", "off", NOTHING_SAID, WHY_NEEDS, "It needs enable_apicv, which is off" },
        { "the kernel found a reason of its own", { INTEL, .loaded = "kvm_intel.sgx=N" }, .of = "kvm_intel.sgx",
          "N", "off", NOTHING_SAID, WHY_DEFAULT, "chose otherwise for this host" },

        /* a value that the kernel refuses */
        { "Y keeps kvm_amd from loading", { .loaded = "kvm_amd.nested=1", .modprobe = "options kvm_amd nested=Y\n" },
          .of = "kvm_amd.nested", "1", "on", "Y", "/etc/modprobe.d/admin.conf:1", WHY_REFUSED,
          "With \"nested=Y\" from /etc/modprobe.d/admin.conf:1 the kernel refuses to load kvm_amd: write nested=1 there" },
        { "also a line that loses", { .loaded = "kvm_amd.nested=1", .modprobe = "options kvm_amd nested=Y\n",
          .ours = "options kvm_amd nested=1\n" }, .of = "kvm_amd.nested", "1", "on", "1", "/etc/modprobe.d/zz-nestvirt.conf:1",
          WHY_REFUSED, "With \"nested=Y\" from /etc/modprobe.d/admin.conf:1" },
        { "also when it is not loaded", { .loadable = "kvm. kvm_amd.nested", .modprobe = "options kvm_amd nested\n" },
          .of = "kvm_amd.nested", "", "", "", "/etc/modprobe.d/admin.conf:1", WHY_REFUSED, "the kernel refuses to load kvm_amd: write nested=1 there" },
        { "auto is no word for avic on 6.12", { .release = TRIXIE, .flags = "svm npt avic", .loaded = "kvm_amd.avic=N",
          .modprobe = "options kvm_amd avic=auto\n" }, .of = "kvm_amd.avic", "N", "off", "auto", "/etc/modprobe.d/admin.conf:1",
          WHY_REFUSED, "avic can be on or off" },
        { "also a line that is not the first", { .loaded = "kvm_amd.nested=1",
          .modprobe = "options kvm_amd nested=1\noptions kvm_amd nested=Y\noptions kvm_amd nested=1\n" }, .of = "kvm_amd.nested",
          "1", "on", "1", "/etc/modprobe.d/admin.conf:3", WHY_REFUSED, "With \"nested=Y\" from /etc/modprobe.d/admin.conf:2" },
        { "what is refused of another parameter or module is not ours", { .loaded = "kvm_amd.nested=1",
          .modprobe = "options kvm_amd npt=x\noptions kvm_intel nested=x\noptions kvm_amd nested=1\n" }, .of = "kvm_amd.nested",
          "1", "on", "1", "/etc/modprobe.d/admin.conf:3" },
        { "garbage is quoted", { .loaded = "kvm.halt_poll_ns+=200000", .modprobe = "options kvm halt_poll_ns=\"1\x1b[1m\"\n" },
          .of = "kvm.halt_poll_ns", "200000", "200000", "1\x1b[1m", "/etc/modprobe.d/admin.conf:1", WHY_REFUSED,
          "halt_poll_ns=1\\033[1m" },

        /* who wins */
        { "a later file beats ours", { .loaded = "kvm_amd.nested=1", .ours = "options kvm_amd nested=0\n",
          .late = "options kvm_amd nested=1\n" }, .of = "kvm_amd.nested", "1", "on", "1", "/usr/lib/modprobe.d/zzzz-late.conf:1" },
        { "the kernel command line beats all", { .loaded = "kvm_amd.nested=1", .ours = "options kvm_amd nested=1\n",
          .cmdline = "kvm-amd.nested=0" }, .of = "kvm_amd.nested", "1", "on", "0", "kernel command line", WHY_CONFIGURED,
          "The kernel command line says off, which modprobe gives to kvm_amd at every load", "nestvirtctl reload" },

        /* built in */
        { "built in, set on the kernel command line", { .builtin = "kvm. kvm_amd.nested=0", .cmdline = "kvm_amd.nested=0" },
          .of = "kvm_amd.nested", "0", "off", "0", "kernel command line" },
        { "built in, and modprobe.d loses as it does nothing", { .builtin = "kvm. kvm_amd.nested=0", .cmdline = "kvm_amd.nested=0",
          .modprobe = "options kvm_amd nested=1\n" }, .of = "kvm_amd.nested", "0", "off", "0", "kernel command line" },
        { "built in, and modprobe.d does nothing", { .builtin = "kvm. kvm_amd.nested=1", .modprobe = "options kvm_amd nested=0\n" },
          .of = "kvm_amd.nested", "1", "on", NOTHING_SAID, WHY_BUILTIN,
          "so /etc/modprobe.d/admin.conf:1 does nothing: put kvm_amd.nested=0 on the kernel command line" },
        { "built in, and a bad line in modprobe.d does nothing", { .builtin = "kvm. kvm_amd.nested=1",
          .modprobe = "options kvm_amd nested=Y\n" }, .of = "kvm_amd.nested", "1", "on", NOTHING_SAID, WHY_BUILTIN,
          "put kvm_amd.nested=1 on the kernel command line" },
        { "built in, and the kernel refused its own line", { .builtin = "kvm. kvm_amd.nested=1", .cmdline = "kvm_amd.nested=Y" },
          .of = "kvm_amd.nested", "1", "on", "Y", "kernel command line", WHY_REFUSED,
          "The kernel refused \"nested=Y\" on its command line: write nested=1 there" },
        { "built in, and this host can't", { .builtin = "kvm. kvm_amd.npt=N", .cmdline = "kvm_amd.npt=1" }, .of = "kvm_amd.npt",
          "N", "off", "1", "kernel command line", WHY_CONFIGURED, "The kernel command line says on, but kvm_amd found" },

        /* what waits, what was kept, what can't be read */
        { "a value that waits", { .loaded = "kvm_amd.nested=1", .ours = "options kvm_amd nested=0\n",
          .pending = "kvm_amd.nested=0" }, .of = "kvm_amd.nested", "1", "on", "0", "/etc/modprobe.d/zz-nestvirt.conf:1", WHY_PENDING,
          "nested=off waits until nobody uses kvm_amd any more" },
        { "off, but kvm stayed loaded", { .loaded = "kvm_amd.nested=0", .ours = "options kvm_amd nested=0\n", .kvm_kept = true },
          .of = "kvm_amd.nested", "0", "off", "0", "/etc/modprobe.d/zz-nestvirt.conf:1", WHY_KEPT, "kvm was in use and stayed loaded",
          "nestvirtctl reload" },
        { "off, and a kernel on which that is all there is to it", { .release = "6.12.43+deb13-amd64", .loaded = "kvm_amd.nested=0",
          .ours = "options kvm_amd nested=0\n", .kvm_kept = true }, .of = "kvm_amd.nested", "0", "off", "0",
          "/etc/modprobe.d/zz-nestvirt.conf:1" },
        { "on again: it does not matter any more", { .loaded = "kvm_amd.nested=1", .kvm_kept = true }, .of = "kvm_amd.nested",
          "1", "on", NOTHING_SAID },
        { "of nested alone", { .loaded = "kvm_amd.npt=N", .ours = "options kvm_amd npt=0\n", .kvm_kept = true }, .of = "kvm_amd.npt",
          "N", "off", "0", "/etc/modprobe.d/zz-nestvirt.conf:1" },
        { "Intel is not known to do that", { INTEL, .loaded = "kvm_intel.nested=N", .ours = "options kvm_intel nested=0\n",
          .kvm_kept = true }, .of = "kvm_intel.nested", "N", "off", "0", "/etc/modprobe.d/zz-nestvirt.conf:1" },
        { "a value that can't be read", { .loaded = "kvm_amd.nested=" }, .of = "kvm_amd.nested",
          "", "unknown", NOTHING_SAID, WHY_UNKNOWN, "The kernel does not show its value" },
        { "a value that nobody knows", { .loaded = "kvm_amd.npt=maybe" }, .of = "kvm_amd.npt",
          "maybe", "unknown", NOTHING_SAID, WHY_UNKNOWN, "\"maybe\"" },
        { "a word that is not taken back is still a word", { INTEL, .loaded = "kvm_intel.vmentry_l1d_flush+=not~required" },
          .of = "kvm_intel.vmentry_l1d_flush", "not required", "not required", NOTHING_SAID },

        /* other machines */
        { "powerpc", { .vendor = "", .loaded = "kvm_hv.nested+=Y" }, .of = "kvm_hv.nested", "Y", "on", NOTHING_SAID },
        { "defaults of kvm are x86's", { .vendor = "", .loaded = "kvm.halt_poll_ns+=10000 kvm_hv.nested+=Y" }, .of = "kvm.halt_poll_ns",
          "10000", "10000", NOTHING_SAID },
};
/* clang-format on */

static const Parameter *parameter_of(const char *of) {
        g_auto(GStrv) parts = g_strsplit(of, ".", 2);
        const Parameter *parameter = catalog_find(parts[0], parts[1]);

        g_assert_nonnull(parameter);
        return parameter;
}

static void test_row(gconstpointer data) {
        const Row *row = data;
        g_autoptr(Host) host = made_host(&row->made);
        g_autoptr(Effect) effect = effect_new(host, parameter_of(row->of));

        g_assert_nonnull(effect);
        g_test_message("%s", effect->reason);
        g_assert_cmpstr(effect->value, ==, row->value);
        g_assert_cmpstr(effect->effective, ==, row->effective);
        g_assert_cmpstr(effect->configured, ==, row->configured);
        g_assert_cmpstr(effect->source, ==, row->source);
        g_assert_cmpint(effect->why, ==, row->why);
        g_assert_cmpstr(effect->remedy, ==, row->remedy ? row->remedy : "");
        g_assert_true(effect->supported == !row->unsupported);
        if (row->reason && *row->reason == '=')
                g_assert_cmpstr(effect->reason, ==, row->reason + 1);
        else if (row->reason)
                g_assert_nonnull(strstr(effect->reason, row->reason));
        else
                g_assert_cmpstr(effect->reason, ==, "");
        g_assert_false(g_str_has_suffix(effect->reason, "."));
}

static void test_overridden(void) {
        const MadeHost made = {
                        .loaded = "kvm_amd.nested=0",
                        .modprobe = "options kvm_amd nested=1\n\noptions kvm-amd npt=1 nested=1\n",
                        .ours = "options kvm_amd nested=1\n",
                        .cmdline = "kvm_amd.nested=0",
        };
        g_autoptr(Host) host = made_host(&made);
        g_autoptr(Effect) effect = effect_new(host, catalog_find("kvm_amd", "nested"));

        g_assert_cmpstr(effect->source, ==, "kernel command line");
        g_autofree char *losers = g_strjoinv(" ", effect->overridden);
        g_assert_cmpstr(losers, ==,
                        "/etc/modprobe.d/zz-nestvirt.conf:1 /etc/modprobe.d/admin.conf:3 /etc/modprobe.d/admin.conf:1");
}

static void test_overridden_of_a_builtin_module(void) {
        const MadeHost made = {
                        .builtin = "kvm. kvm_amd.nested=1",
                        .modprobe = "options kvm_amd nested=1\n",
                        .ours = "options kvm_amd nested=0\n",
        };
        g_autoptr(Host) host = made_host(&made);
        g_autoptr(Effect) effect = effect_new(host, catalog_find("kvm_amd", "nested"));

        g_autofree char *losers = g_strjoinv(" ", effect->overridden);
        g_assert_cmpstr(losers, ==, "/etc/modprobe.d/zz-nestvirt.conf:1 /etc/modprobe.d/admin.conf:1");
}

static void test_overridden_by_far_too_many(void) {
        g_autoptr(GString) lines = g_string_new(NULL);

        for (unsigned i = 0; i < 5000; i++)
                g_string_append(lines, "options kvm_amd nested=1\n");
        const MadeHost made = {.loaded = "kvm_amd.nested=1", .modprobe = lines->str};
        g_autoptr(Host) host = made_host(&made);
        g_autoptr(Effect) effect = effect_new(host, catalog_find("kvm_amd", "nested"));

        g_assert_cmpstr(effect->source, ==, "/etc/modprobe.d/admin.conf:5000");
        g_assert_cmpuint(g_strv_length(effect->overridden), ==, OPTIONS_OVERRIDDEN_MAX);
        g_assert_cmpstr(effect->overridden[0], ==, "/etc/modprobe.d/admin.conf:4999");
}

static void test_writable_and_pending(void) {
        const MadeHost made = {
                        .loaded = "kvm.ignore_msrs+=N kvm_amd.nested=1 kvm_amd.npt=Y",
                        .pending = "kvm_amd.npt=0",
        };
        g_autoptr(Host) host = made_host(&made);
        g_autoptr(Effect) ignore = effect_new(host, catalog_find("kvm", "ignore_msrs"));
        g_autoptr(Effect) nested = effect_new(host, catalog_find("kvm_amd", "nested"));
        g_autoptr(Effect) npt = effect_new(host, catalog_find("kvm_amd", "npt"));

        g_assert_true(ignore->writable);
        g_assert_false(nested->writable);
        g_assert_cmpstr(nested->pending, ==, "");
        g_assert_cmpstr(npt->pending, ==, "0");
        g_assert_cmpstr(npt->normal_default, ==, "1");
        g_autofree char *current = effect_current(npt);
        g_assert_cmpstr(current, ==, "1");
}

static void test_what_this_kernel_lacks_has_no_effect(void) {
        const MadeHost made = {.loaded = "kvm_amd.nested=1"};
        g_autoptr(Host) host = made_host(&made);

        g_assert_null(effect_new(host, catalog_find("kvm_amd", "vnmi")));
        g_assert_null(effect_new(host, catalog_find("kvm_intel", "nested")));
        g_assert_null(effect_new(host, catalog_find("kvm", "ignore_msrs")));
}

static void test_the_kind_follows_the_kernel(void) {
        const MadeHost old = {.release = TRIXIE, .loaded = "kvm_amd.avic=N"};
        const MadeHost current = {.release = SID, .loaded = "kvm_amd.avic=N"};
        g_autoptr(Host) trixie = made_host(&old), sid = made_host(&current);
        g_autoptr(Effect) there = effect_new(trixie, catalog_find("kvm_amd", "avic"));
        g_autoptr(Effect) here = effect_new(sid, catalog_find("kvm_amd", "avic"));

        g_assert_cmpint(there->parameter->kind, ==, KIND_BOOL);
        g_assert_cmpint(here->parameter->kind, ==, KIND_CHOICE);
        g_assert_cmpstr(there->normal_default, ==, "0");
        g_assert_cmpstr(here->normal_default, ==, "auto");
}

static void test_missing_features_are_named(void) {
        const MadeHost made = {
                        .vendor = "GenuineIntel", .flags = "vmx", .vmx_flags = "ept vid", .loaded = "kvm_intel.ept=Y"};
        g_autoptr(Host) host = made_host(&made);
        g_autofree char *missing = NULL, *none = NULL, *other = NULL;

        g_assert_false(effect_supported(host, catalog_find("kvm_intel", "enable_apicv"), &missing));
        g_assert_cmpstr(missing, ==, "vapic_reg, posted_intr");
        g_assert_true(effect_supported(host, catalog_find("kvm_intel", "ept"), &none));
        g_assert_null(none);
        g_assert_false(effect_supported(host, catalog_find("kvm_amd", "npt"), &other));
        g_assert_cmpstr(other, ==, "svm");
        g_assert_false(effect_supported(host, catalog_find("kvm_intel", "pml"), NULL));
}

/* The four switches of Intel in all combinations: what sysfs then shows (the module's own doing)
 * and what it comes to. */
static void test_the_four_of_intel_in_every_combination(void) {
        for (unsigned bits = 0; bits < 16; bits++) {
                const bool nested = bits & 1, shadow = bits & 2, apicv = bits & 4, ept = bits & 8;
                g_autofree char *loaded = g_strdup_printf(
                                "kvm_intel.nested=%c kvm_intel.enable_shadow_vmcs=%c kvm_intel.enable_apicv=%c "
                                "kvm_intel.ept=%c kvm_intel.unrestricted_guest=%c",
                                nested ? 'Y' : 'N', shadow ? 'Y' : 'N', apicv ? 'Y' : 'N', ept ? 'Y' : 'N',
                                ept ? 'Y' : 'N');
                g_autofree char *asked = g_strdup_printf(
                                "options kvm_intel nested=%d enable_shadow_vmcs=%d enable_apicv=%d ept=%d "
                                "unrestricted_guest=1\n",
                                nested, shadow, apicv, ept);
                const MadeHost made = {INTEL, .loaded = loaded, .modprobe = asked};
                const struct {
                        const char *name;
                        bool on, explained;
                } expected[] = {
                                {"nested", nested, false},
                                {"enable_shadow_vmcs", nested && shadow, shadow && !nested},
                                {"enable_apicv", apicv, false},
                                {"ept", ept, false},
                                {"unrestricted_guest", ept, !ept},
                };
                g_autoptr(Host) host = made_host(&made);

                for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
                        g_autoptr(Effect) effect = effect_new(host, catalog_find("kvm_intel", expected[i].name));
                        g_test_message("%s%s: %s", asked, expected[i].name, effect->reason);
                        g_assert_cmpstr(effect->effective, ==, expected[i].on ? "on" : "off");
                        g_assert_true(*effect->reason ? expected[i].explained : !expected[i].explained);
                }
                g_assert_cmpstr(host_nested(host), ==, nested ? "on" : "off");
                g_assert_cmpstr(host_mmu(host), ==, ept ? "tdp" : "shadow");
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *fact = g_strdelimit(g_strdup(rows[i].fact), " /", '-');
                g_autofree char *path = g_strconcat("/effect/", fact, NULL);
                g_test_add_data_func(path, &rows[i], test_row);
        }
        g_test_add_func("/effect/overridden", test_overridden);
        g_test_add_func("/effect/overridden-of-a-builtin-module", test_overridden_of_a_builtin_module);
        g_test_add_func("/effect/overridden-by-far-too-many", test_overridden_by_far_too_many);
        g_test_add_func("/effect/writable-and-pending", test_writable_and_pending);
        g_test_add_func("/effect/what-this-kernel-lacks-has-no-effect", test_what_this_kernel_lacks_has_no_effect);
        g_test_add_func("/effect/the-kind-follows-the-kernel", test_the_kind_follows_the_kernel);
        g_test_add_func("/effect/missing-features-are-named", test_missing_features_are_named);
        g_test_add_func("/effect/the-four-of-intel-in-every-combination", test_the_four_of_intel_in_every_combination);
        return g_test_run();
}
