/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All that the daemon shows, fetched at once, and names of users looked up in it. Read only. */

#include "client.h"

typedef struct Item {
        char *path;           /* of the object */
        GVariant *properties; /* a{sv}, of its one interface of ours */
        const char *name;     /* in them, "" when they have none */
} Item;

typedef struct Inventory {
        GVariant *manager;  /* a{sv} */
        GPtrArray *modules; /* Item*: the vendor's first, kvm last */
        GPtrArray *guests;  /* Item*, by name */
} Inventory;

int inventory_fetch(Client *client, Inventory **ret, sd_bus_error *error);
void inventory_free(Inventory *inventory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Inventory, inventory_free)

/* The module that is not kvm, or NULL. */
const Item *inventory_vendor_module(const Inventory *inventory);
const Item *inventory_module(const Inventory *inventory, const char *name);

/* Which parameter a user's word means: @ret_module and @ret_name as the daemon takes them. True
 * when this host has it. A word that nobody knows is taken for a parameter of the vendor's module,
 * so that the daemon can say what it thinks of it. */
bool inventory_resolve(const Inventory *inventory, const char *word, char **ret_module, char **ret_name);

/* "" when @properties (may be NULL) has no such string; the text is the dictionary's. */
const char *get_string(GVariant *properties, const char *name);
bool get_boolean(GVariant *properties, const char *name);
/* True when an entry of a list stands for others, which the daemon has left out: so many, or 0:
 * perhaps some. */
bool get_omitted(GVariant *entry, guint32 *ret);
/* "… and 3 more", "… and perhaps more" */
char *describe_omitted(guint32 omitted);
/* A dictionary or array of that type, empty when there is none; not floating. */
GVariant *get_container(GVariant *properties, const char *name, const char *type);
/* The properties of each Item, aa{sv}, floating. */
GVariant *items_to_array(const GPtrArray *items);
