/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which keys have sentences, and the cut. It must not know what is said. */

#include <string.h>

#include "bound-text.h"

static const struct {
        const char *key;
        gsize max;
} texts[] = {
                {"Advice", BOUND_TEXT},      {"Description", BOUND_TEXT}, {"Diff", BOUND_DIFF},
                {"DiffMissing", BOUND_TEXT}, {"Fix", BOUND_TEXT},         {"Message", BOUND_TEXT},
                {"Reason", BOUND_TEXT},      {"Steps", BOUND_TEXT},
};

gsize bound_text_max(const char *key) {
        for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
                if (g_str_equal(key, texts[i].key))
                        return texts[i].max;
        return BOUND_NAME;
}

char *bound_text(const char *text, gsize max) {
        if (strlen(text) <= max)
                return g_strdup(text);

        const char *end = text + max - strlen(BOUND_ELLIPSIS);
        while (((unsigned char) *end & 0xc0U) == 0x80U)
                end--;
        g_autofree char *kept = g_strndup(text, (gsize) (end - text));
        return g_strconcat(kept, BOUND_ELLIPSIS, NULL);
}
