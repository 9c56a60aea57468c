/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two dictionaries compared, and a sentence for each difference. A module that is away has no
 * values in effect: what they are when it is back is held against what they were before it went. */

#include <stdarg.h>
#include <string.h>

#include "changes.h"
#include "json.h"
#include "names.h"
#include "paging.h"
#include "parameter.h"

struct Changes {
        ChangesSay say;
        void *userdata;
        GHashTable *known;     /* path -> Value*, its properties */
        GHashTable *effective; /* "module.name" -> the last that was in effect */
};

static void say(const Changes *changes, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void say(const Changes *changes, const char *format, ...) {
        g_autofree char *line = NULL;
        va_list ap;

        va_start(ap, format);
        line = g_strdup_vprintf(format, ap);
        va_end(ap);
        changes->say(line, changes->userdata);
}

const char *changes_object(const char *path) {
        return g_str_equal(path, PATH_MANAGER) ? "host" : strrchr(path, '/') + 1;
}

/* Guests are known by their names, of which their paths have nothing. */
static char *object_name(const Changes *changes, const char *path) {
        const Value *known = g_hash_table_lookup(changes->known, path);

        if (!g_str_has_prefix(path, PATH_GUEST_PREFIX "/") || !known)
                return g_strdup(changes_object(path));
        return g_strdup_printf("guest %s", get_string(known, "Name"));
}

static const char *or_nothing(const char *text) {
        return *text ? text : "nothing";
}

static char *describe_configured(const Value *entry) {
        g_autofree char *configured = parameter_configured(entry);
        const char *source = get_string(entry, "Source");

        return *source ? g_strdup_printf("%s, by %s", configured, source) : g_steal_pointer(&configured);
}

static void take_effective(Changes *changes, const char *parameter, const Value *entry) {
        const char *new = get_string(entry, "Effective"), *old = g_hash_table_lookup(changes->effective, parameter);

        if (!*new)
                return;
        if (old && !g_str_equal(old, new))
                say(changes, "%s effective: %s -> %s", parameter, old, new);
        (void) g_hash_table_replace(changes->effective, g_strdup(parameter), g_strdup(new));
}

/* What waits is told by the module. */
static void say_parameter(Changes *changes, const char *parameter, const Value *before, const Value *after) {
        g_autofree char *old = describe_configured(before), *new = describe_configured(after);
        const char *reason = get_string(after, "Reason");

        take_effective(changes, parameter, after);
        if (!g_str_equal(old, new))
                say(changes, "%s configured: %s -> %s", parameter, old, new);
        if (*reason && *get_string(after, "Effective") && !*get_string(after, "Pending") &&
            !g_str_equal(reason, get_string(before, "Reason")))
                say(changes, "%s: %s", parameter, reason);
}

static void take_parameters(Changes *changes, const char *module, const Value *before, const Value *after) {
        for (guint32 i = 0; i < value_length(after); i++) {
                const Value *entry = value_at(after, i), *old = value_find(before, value_name(after, i));
                g_autofree char *parameter = g_strconcat(module, ".", value_name(after, i), NULL);
                if (old)
                        say_parameter(changes, parameter, old, entry);
                else
                        take_effective(changes, parameter, entry);
        }
}

/* That something waits no longer is told by the signal of its end. */
static void say_pending(const Changes *changes, const char *module, const Value *before, const Value *after) {
        for (guint32 i = 0; i < value_length(after); i++) {
                const char *name = value_name(after, i), *value = value_text(after, i);
                if (!g_str_equal(get_string(before, name), value))
                        say(changes, "%s.%s=%s waits until nobody uses KVM", module, name, value);
        }
}

static char *show(const Value *value) {
        g_autofree char *text = value ? value_describe(value) : g_strdup("");

        return g_strdup(or_nothing(text));
}

static char *show_paging(const Changes *changes, const char *path, const char *mmu) {
        const Value *host = g_hash_table_lookup(changes->known, PATH_MANAGER);
        g_autofree char *paging = g_str_equal(path, PATH_MANAGER)
                                                  ? g_strdup(paging_of_host(mmu, get_string(host, "Vendor")))
                                                  : paging_of_guest(mmu);

        return g_strdup(or_nothing(paging));
}

static void say_paging(const Changes *changes, const char *path, const char *object, const Value *before,
                       const Value *after) {
        g_autofree char *old = show_paging(changes, path, before ? before->text : "");
        g_autofree char *new = show_paging(changes, path, after->text);

        say(changes, "%s paging: %s -> %s", object, old, new);
}

static void take_property(Changes *changes, const char *path, const char *property, const Value *before,
                          const Value *after) {
        g_autofree char *object = object_name(changes, path);

        if (g_str_equal(property, "Parameters") && after->type == VALUE_DICTIONARY)
                take_parameters(changes, object, before, after);
        else if (g_str_equal(property, "Pending") && after->type == VALUE_DICTIONARY)
                say_pending(changes, object, before, after);
        else if (g_str_equal(property, "Reason") && after->type == 's')
                say(changes, "%s: %s", object, after->text);
        else if (g_str_equal(property, "Mmu") && after->type == 's')
                say_paging(changes, path, object, before, after);
        else {
                g_autofree char *key = json_key(property), *old = show(before), *new = show(after);
                say(changes, "%s %s: %s -> %s", object, g_strdelimit(key, "_", ' '), old, new);
        }
}

/* What is known of @path is what was, with @changed over it. */
static void learn(Changes *changes, const char *path, const Value *before, const Value *changed) {
        g_autoptr(Value) known = value_new(VALUE_DICTIONARY);

        for (guint32 i = 0; before && i < value_length(before); i++)
                if (!value_find(changed, value_name(before, i)))
                        value_add(known, value_name(before, i), value_at(before, i));
        value_add_all(known, changed);
        (void) g_hash_table_replace(changes->known, g_strdup(path), value_copy(known));
}

void changes_take(Changes *changes, const char *path, const Value *changed) {
        const Value *before = g_hash_table_lookup(changes->known, path);

        for (guint32 i = 0; i < value_length(changed); i++) {
                const char *name = value_name(changed, i);
                const Value *new = value_at(changed, i), *old = value_find(before, name);
                if (old && old->type != new->type)
                        old = NULL;
                if (!old || !value_equal(old, new))
                        take_property(changes, path, name, old, new);
        }
        learn(changes, path, before, changed);
}

static void learn_object(Changes *changes, const char *path, const Value *properties) {
        learn(changes, path, NULL, properties);
        take_parameters(changes, changes_object(path), NULL, get_dictionary(properties, "Parameters"));
}

static void say_there(Changes *changes, const char *path, const Value *properties) {
        const char *state = get_string(properties, "State");

        learn_object(changes, path, properties);
        g_autofree char *object = object_name(changes, path);
        say(changes, "%s is there now%s%s", object, *state ? ": " : "", state);
}

static void say_gone(Changes *changes, const char *path) {
        g_autofree char *object = object_name(changes, path);

        say(changes, "%s is gone", object);
        (void) g_hash_table_remove(changes->known, path);
}

void changes_take_object(Changes *changes, const char *path, const Value *properties) {
        const bool known = g_hash_table_contains(changes->known, path);

        if (properties && known)
                changes_take(changes, path, properties);
        else if (properties)
                say_there(changes, path, properties);
        else if (known)
                say_gone(changes, path);
}

static void add_paths(GHashTable *paths, const GPtrArray *items) {
        for (unsigned i = 0; i < items->len; i++)
                (void) g_hash_table_add(paths, ((const Item *) g_ptr_array_index(items, i))->path);
}

static void take_absent(Changes *changes, const Inventory *inventory) {
        g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
        g_autoptr(GList) known = g_list_sort(g_hash_table_get_keys(changes->known), (GCompareFunc) strcmp);

        (void) g_hash_table_add(there, (gpointer) PATH_MANAGER);
        add_paths(there, inventory->modules);
        add_paths(there, inventory->guests);
        /* What is gone takes its own key with it, and no other's. */
        for (const GList *path = known; path; path = path->next)
                if (!g_hash_table_contains(there, path->data))
                        say_gone(changes, path->data);
}

static void take_items(Changes *changes, const GPtrArray *items) {
        for (unsigned i = 0; i < items->len; i++) {
                const Item *item = g_ptr_array_index(items, i);
                changes_take_object(changes, item->path, item->properties);
        }
}

void changes_take_inventory(Changes *changes, const Inventory *inventory) {
        take_absent(changes, inventory);
        changes_take(changes, PATH_MANAGER, inventory->manager);
        take_items(changes, inventory->modules);
        take_items(changes, inventory->guests);
}

Changes *changes_new(const Inventory *inventory, ChangesSay say_line, void *userdata) {
        Changes *changes = g_new(Changes, 1);

        *changes = (Changes) {
                        .say = say_line,
                        .userdata = userdata,
                        .known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) value_free),
                        .effective = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
        };
        learn(changes, PATH_MANAGER, NULL, inventory->manager);
        for (unsigned i = 0; i < inventory->modules->len; i++) {
                const Item *item = g_ptr_array_index(inventory->modules, i);
                learn_object(changes, item->path, item->properties);
        }
        for (unsigned i = 0; i < inventory->guests->len; i++) {
                const Item *item = g_ptr_array_index(inventory->guests, i);
                learn(changes, item->path, NULL, item->properties);
        }
        return changes;
}

void changes_free(Changes *changes) {
        if (!changes)
                return;
        g_hash_table_unref(changes->known);
        g_hash_table_unref(changes->effective);
        g_free(changes);
}
