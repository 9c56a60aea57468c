/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* L1, which start.S calls. Does not return. */
void l1_main(void);
