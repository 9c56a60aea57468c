/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each guest by libvirt-facts.c, and by a few questions about all of them what would else be one
 * about each. It judges nothing. */

#include "error.h"
#include "libvirt-domains.h"
#include "libvirt-facts.h"
#include "libvirt-list.h"

/* The UUIDs of the guests of one kind, a set. */
static GHashTable *list_kind(virConnectPtr connection, unsigned flags, GError **error) {
        virDomainPtr *domains = NULL;
        char uuid[VIR_UUID_STRING_BUFLEN];
        int n = libvirt_domains_list(connection, flags, &domains, error);

        if (n < 0)
                return NULL;
        GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (int i = 0; i < n; i++)
                if (virDomainGetUUIDString(domains[i], uuid) >= 0)
                        (void) g_hash_table_add(set, g_strdup(uuid));
        libvirt_domains_free(domains, n);
        return set;
}

/* What is asked about all guests at once. */
typedef struct Kinds {
        GHashTable *saved, *with_snapshots;
} Kinds;

static bool kinds_list(virConnectPtr connection, Kinds *ret, GError **error) {
        ret->saved = list_kind(connection, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, error);
        ret->with_snapshots = ret->saved ? list_kind(connection, VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, error) : NULL;
        return ret->with_snapshots;
}

static void kinds_clear(Kinds *kinds) {
        g_clear_pointer(&kinds->saved, g_hash_table_unref);
        g_clear_pointer(&kinds->with_snapshots, g_hash_table_unref);
}

/* False when it could not be read for another reason than that it has gone meanwhile. */
static bool add_guest(virDomainPtr domain, const char *vendor, const Kinds *kinds, GPtrArray *guests, GError **error) {
        g_autoptr(GuestFacts) facts = libvirt_facts_new(domain);
        g_autoptr(GError) problem = NULL;

        facts->managed_save = g_hash_table_contains(kinds->saved, facts->uuid);
        const bool snapshots = g_hash_table_contains(kinds->with_snapshots, facts->uuid);
        if (libvirt_facts_fill(domain, vendor, facts, snapshots, &problem))
                g_ptr_array_add(guests, g_steal_pointer(&facts));
        else if (!g_error_matches(problem, CONDITION, CONDITION_NO_SUCH_GUEST)) {
                g_propagate_error(error, g_steal_pointer(&problem));
                return false;
        }
        return true;
}

/* As much as is known without a question about it. */
static bool add_surveyed(virDomainPtr domain, const char *vendor, const Kinds *kinds, GPtrArray *guests,
                         GError **error) {
        GuestFacts *facts = libvirt_facts_outline(domain);

        facts->managed_save = g_hash_table_contains(kinds->saved, facts->uuid);
        if (g_hash_table_contains(kinds->with_snapshots, facts->uuid))
                facts->snapshots = g_ptr_array_new();
        g_ptr_array_add(guests, facts);
        return true;
}

typedef bool (*AddGuest)(virDomainPtr domain, const char *vendor, const Kinds *kinds, GPtrArray *guests,
                         GError **error);

static GPtrArray *list_all(virConnectPtr connection, const char *vendor, AddGuest add, GError **error) {
        g_autoptr(GPtrArray) guests = g_ptr_array_new_with_free_func((GDestroyNotify) guest_facts_free);
        virDomainPtr *domains = NULL;
        Kinds kinds = {};
        int n = kinds_list(connection, &kinds, error) ? libvirt_domains_list(connection, 0, &domains, error) : -1;
        bool good = n >= 0;

        for (int i = 0; i < n && good; i++)
                good = add(domains[i], vendor, &kinds, guests, error);
        libvirt_domains_free(domains, n);
        kinds_clear(&kinds);
        return good ? g_steal_pointer(&guests) : NULL;
}

GPtrArray *libvirt_list_read(virConnectPtr connection, const char *vendor, GError **error) {
        return list_all(connection, vendor, add_guest, error);
}

GPtrArray *libvirt_list_survey(virConnectPtr connection, GError **error) {
        return list_all(connection, "", add_surveyed, error);
}
