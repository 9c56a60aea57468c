/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The snapshot as it will be: the one that there is, with other options, other values of the
 * modules that are loaded anew or written to, and something else that waits. effect-judge.c then
 * judges it like any other. */

#include "catalog.h"
#include "foresight.h"
#include "load-options.h"
#include "pending.h"
#include "read-back.h"
#include "records.h"

typedef struct Foresight {
        const Host *host; /* as it is */
        const Request *request;
        const Plan *plan;
        bool deferred; /* it will wait */
        bool kvm_kept; /* kvm, which only ought to go, will stay */
} Foresight;

bool foresight_blocked(const Host *host, const Plan *plan, bool perhaps) {
        for (unsigned i = 0; i < plan->modules->len; i++) {
                const PlanModule *m = g_ptr_array_index(plan->modules, i);
                const Module *module = host_module(host, m->name);
                if (m->required && module && (module_in_use(module) || (perhaps && module->refcnt < 0)))
                        return true;
        }
        return false;
}

/* Another module than the vendor's uses it, or something that is no module. */
static bool is_kept(const Foresight *f, const PlanModule *m) {
        const Module *module = host_module(f->host, m->name);

        if (m->required || !m->loaded || !module)
                return false;
        for (char **holder = module->holders; holder && *holder; holder++)
                if (g_strcmp0(*holder, f->plan->vendor) != 0)
                        return true;
        return module_in_use(module);
}

static bool keeps_kvm(const Foresight *f) {
        for (unsigned i = 0; i < f->plan->modules->len; i++)
                if (is_kept(f, g_ptr_array_index(f->plan->modules, i)))
                        return true;
        return false;
}

static const PlanModule *reloaded(const Foresight *f, const char *module) {
        for (unsigned i = 0; i < f->plan->modules->len; i++) {
                const PlanModule *m = g_ptr_array_index(f->plan->modules, i);
                if (g_str_equal(m->name, module))
                        return f->kvm_kept && !m->required ? NULL : m;
        }
        return NULL;
}

static const PlanValue *planned(const Foresight *f, const char *module, const char *name) {
        for (unsigned i = 0; i < f->plan->values->len; i++) {
                const PlanValue *v = g_ptr_array_index(f->plan->values, i);
                if (g_str_equal(v->module, module) && g_str_equal(v->name, name))
                        return v;
        }
        return NULL;
}

/* As sysfs will print it, normalised; NULL when it stays, "" when it can't be told. */
static char *value_then(const Foresight *f, const Module *module, const char *name) {
        const Parameter *parameter = catalog_find(module->name, name);
        const PlanValue *value = planned(f, module->name, name);
        const bool reload = reloaded(f, module->name);

        if (f->deferred || f->plan->flags & REQUEST_NEXT_BOOT || (!reload && !(value && value->writable)))
                return NULL;
        if (value && load_options_in_effect(f->host, value) && (!reload || *value->after))
                return NULL;
        if (!parameter)
                return NULL;
        g_autofree char *then = value ? g_strdup(value->after) : load_options_foreseen(f->host, f->request, parameter);
        /* It reads back as what it comes to, which is the kernel's to say. */
        return g_strdup(g_str_equal(then, "auto") ? "" : then);
}

static void value_free(gpointer data) {
        ModuleValue *value = data;

        g_free(value->value);
        g_free(value);
}

static GHashTable *values_then(const Foresight *f, const Module *module) {
        GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, value_free);
        GHashTableIter i;
        gpointer name, entry;

        g_hash_table_iter_init(&i, module->values);
        while (g_hash_table_iter_next(&i, &name, &entry)) {
                const ModuleValue *now = entry;
                ModuleValue *then = g_new(ModuleValue, 1);
                char *text = value_then(f, module, name);
                *then = (ModuleValue) {.value = text ?: g_strdup(now->value), .writable = now->writable};
                (void) g_hash_table_insert(values, g_strdup(name), then);
        }
        return values;
}

/* It borrows all but the values. */
static void module_then_free(gpointer data) {
        Module *module = data;

        g_hash_table_unref(module->values);
        g_free(module);
}

static GPtrArray *modules_then(const Foresight *f) {
        GPtrArray *modules = g_ptr_array_new_with_free_func(module_then_free);

        for (unsigned i = 0; i < f->host->modules->len; i++) {
                const Module *now = g_ptr_array_index(f->host->modules, i);
                Module *then = g_new(Module, 1);
                *then = *now;
                then->values = values_then(f, now);
                if (!f->deferred && reloaded(f, now->name))
                        then->state = MODULE_LIVE;
                g_ptr_array_add(modules, then);
        }
        return modules;
}

GPtrArray *foresight_states(const Host *host, const Request *request, const Plan *plan, GError **error) {
        Foresight f = {.host = host, .request = request, .plan = plan};
        g_autoptr(Options) options = read_back_options(host->root, plan->files, error);
        g_autoptr(Pending) pending = pending_read(host->root);

        if (!options)
                return NULL;
        f.deferred = plan->flags & REQUEST_WHEN_IDLE && foresight_blocked(host, plan, false);
        f.kvm_kept = keeps_kvm(&f);
        records_wait(plan, f.deferred, f.kvm_kept, pending);
        g_autoptr(GPtrArray) modules = modules_then(&f);
        Host then = *host;
        then.options = options;
        then.modules = modules;
        then.pending = pending->modules;
        return parameter_states_new(&then);
}
