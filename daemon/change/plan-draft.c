/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a request and a snapshot to a plan: what our two files will say, which values must be read
 * back, whether modules are reloaded, and why not. The options of the loads are load-options.c's;
 * carrying it out is change.c's. */

#include <string.h>

#include "catalog.h"
#include "dropin.h"
#include "effect-judge.h"
#include "error.h"
#include "load-options.h"
#include "plan-draft.h"
#include "preconditions.h"
#include "read-back.h"

typedef struct Draft {
        const Host *host;
        const Request *request;
        Plan *plan;
        Dropin *kept;           /* the drop-in as it will be */
        Dropin *runtime;        /* the runtime drop-in as it will be */
        const char *not_loaded; /* a module that is concerned and not there to be changed now */
} Draft;

static void G_GNUC_PRINTF(2, 3) plan_step(Plan *plan, const char *format, ...) {
        va_list args;

        va_start(args, format);
        g_ptr_array_add(plan->steps, g_strdup_vprintf(format, args));
        va_end(args);
}

static bool fail_builtin(const Setting *setting, GError **error) {
        if (setting->value)
                g_set_error(error, CONDITION, CONDITION_BUILTIN,
                            "%s is built into this kernel, so modprobe.d does not reach it: put %s.%s=%s on the kernel "
                            "command line and boot again",
                            setting->module, setting->module, setting->name, setting->value);
        else
                g_set_error(error, CONDITION, CONDITION_BUILTIN,
                            "%s is built into this kernel: take %s.%s off the kernel command line and boot again",
                            setting->module, setting->module, setting->name);
        return false;
}

static bool fail_overridden(const Setting *setting, const Option *winner, GError **error) {
        g_autofree char *source = option_source(winner);
        g_autofree char *remedy = winner->path ? g_strdup_printf("remove line %u of %s", winner->line, winner->path)
                                               : g_strdup_printf("take %s.%s off the boot loader's configuration",
                                                                 winner->module, winner->name);

        g_set_error(error, CONDITION, CONDITION_OVERRIDDEN,
                    "%s.%s=%s would not last: \"%s\" from %s beats /%s at the next load. Either %s, or set it until "
                    "the next boot alone: nestvirtctl set --runtime %s.%s=%s",
                    setting->module, setting->name, setting->value, winner->value, source, DROPIN_PATH, remedy,
                    setting->module, setting->name, setting->value);
        return false;
}

/* The edit of our files that a setting asks for. */
static bool draft_files_setting(Draft *draft, const Setting *setting, GError **error) {
        const bool runtime = draft->request->flags & REQUEST_RUNTIME;
        const Option *foreign = load_options_winner(draft->host->options, setting->module, setting->name, WITHOUT_OURS);

        if (!setting->value) {
                (void) dropin_unset(draft->runtime, setting->module, setting->name);
                if (!runtime)
                        (void) dropin_unset(draft->kept, setting->module, setting->name);
                return true;
        }

        const Option *kept = load_options_winner(draft->host->options, setting->module, setting->name, WITHOUT_RUNTIME);
        const bool said_by_others = foreign && load_options_same(draft->host, foreign, setting->value);
        if (!runtime && foreign && !said_by_others && load_options_beats(foreign, DROPIN_PATH))
                return fail_overridden(setting, foreign, error);

        const char *ours = dropin_get(draft->kept, setting->module, setting->name);
        const char *temporary = dropin_get(draft->runtime, setting->module, setting->name);
        if (said_by_others && !ours && !temporary)
                return true;
        if (!runtime) {
                dropin_set(draft->kept, setting->module, setting->name, setting->value);
                (void) dropin_unset(draft->runtime, setting->module, setting->name);
        } else if (temporary || !kept || !load_options_same(draft->host, kept, setting->value))
                dropin_set(draft->runtime, setting->module, setting->name, setting->value);
        return true;
}

/* A built-in module takes its parameters from the kernel command line alone: there is nothing for
 * us to keep. */
static bool draft_builtin_setting(const Draft *draft, const Setting *setting, const char *current, bool writable,
                                  GError **error) {
        const Option *winner = load_options_winner(draft->host->options, setting->module, setting->name, KERNEL_LINE);
        const bool in_effect = setting->value && g_strcmp0(current, setting->value) == 0;

        if (draft->request->flags & REQUEST_RUNTIME && (writable || in_effect))
                return true;
        if (setting->value ? (winner && load_options_same(draft->host, winner, setting->value) && in_effect) : !winner)
                return true;
        return fail_builtin(setting, error);
}

static void draft_value(Draft *draft, const Setting *setting, const char *current, bool writable) {
        PlanValue *value = g_new(PlanValue, 1);

        *value = (PlanValue) {
                        .module = g_strdup(setting->module),
                        .name = g_strdup(setting->name),
                        .before = g_strdup(current),
                        .after = load_options_result(draft->host, draft->request, setting),
                        .writable = writable,
                        .asked = true,
        };
        g_ptr_array_add(draft->plan->values, value);
}

/* What can be written at any time may have been: by hand, or by a tuning daemon. That outlives a
 * reload which is not about it. */
static void draft_written_values(Draft *draft, const Module *module) {
        GHashTableIter i;
        gpointer name, entry;

        g_hash_table_iter_init(&i, module->values);
        while (g_hash_table_iter_next(&i, &name, &entry)) {
                const ModuleValue *now = entry;
                if (!now->writable || load_options_decided(draft->host, draft->request, module, name))
                        continue;
                char *current = load_options_current(draft->host, module, name);
                if (!current)
                        continue;
                PlanValue *value = g_new(PlanValue, 1);
                *value = (PlanValue) {
                                .module = g_strdup(module->name),
                                .name = g_strdup(name),
                                .before = current,
                                .after = g_strdup(current),
                                .writable = true,
                };
                g_ptr_array_add(draft->plan->values, value);
        }
}

/* A reset takes back what is ours, in effect or waiting for it; what is not ours stays. */
static bool is_ours(const Draft *draft, const Setting *setting) {
        if (dropin_get(draft->runtime, setting->module, setting->name))
                return true;
        return !(draft->request->flags & REQUEST_RUNTIME) &&
               (dropin_get(draft->kept, setting->module, setting->name) ||
                host_pending(draft->host, setting->module, setting->name));
}

static bool draft_setting(Draft *draft, const Setting *setting, GError **error) {
        const Module *module = host_module(draft->host, setting->module);
        const Parameter *parameter = catalog_find(setting->module, setting->name);
        g_autoptr(Effect) effect = effect_new(draft->host, parameter);
        g_autofree char *current = effect ? effect_current(effect) : NULL;
        const bool writable = effect && effect->writable;
        const bool ours = is_ours(draft, setting), wanted = setting->value || draft->request->pending || ours;

        /* Nothing here takes options from a file of ours; but what we wrote for another kernel or
         * machine can be taken back. */
        if (!module || (module->state == MODULE_BUILTIN && !setting->value && ours))
                return draft->request->pending || draft_files_setting(draft, setting, error);
        if (module->state == MODULE_BUILTIN) {
                if (!draft_builtin_setting(draft, setting, current, writable, error))
                        return false;
        } else if (!draft->request->pending && !draft_files_setting(draft, setting, error))
                return false;

        if (module->state == MODULE_MISSING && !(draft->request->flags & REQUEST_NEXT_BOOT)) {
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                            "There is no module %s for the running kernel %s: when it was upgraded, boot the new one; "
                            "to set "
                            "%s for then, use --next-boot",
                            module->name, draft->host->release, setting->name);
                return false;
        }
        if (!module_is_present(module))
                draft->not_loaded = setting->module;
        else if (current && wanted)
                draft_value(draft, setting, current, writable);
        return true;
}

static bool draft_file(Draft *draft, const char *path, const Dropin *after, GError **error) {
        g_autofree char *before = NULL;
        g_autofree char *text = dropin_render(after);
        size_t size;

        if (!root_read_any(draft->host->root, path, ROOT_FILE_MAX, &before, &size, error))
                return false;
        if (g_strcmp0(before, text) == 0)
                return true;
        if ((before && size > PLAN_FILE_MAX) || (text && strlen(text) > PLAN_FILE_MAX)) {
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                            "/%s is longer than %zu bytes, which is more than nestvirtd keeps of it to undo a change: "
                            "move to another file what is not from nestvirtctl",
                            path, PLAN_FILE_MAX);
                return false;
        }

        PlanFile *file = g_new(PlanFile, 1);
        *file = (PlanFile) {
                        .path = g_strdup(path), .before = g_steal_pointer(&before), .after = g_steal_pointer(&text)};
        g_ptr_array_add(draft->plan->files, file);
        return true;
}

/* It sets nothing: it takes back, or loads anew. */
static bool sets_nothing(const Request *request) {
        for (unsigned i = 0; i < request->settings->len; i++)
                if (((const Setting *) g_ptr_array_index(request->settings, i))->value)
                        return false;
        return true;
}

static bool draft_files(Draft *draft, GError **error) {
        draft->kept = dropin_read(draft->host->root, DROPIN_PATH, error);
        draft->runtime = draft->kept ? dropin_read(draft->host->root, DROPIN_RUNTIME_PATH, error) : NULL;
        if (!draft->runtime)
                return false;

        for (unsigned i = 0; i < draft->request->settings->len; i++)
                if (!draft_setting(draft, g_ptr_array_index(draft->request->settings, i), error))
                        return false;
        if (draft->request->pending)
                return true;
        if (draft->request->resets && sets_nothing(draft->request)) {
                dropin_tidy(draft->runtime);
                if (!(draft->request->flags & REQUEST_RUNTIME))
                        dropin_tidy(draft->kept);
        }
        return draft_file(draft, DROPIN_PATH, draft->kept, error) &&
               draft_file(draft, DROPIN_RUNTIME_PATH, draft->runtime, error) &&
               read_back_check(draft->host, draft->request, draft->kept, draft->runtime, draft->plan->files, error);
}

/* Which module a differing value, or the request itself, wants reloaded. */
static bool draft_wants_reload(const Draft *draft, const char *module) {
        if (draft->request->flags & REQUEST_NEXT_BOOT)
                return false;
        if (g_strcmp0(draft->request->reload, module) == 0)
                return true;
        for (unsigned i = 0; i < draft->plan->values->len; i++) {
                const PlanValue *value = g_ptr_array_index(draft->plan->values, i);
                if (g_str_equal(value->module, module) && !value->writable &&
                    !load_options_in_effect(draft->host, value))
                        return true;
        }
        return false;
}

/* Whether kvm, which @module needs, stays loaded meanwhile: it does when it is part of the kernel,
 * and may when it only ought to go. */
static bool may_keep_kvm(const Draft *draft, bool *ret_sure) {
        const PlanModule *kvm = draft->plan->modules->len > 0 ? g_ptr_array_index(draft->plan->modules, 0) : NULL;

        *ret_sure = !kvm;
        return !kvm || (kvm->loaded && !kvm->required);
}

static void draft_module(Draft *draft, const Module *module, bool required) {
        PlanModule *m = g_new(PlanModule, 1);
        bool sure;
        g_autofree char *kept = may_keep_kvm(draft, &sure) ? load_options_kept(draft->host, draft->request, module)
                                                           : g_strdup("");
        g_autofree char *after = load_options_after(draft->host, draft->request, module);

        *m = (PlanModule) {
                        .name = g_strdup(module->name),
                        .required = required,
                        .loaded = module->state == MODULE_LIVE,
                        .before = load_options_before(draft->host, module),
                        .after = sure ? load_options_join(after, kept) : g_strdup(after),
                        .kept = g_strdup(sure ? "" : kept),
        };
        g_ptr_array_add(draft->plan->modules, m);
        if (m->loaded)
                draft_written_values(draft, module);
}

/* kvm first, as the vendor's module needs it; the vendor's goes and comes with kvm. */
static void draft_modules(Draft *draft) {
        const Module *kvm = host_module(draft->host, "kvm"), *vendor = host_vendor_module(draft->host);
        const bool reload_kvm = draft_wants_reload(draft, "kvm");
        const bool reload_vendor = vendor && draft_wants_reload(draft, vendor->name);

        if (!reload_kvm && !reload_vendor)
                return;
        if (kvm && kvm->state != MODULE_BUILTIN)
                draft_module(draft, kvm, reload_kvm);
        if (vendor && (reload_vendor || vendor->state == MODULE_LIVE))
                draft_module(draft, vendor, true);
}

static void describe_file(Plan *plan, const PlanFile *file) {
        if (file->after)
                plan_step(plan, "write /%s", file->path);
        else
                plan_step(plan, "remove /%s", file->path);
}

static void describe(const Draft *draft) {
        Plan *plan = draft->plan;

        for (unsigned i = plan->modules->len; i > 0; i--) {
                const PlanModule *m = g_ptr_array_index(plan->modules, i - 1);
                if (m->loaded)
                        plan_step(plan, m->required ? "unload %s" : "unload %s if nothing else uses it", m->name);
        }
        for (unsigned i = 0; i < plan->modules->len; i++) {
                const PlanModule *m = g_ptr_array_index(plan->modules, i);
                g_autofree char *kept = *m->kept ? g_strdup_printf("%s %s if kvm stays loaded",
                                                                   *m->after ? ", and" : " with", m->kept)
                                                 : g_strdup("");
                plan_step(plan, *m->after ? "load %s with %s%s" : "load %s%s%s", m->name, m->after, kept);
        }
        for (unsigned i = 0; i < plan->values->len && !(plan->flags & REQUEST_NEXT_BOOT); i++) {
                const PlanValue *v = g_ptr_array_index(plan->values, i);
                if (v->writable && !load_options_in_effect(draft->host, v))
                        plan_step(plan, "write %s to /sys/module/%s/parameters/%s", v->after, v->module, v->name);
        }
        for (unsigned i = 0; i < plan->files->len; i++)
                describe_file(plan, g_ptr_array_index(plan->files, i));
        if (draft->not_loaded)
                g_ptr_array_add(plan->notes,
                                g_strdup_printf("%s is not loaded: it takes this when it is (nestvirtctl reload)",
                                                draft->not_loaded));
}

/* Also where nobody asked for it: a reload brings in effect what is configured. */
static bool switches_nested_off(const Draft *draft) {
        const Module *vendor = host_vendor_module(draft->host);
        const Parameter *nested = vendor ? catalog_find(vendor->name, "nested") : NULL;
        g_autofree char *now = nested ? load_options_current(draft->host, vendor, nested->name) : NULL;
        g_autofree char *next = nested ? load_options_next(draft->host, draft->request, nested) : NULL;

        return plan_reloads(draft->plan) && now && !g_str_equal(now, "0") && g_strcmp0(next, "0") == 0;
}

static bool all_in_effect(const Draft *draft) {
        for (unsigned i = 0; i < draft->plan->values->len; i++)
                if (!load_options_in_effect(draft->host, g_ptr_array_index(draft->plan->values, i)))
                        return false;
        return true;
}

/* What it asks to be reloaded is part of the kernel, and nothing else can be. */
static bool check_builtin_reload(const Draft *draft, GError **error) {
        const char *name = draft->request->reload;
        const Module *module = name ? host_module(draft->host, name) : NULL;

        if (!module || module->state != MODULE_BUILTIN || plan_reloads(draft->plan))
                return true;
        g_set_error(error, CONDITION, CONDITION_BUILTIN, "%s is built into this kernel and can't be reloaded", name);
        return false;
}

/* All is loaded anew with what modprobe.d says. */
static bool settles(const Plan *plan, const Request *request) {
        return sets_nothing(request) && plan_reloads(plan) && !(request->flags & ~(uint64_t) REQUEST_DRY_RUN);
}

Plan *plan_new(const Host *host, const Loader *loader, const Request *request, GError **error) {
        g_autoptr(Plan) plan = plan_new_empty();
        const Module *vendor = host_vendor_module(host);
        Draft draft = {.host = host, .request = request, .plan = plan};

        plan->title = request_to_string(request);
        plan->flags = request->flags;
        plan->reload = request->reload != NULL;
        plan->pending = request->pending;
        plan->applies = request->applies;
        plan->applied = g_strdup(request->applied);
        plan->vendor = g_strdup(vendor ? vendor->name : NULL);
        plan->boot_id = g_strdup(host->boot_id);
        plan->release = g_strdup(host->release);

        bool ok = host_is_read(host, error) && draft_files(&draft, error);
        if (ok) {
                draft_modules(&draft);
                plan->settles = settles(plan, request);
                plan->nested_off = switches_nested_off(&draft);
                plan->unchanged = plan->files->len == 0 && !plan_reloads(plan) && all_in_effect(&draft);
                ok = check_builtin_reload(&draft, error) &&
                     (plan->unchanged || preconditions_check(host, loader, request, plan, error));
        }
        if (ok)
                describe(&draft);
        g_clear_pointer(&draft.kept, dropin_free);
        g_clear_pointer(&draft.runtime, dropin_free);
        return ok ? g_steal_pointer(&plan) : NULL;
}
