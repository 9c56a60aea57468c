/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where the table changes meanwhile, an answer is begun anew, as the signal has gone out by then;
 * what changes all the time is answered whole after a few times. */

#include "guest-listing.h"
#include "guest-row.h"

/* A few milliseconds. */
#define PIECE_ROWS 500U
#define BEGINNINGS_MAX 4U

typedef struct Listing {
        const GuestTable *table;
        Call *call;
        sd_bus_message *reply; /* NULL: it is not begun */
        GList *all;            /* GuestFacts*, of that edition */
        const GList *next;
        unsigned edition, beginnings;
        BoundRows rows;
} Listing;

/* Not the call, which is always somebody's. */
static void listing_free(Listing *listing) {
        sd_bus_message_unref(listing->reply);
        g_list_free(listing->all);
        g_free(listing);
}

static int listing_begin(Listing *listing) {
        const GuestTable *table = listing->table;

        listing->reply = sd_bus_message_unref(listing->reply);
        g_list_free(listing->all);
        listing->next = listing->all = guest_table_sorted(table);
        listing->edition = guest_table_edition(table);
        listing->beginnings++;
        listing->rows = (BoundRows) {};
        int r = sd_bus_message_new_method_return(listing->call->message, &listing->reply);
        return r < 0 ? r : sd_bus_message_open_container(listing->reply, SD_BUS_TYPE_ARRAY, GUEST_ROW_TYPE);
}

static int listing_end(const Listing *listing) {
        const unsigned omitted = guest_table_left_out(listing->table) + listing->rows.omitted;
        int r = omitted > 0 ? guest_row_append_rest(omitted, listing->reply) : 0;

        return r < 0 ? r : sd_bus_message_close_container(listing->reply);
}

static void listing_drop(gpointer data) {
        Listing *listing = data;

        call_drop(listing->call);
        listing_free(listing);
}

static bool listing_go_on(gpointer data) {
        Listing *listing = data;
        const bool begun = listing->reply && listing->edition == guest_table_edition(listing->table);
        int r = begun ? 0 : listing_begin(listing);
        const unsigned max = listing->beginnings > BEGINNINGS_MAX ? G_MAXUINT : PIECE_ROWS;

        for (unsigned n = 0; r >= 0 && n < max && listing->next; n++, listing->next = listing->next->next)
                r = guest_table_append(listing->table, listing->next->data, listing->reply, &listing->rows);
        if (r >= 0 && listing->next)
                return false;
        if (r >= 0)
                r = listing_end(listing);
        call_send(listing->call, sd_bus_message_ref(listing->reply), r);
        listing_free(listing);
        return true;
}

void guest_listing_begin(Pieces *pieces, const GuestTable *table, Call *call) {
        Listing *listing = g_new(Listing, 1);

        *listing = (Listing) {.table = table, .call = call};
        pieces_add(pieces, listing_go_on, listing_drop, listing);
}
