/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A clock that only goes forward, for durations. */

#include <stdint.h>

/* Nanoseconds. */
uint64_t clock_now(void);
