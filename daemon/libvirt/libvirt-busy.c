/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What libvirt says of a guest's control interface, for which it neither waits nor asks QEMU
 * (qemuDomainGetControlInfo() in src/qemu/qemu_driver.c).
 *
 * libvirt 9.0 tells a definition whatever QEMU does. In 11.3 qemuDomainGetXMLDesc() takes the
 * guest's job first, which whoever asks its QEMU holds until there is an answer, and waits for it
 * for 30 s (VIR_JOB_WAIT_TIME in src/conf/virdomainjob.c). */

#include <glib.h>

#include "libvirt-busy.h"

/* Of a definition that is told at once. */
#define VERSION_LAST 9000999UL

/* Healthy QEMUs answer within some milliseconds. */
#define PATIENCE_MSEC 500U
#define PAUSE_MSEC 20U

/* Read and written by each thread that has a connection; all of them are to the same libvirt. */
static int definitions_wait = true;

void libvirt_busy_begin(virConnectPtr connection) {
        unsigned long version = 0;

        g_atomic_int_set(&definitions_wait,
                         virConnectGetLibVersion(connection, &version) < 0 || version > VERSION_LAST);
}

/* Somebody has the job. Since when, is told where QEMU is asked and no longer operation, such as a
 * migration, is under way, which has the job for moments only. */
static bool is_occupied(const virDomainControlInfo *info, bool *ret_long) {
        *ret_long = info->state == VIR_DOMAIN_CONTROL_OCCUPIED && info->stateTime > PATIENCE_MSEC;
        switch (info->state) {
        case VIR_DOMAIN_CONTROL_JOB:
        case VIR_DOMAIN_CONTROL_OCCUPIED:
                return true;
        case VIR_DOMAIN_CONTROL_ERROR:
                return info->details == VIR_DOMAIN_CONTROL_ERROR_REASON_INTERNAL;
        default:
                return false;
        }
}

bool libvirt_busy(virDomainPtr domain) {
        bool occupied = true, is_long = false;

        if (virDomainGetID(domain) == (unsigned) -1 || !g_atomic_int_get(&definitions_wait))
                return false;
        for (unsigned waited = 0; occupied && !is_long && waited <= PATIENCE_MSEC; waited += PAUSE_MSEC) {
                virDomainControlInfo info;
                if (waited > 0)
                        g_usleep(PAUSE_MSEC * 1000UL);
                /* It has ended meanwhile, or the driver has nothing of the kind. */
                if (virDomainGetControlInfo(domain, &info, 0) < 0)
                        return false;
                occupied = is_occupied(&info, &is_long);
        }
        return occupied;
}
