/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The manager's properties, and the reply of GetManagedObjects sorted by what the objects are. It
 * must not interpret what the properties say. */

#include <string.h>

#include "catalog.h"
#include "connection.h"
#include "inventory.h"
#include "names.h"

const char *get_string(GVariant *properties, const char *name) {
        const char *text = "";

        if (properties)
                (void) g_variant_lookup(properties, name, "&s", &text);
        return text;
}

bool get_boolean(GVariant *properties, const char *name) {
        gboolean value = FALSE;

        if (properties)
                (void) g_variant_lookup(properties, name, "b", &value);
        return value;
}

bool get_omitted(GVariant *entry, guint32 *ret) {
        return g_variant_lookup(entry, "Omitted", "u", ret);
}

char *describe_omitted(guint32 omitted) {
        return omitted > 0 ? g_strdup_printf("… and %u more", omitted) : g_strdup("… and perhaps more");
}

GVariant *get_container(GVariant *properties, const char *name, const char *type) {
        const GVariantType *wanted = G_VARIANT_TYPE(type);
        GVariant *value = properties ? g_variant_lookup_value(properties, name, wanted) : NULL;

        return value ?: g_variant_ref_sink(g_variant_new_array(g_variant_type_element(wanted), NULL, 0));
}

GVariant *items_to_array(const GPtrArray *items) {
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
        for (unsigned i = 0; i < items->len; i++)
                g_variant_builder_add_value(&builder, ((const Item *) g_ptr_array_index(items, i))->properties);
        return g_variant_builder_end(&builder);
}

static void item_free(Item *item) {
        g_free(item->path);
        g_variant_unref(item->properties);
        g_free(item);
}

void inventory_free(Inventory *inventory) {
        if (!inventory)
                return;
        g_clear_pointer(&inventory->manager, g_variant_unref);
        g_ptr_array_unref(inventory->modules);
        g_ptr_array_unref(inventory->guests);
        g_free(inventory);
}

static bool is_vendor(const Item *item) {
        return !g_str_equal(item->name, "kvm");
}

static int compare_items(gconstpointer a, gconstpointer b) {
        const Item *x = *(const Item *const *) a, *y = *(const Item *const *) b;
        const int order = is_vendor(y) - is_vendor(x);

        return order != 0 ? order : strcmp(x->path, y->path);
}

static int compare_guests(gconstpointer a, gconstpointer b) {
        const Item *x = *(const Item *const *) a, *y = *(const Item *const *) b;

        return strcmp(x->name, y->name) ?: strcmp(x->path, y->path);
}

static void take_object(Inventory *inventory, const char *path, GVariant *interfaces) {
        GVariantIter iter;
        const char *interface;
        GVariant *properties;

        g_variant_iter_init(&iter, interfaces);
        while (g_variant_iter_loop(&iter, "{&s@a{sv}}", &interface, &properties)) {
                GPtrArray *list = g_str_equal(interface, IFACE_MODULE)  ? inventory->modules
                                  : g_str_equal(interface, IFACE_GUEST) ? inventory->guests
                                                                        : NULL;
                if (list) {
                        Item *item = g_new(Item, 1);
                        *item = (Item) {.path = g_strdup(path),
                                        .properties = g_variant_ref(properties),
                                        .name = get_string(properties, "Name")};
                        g_ptr_array_add(list, item);
                }
        }
}

static Inventory *inventory_new(GVariant *objects) {
        Inventory *inventory = g_new0(Inventory, 1);
        GVariantIter iter;
        const char *path;
        GVariant *interfaces;

        inventory->modules = g_ptr_array_new_with_free_func((GDestroyNotify) item_free);
        inventory->guests = g_ptr_array_new_with_free_func((GDestroyNotify) item_free);
        g_variant_iter_init(&iter, objects);
        while (g_variant_iter_loop(&iter, "{&o@a{sa{sv}}}", &path, &interfaces))
                take_object(inventory, path, interfaces);
        g_ptr_array_sort(inventory->modules, compare_items);
        g_ptr_array_sort(inventory->guests, compare_guests);
        return inventory;
}

/* An object manager lists what is below it, not itself. */
static int fetch_manager(Client *client, GVariant **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = connection_prepare(client, PATH_MANAGER, IFACE_PROPERTIES, "GetAll", &call, error);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "s", IFACE_MANAGER);
        if (r < 0)
                return connection_fail(client, r, error);
        return connection_call(client, call, CALL_READ, "a{sv}", ret, error);
}

int inventory_fetch(Client *client, Inventory **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        g_autoptr(GVariant) manager = NULL, objects = NULL;
        int r;

        r = fetch_manager(client, &manager, error);
        if (r < 0)
                return r;
        r = connection_prepare(client, PATH_MANAGER, IFACE_OBJECT_MANAGER, "GetManagedObjects", &call, error);
        if (r < 0)
                return r;
        r = connection_call(client, call, CALL_READ, "a{oa{sa{sv}}}", &objects, error);
        if (r < 0)
                return r;
        *ret = inventory_new(objects);
        (*ret)->manager = g_steal_pointer(&manager);
        return 0;
}

const Item *inventory_vendor_module(const Inventory *inventory) {
        const Item *first = inventory->modules->len > 0 ? g_ptr_array_index(inventory->modules, 0) : NULL;

        return first && is_vendor(first) ? first : NULL;
}

const Item *inventory_module(const Inventory *inventory, const char *name) {
        for (unsigned i = 0; i < inventory->modules->len; i++) {
                const Item *item = g_ptr_array_index(inventory->modules, i);
                if (g_str_equal(item->name, name))
                        return item;
        }
        return NULL;
}

/* The kernel takes both for the same. */
static char *with_underscores(const char *word) {
        return g_strdelimit(g_strdup(word), "-", '_');
}

static bool module_has(const Item *item, const char *parameter) {
        g_autoptr(GVariant) parameters = get_container(item->properties, "Parameters", "a{sa{sv}}");
        g_autoptr(GVariant) entry = g_variant_lookup_value(parameters, parameter, NULL);

        return entry != NULL;
}

/* The daemon may be newer than this client and know more. @module NULL: the vendor's first. */
static const Item *find_exact(const Inventory *inventory, const char *module, const char *name) {
        for (unsigned i = 0; i < inventory->modules->len; i++) {
                const Item *item = g_ptr_array_index(inventory->modules, i);
                if ((!module || g_str_equal(item->name, module)) && module_has(item, name))
                        return item;
        }
        return NULL;
}

bool inventory_resolve(const Inventory *inventory, const char *word, char **ret_module, char **ret_name) {
        const Item *vendor = inventory_vendor_module(inventory);
        const char *home = vendor ? vendor->name : "kvm", *dot = strchr(word, '.');
        g_autofree char *prefix = dot ? g_strndup(word, (gsize) (dot - word)) : NULL;
        g_autofree char *module = prefix ? with_underscores(prefix) : NULL;
        g_autofree char *name = with_underscores(dot ? dot + 1 : word);
        const Item *exact = find_exact(inventory, module, name);
        const Parameter *known = exact ? NULL : catalog_resolve(word, home);

        *ret_module = g_strdup(exact ? exact->name : known ? known->module : module ?: home);
        *ret_name = g_strdup(known ? known->name : name);
        if (!exact && !module && !inventory_module(inventory, *ret_module)) {
                /* The other vendor's: our module's daemon names the counterpart. */
                g_free(*ret_module);
                *ret_module = g_strdup(home);
        }
        const Item *item = exact ?: inventory_module(inventory, *ret_module);
        return item && module_has(item, *ret_name);
}
