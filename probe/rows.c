/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns which operations are measured, and under which names. It must not measure. */

#include "layout.h"
#include "rows.h"

const Row rows[ROWS] = {
                {"round_trip", OPERATION_CPUID, WINDOW_PAGES, 2 * WINDOW_PAGES},
                {"port", OPERATION_PORT, WINDOW_PAGES / 4, WINDOW_PAGES / 2},
                {"fresh_page", OPERATION_TOUCH, WINDOW_PAGES / 2, WINDOW_PAGES},
                {"cr3_reload", OPERATION_CR3, WINDOW_PAGES, 2 * WINDOW_PAGES},
                /* from the second use of a page on */
                {"fault", OPERATION_FAULT, WINDOW_PAGES, 2 * WINDOW_PAGES},
};
