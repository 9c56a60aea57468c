/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* XML and state of one guest, reduced to what the rules need. It judges nothing. */

#include <stdlib.h>

#include "error.h"
#include "guest-xml.h"
#include "libvirt-busy.h"
#include "libvirt-error.h"
#include "libvirt-facts.h"

/* More snapshots of a guest than this are not looked into. */
#define SNAPSHOTS_MAX 64

/* Takes libvirt's string over. */
static GuestCpu take_cpu(char *text, const char *vendor, GuestFacts *facts) {
        const GuestCpu cpu = guest_xml_cpu(text, vendor, facts);

        free(text);
        return cpu;
}

static void read_snapshot(virDomainSnapshotPtr snapshot, const char *vendor, GuestFacts *facts) {
        char *text = virDomainSnapshotGetXMLDesc(snapshot, 0);

        guest_xml_add_snapshot(virDomainSnapshotGetName(snapshot), text, vendor, facts);
        free(text);
}

static void read_snapshots(virDomainPtr domain, const char *vendor, GuestFacts *facts) {
        virDomainSnapshotPtr *snapshots = NULL;
        int n = virDomainListAllSnapshots(domain, &snapshots, 0);

        for (int i = 0; i < n; i++) {
                if (i < SNAPSHOTS_MAX)
                        read_snapshot(snapshots[i], vendor, facts);
                (void) virDomainSnapshotFree(snapshots[i]);
        }
        free(snapshots);
}

/* That it is running is part of what every list and look-up brings. */
GuestFacts *libvirt_facts_outline(virDomainPtr domain) {
        GuestFacts *facts = guest_facts_new();
        char uuid[VIR_UUID_STRING_BUFLEN] = "";

        (void) virDomainGetUUIDString(domain, uuid);
        facts->uuid = g_strdup(uuid);
        facts->active = virDomainGetID(domain) != (unsigned) -1;
        return facts;
}

/* What does not run is persistent. */
GuestFacts *libvirt_facts_new(virDomainPtr domain) {
        GuestFacts *facts = libvirt_facts_outline(domain);

        facts->name = g_strdup(virDomainGetName(domain));
        facts->persistent = !facts->active || virDomainIsPersistent(domain) > 0;
        return facts;
}

GuestFacts *libvirt_facts_state(virDomainPtr domain) {
        GuestFacts *facts = libvirt_facts_new(domain);

        facts->managed_save = virDomainHasManagedSaveImage(domain, 0) > 0;
        return facts;
}

/* The definition could not be had: because there is no guest any more, or nobody to ask? */
static bool is_lost(virDomainPtr domain, GError **error) {
        const bool gone = libvirt_error_is_gone();
        g_autoptr(GError) problem = NULL;

        libvirt_error(&problem, gone ? CONDITION_NO_SUCH_GUEST : CONDITION_LIBVIRT_UNAVAILABLE,
                      "libvirt can't tell of a guest");
        /* Asked after that, as every call forgets the last error; negative is: it can't be told. */
        if (!gone && virConnectIsAlive(virDomainGetConnect(domain)) != 0)
                return false;
        g_propagate_error(error, g_steal_pointer(&problem));
        return true;
}

/* What is true of the definition, then what is true of the running guest; the latter may be gone by
 * the time it is asked for. */
static bool read_definition(virDomainPtr domain, const char *vendor, GuestFacts *facts, GError **error) {
        facts->untold = libvirt_busy(domain);
        if (facts->untold)
                return true;
        char *text = virDomainGetXMLDesc(domain, facts->persistent ? VIR_DOMAIN_XML_INACTIVE : 0);

        if (!text && is_lost(domain, error))
                return false;
        g_autoptr(CpuXml) xml = text ? cpu_xml_read(text, vendor, NULL) : NULL;
        (void) guest_xml_define(xml, vendor, facts);
        free(text);
        return true;
}

static void read_others(virDomainPtr domain, const char *vendor, GuestFacts *facts, bool snapshots) {
        if (facts->active && facts->persistent && !facts->untold)
                facts->live = take_cpu(virDomainGetXMLDesc(domain, 0), vendor, facts);
        else if (facts->active)
                facts->live = facts->defined;
        if (facts->managed_save)
                facts->saved = take_cpu(virDomainManagedSaveGetXMLDesc(domain, 0), vendor, facts);
        if (snapshots)
                read_snapshots(domain, vendor, facts);
}

GuestFacts *libvirt_facts_read(virDomainPtr domain, const char *vendor, GError **error) {
        g_autoptr(GuestFacts) facts = libvirt_facts_state(domain);

        if (!read_definition(domain, vendor, facts, error))
                return NULL;
        read_others(domain, vendor, facts, virDomainSnapshotNum(domain, 0) > 0);
        return g_steal_pointer(&facts);
}

bool libvirt_facts_fill(virDomainPtr domain, const char *vendor, GuestFacts *facts, bool snapshots, GError **error) {
        if (!read_definition(domain, vendor, facts, error))
                return false;
        read_others(domain, vendor, facts, snapshots);
        return true;
}

void libvirt_facts_complete(virDomainPtr domain, const CpuXml *definition, const char *vendor, bool snapshots,
                            GuestFacts *facts) {
        (void) guest_xml_define(definition, vendor, facts);
        read_others(domain, vendor, facts, snapshots);
}
