/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How guest memory is translated, in people's words. Pure. */

/* @mmu, @vendor: of the host, as Manager has them. "EPT", "NPT", "two-dimensional paging" of
 * another vendor, "shadow paging", or "". A word that is not known stays as it is. */
const char *paging_of_host(const char *mmu, const char *vendor);
/* @mmu: as Guest has it. "NPT on NPT", "shadow paging on EPT", or ""; newly allocated. */
char *paging_of_guest(const char *mmu);
