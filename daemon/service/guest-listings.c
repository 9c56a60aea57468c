/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A queue of half answers. Where the table changes meanwhile, an answer is begun anew, as the
 * signal has gone out by then; what changes all the time is answered whole after a few times. */

#include "guest-listings.h"
#include "guest-row.h"
#include "later.h"

/* A few milliseconds. */
#define PIECE_ROWS 500U
#define BEGINNINGS_MAX 4U

typedef struct Listing {
        Call *call;
        sd_bus_message *reply; /* NULL: it is not begun */
        GList *all;            /* GuestFacts*, of that edition */
        const GList *next;
        unsigned edition, beginnings;
        BoundRows rows;
} Listing;

struct GuestListings {
        const GuestTable *table;
        Later *later;
        GQueue waiting; /* Listing* */
};

/* Not the call, which is always somebody's. */
static void listing_free(Listing *listing) {
        sd_bus_message_unref(listing->reply);
        g_list_free(listing->all);
        g_free(listing);
}

static int listing_begin(const GuestTable *table, Listing *listing) {
        listing->reply = sd_bus_message_unref(listing->reply);
        g_list_free(listing->all);
        listing->next = listing->all = guest_table_sorted(table);
        listing->edition = guest_table_edition(table);
        listing->beginnings++;
        listing->rows = (BoundRows) {};
        int r = sd_bus_message_new_method_return(listing->call->message, &listing->reply);
        return r < 0 ? r : sd_bus_message_open_container(listing->reply, SD_BUS_TYPE_ARRAY, GUEST_ROW_TYPE);
}

static int listing_end(const GuestTable *table, Listing *listing) {
        const unsigned omitted = guest_table_left_out(table) + listing->rows.omitted;
        int r = omitted > 0 ? guest_row_append_rest(omitted, listing->reply) : 0;

        return r < 0 ? r : sd_bus_message_close_container(listing->reply);
}

/* True: it is answered, and gone. */
static bool listing_go_on(const GuestTable *table, Listing *listing) {
        const bool begun = listing->reply && listing->edition == guest_table_edition(table);
        int r = begun ? 0 : listing_begin(table, listing);
        const unsigned max = listing->beginnings > BEGINNINGS_MAX ? G_MAXUINT : PIECE_ROWS;

        for (unsigned n = 0; r >= 0 && n < max && listing->next; n++, listing->next = listing->next->next)
                r = guest_table_append(table, listing->next->data, listing->reply, &listing->rows);
        if (r >= 0 && listing->next)
                return false;
        if (r >= 0)
                r = listing_end(table, listing);
        call_send(listing->call, sd_bus_message_ref(listing->reply), r);
        listing_free(listing);
        return true;
}

/* One piece of the first, which is the last then. */
static void on_later(gpointer userdata) {
        GuestListings *listings = userdata;
        Listing *listing = g_queue_pop_head(&listings->waiting);

        if (listing && !listing_go_on(listings->table, listing))
                g_queue_push_tail(&listings->waiting, listing);
        if (!g_queue_is_empty(&listings->waiting))
                later_ask(listings->later);
}

GuestListings *guest_listings_new(sd_event *event, const GuestTable *table) {
        GuestListings *listings = g_new(GuestListings, 1);

        *listings = (GuestListings) {.table = table};
        listings->later = later_new(event, on_later, listings);
        if (!listings->later)
                g_clear_pointer(&listings, g_free);
        return listings;
}

void guest_listings_free(GuestListings *listings) {
        Listing *listing;

        if (!listings)
                return;
        while ((listing = g_queue_pop_head(&listings->waiting))) {
                call_drop(listing->call);
                listing_free(listing);
        }
        later_free(listings->later);
        g_free(listings);
}

void guest_listings_add(GuestListings *listings, Call *call) {
        Listing *listing = g_new(Listing, 1);

        *listing = (Listing) {.call = call};
        if (listing_go_on(listings->table, listing))
                return;
        g_queue_push_tail(&listings->waiting, listing);
        later_ask(listings->later);
}
