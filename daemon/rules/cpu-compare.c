/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compares the sources two by two. It reads nothing, and decides for none of them. */

#include "catalog.h"
#include "cpu-bits.h"
#include "cpu-compare.h"
#include "firmware.h"

#define BOOT \
        "the kernel asked when it booted, and something has changed since (microcode, or what is below), or hides it"

typedef Answer (*Ask)(const GArray *source, const CpuBit *bit);

/* What one leaf or register is compared with, until all its bits are through. */
typedef struct Group {
        GPtrArray *found;
        char *source; /* "MSR 0x48b (0x5fbcff00000000)"; NULL: none yet */
        guint32 where;
        GString *lacks, *has, *hidden; /* flags: only printed, only in the source, likewise and nothing odd */
} Group;

static void contradiction_free(gpointer data) {
        Contradiction *contradiction = data;

        g_free(contradiction->message);
        g_free(contradiction);
}

static void find(GPtrArray *found, bool expected, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void find(GPtrArray *found, bool expected, const char *format, ...) {
        Contradiction *contradiction = g_new(Contradiction, 1);
        va_list args;

        va_start(args, format);
        *contradiction = (Contradiction) {.expected = expected, .message = g_strdup_vprintf(format, args)};
        va_end(args);
        g_ptr_array_add(found, contradiction);
}

static char *name_msr(const GArray *msrs, guint32 address) {
        const CpuMsr *msr = msr_find(msrs, address);

        return msr ? g_strdup_printf("MSR 0x%x (0x%" G_GINT64_MODIFIER "x)", address, msr->value)
                   : g_strdup_printf("MSR 0x%x", address);
}

static char *name_leaf(const GArray *leaves, guint32 leaf, CpuRegister reg) {
        static const char *const names[] = {"eax", "ebx", "ecx", "edx"};
        const CpuidLeaf *found = cpuid_find(leaves, leaf);

        return g_strdup_printf("CPUID 0x%x (%s=0x%x)", leaf, names[reg], found ? found->registers[reg] : 0);
}

static void append(GString *list, const char *flag) {
        g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "", flag);
}

static void group_end(Group *group) {
        if (group->lacks->len > 0)
                find(group->found, false, "/proc/cpuinfo has %s, but %s says that the CPU has not: " BOOT,
                     group->lacks->str, group->source);
        if (group->has->len > 0)
                find(group->found, false, "%s says that the CPU has %s, but /proc/cpuinfo has not: " BOOT,
                     group->source, group->has->str);
        if (group->hidden->len > 0)
                find(group->found, true,
                     "%s says that the CPU has %s, which this kernel does not show: it is older than that, or knows an "
                     "erratum",
                     group->source, group->hidden->str);
        g_string_truncate(group->lacks, 0);
        g_string_truncate(group->has, 0);
        g_string_truncate(group->hidden, 0);
        g_clear_pointer(&group->source, g_free);
}

/* The flags of the first processor against a source; the bits of one leaf or register are
 * neighbours in the table. */
static void compare_flags(GPtrArray *found, const Cpu *cpu, const CpuBit *bits, guint32 only, const GArray *source,
                          Ask ask) {
        Group group = {
                        .found = found,
                        .lacks = g_string_new(NULL),
                        .has = g_string_new(NULL),
                        .hidden = g_string_new(NULL),
        };

        for (; bits->flag; bits++) {
                const bool printed = cpu_has(cpu, bits->flag);
                const Answer answer = only == 0 || bits->where == only ? ask(source, bits) : ANSWER_UNKNOWN;
                if (answer == ANSWER_UNKNOWN || printed == (answer == ANSWER_YES))
                        continue;
                if (group.source && group.where != bits->where)
                        group_end(&group);
                if (!group.source)
                        group.source = only > 0 ? name_leaf(source, bits->where, bits->reg)
                                                : name_msr(source, bits->where);
                group.where = bits->where;
                append(printed ? group.lacks : bits->may_lack ? group.hidden : group.has, bits->flag);
        }
        group_end(&group);
        g_string_free(group.lacks, TRUE);
        g_string_free(group.has, TRUE);
        g_string_free(group.hidden, TRUE);
}

/* Where the firmware explains it, that is a finding of its own. */
static void compare_base(GPtrArray *found, const Host *host, const char *base) {
        const Cpu *cpu = host->cpu;
        const CpuBit *bit = cpu_bit_find(cpuid_bits, base);
        const Answer answer = cpuid_ask(cpu->facts->cpuid, bit);
        g_autofree char *source = name_leaf(cpu->facts->cpuid, bit->where, bit->reg), *locked = NULL;

        if (cpu_has(cpu, base) && answer == ANSWER_NO)
                find(found, false, "/proc/cpuinfo has %s, but %s says that the CPU has not: " BOOT, base, source);
        if (cpu_has(cpu, base) || answer != ANSWER_YES || firmware_judge(host, NULL) != FIRMWARE_UNKNOWN)
                return;
        if (cpu->flags_cleared)
                find(found, false,
                     "%s says that the CPU has %s, but /proc/cpuinfo has not: the kernel command line "
                     "hides flags (clearcpuid=)",
                     source, base);
        else if (firmware_is_open(cpu)) {
                locked = name_msr(cpu->facts->msr, g_str_equal(base, "vmx") ? MSR_FEAT_CTL : MSR_VM_CR);
                find(found, false,
                     "%s says that the CPU has %s and %s that the firmware lets it, but /proc/cpuinfo has "
                     "not: the kernel's log may tell why (journalctl -k -b -g %s)",
                     source, base, locked, base);
        } else
                find(found, false,
                     "%s says that the CPU has %s, but /proc/cpuinfo has not: the hypervisor below (%s) "
                     "hides it from the kernel only",
                     source, base, *cpu->hypervisor ? cpu->hypervisor : "none known");
}

static void compare_hypervisor(GPtrArray *found, const Cpu *cpu) {
        const CpuBit *bit = cpu_bit_find(cpuid_bits, "hypervisor");
        const Answer answer = cpuid_ask(cpu->facts->cpuid, bit);
        g_autofree char *source = name_leaf(cpu->facts->cpuid, bit->where, bit->reg);

        /* Of Xen's control domain both are right: it is on the hardware, and Xen is there. */
        if (answer == ANSWER_UNKNOWN || (answer == ANSWER_YES) == (cpu->level > 0) || cpu->xen_control)
                return;
        if (cpu->level > 0)
                find(found, false,
                     "/proc/cpuinfo has hypervisor, but %s says that this is the hardware: so it is in a "
                     "paravirtualized guest of Xen, and else for a hypervisor that hides",
                     source);
        else
                find(found, false,
                     "%s says that this is a virtual machine, but /proc/cpuinfo has no hypervisor: the "
                     "kernel hides it",
                     source);
}

/* KVM's own list of what it offers has VMX or SVM when nested is on, and only then. */
static void compare_nested(GPtrArray *found, const Host *host, const char *base) {
        const CpuFacts *facts = host->cpu->facts;
        const CpuBit *bit = cpu_bit_find(cpuid_bits, base);
        const char *nested = host_nested(host), *module = host_vendor_module(host)->name;
        const bool on = g_str_equal(nested, "on");
        const Answer answer = cpuid_ask(facts->kvm_cpuid, bit);
        g_autofree char *source = name_leaf(facts->kvm_cpuid, bit->where, bit->reg);

        if (!on && !g_str_equal(nested, "off"))
                return;
        if (answer != ANSWER_UNKNOWN && (answer == ANSWER_YES) != on)
                find(found, false, "sysfs says that %s.nested is %s, but /dev/kvm offers guests %s %s (supported %s)",
                     module, nested, on ? "no" : "still", base, source);
        if (facts->kvm_msr && g_str_equal(base, "vmx") && (msr_find(facts->kvm_msr, MSR_VMX_BASIC) != NULL) != on)
                find(found, false,
                     "sysfs says that %s.nested is %s, but /dev/kvm offers guests %s VMX registers (MSR "
                     "0x480)",
                     module, nested, on ? "no" : "still");
}

/* nested_vmx_setup_ctls_msrs(): what guests are offered hangs on these parameters alone, 5.10 to
 * 7.3. */
static void compare_parameters(GPtrArray *found, const Host *host) {
        static const struct {
                const char *parameter, *flag;
        } hangs[] = {
                        {"ept", "ept"},
                        {"eptad", "ept_ad"},
                        {"vpid", "vpid"},
                        {"unrestricted_guest", "unrestricted_guest"},
                        {"flexpriority", "vapic"},
                        {"enable_apicv", "posted_intr"},
        };
        const GArray *offered = host->cpu->facts->kvm_msr;

        if (!msr_find(offered, MSR_VMX_BASIC) || !g_str_equal(host_nested(host), "on"))
                return;
        for (unsigned i = 0; i < G_N_ELEMENTS(hangs); i++) {
                const CpuBit *bit = cpu_bit_find(vmx_bits, hangs[i].flag);
                const Answer answer = vmx_ask(offered, bit);
                g_autofree char *value = host_vendor_switch(host, hangs[i].parameter);
                g_autofree char *source = name_msr(offered, bit->where);
                if (!value || answer == ANSWER_UNKNOWN || g_str_equal(value, "1") == (answer == ANSWER_YES))
                        continue;
                find(found, false, "sysfs says that kvm_intel.%s is %s, but /dev/kvm offers guests %s %s (its %s)",
                     hangs[i].parameter, g_str_equal(value, "1") ? "on" : "off", answer == ANSWER_YES ? "still" : "no",
                     hangs[i].flag, source);
        }
}

/* What KVM does not emulate, it can't offer without the CPU. */
static void compare_offered(GPtrArray *found, const CpuFacts *facts) {
        static const char *const real[] = {"vnmi",   "vtpr", "vapic", "ept", "vpid", "unrestricted_guest",
                                           "ept_ad", NULL};

        for (const char *const *flag = real; *flag; flag++) {
                const CpuBit *bit = cpu_bit_find(vmx_bits, *flag);
                g_autofree char *offered = name_msr(facts->kvm_msr, bit->where),
                                *own = name_msr(facts->msr, bit->where);
                if (vmx_ask(facts->kvm_msr, bit) == ANSWER_YES && vmx_ask(facts->msr, bit) == ANSWER_NO)
                        find(found, false, "/dev/kvm offers guests %s (its %s), but %s says that the CPU has not",
                             *flag, offered, own);
        }
}

/* The module is the one that uses what the CPU has; there are others. */
static bool is_own(const Host *host) {
        const Module *vendor = host_vendor_module(host);

        return vendor && g_strcmp0(vendor->name, catalog_vendor_module(host->cpu->vendor)) == 0;
}

GPtrArray *cpu_compare(const Host *host) {
        const Cpu *cpu = host->cpu;
        const char *base = catalog_base_feature(catalog_vendor_module(cpu->vendor));
        GPtrArray *found = g_ptr_array_new_with_free_func(contradiction_free);

        if (!base)
                return found;
        compare_base(found, host, base);
        compare_hypervisor(found, cpu);
        if (g_str_equal(base, "svm") && cpu_has(cpu, base))
                compare_flags(found, cpu, cpuid_bits, 0x8000000aU, cpu->facts->cpuid, cpuid_ask);
        if (g_str_equal(base, "vmx") && cpu->has_vmx_flags)
                compare_flags(found, cpu, vmx_bits, 0, cpu->facts->msr, vmx_ask);
        if (is_own(host)) {
                compare_nested(found, host, base);
                if (g_str_equal(base, "vmx"))
                        compare_parameters(found, host);
        }
        if (g_str_equal(base, "vmx"))
                compare_offered(found, cpu->facts);
        return found;
}

char *cpu_compare_sources(const Host *host) {
        const CpuFacts *facts = host->cpu->facts;
        g_autoptr(GString) text = g_string_new(NULL);

        if (facts->cpuid)
                append(text, "CPUID");
        if (facts->msr && g_str_equal(host->cpu->vendor, "intel"))
                append(text, "the CPU's registers (MSR)");
        if (is_own(host) && (facts->kvm_msr || facts->kvm_cpuid))
                append(text, "what /dev/kvm offers");
        return text->len > 0 ? g_strdup_printf("/proc/cpuinfo, %s", text->str) : NULL;
}
