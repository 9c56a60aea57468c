/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The properties of an object as one block of bytes, in the order in which a message is told them:
 * what is published is compared, looked up and sent far more often than it is made, and there may
 * be ten thousand of them. packer.h makes it. It is never modified. */

#include <glib.h>
#include <stdbool.h>
#include <string.h>

/* For each property the size of what follows (guint32, unaligned), its name and its value; texts
 * end in NUL. A value begins with a letter of the D-Bus signature:
 *
 *   s o      a text
 *   b        a byte, 0 or 1
 *   u i t    4, 4 and 8 bytes as the CPU has them
 *   v        the signature as a text, and the value
 *   a (      the signature of an element or of all members, the values, and PACKED_END
 *   {        the signature of key and value, and both */
typedef struct Packed {
        gsize size;
        char bytes[];
} Packed;

#define PACKED_END ')'

void packed_free(Packed *packed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Packed, packed_free)

/* The value of @name, or NULL. *@last is where the one was found that was asked for before, 0 at
 * the beginning: there and behind it is looked first, so that who asks for all in their order, or
 * for the same again, finds it at once. */
const char *packed_find(const Packed *packed, const char *name, gsize *last);
/* The value and the name of the property that begins at *@at, which is 0 at the first one and is
 * moved to the next; NULL behind the last. */
const char *packed_next(const Packed *packed, gsize *at, const char **ret_name);

/* A text or a number of a value; both move *@at, which is behind the letter, to what follows. */
static inline const char *packed_take_text(const char **at) {
        const char *text = *at;

        *at += strlen(text) + 1;
        return text;
}

static inline void packed_take_number(const char **at, void *ret, gsize size) {
        memcpy(ret, *at, size);
        *at += size;
}

/* The names whose values differ between two, or that only one of them has, sorted; empty when none.
 * The entries of a dictionary count in their order. */
GStrv packed_diff(const Packed *before, const Packed *after);
/* The bytes that the properties take in a message, as an a{sv} among several. */
gsize packed_message_size(const Packed *packed);
