/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a caller asks for, checked against the catalogue, the kernel and the CPU. How it will be
 * done is plan-draft.c's. */

#include "catalog.h"
#include "dropin.h"
#include "effect-judge.h"
#include "error.h"
#include "outer-hypervisor.h"
#include "request.h"
#include "sort.h"

bool request_check_flags(uint64_t flags, uint64_t allowed, GError **error) {
        const uint64_t exclusive = flags & (REQUEST_RUNTIME | REQUEST_NEXT_BOOT | REQUEST_WHEN_IDLE);

        if (flags & ~allowed) {
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                            "Flags 0x%" G_GINT64_MODIFIER "x are not known here; allowed are 0x%" G_GINT64_MODIFIER "x",
                            flags & ~allowed, allowed);
                return false;
        }
        if (exclusive & (exclusive - 1)) {
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                            "The flags RUNTIME, NEXT_BOOT and WHEN_IDLE exclude each other");
                return false;
        }
        return true;
}

static void setting_free(Setting *setting) {
        g_free(setting->module);
        g_free(setting->name);
        g_free(setting->value);
        g_free(setting);
}

Request *request_new(uint64_t flags) {
        Request *request = g_new0(Request, 1);
        request->flags = flags;
        request->settings = g_ptr_array_new_with_free_func((GDestroyNotify) setting_free);
        return request;
}

void request_free(Request *request) {
        if (!request)
                return;
        g_ptr_array_unref(request->settings);
        g_free(request->reload);
        g_free(request->applied);
        g_free(request);
}

/* @name is none of @module, or that is none of this host; @other is what the catalogue has of that
 * name. */
static bool fail_foreign(const Host *host, const Parameter *other, const char *module, GError **error) {
        const Module *vendor = host_vendor_module(host);
        const Parameter *same = vendor ? catalog_find(vendor->name, other->name) : NULL;
        const char *here = vendor ? vendor->name : module;
        const Parameter *ours = other->counterpart ? catalog_find(here, other->counterpart) : NULL;

        if (same || host_module(host, other->module))
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                            "On this host %s is a parameter of %s (nestvirtctl set %s.%s=…)", other->name,
                            (same ?: other)->module, (same ?: other)->module, other->name);
        else if (ours)
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                            "%s is a parameter of %s, which does not fit this CPU; %s calls it %s (nestvirtctl set "
                            "%s=…)",
                            other->name, other->module, ours->module, ours->name, ours->name);
        else
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                            "%s is a parameter of %s, which this host does not use; %s has nothing like it",
                            other->name, other->module, module);
        return false;
}

/* The catalogue's entry for a name that this host's kernel has, or an error that says what is the
 * matter. */
static const Parameter *find(const Host *host, const char *module, const char *name, GError **error) {
        const Module *vendor = host_vendor_module(host);
        const Parameter *parameter = catalog_find(module, name), *other;

        if (!parameter && (other = catalog_find_anywhere(name))) {
                (void) fail_foreign(host, other, module, error);
                return NULL;
        }
        if (!parameter) {
                g_autofree char *quoted = error_quote(name);
                g_set_error(error, CONDITION, CONDITION_NO_SUCH_PARAMETER,
                            "No parameter is called \"%s\"; \"nestvirtctl show\" lists those that there are", quoted);
                return NULL;
        }

        const Module *m = host_module(host, parameter->module);
        if (!m) {
                (void) fail_foreign(host, parameter, vendor ? vendor->name : "kvm", error);
                return NULL;
        }
        if (g_hash_table_size(m->values) > 0 && !module_value(m, parameter->name)) {
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED, "%s of the running kernel %s has no parameter %s",
                            m->name, host->release, parameter->name);
                return NULL;
        }
        return parameter;
}

static bool request_has(const Request *request, const Parameter *parameter) {
        for (unsigned i = 0; i < request->settings->len; i++) {
                const Setting *s = g_ptr_array_index(request->settings, i);
                if (g_str_equal(s->module, parameter->module) && g_str_equal(s->name, parameter->name))
                        return true;
        }
        return false;
}

static bool request_add(Request *request, const Parameter *parameter, const char *value, GError **error) {
        if (request_has(request, parameter)) {
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "%s.%s is given twice", parameter->module,
                            parameter->name);
                return false;
        }
        if (request->settings->len >= REQUEST_MAX) {
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "More than %u parameters in one request",
                            REQUEST_MAX);
                return false;
        }

        Setting *setting = g_new(Setting, 1);
        *setting = (Setting) {
                        .module = g_strdup(parameter->module),
                        .name = g_strdup(parameter->name),
                        .value = g_strdup(value),
        };
        g_ptr_array_add(request->settings, setting);
        return true;
}

/* Off asks nothing of the CPU, nor does "auto", which is off where the CPU can't. */
static bool asks_of_cpu(const char *normal) {
        return !g_str_equal(normal, "0") && !g_str_equal(normal, "auto");
}

bool request_set(Request *request, const Host *host, const char *module, const char *name, const char *value,
                 GError **error) {
        const Parameter *parameter = find(host, module, name, error);
        if (!parameter)
                return false;

        g_autofree char *normal = catalog_normalise(parameter, host->release, value, error);
        if (!normal)
                return false;

        g_autofree char *missing = NULL;
        if (asks_of_cpu(normal) && !effect_supported(host, parameter, &missing)) {
                g_autofree char *below = outer_hypervisor_reason(host->cpu, parameter->module, missing);
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                            "This CPU can't do %s: it lacks %s%s%s%s, and %s would switch it off again while it loads",
                            parameter->name, missing, below ? " (" : "", below ?: "", below ? ")" : "",
                            parameter->module);
                return false;
        }
        return request_add(request, parameter, normal, error);
}

bool request_set_unseen(Request *request, const char *module, const char *name, const char *value, GError **error) {
        return request_add(request, catalog_find(module, name), value, error);
}

/* A line of our own about it is there to be taken back. */
static bool is_set_by_us(const Request *request, const Host *host, const Parameter *parameter) {
        for (unsigned i = 0; i < host->options->options->len; i++) {
                const Option *o = g_ptr_array_index(host->options->options, i);
                if (g_str_equal(o->module, parameter->module) && g_str_equal(o->name, parameter->name) &&
                    dropin_is_ours(o->path, request->flags & REQUEST_RUNTIME))
                        return true;
        }
        return false;
}

bool request_reset(Request *request, const Host *host, const char *module, const char *name, GError **error) {
        const Parameter *parameter = catalog_find(module, name);

        request->resets = true;
        /* Whether this host has any use for it does not matter then: kernels come and go, and disks
         * move to other machines. */
        if (!parameter || !is_set_by_us(request, host, parameter))
                parameter = find(host, module, name, error);
        return parameter && request_add(request, parameter, NULL, error);
}

static bool reset_module(Request *request, const Dropin *dropin, const char *module, GError **error) {
        g_auto(GStrv) names = dropin_names(dropin, module);

        for (char **name = names; *name; name++) {
                const Parameter *parameter = catalog_find(module, *name);
                if (parameter && !request_has(request, parameter) && !request_add(request, parameter, NULL, error))
                        return false;
        }
        return true;
}

static bool reset_file(Request *request, const Host *host, const char *path, const char *module, GError **error) {
        g_autoptr(Dropin) dropin = dropin_read(host->root, path, error);
        if (!dropin)
                return false;

        g_auto(GStrv) modules = dropin_modules(dropin);
        for (char **m = modules; *m; m++)
                if ((!module || g_str_equal(module, *m)) && !reset_module(request, dropin, *m, error))
                        return false;
        return true;
}

bool request_reset_all(Request *request, const Host *host, const char *module, GError **error) {
        const unsigned before = request->settings->len;

        request->resets = true;
        if (!reset_file(request, host, DROPIN_RUNTIME_PATH, module, error))
                return false;
        if (!(request->flags & REQUEST_RUNTIME) && !reset_file(request, host, DROPIN_PATH, module, error))
                return false;
        if (!module || host_module(host, module) || request->settings->len > before)
                return true;
        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "This host does not use the module %s", module);
        return false;
}

char *request_to_string(const Request *request) {
        GString *text = g_string_new(NULL);

        if (request->reload)
                g_string_append_printf(text, "reload %s", request->reload);
        for (unsigned i = 0; i < request->settings->len; i++) {
                const Setting *s = g_ptr_array_index(request->settings, i);
                g_string_append_printf(text, "%s%s.%s", text->len > 0 ? " " : "", s->module, s->name);
                if (s->value)
                        g_string_append_printf(text, "=%s", s->value);
        }
        return g_string_free(text, FALSE);
}

char *request_modules(const Request *request) {
        g_autoptr(GPtrArray) names = g_ptr_array_new();

        if (request->reload)
                g_ptr_array_add(names, request->reload);
        for (unsigned i = 0; i < request->settings->len; i++) {
                const Setting *s = g_ptr_array_index(request->settings, i);
                if (!g_ptr_array_find_with_equal_func(names, s->module, g_str_equal, NULL))
                        g_ptr_array_add(names, s->module);
        }
        g_ptr_array_sort(names, compare_names);
        g_ptr_array_add(names, NULL);
        return g_strjoinv(" ", (char **) names->pdata);
}

const char *request_when(const Request *request) {
        if (request->flags & REQUEST_RUNTIME)
                return "runtime";
        if (request->flags & REQUEST_NEXT_BOOT)
                return "next-boot";
        return request->flags & REQUEST_WHEN_IDLE ? "when-idle" : "now";
}
