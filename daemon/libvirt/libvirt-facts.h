/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What libvirt says of a guest, as facts. It opens nothing and waits for no event. */

#include <libvirt/libvirt.h>

#include "guest-facts.h"

/* Sets @error to @code with libvirt's last message. */
void libvirt_error(GError **error, int code, const char *doing);

/* Each question to libvirt is a way to another process and back: what follows asks as few as it
 * can. @domain is one that was just looked up, so that it knows whether it is running. What libvirt
 * does not tell stays unknown.
 *
 * NULL and NoSuchGuest when it is gone, LibvirtUnavailable when nobody can be asked any more.
 * Statistics are not among it. */
GuestFacts *libvirt_facts_read(virDomainPtr domain, const char *vendor, GError **error);
/* No more than name, uuid, active, persistent, managed_save. */
GuestFacts *libvirt_facts_state(virDomainPtr domain);
/* Adds the rest to that, when the definition's text is known already. */
void libvirt_facts_complete(virDomainPtr domain, const char *definition, const char *vendor, GuestFacts *facts);

/* All guests: as hypervisor.h says of list and survey. */
GPtrArray *libvirt_facts_list(virConnectPtr connection, const char *vendor, GError **error);
GPtrArray *libvirt_facts_survey(virConnectPtr connection, GError **error);

/* What they have run, as hypervisor.h says of statistics(). */
GPtrArray *libvirt_facts_statistics(virConnectPtr connection, const GPtrArray *uuids);

/* All of KVM's counters of a guest, as hypervisor.h says of count(). */
GHashTable *libvirt_facts_count(virDomainPtr domain, GError **error);
