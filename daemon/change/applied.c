/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The record is a key file: a section for each module, a key for each parameter. */

#include <string.h>

#include "applied.h"
#include "dropin.h"
#include "effect-judge.h"
#include "file.h"

struct Applied {
        GKeyFile *file;
        char *text; /* as it is on disk, or NULL */
};

Applied *applied_read(const Root *root, GError **error) {
        g_autoptr(Applied) applied = g_new0(Applied, 1);
        size_t size = 0;

        applied->file = g_key_file_new();
        if (!root_read_any(root, APPLIED_PATH, ROOT_FILE_MAX, &applied->text, &size, error))
                return NULL;
        if (size > 0)
                (void) g_key_file_load_from_data(applied->file, applied->text, size, G_KEY_FILE_NONE, NULL);
        return g_steal_pointer(&applied);
}

void applied_free(Applied *applied) {
        if (!applied)
                return;
        g_key_file_unref(applied->file);
        g_free(applied->text);
        g_free(applied);
}

static bool asks_for(const GPtrArray *settings, const char *module, const char *name) {
        for (unsigned i = 0; i < settings->len; i++) {
                const Parameter *parameter = ((const DesiredSetting *) g_ptr_array_index(settings, i))->parameter;
                if (g_str_equal(parameter->module, module) && g_str_equal(parameter->name, name))
                        return true;
        }
        return false;
}

/* Of what was applied that which is still asked for. */
static void copy_kept(const Applied *applied, const GPtrArray *settings, GKeyFile *next) {
        g_auto(GStrv) modules = g_key_file_get_groups(applied->file, NULL);

        for (char **module = modules; *module; module++) {
                g_auto(GStrv) names = g_key_file_get_keys(applied->file, *module, NULL, NULL);
                for (char **name = names; name && *name; name++) {
                        g_autofree char *value = g_key_file_get_string(applied->file, *module, *name, NULL);
                        if (value && asks_for(settings, *module, *name))
                                g_key_file_set_string(next, *module, *name, value);
                }
        }
}

/* Somebody else has configured it so before. */
static bool is_configured(const Host *host, const Setting *setting) {
        const Parameter *parameter = catalog_find(setting->module, setting->name);
        g_autoptr(Effect) effect = parameter ? effect_new(host, parameter) : NULL;

        return effect && g_str_equal(effect->configured, setting->value);
}

char *applied_next(const Applied *applied, const GPtrArray *settings, const Host *host, const Request *request) {
        g_autoptr(GKeyFile) next = g_key_file_new();

        copy_kept(applied, settings, next);
        for (unsigned i = 0; i < request->settings->len; i++) {
                const Setting *setting = g_ptr_array_index(request->settings, i);
                if (setting->value && !is_configured(host, setting))
                        g_key_file_set_string(next, setting->module, setting->name, setting->value);
        }
        g_autofree char *text = g_key_file_to_data(next, NULL, NULL);
        return *text ? g_steal_pointer(&text) : NULL;
}

bool applied_is(const Applied *applied, const char *text) {
        return g_strcmp0(applied->text, text) == 0;
}

bool applied_write(const Applied *applied, const Root *root, const char *text, GError **error) {
        g_autoptr(Applied) now = applied_read(root, error);

        if (!now)
                return false;
        if (!applied_is(now, applied->text))
                return true;
        return text ? file_write(root, APPLIED_PATH, text, error) : file_remove(root, APPLIED_PATH, error);
}

/* It is configured, and in effect as soon as it is asked to be. */
static bool is_waiting(const DesiredSetting *setting, const Host *host, uint64_t flags) {
        g_autoptr(Effect) effect = effect_new(host, setting->parameter);

        if (!effect || !g_str_equal(effect->configured, setting->value))
                return false;
        return (flags & REQUEST_NEXT_BOOT) ||
               ((flags & REQUEST_WHEN_IDLE) && g_str_equal(effect->pending, setting->value));
}

/* Our drop-in says what the apply has made it say. */
static bool is_still_set(const Applied *applied, const Dropin *dropin, const char *module, const char *name) {
        g_autofree char *value = g_key_file_get_string(applied->file, module, name, NULL);

        return value && g_strcmp0(dropin_get(dropin, module, name), value) == 0;
}

static bool request_gone(const Applied *applied, const GPtrArray *settings, const Host *host, Request *request,
                         GError **error) {
        g_autoptr(Dropin) dropin = dropin_read(host->root, DROPIN_PATH, error);
        g_auto(GStrv) modules = g_key_file_get_groups(applied->file, NULL);

        for (char **module = modules; dropin && *module; module++) {
                g_auto(GStrv) names = g_key_file_get_keys(applied->file, *module, NULL, NULL);
                for (char **name = names; name && *name; name++)
                        if (!asks_for(settings, *module, *name) && is_still_set(applied, dropin, *module, *name) &&
                            !request_reset(request, host, *module, *name, error))
                                return false;
        }
        return dropin != NULL;
}

bool applied_request(const Applied *applied, const GPtrArray *settings, const Host *host, Request *request,
                     GError **error) {
        for (unsigned i = 0; i < settings->len; i++) {
                const DesiredSetting *setting = g_ptr_array_index(settings, i);
                if (!is_waiting(setting, host, request->flags) &&
                    !request_set(request, host, setting->parameter->module, setting->parameter->name, setting->value,
                                 error))
                        return desired_blame(setting->key, error);
        }
        return !applied || request_gone(applied, settings, host, request, error);
}

bool applied_request_unseen(const Applied *applied, const GPtrArray *settings, const Host *host, Request *request,
                            GError **error) {
        for (unsigned i = 0; i < settings->len; i++) {
                const DesiredSetting *setting = g_ptr_array_index(settings, i);
                if (!request_set_unseen(request, setting->parameter->module, setting->parameter->name, setting->value,
                                        error))
                        return desired_blame(setting->key, error);
        }
        return !applied || request_gone(applied, settings, host, request, error);
}
