/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What libvirt says of a guest, as facts. It opens nothing and waits for no event. */

#include <libvirt/libvirt.h>

#include "guest.h"

/* Sets @error to @code with libvirt's last message. */
void libvirt_error(GError **error, int code, const char *doing);

/* NULL and NoSuchGuest when it is gone; what libvirt does not tell otherwise stays unknown. Statistics are not among it. */
GuestFacts *libvirt_facts_read(virDomainPtr domain, const char *vendor, GError **error);

/* All guests, with no more than what libvirt can say of all of them at once: GuestFacts* with uuid, active, managed_save, and @snapshots,
 * which is empty or NULL. */
GPtrArray *libvirt_facts_survey(virConnectPtr connection, GError **error);

/* Adds to each of the GuestFacts what it has run. Where the driver has no statistics nothing is known. */
void libvirt_facts_add_statistics(virConnectPtr connection, const GPtrArray *guests);
/* Of one guest. */
void libvirt_facts_add_own_statistics(virDomainPtr domain, GuestFacts *facts);

/* All of KVM's counters of a guest, as hypervisor.h says of count(). */
GHashTable *libvirt_facts_count(virDomainPtr domain, GError **error);
