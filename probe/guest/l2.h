/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* L2: where it begins, and what it does. */

/* What is ordered; when there is only one level, L1 calls it. */
void l2_operation(void);

/* L2's first instruction, in l2-start.S, which calls l2_main(). */
void l2_start(void);
void l2_main(void);
