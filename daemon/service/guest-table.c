/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A table of facts, and what is published of it. Where the facts come from is
 * guests-connection.c's. */

#include <string.h>

#include "describe-guest.h"
#include "guest-impact.h"
#include "guest-row.h"
#include "guest-table.h"
#include "guest-unasked.h"
#include "guest-verdict.h"
#include "object.h"

struct GuestTable {
        Objects *objects;
        const HostState *state;
        GHashTable *facts;    /* UUID -> GuestFacts*, whose it is */
        GHashTable *left_out; /* a set of UUIDs, the facts': those for which there is no room among the objects */
        bool compares;        /* guest_table_compares() */
        unsigned edition;     /* another one after each change */
        GuestHost host;
        GHashTable *running; /* for guest_table_running(): never written to; NULL: to be made anew */
};

static GuestHost host_for_guests(const Host *host) {
        const Module *vendor = host_vendor_module(host);
        const char *feature = guest_feature(host->cpu->vendor);

        return (GuestHost) {
                        .vendor = g_intern_string(host->cpu->vendor),
                        .nested = host_nested(host),
                        .mmu = host_mmu(host),
                        .live = vendor && module_is_present(vendor),
                        .cpu_has = feature && cpu_has(host->cpu, feature),
                        .kvm_kept = host->kvm_kept,
        };
}

GuestTable *guest_table_new(Objects *objects, const HostState *state) {
        GuestTable *table = g_new(GuestTable, 1);

        *table = (GuestTable) {
                        .objects = objects,
                        .state = state,
                        .facts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                                       (GDestroyNotify) guest_facts_free),
                        .left_out = g_hash_table_new(g_str_hash, g_str_equal),
                        .host = host_for_guests(state->host),
        };
        return table;
}

void guest_table_free(GuestTable *table) {
        if (!table)
                return;
        g_hash_table_unref(table->left_out);
        g_hash_table_unref(table->facts);
        g_clear_pointer(&table->running, g_hash_table_unref);
        g_free(table);
}

const char *guest_table_vendor(const GuestTable *table) {
        return table->host.vendor;
}

const GuestHost *guest_table_host(const GuestTable *table) {
        return &table->host;
}

static bool publish(GuestTable *table, const GuestFacts *facts) {
        table->edition++;
        const bool there = objects_publish_guest(table->objects, facts->uuid, describe_guest(facts, &table->host));

        if (there)
                (void) g_hash_table_remove(table->left_out, facts->uuid);
        else
                (void) g_hash_table_add(table->left_out, facts->uuid);
        return there;
}

unsigned guest_table_left_out(const GuestTable *table) {
        return g_hash_table_size(table->left_out);
}

/* There is room again. */
static void fill_up(GuestTable *table) {
        GHashTableIter iter;
        gpointer uuid;

        do
                g_hash_table_iter_init(&iter, table->left_out);
        while (g_hash_table_iter_next(&iter, &uuid, NULL) && publish(table, g_hash_table_lookup(table->facts, uuid)));
}

/* What it has run is told later, and goes on. */
void guest_table_take(GuestTable *table, GuestFacts *facts) {
        const GuestFacts *known = g_hash_table_lookup(table->facts, facts->uuid);

        if (known && known->active && facts->active)
                guest_facts_take_runs(facts, known);
        if (known && facts->untold)
                guest_facts_take_told(facts, known);
        table->compares |= facts->comparison != NULL;
        (void) g_hash_table_remove(table->left_out, facts->uuid);
        (void) g_hash_table_replace(table->facts, facts->uuid, facts);
        g_clear_pointer(&table->running, g_hash_table_unref);
        (void) publish(table, facts);
}

static void forget(GuestTable *table, const char *uuid) {
        if (!g_hash_table_contains(table->facts, uuid))
                return;
        table->edition++;
        objects_withdraw_guest(table->objects, uuid);
        (void) g_hash_table_remove(table->left_out, uuid);
        (void) g_hash_table_remove(table->facts, uuid);
        g_clear_pointer(&table->running, g_hash_table_unref);
}

void guest_table_forget(GuestTable *table, const char *uuid) {
        forget(table, uuid);
        fill_up(table);
}

void guest_table_take_all(GuestTable *table, GPtrArray *facts) {
        g_autoptr(GHashTable) there = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_autoptr(GList) known = NULL;

        for (unsigned i = 0; facts && i < facts->len; i++)
                (void) g_hash_table_add(there, g_strdup(((GuestFacts *) g_ptr_array_index(facts, i))->uuid));
        known = g_hash_table_get_keys(table->facts);
        for (GList *i = known; i; i = i->next)
                if (!g_hash_table_contains(there, i->data))
                        forget(table, i->data);
        while (facts && facts->len > 0)
                guest_table_take(table, g_ptr_array_steal_index_fast(facts, facts->len - 1));
        fill_up(table);
}

const GuestFacts *guest_table_find(const GuestTable *table, const char *name) {
        const GuestFacts *facts = g_hash_table_lookup(table->facts, name);
        GHashTableIter iter;
        gpointer value;

        if (facts)
                return facts;
        g_hash_table_iter_init(&iter, table->facts);
        while (g_hash_table_iter_next(&iter, NULL, &value)) {
                facts = value;
                if (g_str_equal(facts->name, name))
                        return facts;
        }
        return NULL;
}

GHashTable *guest_table_names(const GuestTable *table) {
        GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        GHashTableIter iter;
        gpointer value;

        g_hash_table_iter_init(&iter, table->facts);
        while (g_hash_table_iter_next(&iter, NULL, &value)) {
                const GuestFacts *facts = value;
                if (!g_hash_table_contains(table->left_out, facts->uuid))
                        (void) g_hash_table_insert(names, g_strdup(facts->name), g_strdup(facts->uuid));
        }
        return names;
}

static GHashTable *find_running(const GuestTable *table) {
        GHashTable *running = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        GHashTableIter iter;
        gpointer value;

        g_hash_table_iter_init(&iter, table->facts);
        while (g_hash_table_iter_next(&iter, NULL, &value)) {
                const GuestFacts *facts = value;
                if (facts->active && g_strcmp0(facts->type, "kvm") == 0)
                        (void) g_hash_table_add(running, g_strdup(facts->uuid));
        }
        return running;
}

GHashTable *guest_table_running(GuestTable *table) {
        if (!table->running)
                table->running = find_running(table);
        return g_hash_table_ref(table->running);
}

static bool same_for_guests(const GuestHost *a, const GuestHost *b) {
        return a->vendor == b->vendor && g_strcmp0(a->nested, b->nested) == 0 && g_strcmp0(a->mmu, b->mmu) == 0 &&
               a->live == b->live && a->cpu_has == b->cpu_has && a->kvm_kept == b->kvm_kept;
}

bool guest_table_judge(GuestTable *table) {
        const GuestHost before = table->host, now = host_for_guests(table->state->host);
        GHashTableIter iter;
        gpointer value;

        table->host = now;
        if (same_for_guests(&before, &now))
                return true;
        g_hash_table_iter_init(&iter, table->facts);
        while (g_hash_table_iter_next(&iter, NULL, &value))
                (void) publish(table, value);
        return before.vendor == now.vendor;
}

static int compare_names(gconstpointer a, gconstpointer b) {
        const GuestFacts *one = a, *other = b;

        return strcmp(one->name, other->name) ?: strcmp(one->uuid, other->uuid);
}

static GList *sorted(const GuestTable *table) {
        return g_list_sort(g_hash_table_get_values(table->facts), compare_names);
}

GPtrArray *guest_table_unasked(const GuestTable *table) {
        GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GList) found = NULL;
        GHashTableIter i;
        gpointer facts;

        g_hash_table_iter_init(&i, table->facts);
        while (g_hash_table_iter_next(&i, NULL, &facts))
                if (guest_nests_unasked(facts, &table->host))
                        found = g_list_prepend(found, facts);
        found = g_list_sort(found, compare_names);
        for (const GList *one = found; one; one = one->next)
                g_ptr_array_add(names, g_strdup(((const GuestFacts *) one->data)->name));
        return names;
}

GList *guest_table_sorted(const GuestTable *table) {
        return sorted(table);
}

unsigned guest_table_edition(const GuestTable *table) {
        return table->edition;
}

int guest_table_append(const GuestTable *table, const GuestFacts *facts, sd_bus_message *message, BoundRows *rows) {
        return g_hash_table_contains(table->left_out, facts->uuid)
                               ? 0
                               : guest_row_append(facts, &table->host, message, rows);
}

bool guest_table_foresee(const GuestTable *table, const Plan *plan, GPtrArray *impact) {
        const GuestHost then = guest_host_after(&table->host, plan);
        g_autoptr(GList) all = NULL;

        if (same_for_guests(&table->host, &then))
                return false;
        all = sorted(table);
        for (const GList *i = all; i; i = i->next)
                guest_impact(i->data, &table->host, &then, impact);
        return true;
}

/* True: there may be more to say of it than is known here. */
static bool survey_one(const GuestTable *table, const GuestFacts *now) {
        const GuestFacts *known = g_hash_table_lookup(table->facts, now->uuid);

        return !known || known->untold || known->active != now->active || known->managed_save || now->managed_save ||
               known->snapshots || now->snapshots;
}

GPtrArray *guest_table_survey(const GuestTable *table, const GPtrArray *facts) {
        g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
        GPtrArray *unknown = g_ptr_array_new_with_free_func(g_free);
        GHashTableIter iter;
        gpointer uuid;

        for (unsigned i = 0; i < facts->len; i++) {
                const GuestFacts *now = g_ptr_array_index(facts, i);
                (void) g_hash_table_add(there, now->uuid);
                if (survey_one(table, now))
                        g_ptr_array_add(unknown, g_strdup(now->uuid));
        }
        g_hash_table_iter_init(&iter, table->facts);
        while (g_hash_table_iter_next(&iter, &uuid, NULL))
                if (!g_hash_table_contains(there, uuid))
                        g_ptr_array_add(unknown, g_strdup(uuid));
        return unknown;
}

GPtrArray *guest_table_untold(const GuestTable *table) {
        GPtrArray *uuids = g_ptr_array_new_with_free_func(g_free);
        GHashTableIter iter;
        gpointer value;

        g_hash_table_iter_init(&iter, table->facts);
        while (g_hash_table_iter_next(&iter, NULL, &value)) {
                const GuestFacts *facts = value;
                if (facts->untold)
                        g_ptr_array_add(uuids, g_strdup(facts->uuid));
        }
        return uuids;
}

void guest_table_take_runs(GuestTable *table, const GPtrArray *facts) {
        for (unsigned i = 0; i < facts->len; i++) {
                const GuestFacts *now = g_ptr_array_index(facts, i);
                GuestFacts *known = g_hash_table_lookup(table->facts, now->uuid);

                /* Not told is no news: there may have been another question to its QEMU. */
                if (known && known->active && now->nested_run >= 0 &&
                    (known->nested_run != now->nested_run || known->guest_mode != now->guest_mode)) {
                        guest_facts_take_runs(known, now);
                        (void) publish(table, known);
                }
        }
}

bool guest_table_compares(const GuestTable *table) {
        return table->compares;
}

void guest_table_take_compared(GuestTable *table, GHashTable *compared) {
        GHashTableIter iter;
        gpointer value;

        g_hash_table_iter_init(&iter, table->facts);
        while (g_hash_table_iter_next(&iter, NULL, &value)) {
                GuestFacts *facts = value;
                Comparison *now = facts->comparison ? g_hash_table_lookup(compared, facts->comparison->key) : NULL;
                if (!now || comparison_equal(facts->comparison, now))
                        continue;
                comparison_unref(facts->comparison);
                facts->comparison = comparison_ref(now);
                (void) publish(table, facts);
        }
}
