/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The manager's properties and the modules', one call each; and where guests are asked for, the
 * reply of GetManagedObjects, sorted by what the objects are. It must not interpret what the
 * properties say. */

#include <errno.h>
#include <string.h>

#include "catalog.h"
#include "connection.h"
#include "inventory.h"
#include "names.h"

bool get_omitted(const Value *entry, guint32 *ret) {
        guint64 omitted;

        if (!get_number(entry, "Omitted", &omitted))
                return false;
        *ret = (guint32) MIN(omitted, G_MAXUINT32);
        return true;
}

char *describe_omitted(guint32 omitted) {
        return omitted > 0 ? g_strdup_printf("… and %u more", omitted) : g_strdup("… and perhaps more");
}

Value *items_to_list(const GPtrArray *items) {
        Value *list = value_new(VALUE_LIST);

        for (unsigned i = 0; i < items->len; i++)
                value_add(list, NULL, ((const Item *) g_ptr_array_index(items, i))->properties);
        return list;
}

static void item_free(Item *item) {
        g_free(item->path);
        g_free(item);
}

static void add_item(GPtrArray *items, const char *path, const Value *properties) {
        Item *item = g_new(Item, 1);

        *item = (Item) {.path = g_strdup(path), .properties = properties, .name = get_string(properties, "Name")};
        g_ptr_array_add(items, item);
}

static Inventory *inventory_new(void) {
        Inventory *inventory = g_new0(Inventory, 1);

        inventory->told = g_ptr_array_new_with_free_func((GDestroyNotify) value_free);
        inventory->modules = g_ptr_array_new_with_free_func((GDestroyNotify) item_free);
        inventory->guests = g_ptr_array_new_with_free_func((GDestroyNotify) item_free);
        return inventory;
}

void inventory_free(Inventory *inventory) {
        if (!inventory)
                return;
        g_ptr_array_unref(inventory->modules);
        g_ptr_array_unref(inventory->guests);
        g_ptr_array_unref(inventory->told);
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

/* All properties of an @interface, which @inventory keeps. */
static int fetch_properties(Client *client, Inventory *inventory, const char *path, const char *interface,
                            const Value **ret, sd_bus_error *error) {
        Value *properties;
        int r = connection_get_all(client, path, interface, &properties, error);

        if (r < 0)
                return r;
        g_ptr_array_add(inventory->told, properties);
        *ret = properties;
        return 0;
}

/* One that has gone since it was listed is no error. */
static int fetch_module(Client *client, Inventory *inventory, const char *name, sd_bus_error *error) {
        g_autofree char *path = g_strconcat(PATH_MODULE_PREFIX "/", name, NULL);
        const Value *properties;
        int r = fetch_properties(client, inventory, path, IFACE_MODULE, &properties, error);

        if (r >= 0)
                add_item(inventory->modules, path, properties);
        else if (sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT)) {
                sd_bus_error_free(error);
                r = 0;
        }
        return r;
}

/* The names in "<node name=\"kvm\"/>": what is below the folder of modules, whichever modules this
 * daemon knows. */
static GPtrArray *child_names(const char *xml) {
        static const char begin[] = "<node name=\"";
        GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

        for (const char *p = xml; (p = strstr(p, begin));) {
                p += sizeof begin - 1;
                const size_t length = strspn(p, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_");
                if (length > 0 && p[length] == '"')
                        g_ptr_array_add(names, g_strndup(p, length));
        }
        return names;
}

static int fetch_modules(Client *client, Inventory *inventory, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        const char *xml;
        int r;

        r = connection_prepare(client, PATH_MODULE_PREFIX, IFACE_INTROSPECTABLE, "Introspect", &call, error);
        if (r >= 0)
                r = connection_call_message(client, call, CALL_READ, &reply, error);
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "s", &xml);
        if (r <= 0)
                return connection_fail(client, r < 0 ? r : -EBADMSG, error);
        g_autoptr(GPtrArray) names = child_names(xml);
        for (unsigned i = 0; r >= 0 && i < names->len; i++)
                r = fetch_module(client, inventory, g_ptr_array_index(names, i), error);
        return r;
}

static void take_object(Inventory *inventory, const char *path, const Value *interfaces) {
        const Value *module = value_find(interfaces, IFACE_MODULE), *guest = value_find(interfaces, IFACE_GUEST);

        if (module)
                add_item(inventory->modules, path, module);
        if (guest)
                add_item(inventory->guests, path, guest);
}

static int fetch_objects(Client *client, Inventory *inventory, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        Value *objects;
        int r;

        r = connection_prepare(client, PATH_MANAGER, IFACE_OBJECT_MANAGER, "GetManagedObjects", &call, error);
        if (r >= 0)
                r = connection_call(client, call, CALL_READ, "a{oa{sa{sv}}}", &objects, error);
        if (r < 0)
                return r;
        g_ptr_array_add(inventory->told, objects);
        for (guint32 i = 0; i < value_length(objects); i++)
                take_object(inventory, value_name(objects, i), value_at(objects, i));
        g_ptr_array_sort(inventory->guests, compare_guests);
        return 0;
}

/* An object manager lists what is below it, not itself. */
static int fetch(Client *client, int (*fetch_others)(Client *client, Inventory *inventory, sd_bus_error *error),
                 Inventory **ret, sd_bus_error *error) {
        g_autoptr(Inventory) inventory = inventory_new();
        int r;

        r = fetch_properties(client, inventory, PATH_MANAGER, IFACE_MANAGER, &inventory->manager, error);
        if (r >= 0)
                r = fetch_others(client, inventory, error);
        if (r < 0)
                return r;
        g_ptr_array_sort(inventory->modules, compare_items);
        *ret = g_steal_pointer(&inventory);
        return 0;
}

int inventory_fetch(Client *client, Inventory **ret, sd_bus_error *error) {
        return fetch(client, fetch_modules, ret, error);
}

int inventory_fetch_all(Client *client, Inventory **ret, sd_bus_error *error) {
        return fetch(client, fetch_objects, ret, error);
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
        return value_find(get_dictionary(item->properties, "Parameters"), parameter) != NULL;
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
