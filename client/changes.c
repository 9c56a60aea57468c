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
        GHashTable *known;     /* path -> a{sv} */
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
        GVariant *known = g_hash_table_lookup(changes->known, path);

        if (!g_str_has_prefix(path, PATH_GUEST_PREFIX "/") || !known)
                return g_strdup(changes_object(path));
        return g_strdup_printf("guest %s", get_string(known, "Name"));
}

static const char *or_nothing(const char *text) {
        return *text ? text : "nothing";
}

static char *describe_configured(GVariant *entry) {
        g_autofree char *configured = parameter_configured(entry);
        const char *source = get_string(entry, "Source");

        return *source ? g_strdup_printf("%s, by %s", configured, source) : g_steal_pointer(&configured);
}

static void take_effective(Changes *changes, const char *parameter, GVariant *entry) {
        const char *new = get_string(entry, "Effective"), *old = g_hash_table_lookup(changes->effective, parameter);

        if (!*new)
                return;
        if (old && !g_str_equal(old, new))
                say(changes, "%s effective: %s -> %s", parameter, old, new);
        (void) g_hash_table_replace(changes->effective, g_strdup(parameter), g_strdup(new));
}

/* What waits is told by the module. */
static void say_parameter(Changes *changes, const char *parameter, GVariant *before, GVariant *after) {
        g_autofree char *old = describe_configured(before), *new = describe_configured(after);
        const char *reason = get_string(after, "Reason");

        take_effective(changes, parameter, after);
        if (!g_str_equal(old, new))
                say(changes, "%s configured: %s -> %s", parameter, old, new);
        if (*reason && *get_string(after, "Effective") && !*get_string(after, "Pending") &&
            !g_str_equal(reason, get_string(before, "Reason")))
                say(changes, "%s: %s", parameter, reason);
}

static void take_parameters(Changes *changes, const char *module, GVariant *before, GVariant *after) {
        GVariantIter iter;
        const char *name;
        GVariant *entry;

        g_variant_iter_init(&iter, after);
        while (g_variant_iter_loop(&iter, "{&s@a{sv}}", &name, &entry)) {
                g_autoptr(GVariant) old = g_variant_lookup_value(before, name, G_VARIANT_TYPE_VARDICT);
                g_autofree char *parameter = g_strconcat(module, ".", name, NULL);
                if (old)
                        say_parameter(changes, parameter, old, entry);
                else
                        take_effective(changes, parameter, entry);
        }
}

/* That something waits no longer is told by the signal of its end. */
static void say_pending(const Changes *changes, const char *module, GVariant *before, GVariant *after) {
        GVariantIter iter;
        const char *name, *value;

        g_variant_iter_init(&iter, after);
        while (g_variant_iter_next(&iter, "{&s&s}", &name, &value))
                if (!before || !g_str_equal(get_string(before, name), value))
                        say(changes, "%s.%s=%s waits until nobody uses KVM", module, name, value);
}

static char *show(GVariant *value) {
        if (!value)
                return g_strdup("nothing");
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
                return g_strdup(or_nothing(g_variant_get_string(value, NULL)));
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
                return g_strdup(g_variant_get_boolean(value) ? "yes" : "no");
        return g_variant_print(value, FALSE);
}

static char *show_paging(const Changes *changes, const char *path, const char *mmu) {
        GVariant *host = g_hash_table_lookup(changes->known, PATH_MANAGER);
        g_autofree char *paging = g_str_equal(path, PATH_MANAGER)
                                                  ? g_strdup(paging_of_host(mmu, get_string(host, "Vendor")))
                                                  : paging_of_guest(mmu);

        return g_strdup(or_nothing(paging));
}

static void say_paging(const Changes *changes, const char *path, const char *object, GVariant *before,
                       GVariant *after) {
        g_autofree char *old = show_paging(changes, path, before ? g_variant_get_string(before, NULL) : "");
        g_autofree char *new = show_paging(changes, path, g_variant_get_string(after, NULL));

        say(changes, "%s paging: %s -> %s", object, old, new);
}

static void take_property(Changes *changes, const char *path, const char *property, GVariant *before, GVariant *after) {
        g_autofree char *object = object_name(changes, path);

        if (g_str_equal(property, "Parameters") && g_variant_is_of_type(after, G_VARIANT_TYPE("a{sa{sv}}"))) {
                g_autoptr(GVariant) none = g_variant_ref_sink(g_variant_new("a{sa{sv}}", NULL));
                take_parameters(changes, object, before ?: none, after);
        } else if (g_str_equal(property, "Pending") && g_variant_is_of_type(after, G_VARIANT_TYPE("a{ss}")))
                say_pending(changes, object, before, after);
        else if (g_str_equal(property, "Reason") && g_variant_is_of_type(after, G_VARIANT_TYPE_STRING))
                say(changes, "%s: %s", object, g_variant_get_string(after, NULL));
        else if (g_str_equal(property, "Mmu") && g_variant_is_of_type(after, G_VARIANT_TYPE_STRING))
                say_paging(changes, path, object, before, after);
        else {
                g_autofree char *key = json_key(property), *old = show(before), *new = show(after);
                say(changes, "%s %s: %s -> %s", object, g_strdelimit(key, "_", ' '), old, new);
        }
}

/* What is known of @path is what was, with @changed over it. */
static void learn(Changes *changes, const char *path, GVariant *before, GVariant *changed) {
        GVariantDict dictionary;
        GVariantIter iter;
        const char *name;
        GVariant *value;

        g_variant_dict_init(&dictionary, before);
        g_variant_iter_init(&iter, changed);
        while (g_variant_iter_loop(&iter, "{&sv}", &name, &value))
                g_variant_dict_insert_value(&dictionary, name, value);
        (void) g_hash_table_replace(changes->known, g_strdup(path),
                                    g_variant_ref_sink(g_variant_dict_end(&dictionary)));
}

void changes_take(Changes *changes, const char *path, GVariant *changed) {
        GVariant *known = g_hash_table_lookup(changes->known, path);
        g_autoptr(GVariant) before = known ? g_variant_ref(known) : NULL;
        GVariantIter iter;
        const char *name;
        GVariant *value;

        g_variant_iter_init(&iter, changed);
        while (g_variant_iter_loop(&iter, "{&sv}", &name, &value)) {
                g_autoptr(GVariant) old =
                                before ? g_variant_lookup_value(before, name, g_variant_get_type(value)) : NULL;
                if (!old || !g_variant_equal(old, value))
                        take_property(changes, path, name, old, value);
        }
        learn(changes, path, before, changed);
}

static void learn_object(Changes *changes, const char *path, GVariant *properties) {
        g_autoptr(GVariant) parameters = get_container(properties, "Parameters", "a{sa{sv}}");
        g_autoptr(GVariant) none = g_variant_ref_sink(g_variant_new("a{sa{sv}}", NULL));

        learn(changes, path, NULL, properties);
        take_parameters(changes, changes_object(path), none, parameters);
}

static void say_there(Changes *changes, const char *path, GVariant *properties) {
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

void changes_take_object(Changes *changes, const char *path, GVariant *properties) {
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
                        .known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                       (GDestroyNotify) g_variant_unref),
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
