/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a QEMU says of itself on its command line, in /proc. Anybody can write anything there: it is
 * a claim. */

#include "root.h"

typedef struct QemuClaims {
        char *name; /* of the guest; "" when the process is no QEMU, says none, or is gone */
        /* Its guest is to have @feature: "yes", "no", "unknown" where that is not told; "" when the
         * process is no QEMU, or KVM gives nobody vmx or svm. */
        const char *nested;
} QemuClaims;

/* @feature: what KVM here calls nesting, "vmx" or "svm"; may be NULL. */
void qemu_read_claims(const Root *root, const char *pid, const char *feature, QemuClaims *ret);
void qemu_claims_clear(QemuClaims *claims);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(QemuClaims, qemu_claims_clear)

/* The UUID in lower case (whatever was given as one); "" likewise. */
char *qemu_read_uuid(const Root *root, const char *pid);
