/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The operations of L2 that are measured one by one: rows of the table of exits, and of that of
 * times. */

#include <stdint.h>

#include "order.h"

typedef struct Row {
        const char *name;
        Operation operation;
        uint32_t few, many; /* how often, to take the difference */
} Row;

#define ROWS 5
extern const Row rows[ROWS];
