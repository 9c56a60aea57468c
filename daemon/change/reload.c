/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Modules out and in again. When a load finds that somebody else (udev, on a CPU "add" event) was
 * faster, the module has options that nobody asked for: it is unloaded and loaded once more, a few
 * times at most. */

#include "catalog.h"
#include "error.h"
#include "file.h"
#include "reload.h"
#include "syntax.h"

#define RACES_MAX 3U
#define LIVE_TIMEOUT_USEC (60 * G_USEC_PER_SEC)
/* Whoever opens /dev/kvm the moment it appears, to see what it can do, is gone soon: two seconds
 * and a half altogether. */
#define UNDO_ATTEMPTS_MAX 8U
#define UNDO_DELAY_FIRST_USEC (G_USEC_PER_SEC / 50)
#define LIVE_POLL_USEC (5 * G_USEC_PER_SEC / 1000)

/* Every step is one that would have to be undone. */
static void G_GNUC_PRINTF(2, 3) reload_step(Reload *reload, const char *format, ...) {
        va_list args;

        reload->touched = true;
        va_start(args, format);
        g_ptr_array_add(reload->steps, g_strdup_vprintf(format, args));
        va_end(args);
}

static bool is_live(const Root *root, const char *module) {
        g_autofree char *path = g_strdup_printf("sys/module/%s/initstate", module);
        g_autofree char *state = root_read_line(root, path);

        return g_strcmp0(state, "live") == 0;
}

/* finit_module(2) comes back when the module is live. Only where somebody else is loading it can it
 * still be "coming", and that state has no event to wait for. */
static bool wait_live(const Root *root, const char *module, GError **error) {
        const gint64 deadline = g_get_monotonic_time() + LIVE_TIMEOUT_USEC;

        while (!is_live(root, module)) {
                if (g_get_monotonic_time() > deadline) {
                        g_set_error(error, CONDITION, CONDITION_TIMED_OUT, "%s did not become live", module);
                        return false;
                }
                g_usleep(LIVE_POLL_USEC);
        }
        return true;
}

char *reload_read(const Root *root, const PlanValue *value) {
        g_autofree char *path = g_strdup_printf("sys/module/%s/parameters/%s", value->module, value->name);

        return root_read_line(root, path);
}

static bool value_is(const Root *root, const Plan *plan, const PlanValue *value, const char *wanted, char **ret_read) {
        g_autofree char *read = reload_read(root, value);
        const Parameter *parameter = catalog_find(value->module, value->name);
        g_autofree char *normal = read && parameter ? catalog_read(parameter, plan->release, read) : g_strdup(read);
        /* "auto" reads back as what it came to, "" stands for a default that nobody knows. */
        const bool any = !*wanted || g_str_equal(wanted, "auto");
        /* What was only to outlive the reload may have become moot by what was asked for: "EPT
         * disabled". */
        const bool moot = !value->asked && read && parameter && parameter->reads_words && !normal;
        const bool same = any ? read != NULL : moot || g_strcmp0(normal, wanted) == 0;

        if (ret_read)
                *ret_read = g_steal_pointer(&read);
        return same;
}

static bool verify_value(const Root *root, const Plan *plan, const PlanValue *value, const char *wanted,
                         GError **error) {
        g_autofree char *read = NULL;

        if (value_is(root, plan, value, wanted, &read))
                return true;
        g_set_error(error, CONDITION, CONDITION_RELOAD_FAILED, "asked for %s.%s=%s, but the kernel says %s",
                    value->module, value->name, wanted, read ?: "nothing");
        return false;
}

/* The options that bring back what was name every value that could be read. */
static bool verify_options_before(const Root *root, const Plan *plan, const PlanModule *module, GError **error) {
        g_autofree char *options = g_strdup(module->before);
        char *rest = options, *name, *wanted;

        while ((name = syntax_take_parameter(&rest, &wanted))) {
                const PlanValue value = {.module = module->name, .name = name};
                if (wanted && !verify_value(root, plan, &value, wanted, error))
                        return false;
        }
        return true;
}

static bool verify_modules(const Root *root, const Plan *plan, bool after, GError **error) {
        for (unsigned i = 0; i < plan->modules->len; i++) {
                const PlanModule *m = g_ptr_array_index(plan->modules, i);
                if (!after && !m->loaded)
                        continue;
                if (!is_live(root, m->name)) {
                        g_set_error(error, CONDITION, CONDITION_RELOAD_FAILED, "%s is not loaded", m->name);
                        return false;
                }
                if (!after && !verify_options_before(root, plan, m, error))
                        return false;
        }
        return true;
}

bool reload_verify(const Root *root, const Plan *plan, bool after, GError **error) {
        if (plan->flags & REQUEST_NEXT_BOOT)
                return true;
        if (!verify_modules(root, plan, after, error))
                return false;
        for (unsigned i = 0; i < plan->values->len; i++) {
                const PlanValue *v = g_ptr_array_index(plan->values, i);
                if (!verify_value(root, plan, v, after ? v->after : v->before, error))
                        return false;
        }
        return true;
}

/* Takes one module out. *ret_busy: it stays, since somebody uses it. */
static bool take_out(Reload *reload, const PlanModule *module, bool *ret_busy, GError **error) {
        *ret_busy = false;
        if (!is_live(reload->root, module->name))
                return true;
        if (!reload->loader->unload(reload->loader, module->name, ret_busy, error))
                return false;
        reload_step(reload, "unloaded %s", module->name);
        return true;
}

static bool put_in(Reload *reload, const PlanModule *module, const char *options, bool *raced, GError **error) {
        bool existed = false;

        if (is_live(reload->root, module->name))
                existed = true;
        else if (!reload->loader->load(reload->loader, module->name, options, &existed, error))
                return false;
        if (!wait_live(reload->root, module->name, error))
                return false;
        if (existed)
                *raced = true;
        reload_step(reload,
                    existed    ? "%s was loaded by somebody else meanwhile"
                    : *options ? "loaded %s with %s"
                               : "loaded %s",
                    module->name, options);
        return true;
}

/* All modules out, the vendor's first. *ret_out: how many are. */
static ReloadResult all_out(Reload *reload, unsigned *ret_out, GError **error) {
        const GPtrArray *modules = reload->plan->modules;

        reload->kvm_kept = false;
        for (*ret_out = 0; *ret_out < modules->len; (*ret_out)++) {
                const PlanModule *m = g_ptr_array_index(modules, modules->len - 1 - *ret_out);
                g_autoptr(GError) failed = NULL;
                bool busy;
                if (take_out(reload, m, &busy, &failed))
                        continue;
                if (!m->required) {
                        reload->kvm_kept = true;
                        reload_step(reload, "kept %s: %s", m->name, busy ? "something else uses it" : failed->message);
                        return RELOAD_DONE;
                }
                g_propagate_error(error, g_steal_pointer(&failed));
                return busy ? RELOAD_BUSY : RELOAD_FAILED;
        }
        return RELOAD_DONE;
}

/* The modules that are out in again: the last @out of the plan, in the plan's order. */
static bool all_in(Reload *reload, unsigned out, bool after, bool *raced, GError **error) {
        const GPtrArray *modules = reload->plan->modules;

        for (unsigned i = modules->len - out; i < modules->len; i++) {
                const PlanModule *m = g_ptr_array_index(modules, i);
                if (!after && !m->loaded)
                        continue;
                if (!put_in(reload, m, after ? m->after : m->before, raced, error))
                        return false;
        }
        return true;
}

/* What can be written without a reload and does not read back as wanted. */
static bool poke_values(Reload *reload, bool after, GError **error) {
        if (reload->plan->flags & REQUEST_NEXT_BOOT)
                return true;
        for (unsigned i = 0; i < reload->plan->values->len; i++) {
                const PlanValue *v = g_ptr_array_index(reload->plan->values, i);
                const char *wanted = after ? v->after : v->before;
                if (!v->writable || value_is(reload->root, reload->plan, v, wanted, NULL))
                        continue;
                g_autofree char *path = g_strdup_printf("sys/module/%s/parameters/%s", v->module, v->name);
                if (!file_poke(reload->root, path, wanted, error))
                        return false;
                reload_step(reload, "wrote %s to /%s", wanted, path);
        }
        return true;
}

/* One way, out and in; again while somebody else's load wins the race and the values are not the
 * wanted ones. */
static ReloadResult turn(Reload *reload, bool after, GError **error) {
        for (unsigned race = 0;; race++) {
                unsigned out;
                bool raced = false;
                g_autoptr(GError) failed = NULL;

                ReloadResult result = all_out(reload, &out, &failed);
                if (result != RELOAD_DONE && out > 0) {
                        /* kvm would not go, but the vendor's module is out already: it comes back
                         * as it was. */
                        if (!all_in(reload, out, false, &raced, NULL) ||
                            !reload_verify(reload->root, reload->plan, false, NULL))
                                result = RELOAD_FAILED;
                }
                if (result != RELOAD_DONE) {
                        g_propagate_error(error, g_steal_pointer(&failed));
                        /* Not as it was, when it has been out and in before. */
                        return after && race > 0 ? RELOAD_FAILED : result;
                }

                if (all_in(reload, out, after, &raced, &failed) && poke_values(reload, after, &failed) &&
                    reload_verify(reload->root, reload->plan, after, &failed))
                        return RELOAD_DONE;
                if (!raced || race + 1 >= RACES_MAX) {
                        g_propagate_error(error, g_steal_pointer(&failed));
                        return RELOAD_FAILED;
                }
        }
}

/* Whatever is unloaded must be loadable again. */
static bool verify_files(Reload *reload, GError **error) {
        for (unsigned i = 0; i < reload->plan->modules->len; i++) {
                const PlanModule *m = g_ptr_array_index(reload->plan->modules, i);
                if (is_live(reload->root, m->name) && !reload->loader->verify(reload->loader, m->name, error))
                        return false;
        }
        return true;
}

ReloadResult reload_run(Reload *reload, GError **error) {
        if (!verify_files(reload, error))
                return RELOAD_FAILED;
        return turn(reload, true, error);
}

/* Nothing has to go out for it to be as it was before. */
static bool is_as_before(Reload *reload) {
        for (unsigned i = 0; i < reload->plan->modules->len; i++) {
                const PlanModule *m = g_ptr_array_index(reload->plan->modules, i);
                if (!m->loaded && is_live(reload->root, m->name))
                        return false;
        }
        return verify_modules(reload->root, reload->plan, false, NULL) && poke_values(reload, false, NULL) &&
               reload_verify(reload->root, reload->plan, false, NULL);
}

bool reload_undo(Reload *reload, GError **error) {
        if (!reload->touched)
                return true;
        for (unsigned attempt = 1; !is_as_before(reload); attempt++) {
                g_autoptr(GError) failed = NULL;
                ReloadResult result = turn(reload, false, &failed);
                if (result != RELOAD_DONE && (result == RELOAD_BUSY || reload->kvm_kept) &&
                    attempt < UNDO_ATTEMPTS_MAX) {
                        g_usleep(UNDO_DELAY_FIRST_USEC << (attempt - 1));
                        continue;
                }
                if (result != RELOAD_DONE)
                        g_propagate_error(error, g_steal_pointer(&failed));
                return result == RELOAD_DONE;
        }
        return true;
}
