/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How alike two words are. It must not know what they are for. */

#include <glib.h>
#include <string.h>

#include "spelling.h"

unsigned spelling_distance(const char *a, const char *b) {
        const size_t n = strlen(b);
        g_autofree unsigned *row = g_new(unsigned, n + 1);

        for (size_t j = 0; j <= n; j++)
                row[j] = (unsigned) j;
        for (size_t i = 1; a[i - 1]; i++) {
                unsigned diagonal = row[0];
                row[0] = (unsigned) i;
                for (size_t j = 1; j <= n; j++) {
                        const unsigned changed = diagonal + (a[i - 1] != b[j - 1]);
                        diagonal = row[j];
                        row[j] = MIN(changed, MIN(row[j], row[j - 1]) + 1);
                }
        }
        return row[n];
}
