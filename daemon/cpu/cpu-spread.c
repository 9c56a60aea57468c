/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Collects processor numbers by what is odd about them. It reads nothing. */

#include "cpu-spread.h"

#define ODDS_MAX 64U
#define RANGES_MAX 16U

typedef struct Range {
        unsigned first, last;
} Range;

static void odd_free(gpointer data) {
        CpuOdd *odd = data;

        g_free(odd->what);
        g_array_unref(odd->ranges);
        g_free(odd);
}

GPtrArray *cpu_spread_new(void) {
        return g_ptr_array_new_with_free_func(odd_free);
}

static CpuOdd *find(GPtrArray *spread, const char *what, bool first_has) {
        for (unsigned i = 0; i < spread->len; i++) {
                CpuOdd *odd = g_ptr_array_index(spread, i);
                if (odd->first_has == first_has && g_str_equal(odd->what, what))
                        return odd;
        }
        if (spread->len >= ODDS_MAX)
                return NULL;

        CpuOdd *odd = g_new0(CpuOdd, 1);
        odd->what = g_strdup(what);
        odd->first_has = first_has;
        odd->ranges = g_array_new(FALSE, FALSE, sizeof(Range));
        g_ptr_array_add(spread, odd);
        return odd;
}

void cpu_spread_add(GPtrArray *spread, const char *what, bool first_has, unsigned processor) {
        CpuOdd *odd = find(spread, what, first_has);
        if (!odd)
                return;

        Range *last = odd->ranges->len > 0 ? &g_array_index(odd->ranges, Range, odd->ranges->len - 1) : NULL;
        if (last && processor >= last->first && processor <= last->last)
                return;
        if (last && processor > last->last && processor - last->last == 1)
                last->last = processor;
        else if (odd->ranges->len >= RANGES_MAX)
                odd->more = true;
        else
                g_array_append_val(odd->ranges, ((Range) {processor, processor}));
}

char *cpu_odd_processors(const CpuOdd *odd) {
        g_autoptr(GString) text = g_string_new(NULL);

        for (unsigned i = 0; i < odd->ranges->len; i++) {
                const Range *range = &g_array_index(odd->ranges, Range, i);
                g_string_append_printf(text, "%s%u", i > 0 ? ", " : "", range->first);
                if (range->last > range->first)
                        g_string_append_printf(text, "-%u", range->last);
        }
        if (odd->more)
                g_string_append(text, " and more");
        return g_string_free(g_steal_pointer(&text), FALSE);
}
