/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The options of a load, value by value. Values are passed normalised: "nested=Y" would keep
 * kvm_amd from loading, "nested=1" is understood by every kernel (linux/kernel/params.c). */

#include <string.h>

#include "dropin.h"
#include "effect-judge.h"
#include "load-options.h"
#include "option-value.h"
#include "sort.h"

static bool is_among(const Option *option, Among among) {
        switch (among) {
        case KERNEL_LINE:
                return !option->path;
        case RUNTIME_ALONE:
                return dropin_is_ours(option->path, true);
        case WITHOUT_RUNTIME:
                return !dropin_is_ours(option->path, true);
        case WITHOUT_OURS:
        default:
                return !dropin_is_ours(option->path, false);
        }
}

const Option *load_options_winner(const Options *options, const char *module, const char *name, Among among) {
        for (unsigned i = options->options->len; i > 0; i--) {
                const Option *o = g_ptr_array_index(options->options, i - 1);
                if (g_str_equal(o->module, module) && g_str_equal(o->name, name) && is_among(o, among))
                        return o;
        }
        return NULL;
}

bool load_options_beats(const Option *option, const char *path) {
        if (!option->path)
                return true;
        return strcmp(strrchr(option->path, '/') + 1, strrchr(path, '/') + 1) > 0;
}

/* What the kernel makes of an option, normalised; NULL when nobody knows the parameter, or the
 * kernel refuses it. */
static char *parse(const Host *host, const Option *option) {
        const Parameter *parameter = catalog_find(option->module, option->name);

        return parameter ? option_value_parse(host, parameter, option) : NULL;
}

bool load_options_same(const Host *host, const Option *option, const char *value) {
        g_autofree char *normal = parse(host, option);

        return g_strcmp0(normal, value) == 0;
}

/* The value that a setting is to bring into effect: its own, or for a reset what the next load is
 * given then; "" when that is the kernel's default and nobody knows it. */
static char *target(const Host *host, const Request *request, const Setting *setting) {
        if (setting->value)
                return g_strdup(setting->value);

        const Among among = request->flags & REQUEST_RUNTIME ? WITHOUT_RUNTIME : WITHOUT_OURS;
        const Option *winner = load_options_winner(host->options, setting->module, setting->name, among);
        char *value = winner ? parse(host, winner) : NULL;

        return value ?: g_strdup(catalog_default(catalog_find(setting->module, setting->name), host->release));
}

bool load_options_refused(const Host *host, const Option *option) {
        g_autofree char *normal = parse(host, option);

        return !normal && catalog_find(option->module, option->name);
}

static const Setting *request_setting(const Request *request, const char *module, const char *name) {
        for (unsigned i = 0; i < request->settings->len; i++) {
                const Setting *s = g_ptr_array_index(request->settings, i);
                if (g_str_equal(s->module, module) && g_str_equal(s->name, name))
                        return s;
        }
        return NULL;
}

bool load_options_replaced(const Request *request, const Option *option) {
        return request_setting(request, option->module, option->name) &&
               dropin_is_ours(option->path, request->flags & REQUEST_RUNTIME);
}

/* What our own loads are given. Our runtime file comes first, though a later file or the kernel
 * command line beat it for everybody else's. */
static char *configured(const Host *host, const char *module, const char *name) {
        const Option *winner = load_options_winner(host->options, module, name, RUNTIME_ALONE)
                                               ?: options_winner(host->options, module, name, NULL);

        return winner ? parse(host, winner) ?: g_strdup(winner->value) : NULL;
}

char *load_options_current(const Host *host, const Module *module, const char *name) {
        const ModuleValue *value = module_value(module, name);

        if (!value || !*value->value || !module_is_present(module))
                return NULL;
        if (catalog_find(module->name, name))
                return catalog_read(catalog_find(module->name, name), host->release, value->value);
        return strpbrk(value->value, " \t\"\n") ? NULL : g_strdup(value->value);
}

char *load_options_expected(const Host *host, const Request *request, const Parameter *parameter) {
        const Setting *setting = request_setting(request, parameter->module, parameter->name);
        const Module *module = host_module(host, parameter->module);

        if (setting)
                return target(host, request, setting);
        return configured(host, parameter->module, parameter->name)
                               ?: load_options_current(host, module, parameter->name);
}

static bool is_off(const Host *host, const Parameter *parameter) {
        const Module *module = host_module(host, parameter->module);
        g_autofree char *now = module ? load_options_current(host, module, parameter->name) : NULL;

        return g_strcmp0(now, "0") == 0;
}

/* Off now, and it is known why: it is so by default, the CPU can't, or another parameter that it
 * needs is off. */
static bool is_off_for_a_reason(const Host *host, const Parameter *parameter) {
        if (g_str_equal(catalog_default(parameter, host->release), "0") || !effect_supported(host, parameter, NULL))
                return true;
        for (const char *const *need = parameter->needs; need && *need; need++)
                if (is_off(host, catalog_find(parameter->module, *need)))
                        return true;
        return false;
}

static char *comes_to(const Host *host, const Request *request, const Parameter *parameter, char *given);

/* What a parameter that another one needs will be; "" when that can't be told: it has been loaded
 * by hand, or it is the kernel's choice. */
static char *foresee(const Host *host, const Request *request, const Parameter *parameter) {
        const Setting *setting = request_setting(request, parameter->module, parameter->name);
        char *given = setting ? target(host, request, setting) : configured(host, parameter->module, parameter->name);

        if (!given && !is_off(host, parameter))
                given = g_strdup("1");
        else if (!given)
                given = g_strdup(is_off_for_a_reason(host, parameter) ? catalog_default(parameter, host->release) : "");
        return comes_to(host, request, parameter, given);
}

/* A load that is given @given (taken over), but the kernel switches off what the CPU can't do and
 * what needs something that is off. What is on though it ought not to be stays on. */
static char *comes_to(const Host *host, const Request *request, const Parameter *parameter, char *given) {
        const Parameter *p = catalog_variant(parameter, host->release);
        const bool off = is_off(host, p);
        bool unsure = false, lost = off && !effect_supported(host, p, NULL);

        if (!p->derived || !*given || g_str_equal(given, "0"))
                return given;
        for (const char *const *need = p->needs; need && *need; need++) {
                const Parameter *needed = catalog_find(p->module, *need);
                g_autofree char *value = foresee(host, request, needed);
                const bool needed_off = is_off(host, needed);
                lost |= g_str_equal(value, "0") && (off || !needed_off);
                unsure |= off && needed_off && (!*value || g_str_equal(value, "auto"));
        }
        if (!lost && !unsure)
                return given;
        g_free(given);
        return g_strdup(lost ? "0" : "");
}

char *load_options_foreseen(const Host *host, const Request *request, const Parameter *parameter) {
        const Setting *setting = request_setting(request, parameter->module, parameter->name);
        const Module *module = host_module(host, parameter->module);
        bool needed = false;

        if (setting)
                return load_options_result(host, request, setting);
        for (const char *const *need = parameter->needs; need && *need; need++)
                needed |= is_off(host, catalog_find(parameter->module, *need));
        /* What the kernel has made of it for this CPU it will make of it again; but for what is off
         * for another parameter's sake. */
        const bool stays = parameter->derived && !needed;
        char *given = configured(host, parameter->module, parameter->name);
        if (!given && !stays)
                given = g_strdup(catalog_default(parameter, host->release));
        if (!given || !*given) {
                g_free(given);
                given = load_options_current(host, module, parameter->name) ?: g_strdup("");
        }
        return comes_to(host, request, parameter, given);
}

char *load_options_result(const Host *host, const Request *request, const Setting *setting) {
        char *given = target(host, request, setting);

        return setting->value ? given : comes_to(host, request, catalog_find(setting->module, setting->name), given);
}

bool load_options_decided(const Host *host, const Request *request, const Module *module, const char *name) {
        return request_setting(request, module->name, name) || options_winner(host->options, module->name, name, NULL);
}

bool load_options_in_effect(const Host *host, const PlanValue *value) {
        if (!*value->after || g_str_equal(value->before, value->after))
                return true;
        if (!g_str_equal(value->after, "auto"))
                return false;

        /* "auto" reads back as what it came to: it is in effect when it is what the module was
         * loaded with, as far as can be told. */
        g_autofree char *asked = configured(host, value->module, value->name);
        return g_strcmp0(asked ?: catalog_default(catalog_find(value->module, value->name), host->release), "auto") ==
               0;
}

static void append(GString *text, const char *name, const char *value) {
        if (!value || !*value || strpbrk(value, "\"\n"))
                return;
        g_string_append_printf(text, strpbrk(value, " \t") ? "%s%s=\"%s\"" : "%s%s=%s", text->len > 0 ? " " : "", name,
                               value);
}

/* One that the kernel marks as dangerous (module_param_unsafe, arch/x86/kvm/svm/avic.c) taints it
 * when it is given at all. */
static bool is_tainting(const Host *host, const Parameter *parameter, const char *value) {
        return parameter && g_str_equal(parameter->name, "force_avic") &&
               g_strcmp0(catalog_default(parameter, host->release), value) == 0;
}

char *load_options_before(const Host *host, const Module *module) {
        g_autoptr(GPtrArray) names = sorted_keys(module->values);
        GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < names->len; i++) {
                const char *name = g_ptr_array_index(names, i);
                const Parameter *parameter = catalog_find(module->name, name);
                g_autofree char *value = load_options_current(host, module, name);
                if (!is_tainting(host, parameter, value))
                        append(text, name, value);
        }
        return g_string_free(text, FALSE);
}

static char *after(const Host *host, const Request *request, const Module *module, const char *name) {
        const Setting *setting = request_setting(request, module->name, name);

        if (setting)
                return target(host, request, setting);
        return configured(host, module->name, name);
}

char *load_options_next(const Host *host, const Request *request, const Parameter *parameter) {
        const Module *module = host_module(host, parameter->module);

        return after(host, request, module, parameter->name) ?: g_strdup(catalog_default(parameter, host->release));
}

/* The line goes, and with it the only word that there is of a parameter which the module may
 * lack. */
static bool is_taken_back(const Request *request, const Option *option) {
        const Setting *setting = request_setting(request, option->module, option->name);

        return setting && !setting->value && load_options_replaced(request, option);
}

/* modprobe passes on what this kernel's module does not know, too; the kernel ignores it with a
 * line in its log. */
static void add_configured_names(const Host *host, const Request *request, const Module *module, GPtrArray *names) {
        for (unsigned i = 0; i < host->options->options->len; i++) {
                const Option *o = g_ptr_array_index(host->options->options, i);
                if (g_str_equal(o->module, module->name) && !is_taken_back(request, o) &&
                    !g_ptr_array_find_with_equal_func(names, o->name, g_str_equal, NULL))
                        g_ptr_array_add(names, o->name);
        }
}

char *load_options_after(const Host *host, const Request *request, const Module *module) {
        g_autoptr(GPtrArray) names = sorted_keys(module->values);
        add_configured_names(host, request, module, names);
        GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < names->len; i++) {
                g_autofree char *value = after(host, request, module, g_ptr_array_index(names, i));
                append(text, g_ptr_array_index(names, i), value);
        }
        return g_string_free(text, FALSE);
}

/* Its default, where kvm has another value of it; what the kernel would switch off again is as it
 * was. */
static char *find_kept(const Host *host, const Request *request, const Module *module, const char *name) {
        const Parameter *parameter = catalog_find(module->name, name);
        g_autofree char *said = after(host, request, module, name), *now = NULL, *comes = NULL;

        if (said || !parameter || !parameter->common)
                return NULL;
        const char *normal = catalog_default(parameter, host->release);
        now = load_options_current(host, module, name);
        comes = comes_to(host, request, parameter, g_strdup(normal));
        return g_strcmp0(now, normal) == 0 || (now && g_str_equal(now, comes)) ? NULL : g_strdup(normal);
}

char *load_options_kept(const Host *host, const Request *request, const Module *module) {
        g_autoptr(GPtrArray) names = sorted_keys(module->values);
        GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < names->len; i++) {
                g_autofree char *value = find_kept(host, request, module, g_ptr_array_index(names, i));
                append(text, g_ptr_array_index(names, i), value);
        }
        return g_string_free(text, FALSE);
}

char *load_options_join(const char *after, const char *kept) {
        return g_strconcat(after, *after && *kept ? " " : "", kept, NULL);
}
