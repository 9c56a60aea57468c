/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libvirt's last error in our words. It must not ask libvirt anything. */

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "error.h"
#include "libvirt-error.h"

void libvirt_error(GError **error, int code, const char *doing) {
        const virError *last = virGetLastError();

        g_set_error(error, CONDITION, code, "%s: %s", doing,
                    last && last->message ? last->message : "libvirt does not say why");
}

bool libvirt_error_is_gone(void) {
        const virError *last = virGetLastError();

        return last && last->code == VIR_ERR_NO_DOMAIN;
}
