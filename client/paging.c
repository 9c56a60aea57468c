/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Words for the values of Mmu. It must not fetch anything. */

#include <glib.h>

#include "paging.h"

const char *paging_of_host(const char *mmu, const char *vendor) {
        if (g_str_equal(mmu, "shadow"))
                return "shadow paging";
        if (!g_str_equal(mmu, "tdp"))
                return mmu;
        return g_str_equal(vendor, "intel") ? "EPT" : g_str_equal(vendor, "amd") ? "NPT" : "two-dimensional paging";
}

static const char *word(const char *kind) {
        return g_str_equal(kind, "ept")      ? "EPT"
               : g_str_equal(kind, "npt")    ? "NPT"
               : g_str_equal(kind, "shadow") ? "shadow paging"
                                             : kind;
}

char *paging_of_guest(const char *mmu) {
        g_auto(GStrv) kinds = g_strsplit(mmu, "-on-", -1);

        if (g_strv_length(kinds) != 2)
                return g_strdup(mmu);
        return g_strdup_printf("%s on %s", word(kinds[0]), word(kinds[1]));
}
