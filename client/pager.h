/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Long text shown a screen at a time, by the program that $PAGER names, else by less. */

#include <stdbool.h>

/* Comes back when the reader is done; false when no pager could be started, and nothing was
 * shown. */
bool pager_show(const char *text);
