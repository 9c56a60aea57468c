/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* For words that were meant to be others. */

/* How many letters must be changed, added or left out to make one word of the other. */
unsigned spelling_distance(const char *a, const char *b);
