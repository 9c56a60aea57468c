/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found about the CPU: what it has, what the firmware lets it do, and whether those who
 * tell of it agree. It reads and changes nothing. */

#include <string.h>

#include "check-rules.h"
#include "cpu-bits.h"
#include "cpu-compare.h"
#include "cpu-spread.h"
#include "firmware.h"

/* The feature that makes the vendor's module load: "vmx", "svm"; NULL where none is known. */
static const char *base_feature(const Host *host) {
        return catalog_base_feature(catalog_vendor_module(host->cpu->vendor));
}

bool check_cpu_can(const Host *host) {
        const char *feature = base_feature(host);

        if (!feature || !cpu_has(host->cpu, feature) || firmware_judge(host, NULL) == FIRMWARE_OFF)
                return false;
        for (unsigned i = 0; i < host->cpu->spread->len; i++)
                if (g_str_equal(((const CpuOdd *) g_ptr_array_index(host->cpu->spread, i))->what, feature))
                        return false;
        return true;
}

/* The line that asks for nesting on the CPU of this host, or NULL. */
static const Option *asks_for_nested(const Host *host) {
        const Parameter *nested = catalog_find(catalog_vendor_module(host->cpu->vendor), "nested");
        const Option *option = nested ? options_winner(host->options, nested->module, nested->name, NULL) : NULL;
        g_autofree char *value =
                        option ? catalog_parse(nested, host->release, option->bare ? NULL : option->value) : NULL;

        return g_strcmp0(value, "1") == 0 ? option : NULL;
}

/* Why the CPU of this host has not got it, as far as that is known. */
static char *why_lacking(const Host *host, const char *feature) {
        const Cpu *cpu = host->cpu;
        const Answer answer = cpuid_ask(cpu->facts->cpuid, cpu_bit_find(cpuid_bits, feature));

        if (firmware_judge(host, NULL) == FIRMWARE_OFF)
                return g_strdup_printf("The CPU has %s, but the firmware%s has it switched off", feature,
                                       cpu->level > 0 ? " of this virtual machine" : "");
        if (answer == ANSWER_YES)
                return g_strdup_printf("The CPU has %s, but the kernel does not show it", feature);
        if (cpu->xen_control)
                return g_strdup_printf("The kernel shows no %s: Xen, whose control domain this is, keeps it", feature);
        if (cpu->level > 0)
                return g_strdup_printf("The CPU lacks %s: the hypervisor below (%s) does not give it to this virtual "
                                       "machine",
                                       feature, cpu->hypervisor);
        return answer == ANSWER_NO ? g_strdup_printf("The CPU lacks %s: CPUID says that it has none", feature)
                                   : g_strdup_printf("The CPU lacks %s, or the firmware has it switched off", feature);
}

void rule_cpu(Check *check) {
        const Cpu *cpu = check->host->cpu;
        const char *feature = base_feature(check->host);
        const Option *asking = asks_for_nested(check->host);
        const Module *vendor = host_vendor_module(check->host);
        g_autofree char *why = NULL, *asked = NULL;

        if (!feature && vendor && catalog_find(vendor->name, "nested")) {
                check_find(check, "info", "", "On this architecture (%s) %s itself knows which CPUs can nest",
                           cpu->architecture, vendor->name);
                return;
        }
        if (check->host->at_rest) {
                check_find(check, "info", "", "The CPU that it will run on is not known");
                return;
        }
        if (!feature) {
                check_find(check, "info", "", "The CPU (%s) is none that nestvirtd knows the nesting of",
                           cpu->architecture);
                return;
        }
        if (cpu_has(cpu, feature)) {
                check_find(check, "pass", "", "The CPU has %s", feature);
                return;
        }
        why = why_lacking(check->host, feature);
        asked = asking ? option_source(asking) : NULL;
        check_find(check, asking ? "fail" : "info", "", "%s%s%s", why, asked ? "; nested=1 is asked for by " : "",
                   asked ?: "");
}

/* On the hardware it is a switch in the setup; a virtual machine's firmware is the host's below. */
static void find_firmware_off(Check *check, const char *evidence) {
        const bool intel = g_str_equal(check->host->cpu->vendor, "intel");

        if (check->host->cpu->level > 0)
                check_find(check, "warn", "",
                           "The firmware of this virtual machine has %s switched off: %s. Whoever runs the virtual "
                           "machine can mend it",
                           base_feature(check->host), evidence);
        else
                check_find(check, "fail", "systemctl reboot --firmware-setup",
                           "The firmware has %s switched off: %s. In its setup switch on %s, then power the machine "
                           "off "
                           "and on",
                           base_feature(check->host), evidence,
                           intel ? "\"Intel Virtualization Technology\" (VT-x, VMX)" : "\"SVM Mode\" (AMD-V)");
}

static bool proven_by_module(const Host *host) {
        const Module *vendor = host_vendor_module(host);

        return vendor && module_is_present(vendor) &&
               g_strcmp0(catalog_vendor_module(host->cpu->vendor), vendor->name) == 0;
}

void rule_firmware(Check *check) {
        g_autofree char *evidence = NULL;
        const Firmware firmware = firmware_judge(check->host, &evidence);

        if (firmware == FIRMWARE_OFF)
                find_firmware_off(check, evidence);
        else if (firmware == FIRMWARE_ON || proven_by_module(check->host))
                check_find(check, "pass", "", "The firmware lets the CPU use %s (%s)", base_feature(check->host),
                           evidence ?: "KVM uses it");
}

static void add_missing(GString *list, GHashTable *seen, const char *what) {
        if (g_hash_table_add(seen, (gpointer) what))
                g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "", what);
}

void rule_cpu_features(Check *check) {
        g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
        g_autoptr(GString) missing = g_string_new(NULL);
        bool unknown = false;

        if (!check_cpu_can(check->host) || !host_parameters_are_known(check->host))
                return;
        for (unsigned i = 0; i < check->effects->len; i++) {
                const Parameter *p = ((Effect *) g_ptr_array_index(check->effects, i))->parameter;
                const char *lacks = g_str_equal(p->module, "kvm_intel") ? cpu_lacks(check->host->cpu, p->name) : NULL;
                bool flags = true;
                for (const char *const *f = p->features; f && *f; f++) {
                        const Answer answer = cpu_can(check->host->cpu, *f);
                        flags = flags && answer == ANSWER_YES;
                        unknown = unknown || answer == ANSWER_UNKNOWN;
                        if (answer == ANSWER_NO)
                                add_missing(missing, seen, *f);
                }
                if (flags && lacks)
                        add_missing(missing, seen, lacks);
        }
        if (unknown)
                check_find(check, "info", "", "This kernel does not print in /proc/cpuinfo what the CPU's vmx can do");
        if (missing->len > 0)
                check_find(check, "info", "", "KVM could also use what this CPU lacks: %s", missing->str);
        else if (!unknown)
                check_find(check, "pass", "", "The CPU has all that this kernel's KVM could use");
}

void rule_cpu_sources(Check *check) {
        g_autoptr(GPtrArray) found = cpu_compare(check->host);
        g_autofree char *sources = base_feature(check->host) ? cpu_compare_sources(check->host) : NULL;
        bool agree = true;

        for (unsigned i = 0; i < found->len; i++) {
                const Contradiction *contradiction = g_ptr_array_index(found, i);
                agree = agree && contradiction->expected;
                check_find(check, contradiction->expected ? "info" : "warn", "", "%s", contradiction->message);
        }
        if (agree && sources)
                check_find(check, "pass", "", "These agree about the CPU: %s", sources);
}

/* What the same processors have otherwise, in one finding. */
typedef struct Odds {
        bool msr, first_has, matters;
        bool base; /* VMX or SVM itself is among them, and all others hang on it */
        char *processors;
        GString *what;
        bool more; /* than are named */
} Odds;

static void odds_free(gpointer data) {
        Odds *odds = data;

        g_free(odds->processors);
        g_string_free(odds->what, TRUE);
        g_free(odds);
}

/* KVM compares what it uses of VMX, and on both that each processor has VMX or SVM at all
 * (check_processor_compat). */
static bool odd_matters(const Check *check, const CpuOdd *odd, bool msr) {
        return msr || g_str_equal(check->host->cpu->vendor, "intel") ||
               g_strcmp0(odd->what, base_feature(check->host)) == 0;
}

static void add_odd(const Check *check, GPtrArray *all, const CpuOdd *odd, bool msr) {
        const bool matters = odd_matters(check, odd, msr);
        g_autofree char *processors = cpu_odd_processors(odd);
        Odds *odds = NULL;

        for (unsigned i = 0; i < all->len && !odds; i++) {
                Odds *known = g_ptr_array_index(all, i);
                if (known->msr == msr && known->matters == matters && known->first_has == odd->first_has &&
                    g_str_equal(known->processors, processors))
                        odds = known;
        }
        if (!odds) {
                odds = g_new(Odds, 1);
                *odds = (Odds) {
                                .msr = msr,
                                .first_has = odd->first_has,
                                .matters = matters,
                                .processors = g_steal_pointer(&processors),
                                .what = g_string_new(NULL),
                                .more = odd->more,
                };
                g_ptr_array_add(all, odds);
        }
        odds->base = odds->base || g_strcmp0(odd->what, base_feature(check->host)) == 0;
        g_string_append_printf(odds->what, "%s%s", odds->what->len > 0 ? ", " : "", odd->what);
}

/* "chcpu --disable 1-2,5" */
static char *disable(const Odds *odds) {
        g_auto(GStrv) ranges = g_strsplit(odds->processors, ", ", -1);
        g_autofree char *list = g_strjoinv(",", ranges);

        return g_strdup_printf("chcpu --disable %s", list);
}

static void find_odds(Check *check, const Odds *odds) {
        const Module *module = check_module(check->host);
        const bool broken = odds->matters && !module_is_present(module), one = !strpbrk(odds->processors, "-, ");
        g_autofree char *fix = broken && !odds->more ? disable(odds) : g_strdup("");
        g_autofree char *why = odds->matters ? g_strdup_printf(": %s does not load when processors differ in what it "
                                                               "uses of these (EIO). The cause may be the firmware or "
                                                               "the microcode",
                                                               module->name)
                                             : g_strdup("");
        const char *verb = odds->first_has && !odds->msr ? one ? "lacks" : "lack" : one ? "has" : "have";

        check_find(check, broken ? "fail" : "warn", fix, "Processor%s %s %s %s%s, unlike the first one%s",
                   one ? "" : "s", odds->processors, verb, odds->msr ? "another value in " : "",
                   odds->base ? base_feature(check->host) : odds->what->str, why);
}

void rule_cpus_differ(Check *check) {
        g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(odds_free);
        const Cpu *cpu = check->host->cpu;

        if (!base_feature(check->host))
                return;
        for (unsigned i = 0; i < cpu->spread->len; i++)
                add_odd(check, all, g_ptr_array_index(cpu->spread, i), false);
        for (unsigned i = 0; i < cpu->facts->spread->len; i++)
                add_odd(check, all, g_ptr_array_index(cpu->facts->spread, i), true);
        for (unsigned i = 0; i < all->len; i++)
                find_odds(check, g_ptr_array_index(all, i));
        if (all->len == 0 && cpu->processors > 1)
                check_find(check, "pass", "", "All %u processors have the same virtualization flags", cpu->processors);
}
