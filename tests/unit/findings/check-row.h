/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A test of one finding: a made host, and what is to be said of it. */

#include "check.h"
#include "made-host.h"

#define VMX_FLAGS "ept ept_ad vpid invvpid shadow_vmcs flexpriority vnmi preemption_timer unrestricted_guest ple"
#define INTEL .vendor = "GenuineIntel", .flags = "vmx", .vmx_flags = VMX_FLAGS
#define AMD_LOADED .loaded = "kvm_amd.nested=1 kvm_amd.npt=Y"
#define AMD_LOADABLE .loadable = "kvm. kvm_amd.nested kvm_amd.npt"

typedef struct CheckRow {
        const char *fact;
        MadeHost made;
        const char *node; /* what stat says of the device; NULL: "ok" */
        mode_t mode;      /* of the device node, with the owners; 0: nobody looked */
        uid_t uid;
        gid_t gid;
        const char *opened; /* what a child said that opened it; NULL: nobody did */
        const char *id, *status;
        const char *message; /* a part of it; with no status: of none of this id */
        const char *fix;     /* NULL: none */
        unsigned n;          /* how many of this id there are, of which it is the last; 0: one */
        const char *without; /* no part of it, or NULL */
} CheckRow;

/* A test for each; they must be there as long as the tests run. */
void check_rows_add(const CheckRow *rows, gsize n);
/* There is a row with a finding for each id from @first to @last, but for @but (may be NULL). */
void check_rows_assert_cover(const CheckRow *rows, gsize n, const char *first, const char *last, const char *but);
/* The last finding with that id, or NULL, and how many there are. */
const Finding *check_row_find(const GPtrArray *findings, const char *id, unsigned *ret_n);
