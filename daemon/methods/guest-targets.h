/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The guests that one operation is about, and what each of them is to become. */

#include <glib.h>

#include "guest-plan.h"

typedef struct GuestTarget {
        char *name, *uuid;
        GuestEdit *edit;
} GuestTarget;

GPtrArray *guest_targets_new(void); /* GuestTarget* */
/* All three are copied; @uuid and @edit may be NULL for a list that is only told. */
void guest_targets_add(GPtrArray *targets, const char *name, const char *uuid, const GuestEdit *edit);
/* Of @names (name -> UUID) the UUID of the guest that is called @word, or has that UUID; NULL: none
 * is. Its name goes to @ret_name. Both stay the table's. */
const char *guest_targets_find(GHashTable *names, GHashTable *uuids, const char *word, const char **ret_name);
/* uuid -> name, of name -> uuid; both stay the table's. */
GHashTable *guest_targets_by_uuid(GHashTable *names);
/* "web1, web2, web3 and 7 more" */
char *guest_targets_say(const GPtrArray *targets);
