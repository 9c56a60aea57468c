/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which module a key means here, and whether the host is as it says. */

#include <string.h>

#include "desired-host.h"
#include "effect-judge.h"
#include "error.h"
#include "option-value.h"

static void setting_free(gpointer data) {
        DesiredSetting *setting = data;

        g_free(setting->value);
        g_free(setting);
}

static void G_GNUC_PRINTF(3, 4) note(GPtrArray *notes, const DesiredKey *key, const char *format, ...) {
        g_autofree char *text = NULL;
        va_list args;

        va_start(args, format);
        text = g_strdup_vprintf(format, args);
        va_end(args);
        g_ptr_array_add(notes, g_strdup_printf("%s:%u: %s", key->file, key->line, text));
}

static bool is_any(const DesiredKey *key) {
        return g_str_equal(key->section, DESIRED_PARAMETERS);
}

/* Nothing here nests, or could be told to: no vendor's module, or none for the running kernel. */
static bool cannot_nest(const Host *host) {
        const Module *vendor = host_vendor_module(host);

        return !vendor || vendor->state == MODULE_MISSING || !catalog_find(vendor->name, "nested");
}

/* The parameter that [Parameters] means: the vendor's, else kvm's. */
static const Parameter *find_any(const Host *host, const char *name) {
        const Module *vendor = host_vendor_module(host);
        const Parameter *parameter = vendor ? catalog_find(vendor->name, name) : NULL;

        return parameter ?: catalog_find("kvm", name);
}

static bool fail_foreign(const Host *host, const DesiredKey *key, GError **error) {
        const Module *vendor = host_vendor_module(host);
        const Parameter *other = catalog_find_anywhere(key->name);
        const char *counterpart =
                        vendor && other && other->counterpart && catalog_find(vendor->name, other->counterpart)
                                        ? other->counterpart
                                        : NULL;

        g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                    "This host has no parameter %s, which is one of %s: write it below [%s]%s%s%s", key->name,
                    other ? other->module : "no module", other ? other->module : "kvm",
                    counterpart ? "; what is called " : "", counterpart ?: "",
                    counterpart ? " here is another one" : "");
        return desired_blame(key, error);
}

/* True, and *@ret NULL: it says nothing on this host. */
static bool resolve(const Host *host, const DesiredKey *key, GPtrArray *notes, const Parameter **ret, GError **error) {
        *ret = is_any(key) ? find_any(host, key->name) : catalog_find(key->section, key->name);
        if (is_any(key) && g_str_equal(key->name, "nested") && cannot_nest(host)) {
                const Parameter *switched = *ret ?: catalog_find_anywhere(key->name);
                g_autofree char *value = catalog_normalise(switched, host->release, key->value, NULL);
                if (g_strcmp0(value, "0") == 0) {
                        note(notes, key, "nothing can nest on this host, so that nested is off needs no doing");
                        *ret = NULL;
                        return true;
                }
        }
        if (!*ret)
                return fail_foreign(host, key, error);
        if (host_module(host, (*ret)->module))
                return true;
        note(notes, key, "%s.%s is left out, as this host does not use %s", (*ret)->module, key->name, (*ret)->module);
        *ret = NULL;
        return true;
}

static bool add_setting(GPtrArray *settings, const Parameter *parameter, const char *release, const DesiredKey *key,
                        GError **error) {
        char *value = catalog_normalise(parameter, release, key->value, error);

        if (!value)
                return desired_blame(key, error);
        DesiredSetting *setting = g_new(DesiredSetting, 1);
        *setting = (DesiredSetting) {.parameter = parameter, .value = value, .key = key};
        g_ptr_array_add(settings, setting);
        return true;
}

GPtrArray *desired_settings(const Desired *desired, const Host *host, GPtrArray *notes, GError **error) {
        g_autoptr(GPtrArray) settings = g_ptr_array_new_with_free_func(setting_free);

        for (unsigned i = 0; i < desired->keys->len; i++) {
                const DesiredKey *key = g_ptr_array_index(desired->keys, i);
                const Parameter *parameter;
                if (!desired_is_of_parameters(key->section))
                        continue;
                if (!resolve(host, key, notes, &parameter, error))
                        return NULL;
                if (!parameter || (is_any(key) && desired_find(desired, parameter->module, key->name)))
                        continue;
                if (!add_setting(settings, parameter, host->release, key, error))
                        return NULL;
        }
        return g_steal_pointer(&settings);
}

/* Of the modules that [Parameters] may mean those that have it and no word of their own. */
static bool add_anywhere(GPtrArray *settings, const Desired *desired, const DesiredKey *key, GError **error) {
        static const char *const modules[] = {"kvm_intel", "kvm_amd", "kvm"};

        for (gsize i = 0; i < G_N_ELEMENTS(modules); i++) {
                const Parameter *parameter = catalog_find(modules[i], key->name);
                if (parameter && !desired_find(desired, modules[i], key->name) &&
                    !add_setting(settings, parameter, NULL, key, error))
                        return false;
        }
        return true;
}

GPtrArray *desired_settings_anywhere(const Desired *desired, GError **error) {
        g_autoptr(GPtrArray) settings = g_ptr_array_new_with_free_func(setting_free);

        for (unsigned i = 0; i < desired->keys->len; i++) {
                const DesiredKey *key = g_ptr_array_index(desired->keys, i);
                if (!desired_is_of_parameters(key->section))
                        continue;
                const bool good = is_any(key) ? add_anywhere(settings, desired, key, error)
                                              : add_setting(settings, catalog_find(key->section, key->name), NULL, key,
                                                            error);
                if (!good)
                        return NULL;
        }
        return g_steal_pointer(&settings);
}

static void drift_free(gpointer data) {
        Drift *drift = data;

        g_free(drift->module);
        g_free(drift->name);
        g_free(drift->desired);
        g_free(drift->configured);
        g_free(drift->effective);
        g_free(drift);
}

/* What the next load gives a parameter that this host has not: normalised, or "". */
static char *said(const Host *host, const Parameter *parameter) {
        const Option *winner = options_winner(host->options, parameter->module, parameter->name, NULL);
        char *value = winner ? option_value_parse(host, parameter, winner) : NULL;

        return value ?: g_strdup("");
}

/* NULL: as desired. What is not loaded has nothing in effect that could differ. */
static Drift *drift_new(const DesiredSetting *setting, const Host *host, bool boot) {
        const Parameter *parameter = setting->parameter;
        g_autoptr(Effect) effect = effect_new(host, parameter);
        g_autofree char *line = effect ? NULL : said(host, parameter);
        const char *configured = effect ? effect->configured : line, *effective = effect ? effect->effective : "";
        const char *wanted = effect_word(parameter, setting->value);
        const bool kept = g_str_equal(*configured ? configured : effect ? effect->normal_default : "", setting->value);

        if (kept && (!*effective || g_str_equal(effective, wanted)))
                return NULL;
        Drift *drift = g_new(Drift, 1);
        *drift = (Drift) {
                        .module = g_strdup(parameter->module),
                        .name = g_strdup(parameter->name),
                        .desired = g_strdup(setting->value),
                        .configured = g_strdup(configured),
                        .effective = g_strdup(effective),
                        .pending = kept && (boot || (effect && g_str_equal(effect->pending, setting->value))),
        };
        return drift;
}

GPtrArray *desired_drift(const GPtrArray *settings, const Host *host, bool boot) {
        GPtrArray *drift = g_ptr_array_new_with_free_func(drift_free);

        for (unsigned i = 0; i < settings->len; i++) {
                Drift *one = drift_new(g_ptr_array_index(settings, i), host, boot);
                if (one)
                        g_ptr_array_add(drift, one);
        }
        return drift;
}

GPtrArray *desired_of_host(const Host *host, GPtrArray **ret_drift, char **ret_error) {
        g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GError) error = NULL;
        const char *why = NULL;
        const Desired *desired = host->desired ? desired_state_get(host->desired, &why) : NULL;
        GPtrArray *settings = desired ? desired_settings(desired, host, notes, &error) : NULL;

        if (!settings) {
                *ret_error = g_strdup(error ? error->message : why ?: "");
                return NULL;
        }
        *ret_drift = desired_drift(settings, host, g_str_equal(desired_when(desired), "boot"));
        return settings;
}
