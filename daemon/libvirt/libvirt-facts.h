/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What libvirt says of one guest, as facts. It opens nothing and waits for no event. */

#include <libvirt/libvirt.h>

#include "cpu-xml.h"
#include "guest-facts.h"

/* Each question to libvirt is a way to another process and back: what follows asks as few as it
 * can. @domain is one that was just looked up, so that it knows whether it is running. What libvirt
 * does not tell stays unknown.
 *
 * NULL and NoSuchGuest when it is gone, LibvirtUnavailable when nobody can be asked any more.
 * Statistics are not among it. */
GuestFacts *libvirt_facts_read(virDomainPtr domain, const char *vendor, GError **error);
/* No more than name, uuid, active, persistent, managed_save. */
GuestFacts *libvirt_facts_state(virDomainPtr domain);

/* Parts of the above, for who reads many. Uuid and active, without a question. */
GuestFacts *libvirt_facts_outline(virDomainPtr domain);
/* And name and persistent. */
GuestFacts *libvirt_facts_new(virDomainPtr domain);
/* Adds the rest, when the definition was read already; @definition NULL: it can't be. @snapshots:
 * it has some. */
void libvirt_facts_complete(virDomainPtr domain, const CpuXml *definition, const char *vendor, bool snapshots,
                            GuestFacts *facts);
/* Adds all else but managed_save, which is to be there already. @snapshots: it has some. False and
 * errors as of libvirt_facts_read(). */
bool libvirt_facts_fill(virDomainPtr domain, const char *vendor, GuestFacts *facts, bool snapshots, GError **error);
