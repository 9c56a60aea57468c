/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Modules out and in again. When a load finds that somebody else (udev, on a CPU "add" event) was
 * faster, the module has options that nobody asked for: it is unloaded and loaded once more, a few
 * times at most. */

#include <string.h>

#include "catalog.h"
#include "error.h"
#include "file.h"
#include "load-options.h"
#include "plan-files.h"
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

/* False when it can't be told: what can't be read is not absent. */
static bool read_live(const Root *root, const char *module, bool *ret, GError **error) {
        g_autofree char *path = g_strdup_printf("sys/module/%s/initstate", module), *state = NULL;

        if (!plan_files_read(root, path, &state, error))
                return false;
        *ret = state && g_str_equal(g_strchomp(state), "live");
        return true;
}

/* finit_module(2) comes back when the module is live. Only where somebody else is loading it can it
 * still be "coming", and that state has no event to wait for. */
static bool wait_live(const Root *root, const char *module, GError **error) {
        const gint64 deadline = g_get_monotonic_time() + LIVE_TIMEOUT_USEC;
        bool live;

        for (;;) {
                if (!read_live(root, module, &live, error))
                        return false;
                if (live)
                        return true;
                if (g_get_monotonic_time() > deadline) {
                        g_set_error(error, CONDITION, CONDITION_TIMED_OUT, "%s did not become live", module);
                        return false;
                }
                g_usleep(LIVE_POLL_USEC);
        }
}

bool reload_read(const Root *root, const PlanValue *value, char **ret, GError **error) {
        g_autofree char *path = g_strdup_printf("sys/module/%s/parameters/%s", value->module, value->name),
                        *text = NULL;

        if (!plan_files_read(root, path, &text, error))
                return false;
        if (text)
                text[strcspn(text, "\n")] = 0;
        *ret = text ? g_utf8_make_valid(text, -1) : NULL;
        return true;
}

static bool is_wanted(const Plan *plan, const PlanValue *value, const char *wanted, const char *read) {
        const Parameter *parameter = catalog_find(value->module, value->name);
        g_autofree char *normal = read && parameter ? catalog_read(parameter, plan->release, read) : g_strdup(read);
        /* "auto" reads back as what it came to, "" stands for a default that nobody knows. */
        const bool any = !*wanted || g_str_equal(wanted, "auto");
        /* What was only to outlive the reload may have become moot by what was asked for: "EPT
         * disabled". */
        const bool moot = !value->asked && read && parameter && parameter->reads_words && !normal;

        return any ? read != NULL : moot || g_strcmp0(normal, wanted) == 0;
}

/* ReloadFailed when it is another one; any other error when it can't be read. */
static bool verify_value(const Root *root, const Plan *plan, const PlanValue *value, const char *wanted,
                         GError **error) {
        g_autofree char *read = NULL;

        if (!reload_read(root, value, &read, error))
                return false;
        if (is_wanted(plan, value, wanted, read))
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
                bool live;
                if (!after && !m->loaded)
                        continue;
                if (!read_live(root, m->name, &live, error))
                        return false;
                if (!live) {
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
        reload->touched = true;
        if (!reload->loader->unload(reload->loader, module->name, ret_busy, error))
                return false;
        reload_step(reload, "unloaded %s", module->name);
        return true;
}

static bool put_in(Reload *reload, const PlanModule *module, const char *options, bool *raced, GError **error) {
        bool existed;

        if (!read_live(reload->root, module->name, &existed, error))
                return false;
        reload->touched = true;
        if (!existed && !reload->loader->load(reload->loader, module->name, options, &existed, error))
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
                bool live, busy;
                if (!read_live(reload->root, m->name, &live, error))
                        return RELOAD_FAILED;
                if (!live || take_out(reload, m, &busy, &failed))
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
                g_autofree char *options = after && reload->kvm_kept ? load_options_join(m->after, m->kept)
                                                                     : g_strdup(after ? m->after : m->before);
                if (!put_in(reload, m, options, raced, error))
                        return false;
        }
        return true;
}

/* What can be written without a reload and does not read back as wanted. ReloadFailed when it can't
 * be written; any other error when what there is can't be read. */
static bool poke(Reload *reload, const PlanValue *value, const char *wanted, GError **error) {
        g_autofree char *path = g_strdup_printf("sys/module/%s/parameters/%s", value->module, value->name),
                        *read = NULL;
        g_autoptr(GError) failed = NULL;

        if (!reload_read(reload->root, value, &read, error))
                return false;
        if (is_wanted(reload->plan, value, wanted, read))
                return true;
        reload->touched = true;
        if (!file_poke(reload->root, path, wanted, &failed)) {
                g_set_error_literal(error, CONDITION, CONDITION_RELOAD_FAILED, failed->message);
                return false;
        }
        reload_step(reload, "wrote %s to /%s", wanted, path);
        return true;
}

static bool poke_values(Reload *reload, bool after, GError **error) {
        if (reload->plan->flags & REQUEST_NEXT_BOOT)
                return true;
        for (unsigned i = 0; i < reload->plan->values->len; i++) {
                const PlanValue *v = g_ptr_array_index(reload->plan->values, i);
                if (v->writable && !poke(reload, v, after ? v->after : v->before, error))
                        return false;
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
static bool prepare(Reload *reload, GError **error) {
        for (unsigned i = 0; i < reload->plan->modules->len; i++) {
                const PlanModule *m = g_ptr_array_index(reload->plan->modules, i);
                bool live;
                if (!read_live(reload->root, m->name, &live, error) ||
                    (live && !reload->loader->prepare(reload->loader, m->name, error)))
                        return false;
        }
        return true;
}

ReloadResult reload_run(Reload *reload, GError **error) {
        const ReloadResult result = prepare(reload, error) ? turn(reload, true, error) : RELOAD_FAILED;

        reload->loader->release(reload->loader);
        return result;
}

static bool none_is_new(const Reload *reload, bool *ret, GError **error) {
        *ret = true;
        for (unsigned i = 0; i < reload->plan->modules->len && *ret; i++) {
                const PlanModule *m = g_ptr_array_index(reload->plan->modules, i);
                bool live = false;
                if (!m->loaded && !read_live(reload->root, m->name, &live, error))
                        return false;
                *ret = !live;
        }
        return true;
}

/* Nothing has to go out for it to be as it was before. False when it can't be told: modules are not
 * taken out for a reading that failed. */
static bool read_as_before(Reload *reload, bool *ret, GError **error) {
        g_autoptr(GError) failed = NULL;

        if (!none_is_new(reload, ret, error))
                return false;
        if (!*ret)
                return true;
        *ret = verify_modules(reload->root, reload->plan, false, &failed) && poke_values(reload, false, &failed) &&
               reload_verify(reload->root, reload->plan, false, &failed);
        if (*ret || g_error_matches(failed, CONDITION, CONDITION_RELOAD_FAILED))
                return true;
        g_propagate_error(error, g_steal_pointer(&failed));
        return false;
}

typedef enum Undoing {
        UNDONE,
        UNDOING_LATER, /* somebody holds a module, or what there is can't be read: neither is known to last */
        UNDOING_FAILED,
} Undoing;

static Undoing undo_once(Reload *reload, GError **error) {
        g_autoptr(GError) failed = NULL;
        bool as_before;

        if (!read_as_before(reload, &as_before, error))
                return UNDOING_LATER;
        if (as_before)
                return UNDONE;
        const ReloadResult result = turn(reload, false, &failed);
        if (result == RELOAD_DONE)
                return UNDONE;
        const bool passing = result == RELOAD_BUSY || reload->kvm_kept || failed->domain != CONDITION;
        g_propagate_error(error, g_steal_pointer(&failed));
        return passing ? UNDOING_LATER : UNDOING_FAILED;
}

bool reload_undo(Reload *reload, GError **error) {
        if (!reload->touched)
                return true;
        for (unsigned attempt = 1;; attempt++) {
                g_autoptr(GError) failed = NULL;
                const Undoing undoing = undo_once(reload, &failed);
                if (undoing == UNDONE)
                        return true;
                if (undoing == UNDOING_FAILED || attempt == UNDO_ATTEMPTS_MAX) {
                        g_propagate_error(error, g_steal_pointer(&failed));
                        return false;
                }
                g_usleep(UNDO_DELAY_FIRST_USEC << (attempt - 1));
        }
}
