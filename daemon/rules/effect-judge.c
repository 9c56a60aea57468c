/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Configured, pending, effective: what the snapshot says of one parameter. Why they differ is
 * effect-reason.c's. It reads nothing. */

#include <string.h>

#include "cpu-bits.h"
#include "effect-judge.h"
#include "effect-reason.h"
#include "firmware.h"
#include "option-value.h"

static char *current_value(const Host *host, const char *module, const char *name) {
        const Parameter *parameter = catalog_find(module, name);
        const Module *m = host_module(host, module);
        const ModuleValue *value = m && parameter && module_is_present(m) ? module_value(m, parameter->name) : NULL;

        return value ? catalog_read(parameter, host->release, value->value) : NULL;
}

static char *name_missing(const Host *host, const char *feature, bool base) {
        const CpuBit *bit = cpu_bit_find(cpuid_bits, feature);

        if (base && firmware_judge(host, NULL) == FIRMWARE_OFF)
                return g_strdup_printf("%s (the firmware has it switched off)", feature);
        if (bit && g_str_equal(host->cpu->vendor, "amd") && cpuid_ask(host->cpu->facts->cpuid, bit) == ANSWER_YES)
                return g_strdup_printf("%s (CPUID has it, but the kernel hides it)", feature);
        return g_strdup(feature);
}

/* The kernel is told to do it without the CPU saying that it can: by the next load's options, or,
 * where they are silent, it has been. */
static bool is_forced(const Host *host, const Parameter *parameter) {
        const char *name = parameter->forced_by;
        const Option *winner = name ? options_winner(host->options, parameter->module, name, NULL) : NULL;
        g_autofree char *value = NULL;

        if (winner)
                value = catalog_parse(catalog_find(parameter->module, name), host->release,
                                      winner->bare ? NULL : winner->value);
        else if (name)
                value = current_value(host, parameter->module, name);
        return g_strcmp0(value, "1") == 0;
}

bool effect_supported(const Host *host, const Parameter *parameter, char **ret_missing) {
        const char *base = catalog_base_feature(parameter->module), *lacks = NULL;
        g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);

        if (base && *host->cpu->vendor && (!cpu_has(host->cpu, base) || firmware_judge(host, NULL) == FIRMWARE_OFF))
                g_ptr_array_add(missing, name_missing(host, base, true));
        else if (!is_forced(host, parameter))
                for (const char *const *feature = parameter->features; feature && *feature; feature++)
                        if (cpu_can(host->cpu, *feature) == ANSWER_NO)
                                g_ptr_array_add(missing, name_missing(host, *feature, false));
        if (missing->len == 0 && g_strcmp0(base, "vmx") == 0)
                lacks = cpu_lacks(host->cpu, parameter->name);
        if (lacks)
                g_ptr_array_add(missing, g_strdup(lacks));

        const bool supported = missing->len == 0;
        g_ptr_array_add(missing, NULL);
        if (ret_missing)
                *ret_missing = supported ? NULL : g_strjoinv(", ", (char **) missing->pdata);
        return supported;
}

/* The kernel command line is read last, so a winner from a file means that it says nothing. */
static const Option *configure(Effect *effect, const Host *host, const Module *module) {
        const Parameter *p = effect->parameter;
        const Option *winner = options_winner(host->options, p->module, p->name, &effect->overridden);

        if (winner && winner->path && module->state == MODULE_BUILTIN) {
                g_auto(GStrv) others = g_steal_pointer(&effect->overridden);
                g_autoptr(GPtrArray) all = g_ptr_array_new();
                g_ptr_array_add(all, option_source(winner));
                for (char **source = others; *source; source++)
                        g_ptr_array_add(all, g_strdup(*source));
                g_ptr_array_add(all, NULL);
                effect->overridden = (GStrv) g_ptr_array_free(g_steal_pointer(&all), FALSE);
                winner = NULL;
        }

        for (guint n = g_strv_length(effect->overridden); n > OPTIONS_OVERRIDDEN_MAX; n--)
                g_clear_pointer(&effect->overridden[n - 1], g_free);
        effect->source = winner ? option_source(winner) : g_strdup("");
        effect->configured = winner ? option_value_parse(host, p, winner) ?: g_strdup(winner->value) : g_strdup("");
        return winner;
}

/* A switch of which nothing comes while another one is off: that other one's name, else NULL. */
static const char *idle_without(const Host *host, const Parameter *parameter) {
        if (g_str_equal(parameter->module, "kvm") && g_str_equal(parameter->name, "tdp_mmu") &&
            g_str_equal(host_mmu(host), "shadow"))
                return g_str_equal(host_vendor_module(host)->name, "kvm_intel") ? "ept" : "npt";
        if (!parameter->used_with)
                return NULL;

        g_autofree char *value = current_value(host, parameter->module, parameter->used_with);
        return g_strcmp0(value, "0") == 0 ? parameter->used_with : NULL;
}

static char *effective(const Effect *effect, const Facts *facts) {
        const Parameter *p = effect->parameter;

        if (!facts->present)
                return g_strdup("");
        if (!effect->current)
                return g_strdup(p->reads_words && *effect->value ? effect->value : "unknown");
        if (g_str_equal(effect->current, "1") && (facts->idle_without || (p->used_with && !effect->supported)))
                return g_strdup("off");
        return g_strdup(effect_word(p, effect->current));
}

/* The first parameter that the kernel wants on for this one, and that is off. */
static const char *needs_off(const Host *host, const Parameter *parameter) {
        for (const char *const *need = parameter->needs; need && *need; need++) {
                g_autofree char *value = current_value(host, parameter->module, *need);
                if (g_strcmp0(value, "0") == 0)
                        return *need;
        }
        return NULL;
}

/* The table speaks of x86; kvm itself has other defaults elsewhere. */
static const char *normal_default(const Host *host, const Parameter *parameter) {
        return *host->cpu->vendor || !g_str_equal(parameter->module, "kvm") ? catalog_default(parameter, host->release)
                                                                            : "";
}

Effect *effect_new(const Host *host, const Parameter *parameter) {
        const Module *module = host_module(host, parameter->module);
        const ModuleValue *value = module ? module_value(module, parameter->name) : NULL;
        if (!value)
                return NULL;

        Effect *effect = g_new0(Effect, 1);
        const Parameter *p = effect->parameter = catalog_variant(parameter, host->release);
        Facts facts = {.host = host, .module = module, .effect = effect, .present = module_is_present(module)};

        effect->value = g_strdup(facts.present ? value->value : "");
        effect->current = facts.present ? catalog_read(p, host->release, value->value) : NULL;
        effect->normal_default = normal_default(host, p);
        effect->pending = host_pending(host, p->module, p->name) ?: "";
        effect->writable = facts.present && value->writable;
        effect->supported = effect_supported(host, p, &facts.missing);
        facts.winner = configure(effect, host, module);
        facts.refused = option_value_refused(host, p);
        facts.idle_without = idle_without(host, p);
        facts.needs_off = needs_off(host, p);
        effect->effective = effective(effect, &facts);
        effect_explain(effect, &facts);
        g_free(facts.missing);
        return effect;
}
