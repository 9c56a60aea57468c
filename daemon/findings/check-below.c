/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found about the host below, when this one is a virtual machine itself. It reads and
 * changes nothing. */

#include "check-rules.h"
#include "nested-reason.h"
#include "outer-hypervisor.h"

/* A feature is missing with the one that it is part of, and says nothing more then. */
static bool needs(const Parameter *parameter, const char *name) {
        return parameter->needs && g_strv_contains(parameter->needs, name);
}

static void add_item(GString *list, const char *module, const char *feature, bool kvm) {
        const char *parameter = outer_hypervisor_parameter(module, feature);

        g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "", feature);
        if (kvm && parameter)
                g_string_append_printf(list, " (%s)", parameter);
        else if (kvm && outer_hypervisor_is_always_given(module, feature))
                g_string_append(list, " (which KVM gives unless it is masked)");
}

/* What this kernel's module could use, its host could give, and the CPU does not have. */
static char *list_withheld(const Check *check, const char *module, const char *paging, bool kvm) {
        const Cpu *cpu = check->host->cpu;
        g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
        g_autoptr(GString) list = g_string_new(NULL);

        for (unsigned i = 0; i < check->effects->len; i++) {
                const Parameter *p = ((const Effect *) g_ptr_array_index(check->effects, i))->parameter;
                if (!g_str_equal(p->module, module) || (!cpu_has(cpu, paging) && needs(p, paging)))
                        continue;
                for (const char *const *f = p->features; f && *f; f++)
                        if (!cpu_has(cpu, *f) && !g_str_equal(*f, paging) &&
                            !outer_hypervisor_is_never_given(module, *f) && g_hash_table_add(seen, (gpointer) *f))
                                add_item(list, module, *f, kvm);
        }
        return g_string_free(g_steal_pointer(&list), FALSE);
}

static void find_features(Check *check, const char *module) {
        const Cpu *cpu = check->host->cpu;
        const char *name = outer_hypervisor_name(cpu), *paging = g_str_equal(module, "kvm_intel") ? "ept" : "npt";
        const bool kvm = g_str_equal(cpu->hypervisor, "kvm"), pages = cpu_has(cpu, paging);
        g_autofree char *withheld = list_withheld(check, module, paging, kvm);

        if (!pages) {
                g_autofree char *why = outer_hypervisor_reason(cpu, module, paging);
                check_find(check, "warn", "",
                           "The host below (%s) gives this virtual machine no %s, so its own guests are slow: %s", name,
                           paging, why);
        }
        if (*withheld)
                check_find(check, "info", "",
                           "The host below (%s) does not give this virtual machine all that its KVM could use: %s%s",
                           name, withheld,
                           kvm ? ". A parameter in brackets is off there, its CPU can't, its kernel is too old, or "
                                 "this machine's <cpu> masks it"
                               : "");
        else if (pages && host_parameters_are_known(check->host))
                check_find(check, "pass", "",
                           "The host below (%s) gives this virtual machine all that its KVM could use", name);
}

void rule_below(Check *check) {
        const Cpu *cpu = check->host->cpu;
        const char *module = catalog_vendor_module(cpu->vendor), *feature = catalog_base_feature(module);

        if (cpu->level == 0 || !feature || nested_is_mshv(check->host))
                return;
        if (*cpu->confidential) {
                check_find(check, "info", "",
                           "The host below (%s) runs this as a confidential virtual machine (%s), in which the "
                           "CPU's virtualization can't be used, whatever is set there: that takes a machine which is "
                           "not confidential",
                           outer_hypervisor_name(cpu), cpu->confidential);
                return;
        }
        if (!cpu_has(cpu, feature)) {
                g_autofree char *how = outer_hypervisor_how_to_nest(cpu, feature, check->facts->platform);
                check_find(check, "info", "",
                           "The host below (%s) gives this virtual machine no %s, without which %s does not load. %s",
                           outer_hypervisor_name(cpu), feature, module, how);
        } else if (!g_str_equal(module, "kvm_intel") || cpu->has_vmx_flags)
                find_features(check, module);
}
