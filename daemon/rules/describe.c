/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The snapshot as the properties that the two interfaces show. Properties are written in the order
 * of the interface's vtable, in which they are looked up, and dictionaries in that of their keys,
 * so that the same snapshot always looks the same. It must not decide anything. */

#include "describe.h"
#include "desired-host.h"
#include "effect-judge.h"
#include "firmware.h"
#include "nested-reason.h"
#include "packer.h"
#include "sort.h"

static void add_text(Packer *packer, const char *name, const char *text) {
        packer_property(packer, name, "s");
        packer_text(packer, text);
}

/* "kvm_amd.nested": "0" */
static void describe_settings(Packer *packer, const GPtrArray *settings) {
        packer_property(packer, "Desired", "a{ss}");
        packer_open(packer, "{ss}");
        for (unsigned i = 0; i < settings->len; i++) {
                const DesiredSetting *setting = g_ptr_array_index(settings, i);
                g_autofree char *name = g_strconcat(setting->parameter->module, ".", setting->parameter->name, NULL);
                packer_named(packer, name, "s");
                packer_text(packer, setting->value);
        }
        packer_close(packer);
}

static GPtrArray *drift_names(const GPtrArray *drift) {
        GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

        for (unsigned i = 0; i < drift->len; i++) {
                const Drift *one = g_ptr_array_index(drift, i);
                if (!one->pending)
                        g_ptr_array_add(names, g_strconcat(one->module, ".", one->name, NULL));
        }
        return names;
}

static void describe_desired(Packer *packer, const Host *host) {
        g_autoptr(GPtrArray) drift = NULL;
        g_autofree char *error = NULL;
        g_autoptr(GPtrArray) settings = desired_of_host(host, &drift, &error);
        g_autoptr(GPtrArray) nothing = g_ptr_array_new(), names = settings ? drift_names(drift) : g_ptr_array_new();

        describe_settings(packer, settings ?: nothing);
        g_ptr_array_add(names, NULL);
        packer_property(packer, "Drift", "as");
        packer_texts(packer, (const char *const *) names->pdata);
        add_text(packer, "DesiredError", error ?: "");
}

Packed *describe_manager(const Host *host) {
        g_autofree char *reason = nested_reason(host);
        Packer *packer = packer_new();

        add_text(packer, "Version", VERSION);
        add_text(packer, "Vendor", host->cpu->vendor);
        add_text(packer, "CpuModel", host->cpu->model);
        packer_property(packer, "Features", "as");
        packer_texts(packer, (const char *const *) host->cpu->features);
        add_text(packer, "Firmware", firmware_to_string(firmware_judge(host, NULL)));
        packer_property(packer, "Level", "u");
        packer_uint32(packer, host->cpu->level);
        add_text(packer, "Hypervisor", host->at_rest ? "unknown" : host->cpu->hypervisor);
        add_text(packer, "Nested", host_nested(host));
        add_text(packer, "NestedReason", reason ?: "");
        add_text(packer, "Mmu", host_mmu(host));
        add_text(packer, "Device", host->device);
        packer_property(packer, "ProbeResult", "a{sv}");
        if (host->probe)
                packer_variant(packer, host->probe);
        else {
                packer_open(packer, "{sv}");
                packer_close(packer);
        }
        describe_desired(packer, host);
        return packer_end(packer);
}

static void put_text(Packer *packer, const char *name, const char *text) {
        packer_entry(packer, name, "s");
        packer_text(packer, text);
}

static void put_texts(Packer *packer, const char *name, const char *const *texts) {
        packer_entry(packer, name, "as");
        packer_texts(packer, texts);
}

static void put_boolean(Packer *packer, const char *name, bool value) {
        packer_entry(packer, name, "b");
        packer_boolean(packer, value);
}

static void describe_effect(Packer *packer, const Effect *effect) {
        const Parameter *p = effect->parameter;

        packer_named(packer, p->name, "a{sv}");
        packer_open(packer, "{sv}");
        put_texts(packer, "Choices", p->choices);
        put_text(packer, "Configured", effect->configured);
        put_text(packer, "Default", effect->normal_default);
        put_text(packer, "Description", p->description);
        put_text(packer, "Effective", effect->effective);
        put_text(packer, "Kind", kind_to_string(p->kind));
        put_text(packer, "Module", p->module);
        put_texts(packer, "Overridden", (const char *const *) effect->overridden);
        put_text(packer, "Pending", effect->pending);
        put_text(packer, "Reason", effect->reason);
        put_text(packer, "Source", effect->source);
        put_boolean(packer, "Supported", effect->supported);
        put_text(packer, "Value", effect->value);
        put_boolean(packer, "Writable", effect->writable);
        packer_close(packer);
}

static void describe_parameters(Packer *packer, const Host *host, const Module *module) {
        g_autoptr(GPtrArray) names = sorted_keys(module->values);

        packer_property(packer, "Parameters", "a{sa{sv}}");
        packer_open(packer, "{sa{sv}}");
        for (unsigned i = 0; i < names->len; i++) {
                const Parameter *parameter = catalog_find(module->name, g_ptr_array_index(names, i));
                g_autoptr(Effect) effect = parameter ? effect_new(host, parameter) : NULL;
                if (effect)
                        describe_effect(packer, effect);
        }
        packer_close(packer);
}

static void describe_pending(Packer *packer, const Host *host, const Module *module) {
        GHashTable *values = g_hash_table_lookup(host->pending, module->name);
        g_autoptr(GPtrArray) names = values ? sorted_keys(values) : g_ptr_array_new();

        packer_property(packer, "Pending", "a{ss}");
        packer_open(packer, "{ss}");
        for (unsigned i = 0; i < names->len; i++) {
                packer_named(packer, g_ptr_array_index(names, i), "s");
                packer_text(packer, g_hash_table_lookup(values, g_ptr_array_index(names, i)));
        }
        packer_close(packer);
}

Packed *describe_module(const Host *host, const Module *module) {
        Packer *packer = packer_new();

        add_text(packer, "Name", module->name);
        add_text(packer, "State", module_state_to_string(module->state));
        packer_property(packer, "InUse", "b");
        packer_boolean(packer, module_in_use(module));
        describe_parameters(packer, host, module);
        describe_pending(packer, host, module);
        return packer_end(packer);
}
