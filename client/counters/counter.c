/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tables of names. It must not know any value. */

#include <glib.h>

#include "counter.h"

unsigned counter_place(const char *name) {
        /* How often L1 has run L2, and is it in L2 now; then what costs. */
        static const char *const first[] = {"nested_run", "guest_mode", "exits",         "io_exits",
                                            "mmio_exits", "tlb_flush",  "insn_emulation"};

        for (unsigned i = 0; i < G_N_ELEMENTS(first); i++)
                if (g_str_equal(first[i], name))
                        return i;
        return COUNTER_LATER;
}

bool counter_is_level(const char *name) {
        static const char *const levels[] = {
                        "blocking",
                        "guest_mode",
                        "max_mmu_page_hash_collisions",
                        "max_mmu_rmap_size",
                        "mmu_shadow_pages",
                        "mmu_unsync",
                        "nx_lpage_splits",
                        "pages_1g",
                        "pages_2m",
                        "pages_4k",
                        /* Linux 5.10: one counter for all large pages, and another name for those
                         * that were split. */
                        "largepages",
                        "lpages",
                        "nx_largepages_splitted",
                        NULL,
        };

        return g_strv_contains(levels, name);
}
