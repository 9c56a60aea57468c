/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A table of facts, and what is published of it. Where the facts come from is guests.c's. */

#include <string.h>

#include "guest-book.h"
#include "guest-impact.h"

struct GuestBook {
        Objects *objects;
        const HostState *state;
        GHashTable *facts; /* UUID -> GuestFacts*, whose it is */
        GuestHost host;
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

GuestBook *guest_book_new(Objects *objects, const HostState *state) {
        GuestBook *book = g_new(GuestBook, 1);

        *book = (GuestBook) {
                        .objects = objects,
                        .state = state,
                        .facts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                                       (GDestroyNotify) guest_facts_free),
                        .host = host_for_guests(state->host),
        };
        return book;
}

void guest_book_free(GuestBook *book) {
        if (!book)
                return;
        g_hash_table_unref(book->facts);
        g_free(book);
}

const char *guest_book_vendor(const GuestBook *book) {
        return book->host.vendor;
}

const GuestHost *guest_book_host(const GuestBook *book) {
        return &book->host;
}

static void publish(const GuestBook *book, const GuestFacts *facts) {
        objects_publish_guest(book->objects, facts->uuid, describe_guest(facts, &book->host));
}

/* What it has run is told later, and goes on. */
void guest_book_take(GuestBook *book, GuestFacts *facts) {
        const GuestFacts *known = g_hash_table_lookup(book->facts, facts->uuid);

        if (known && known->active && facts->active)
                guest_facts_take_runs(facts, known);
        (void) g_hash_table_replace(book->facts, facts->uuid, facts);
        publish(book, facts);
}

void guest_book_forget(GuestBook *book, const char *uuid) {
        if (!g_hash_table_contains(book->facts, uuid))
                return;
        objects_withdraw_guest(book->objects, uuid);
        (void) g_hash_table_remove(book->facts, uuid);
}

void guest_book_take_all(GuestBook *book, GPtrArray *facts) {
        g_autoptr(GHashTable) there = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_autoptr(GList) known = NULL;

        for (unsigned i = 0; facts && i < facts->len; i++)
                (void) g_hash_table_add(there, g_strdup(((GuestFacts *) g_ptr_array_index(facts, i))->uuid));
        known = g_hash_table_get_keys(book->facts);
        for (GList *i = known; i; i = i->next)
                if (!g_hash_table_contains(there, i->data))
                        guest_book_forget(book, i->data);
        while (facts && facts->len > 0)
                guest_book_take(book, g_ptr_array_steal_index_fast(facts, facts->len - 1));
}

const GuestFacts *guest_book_find(const GuestBook *book, const char *name) {
        const GuestFacts *facts = g_hash_table_lookup(book->facts, name);
        GHashTableIter iter;
        gpointer value;

        if (facts)
                return facts;
        g_hash_table_iter_init(&iter, book->facts);
        while (g_hash_table_iter_next(&iter, NULL, &value)) {
                facts = value;
                if (g_str_equal(facts->name, name))
                        return facts;
        }
        return NULL;
}

GHashTable *guest_book_running(const GuestBook *book) {
        GHashTable *running = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        GHashTableIter iter;
        gpointer value;

        g_hash_table_iter_init(&iter, book->facts);
        while (g_hash_table_iter_next(&iter, NULL, &value)) {
                const GuestFacts *facts = value;
                if (facts->active && g_strcmp0(facts->type, "kvm") == 0)
                        (void) g_hash_table_add(running, g_strdup(facts->uuid));
        }
        return running;
}

static bool same_for_guests(const GuestHost *a, const GuestHost *b) {
        return a->vendor == b->vendor && g_strcmp0(a->nested, b->nested) == 0 && g_strcmp0(a->mmu, b->mmu) == 0 &&
               a->live == b->live && a->cpu_has == b->cpu_has && a->kvm_kept == b->kvm_kept;
}

bool guest_book_judge(GuestBook *book) {
        const GuestHost before = book->host, now = host_for_guests(book->state->host);
        GHashTableIter iter;
        gpointer value;

        book->host = now;
        if (same_for_guests(&before, &now))
                return true;
        g_hash_table_iter_init(&iter, book->facts);
        while (g_hash_table_iter_next(&iter, NULL, &value))
                publish(book, value);
        return before.vendor == now.vendor;
}

static int compare_names(gconstpointer a, gconstpointer b) {
        const GuestFacts *one = a, *other = b;

        return strcmp(one->name, other->name) ?: strcmp(one->uuid, other->uuid);
}

static GList *sorted(const GuestBook *book) {
        return g_list_sort(g_hash_table_get_values(book->facts), compare_names);
}

static int append_guest(sd_bus_message *message, const GuestFacts *facts, const GuestHost *host) {
        g_autoptr(GuestVerdict) verdict = guest_judge(facts, host);
        g_autofree char *path = object_guest_path(facts->uuid);
        g_autofree char *name = g_utf8_make_valid(facts->name, -1);
        g_autofree char *saved = g_utf8_make_valid(verdict->saved_state, -1);
        const GuestCpu *cpu = &facts->defined;

        return sd_bus_message_append(message, "(osbssssssbs)", path, name, facts->active, cpu->mode ?: "",
                                     cpu->model ?: "", cpu->policy ?: "", verdict->next_start, verdict->now,
                                     verdict->using, verdict->restart_needed, saved);
}

int guest_book_append(const GuestBook *book, sd_bus_message *message) {
        g_autoptr(GList) all = sorted(book);
        int r = sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, "(osbssssssbs)");

        for (const GList *i = all; i && r >= 0; i = i->next)
                r = append_guest(message, i->data, &book->host);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

bool guest_book_foresee(const GuestBook *book, const Plan *plan, GPtrArray *impact) {
        const GuestHost then = guest_host_after(&book->host, plan);
        g_autoptr(GList) all = NULL;

        if (same_for_guests(&book->host, &then))
                return false;
        all = sorted(book);
        for (const GList *i = all; i; i = i->next)
                guest_impact(i->data, &book->host, &then, impact);
        return true;
}

/* True: there may be more to say of it than is known here. */
static bool survey_one(const GuestBook *book, const GuestFacts *now) {
        const GuestFacts *known = g_hash_table_lookup(book->facts, now->uuid);

        return !known || known->active != now->active || known->managed_save || now->managed_save || known->snapshots ||
               now->snapshots;
}

GPtrArray *guest_book_survey(const GuestBook *book, const GPtrArray *facts) {
        g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
        GPtrArray *unknown = g_ptr_array_new_with_free_func(g_free);
        GHashTableIter iter;
        gpointer uuid;

        for (unsigned i = 0; i < facts->len; i++) {
                const GuestFacts *now = g_ptr_array_index(facts, i);
                (void) g_hash_table_add(there, now->uuid);
                if (survey_one(book, now))
                        g_ptr_array_add(unknown, g_strdup(now->uuid));
        }
        g_hash_table_iter_init(&iter, book->facts);
        while (g_hash_table_iter_next(&iter, &uuid, NULL))
                if (!g_hash_table_contains(there, uuid))
                        g_ptr_array_add(unknown, g_strdup(uuid));
        return unknown;
}

void guest_book_take_runs(GuestBook *book, const GPtrArray *facts) {
        for (unsigned i = 0; i < facts->len; i++) {
                const GuestFacts *now = g_ptr_array_index(facts, i);
                GuestFacts *known = g_hash_table_lookup(book->facts, now->uuid);

                if (known && known->active &&
                    (known->nested_run != now->nested_run || known->guest_mode != now->guest_mode)) {
                        guest_facts_take_runs(known, now);
                        publish(book, known);
                }
        }
}
