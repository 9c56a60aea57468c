/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the daemon shows of the host, or all that it shows, and names of users looked up in it. Read
 * only. */

#include "client.h"

typedef struct Item {
        char *path;              /* of the object */
        const Value *properties; /* of its one interface of ours */
        const char *name;        /* in them, "" when they have none */
} Item;

typedef struct Inventory {
        const Value *manager; /* its properties */
        GPtrArray *modules;   /* Item*: the vendor's first, kvm last */
        GPtrArray *guests;    /* Item*, by name; none unless all was fetched */
        GPtrArray *told;      /* Value*: the replies, which all of it is in */
} Inventory;

/* The host: manager and modules, however many guests there are. */
int inventory_fetch(Client *client, Inventory **ret, sd_bus_error *error);
/* With all that is known of all guests, in the one message that tells all objects. */
int inventory_fetch_all(Client *client, Inventory **ret, sd_bus_error *error);
void inventory_free(Inventory *inventory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Inventory, inventory_free)

/* The module that is not kvm, or NULL. */
const Item *inventory_vendor_module(const Inventory *inventory);
const Item *inventory_module(const Inventory *inventory, const char *name);

/* Which parameter a user's word means: @ret_module and @ret_name as the daemon takes them. True
 * when this host has it. A word that nobody knows is taken for a parameter of the vendor's module,
 * so that the daemon can say what it thinks of it. */
bool inventory_resolve(const Inventory *inventory, const char *word, char **ret_module, char **ret_name);

/* True when an entry of a list stands for others, which the daemon has left out: so many, or 0:
 * perhaps some. */
bool get_omitted(const Value *entry, guint32 *ret);
/* "… and 3 more", "… and perhaps more" */
char *describe_omitted(guint32 omitted);
/* The properties of each Item, which have to last as long. */
Value *items_to_list(const GPtrArray *items);
