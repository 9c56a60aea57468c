/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What L1 and L2 share. All of the guest runs without a libc in the VM that layout.h maps. */

#include <stdint.h>

#include "layout.h"
#include "order.h"

#define order ((volatile Order *) SHARED)

static inline void out(const uint8_t port) {
        __asm__ volatile("outb %%al, %0" : : "i"(port) : "memory");
}

static inline volatile uint64_t *entries(uint64_t tables) {
        return (volatile uint64_t *) TABLE(tables, 1);
}
