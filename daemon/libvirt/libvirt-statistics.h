/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What libvirt has counted, or has asked QEMU for. */

#include <glib.h>
#include <libvirt/libvirt.h>

/* What guests have run, as hypervisor.h says of statistics(). Where the driver has no statistics
 * nothing is known. */
GPtrArray *libvirt_statistics_runs(virConnectPtr connection, const GPtrArray *uuids);

/* All of KVM's counters of a guest, as hypervisor.h says of count(). */
GHashTable *libvirt_statistics_count(virDomainPtr domain, GError **error);
