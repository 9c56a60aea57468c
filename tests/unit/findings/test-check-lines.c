/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found about lines that reach nothing, or another thing than was meant. */

#include "check-row.h"

#define OURS "/etc/modprobe.d/zz-nestvirt.conf"
#define SET_OFF "nestvirtctl set nested=off"
#define INTEL_LOADED INTEL, .loaded = "kvm_intel.nested=Y kvm_intel.ept=Y kvm.ignore_msrs=N"
#define AT(path, text) .files = PAIRS(path, text)

/* clang-format off */
static const CheckRow rows[] = {
        { "a comment after the options", { AMD_LOADED, .modprobe = "options kvm_amd nested=1 # on for now\n" },
          .id = "parameter-unknown", "warn", "modprobe.d has no comments after an option: kvm_amd is given what follows the \"#\" in "
          "/etc/modprobe.d/admin.conf:1 as well, and ignores it", NULL },
        { "a comment without a blank", { AMD_LOADED, .modprobe = "options kvm_amd nested=1 #on\n" }, .id = "parameter-unknown", "warn",
          "no comments after an option", NULL },
        { "a comment that is in effect", { AMD_LOADED, .modprobe = "options kvm_amd nested=1 # npt=0 was slow\n" },
          .id = "parameter-unknown", "warn", "admin.conf:1 as well, and takes npt=0. A comment", NULL },
        { "two lines with comments", { AMD_LOADED, .modprobe = "options kvm_amd nested=1 # a b\noptions kvm_amd npt=1 # c d\n" },
          .id = "parameter-unknown", "warn", "admin.conf:2 as well", NULL, .n = 2 },
        { "a comment of its own", { AMD_LOADED, .modprobe = "# options kvm_amd nestd=1\n" }, .id = "parameter-unknown" },
        { "after a comment another line", { AMD_LOADED, .modprobe = "options kvm_amd nested=1 # a\noptions kvm_amd nestd=1\n" },
          .id = "parameter-unknown", "warn", "no parameter \"nestd\"", NULL, .n = 2 },
        { "on the kernel command line nothing is a comment", { AMD_LOADED, .cmdline = "kvm_amd.#nested=1" }, .id = "parameter-unknown",
          "warn", "has no parameter \"#nested\"", NULL },

        { "blanks around it", { INTEL_LOADED, .modprobe = "options kvm_intel nested = 0\n" }, .id = "parameter-unknown", "warn",
          "There are blanks around a \"=\" in /etc/modprobe.d/admin.conf:1, so kvm_intel is given \"nested\" alone, which switches it on, "
          "and ignores the rest: write nested=0 there", SET_OFF },
        { "a blank before it", { INTEL_LOADED, .modprobe = "options kvm_intel nested =0 ept=1\n" }, .id = "parameter-unknown", "warn",
          "write nested=0 there", SET_OFF },
        { "blanks that do what was meant", { INTEL_LOADED, .modprobe = "options kvm_intel nested = 1\n" }, .id = "parameter-unknown",
          "warn", "write nested=1 there", NULL },
        { "blanks and no value", { INTEL_LOADED, .modprobe = "options kvm_intel nested =\n" }, .id = "parameter-unknown", "warn",
          "given \"nested\" alone", NULL },
        { "blanks around what nobody knows", { INTEL_LOADED, .modprobe = "options kvm_intel nestd = 1\n" }, .id = "parameter-unknown",
          "warn", "given \"nestd\" alone, and ignores the rest", NULL },
        { "a bare name and another line", { INTEL_LOADED, .modprobe = "options kvm_intel nested\noptions kvm_intel =0\n" },
          .id = "parameter-unknown", "warn", "has no parameter \"=0\"", NULL },
        { "blanks that the kernel refuses", { AMD_LOADED, .modprobe = "options kvm_amd nested = off\n" }, .id = "parameter-refused",
          "warn", "With \"nested\" from /etc/modprobe.d/admin.conf:1 the kernel refuses to load kvm_amd: write nested=0 there, without "
          "blanks around the \"=\"", NULL },
        { "and are told once", { AMD_LOADED, .modprobe = "options kvm_amd nested = 0\n" }, .id = "parameter-unknown" },
        { "a blank after it", { INTEL_LOADED, .modprobe = "options kvm_intel nested= 0\n" }, .id = "parameter-refused", "warn",
          "write nested=0 there, without blanks", NULL },
        { "an empty value before another parameter", { INTEL_LOADED, .modprobe = "options kvm_intel nested= ept\n" },
          .id = "parameter-refused", "warn", "nested can be on or off", NULL },

        { "nested is the vendor's module's", { .modprobe = "options kvm nested=0\n",
          .loaded = "kvm_amd.nested=1 kvm.ignore_msrs=N" }, .id = "parameter-unknown", "warn",
          "kvm of this kernel has no parameter \"nested\" and ignores it (/etc/modprobe.d/admin.conf:1): it is one of kvm_amd", SET_OFF },
        { "and is as it says", { INTEL_LOADED, .modprobe = "options kvm nested=1\n" }, .id = "parameter-unknown", "warn",
          "it is one of kvm_intel", NULL },
        { "what is kvm's own", { INTEL_LOADED, .modprobe = "options kvm_intel ignore_msrs=1\n" }, .id = "parameter-unknown", "warn",
          "it is one of kvm", "nestvirtctl set ignore_msrs=on" },
        { "what another vendor calls so", { .loaded = "kvm_amd.nested=1 kvm_amd.npt=Y", .modprobe = "options kvm_amd ept=0\n" },
          .id = "parameter-unknown", "warn", "kvm_amd calls it npt", "nestvirtctl set npt=off" },

        { "the other vendor's module, which hurts", { INTEL_LOADED, .modprobe = "\noptions kvm-amd nested=0\n" }, .id = "other-vendor",
          "warn", "/etc/modprobe.d/admin.conf:2 sets nested of kvm_amd, which is for the CPUs of another vendor and does nothing on this "
          "host. Here it takes kvm_intel.nested, which is on", SET_OFF },
        { "and does not", { AMD_LOADED, .modprobe = "options kvm_intel nested=1 ept=1\noptions kvm-intel enable_shadow_vmcs=1\n" },
          .id = "other-vendor", "info", "sets nested, ept, enable_shadow_vmcs of kvm_intel", NULL },
        { "two files", { AMD_LOADED, .modprobe = "options kvm_intel ept=1\n", .late = "options kvm_intel nested=1\n" },
          .id = "other-vendor", "info", "zzzz-late.conf:1 sets nested", NULL, .n = 2 },
        { "the kernel command line", { AMD_LOADED, .cmdline = "kvm-intel.nested=0" }, .id = "other-vendor", "warn",
          "the kernel command line sets nested of kvm_intel", SET_OFF },
        { "a file for both", { AMD_LOADED, .modprobe = "options kvm_intel nested=0 ept=0\noptions kvm_amd nested=0\n" },
          .id = "other-vendor" },
        { "two files for both", { AMD_LOADED, .modprobe = "options kvm_intel nested=0\n", .late = "options kvm_amd nested=0\n" },
          .id = "other-vendor" },
        { "which module it will be is not known", { .vendor = "", .modprobe = "options kvm_intel nested=0\n" }, .id = "other-vendor" },

        { "a file that is not called .conf", { INTEL_LOADED, AT("etc/modprobe.d/kvm", "# mine\n\noptions kvm-intel nested=0\n") },
          .id = "modprobe-line", "warn", "/etc/modprobe.d/kvm is not read, as its name does not end in .conf, though its line 3 says "
          "\"options kvm-intel nested=0\"", SET_OFF },
        { "one in another folder", { AMD_LOADED, AT("usr/lib/modprobe.d/kvm.cfg", "blacklist kvm_amd\n") }, .id = "modprobe-line",
          "warn", "/usr/lib/modprobe.d/kvm.cfg is not read", NULL },
        { "one that was put aside", { AMD_LOADED, AT("etc/modprobe.d/kvm.conf.dpkg-old", "options kvm_amd nested=0\n") },
          .id = "modprobe-line" },
        { "one about something else", { AMD_LOADED, AT("etc/modprobe.d/README", "options snd_hda_intel power_save=1\n") },
          .id = "modprobe-line" },
        { "one that only speaks of it", { AMD_LOADED, AT("etc/modprobe.d/README", "#options kvm_amd nested=0\n") },
          .id = "modprobe-line" },
        { "a parameter as on the kernel command line", { AMD_LOADED, .modprobe = "options kvm_amd.nested=0\n" }, .id = "modprobe-line",
          "info", "it needs a module and something to say about it, a blank between the two", NULL },
        { "options without that word", { AMD_LOADED, .modprobe = "kvm_amd nested=0\n" }, .id = "modprobe-line", "info",
          "\"kvm_amd\" is no word that modprobe knows, so it ignores the line: one of options begins with \"options\"", NULL },

        { "options in modules-load.d", { INTEL_LOADED, AT("etc/modules-load.d/x.conf", "# KVM\nkvm-intel nested=1\n") },
          .id = "modules-load", "warn", "/etc/modules-load.d/x.conf:2 says \"kvm-intel nested=1\", but a line there is the name of a "
          "module and nothing else", NULL },
        { "a line of modprobe.d in modules-load.d", { INTEL_LOADED, AT("usr/lib/modules-load.d/x.conf", "options kvm nested=0\n") },
          .id = "modules-load", "warn", "/usr/lib/modules-load.d/x.conf:1", NULL },
        { "names in modules-load.d", { INTEL_LOADED, AT("etc/modules-load.d/x.conf", "kvm_intel \n;kvm_intel nested=1\n#kvm x\n") },
          .id = "modules-load" },
        { "one that is hidden", { INTEL_LOADED, .files = PAIRS("etc/modules-load.d/x.conf", "", "usr/lib/modules-load.d/x.conf",
          "kvm_intel nested=0\n") }, .id = "modules-load" },
        { "another module's", { INTEL_LOADED, AT("etc/modules-load.d/x.conf", "kvm_amd nested=1\ndummy numdummies=2\n") },
          .id = "modules-load" },

        { "ours is commented out", { AMD_LOADED, .ours = "# Written by nestvirtd: what was set with nestvirtctl or over D-Bus.\n"
          "#options kvm_amd nested=0\n\n" }, .id = "own-file", "warn", OURS ":2 is commented out (\"#options kvm_amd nested=0\")", NULL },
        { "in another manner, and more than one", { AMD_LOADED, .ours = "## options kvm-amd npt=0\n# options kvm ignore_msrs=1\n" },
          .id = "own-file", "warn", OURS ":2 is commented out", NULL, .n = 2 },
        { "and set anew", { AMD_LOADED, .ours = "#options kvm_amd nested=0\noptions kvm_amd nested=1 npt=1\n" }, .id = "own-file" },
        { "a comment of somebody's", { AMD_LOADED, .ours = "# nested=0 for the storage people\noptions kvm_amd nested=0\n" },
          .id = "own-file" },
        { "commented out in another file", { AMD_LOADED, .modprobe = "#options kvm_amd nested=0\n" }, .id = "own-file" },

        { "ours says what we have not written", { AMD_LOADED, .ours = "# x\noptions kvm_amd nested=1 npt=1\n",
          AT("var/lib/nestvirt/written", "options kvm_amd nested=0 npt=1\n") }, .id = "own-file", "info",
          OURS ":2 says nested=1, where nestvirtctl had set nested=off: somebody has changed it since", NULL, .n = 1 },
        { "it says so in other words", { AMD_LOADED, .ours = "options kvm_amd nested=0x1\n",
          AT("var/lib/nestvirt/written", "options kvm_amd nested=1\n") }, .id = "own-file" },
        { "its last word counts", { AMD_LOADED, .ours = "options kvm_amd nested=1\noptions kvm_amd nested=0\n",
          AT("var/lib/nestvirt/written", "options kvm_amd nested=0\n") }, .id = "own-file" },
        { "what nobody knows", { AMD_LOADED, .ours = "options kvm_amd nestd=1\n",
          AT("var/lib/nestvirt/written", "options kvm_amd nestd=0\n") }, .id = "own-file" },
        { "what we have not written is nobody's", { AMD_LOADED, .ours = "options kvm_amd nested=1\n",
          AT("var/lib/nestvirt/written", "options kvm_amd npt=1\n") }, .id = "own-file" },

        { "the kernel command line contradicts itself", { AMD_LOADED, .cmdline = "kvm_amd.nested=0 kvm-amd.nested=1" },
          .id = "parameter-overridden", "warn", "kvm_amd.nested is said more than once by the kernel command line, which contradicts "
          "itself: the last word (on) counts", NULL },
        { "a line contradicts itself", { AMD_LOADED, .modprobe = "options kvm_amd nested=0 nested=1\n" }, .id = "parameter-overridden",
          "warn", "said more than once by /etc/modprobe.d/admin.conf:1, which", NULL },
        { "the kernel command line wins over a file", { AMD_LOADED, .cmdline = "kvm_amd.nested=1", .modprobe =
          "options kvm_amd nested=0\n" }, .id = "parameter-overridden", "warn", "the kernel command line (on) wins over /etc", NULL },
        { "the kernel command line was there before", { AMD_LOADED, .cmdline = "kvm-amd.nested=0" }, .id = "parameter-differs", "warn",
          "kvm_amd.nested is on. The kernel command line says off, which modprobe gives to kvm_amd at every load: it was loaded with "
          "another value by hand, or not by modprobe; to put it in effect: nestvirtctl reload", "nestvirtctl reload" },
        { "what it says can be written", { .cmdline = "kvm.ignore_msrs=1", .loaded = "kvm_amd.nested=1 kvm.ignore_msrs+=N" },
          .id = "parameter-differs", "warn", "It was changed since kvm was loaded: the kernel command line says on",
          "nestvirtctl set ignore_msrs=on" },
        { "until the next boot it is otherwise", { AMD_LOADED, .cmdline = "kvm_amd.nested=0",
          AT("run/modprobe.d/zzz-nestvirt-runtime.conf", "options kvm_amd nested=1\n") }, .id = "parameter-differs", "warn",
          "/run/modprobe.d/zzz-nestvirt-runtime.conf:1 says otherwise until the next boot; to put it in effect: nestvirtctl reset "
          "--runtime nested", "nestvirtctl reset --runtime nested" },
        { "nobody's file", { AMD_LOADED, AT("etc/modprobe.d/dist.conf", "options kvm_amd nested=Y\n") }, .id = "parameter-refused",
          "warn", "write nested=1 there", NULL, .without = "distribution" },
        { "the distribution's file", { AMD_LOADED, AT("usr/lib/modprobe.d/dist.conf", "options kvm_amd nested=Y\n") },
          .id = "parameter-refused", "warn", "comes with the distribution", NULL },
};
/* clang-format on */

static void test_each_id_is_shown(void) {
        check_rows_assert_cover(rows, G_N_ELEMENTS(rows), "parameter-unknown", "parameter-overridden", NULL);
        check_rows_assert_cover(rows, G_N_ELEMENTS(rows), "own-file", "modprobe-line", NULL);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        check_rows_add(rows, G_N_ELEMENTS(rows));
        g_test_add_func("/check/each-id-of-lines-is-shown", test_each_id_is_shown);
        return g_test_run();
}
