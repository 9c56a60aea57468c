/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* XML and statistics of libvirt, reduced to what the rules need. It judges nothing. */

#include <libvirt/virterror.h>
#include <string.h>

#include "error.h"
#include "guest-edit.h"
#include "libvirt-facts.h"

/* Of the whole machine since libvirt 8.9; an older daemon leaves out what it does not know. */
#if LIBVIR_CHECK_VERSION(8, 9, 0)
#define STATISTICS (VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_VM)
#else
#define STATISTICS VIR_DOMAIN_STATS_VCPU
#endif
/* More snapshots of a guest than this are not looked into. */
#define SNAPSHOTS_MAX 64

void libvirt_error(GError **error, int code, const char *doing) {
        const virError *last = virGetLastError();

        g_set_error(error, CONDITION, code, "%s: %s", doing,
                    last && last->message ? last->message : "libvirt does not say why");
}

static const char *intern(const char *text) {
        return g_intern_string(text ?: "");
}

/* Takes libvirt's string over. False: what it says is not known. @kind: gets what it says beside the CPU; may be NULL. */
static bool read_cpu(char *text, const char *vendor, GuestCpu *ret, GuestFacts *kind) {
        g_autoptr(CpuXml) xml = text ? cpu_xml_read(text, vendor, NULL) : NULL;

        free(text);
        *ret = xml ? guest_cpu_from_xml(xml, vendor) : (GuestCpu) {};
        if (xml && kind) {
                kind->type = intern(xml->type);
                kind->arch = intern(xml->arch);
                kind->machine = intern(xml->machine);
        }
        return xml;
}

static void read_snapshot(virDomainSnapshotPtr snapshot, const char *vendor, GuestFacts *facts) {
        const char *name = virDomainSnapshotGetName(snapshot);
        char *text = virDomainSnapshotGetXMLDesc(snapshot, 0);
        const char *begin = text ? strstr(text, "<domain ") : NULL, *end = begin ? strstr(begin, "</domain>") : NULL;
        GuestCpu cpu = {};

        /* Not of the <inactiveDomain> that may follow. */
        if (end) {
                g_autofree char *domain = g_strndup(begin, (gsize) (end - begin) + strlen("</domain>"));
                (void) read_cpu(strdup(domain), vendor, &cpu, NULL);
        }
        free(text);
        if (!name || !cpu.mode)
                return;
        GuestSnapshot *one = g_new(GuestSnapshot, 1);
        *one = (GuestSnapshot) {.name = g_strdup(name), .cpu = cpu};
        if (!facts->snapshots)
                facts->snapshots = g_ptr_array_new_with_free_func((GDestroyNotify) guest_snapshot_free);
        g_ptr_array_add(facts->snapshots, one);
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

static bool is_gone(void) {
        const virError *last = virGetLastError();

        return last && last->code == VIR_ERR_NO_DOMAIN;
}

/* What is true of the definition, then what is true of the running guest; each may be gone by the time it is asked for. */
static void read_cpus(virDomainPtr domain, const char *vendor, GuestFacts *facts) {
        const unsigned inactive = facts->persistent ? VIR_DOMAIN_XML_INACTIVE : 0;

        (void) read_cpu(virDomainGetXMLDesc(domain, inactive), vendor, &facts->defined, facts);
        if (facts->active && facts->persistent)
                (void) read_cpu(virDomainGetXMLDesc(domain, 0), vendor, &facts->live, NULL);
        else if (facts->active)
                facts->live = facts->defined;
        facts->managed_save = virDomainHasManagedSaveImage(domain, 0) > 0;
        if (facts->managed_save)
                (void) read_cpu(virDomainManagedSaveGetXMLDesc(domain, 0), vendor, &facts->saved, NULL);
        if (virDomainSnapshotNum(domain, 0) > 0)
                read_snapshots(domain, vendor, facts);
}

GuestFacts *libvirt_facts_read(virDomainPtr domain, const char *vendor, GError **error) {
        g_autoptr(GuestFacts) facts = guest_facts_new();
        char uuid[VIR_UUID_STRING_BUFLEN];
        const char *name = virDomainGetName(domain);
        const int active = virDomainIsActive(domain), persistent = active < 0 ? -1 : virDomainIsPersistent(domain);

        if (persistent < 0 || !name || virDomainGetUUIDString(domain, uuid) < 0) {
                libvirt_error(error, is_gone() ? CONDITION_NO_SUCH_GUEST : CONDITION_LIBVIRT_UNAVAILABLE,
                              "libvirt can't tell of a guest");
                return NULL;
        }
        facts->name = g_strdup(name);
        facts->uuid = g_strdup(uuid);
        facts->active = active;
        facts->persistent = persistent;
        read_cpus(domain, vendor, facts);
        return g_steal_pointer(&facts);
}

/* "vcpu.0.nested_run.sum", whichever virtual CPU. */
static bool is_counter(const char *field, const char *name) {
        const char *at = g_str_has_prefix(field, "vcpu.") ? strchr(field + strlen("vcpu."), '.') : NULL;

        return at && g_str_equal(at + 1, name);
}

/* guest_mode is a boolean to Linux 6.1 and hence to QEMU 7.2 and libvirt 9.0 ("vcpu.0.guest_mode.cur=yes"); others are numbers. */
static gint64 counter_value(const virTypedParameter *parameter) {
        switch (parameter->type) {
        case VIR_TYPED_PARAM_ULLONG:
                return (gint64) MIN(parameter->value.ul, G_MAXINT64);
        case VIR_TYPED_PARAM_LLONG:
                return parameter->value.l;
        case VIR_TYPED_PARAM_BOOLEAN:
                return parameter->value.b ? 1 : 0;
        default:
                return 0;
        }
}

static void add_counter(const virTypedParameter *parameter, gint64 *sum) {
        const gint64 value = counter_value(parameter);

        *sum = MAX(*sum, 0);
        *sum = value > G_MAXINT64 - *sum ? G_MAXINT64 : *sum + value;
}

static void take_record(const virDomainStatsRecord *record, GuestFacts *facts) {
        facts->nested_run = facts->guest_mode = -1;
        for (int i = 0; i < record->nparams; i++) {
                const virTypedParameter *parameter = &record->params[i];
                if (is_counter(parameter->field, "nested_run.sum"))
                        add_counter(parameter, &facts->nested_run);
                else if (is_counter(parameter->field, "guest_mode.cur"))
                        add_counter(parameter, &facts->guest_mode);
        }
}

static GHashTable *by_uuid(const GPtrArray *guests) {
        GHashTable *table = g_hash_table_new(g_str_hash, g_str_equal);

        for (unsigned i = 0; i < guests->len; i++) {
                GuestFacts *facts = g_ptr_array_index(guests, i);
                (void) g_hash_table_insert(table, facts->uuid, facts);
        }
        return table;
}

/* Calls @take for each guest of one kind; false when libvirt can't list them. */
static bool list_kind(virConnectPtr connection, unsigned flags, void (*take)(const char *uuid, gpointer data),
                      gpointer data) {
        virDomainPtr *domains = NULL;
        char uuid[VIR_UUID_STRING_BUFLEN];
        int n = virConnectListAllDomains(connection, &domains, flags);

        for (int i = 0; i < n; i++) {
                if (virDomainGetUUIDString(domains[i], uuid) >= 0)
                        take(uuid, data);
                (void) virDomainFree(domains[i]);
        }
        free(domains);
        return n >= 0;
}

static void take_guest(const char *uuid, gpointer data) {
        GuestFacts *facts = guest_facts_new();

        facts->uuid = g_strdup(uuid);
        g_ptr_array_add(data, facts);
}

static void take_active(const char *uuid, gpointer data) {
        GuestFacts *facts = g_hash_table_lookup(data, uuid);

        if (facts)
                facts->active = true;
}

static void take_saved(const char *uuid, gpointer data) {
        GuestFacts *facts = g_hash_table_lookup(data, uuid);

        if (facts)
                facts->managed_save = true;
}

static void take_snapshots(const char *uuid, gpointer data) {
        GuestFacts *facts = g_hash_table_lookup(data, uuid);

        if (facts && !facts->snapshots)
                facts->snapshots = g_ptr_array_new();
}

GPtrArray *libvirt_facts_survey(virConnectPtr connection, GError **error) {
        g_autoptr(GPtrArray) guests = g_ptr_array_new_with_free_func((GDestroyNotify) guest_facts_free);
        g_autoptr(GHashTable) table = NULL;

        if (!list_kind(connection, 0, take_guest, guests)) {
                libvirt_error(error, CONDITION_LIBVIRT_UNAVAILABLE, "libvirt can't list its guests");
                return NULL;
        }
        table = by_uuid(guests);
        if (!list_kind(connection, VIR_CONNECT_LIST_DOMAINS_ACTIVE, take_active, table) ||
            !list_kind(connection, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, take_saved, table) ||
            !list_kind(connection, VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, take_snapshots, table)) {
                libvirt_error(error, CONDITION_LIBVIRT_UNAVAILABLE, "libvirt can't list its guests");
                return NULL;
        }
        return g_steal_pointer(&guests);
}

void libvirt_facts_add_statistics(virConnectPtr connection, const GPtrArray *guests) {
        g_autoptr(GHashTable) table = by_uuid(guests);
        virDomainStatsRecordPtr *records = NULL;
        char uuid[VIR_UUID_STRING_BUFLEN];
        int n = virConnectGetAllDomainStats(connection, VIR_DOMAIN_STATS_VCPU, &records,
                                            VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE);

        for (int i = 0; i < n; i++) {
                GuestFacts *facts = virDomainGetUUIDString(records[i]->dom, uuid) < 0
                                                    ? NULL
                                                    : g_hash_table_lookup(table, uuid);
                if (facts)
                        take_record(records[i], facts);
        }
        if (n >= 0)
                virDomainStatsRecordListFree(records);
}

void libvirt_facts_add_own_statistics(virDomainPtr domain, GuestFacts *facts) {
        virDomainPtr domains[] = {domain, NULL};
        virDomainStatsRecordPtr *records = NULL;
        int n = facts->active ? virDomainListGetStats(domains, VIR_DOMAIN_STATS_VCPU, &records, 0) : -1;

        if (n > 0)
                take_record(records[0], facts);
        if (n >= 0)
                virDomainStatsRecordListFree(records);
}

/* "vcpu.0.exits.sum" and "vm.pages_4k.cur": the kernel's name, which has no dot in it. NULL: it is not one of KVM's. */
static char *kernel_name(const char *field) {
        const char *dot = g_str_has_prefix(field, "vm.")     ? field + strlen("vm")
                          : g_str_has_prefix(field, "vcpu.") ? strchr(field + strlen("vcpu."), '.')
                                                             : NULL;
        const char *end = dot ? strchr(dot + 1, '.') : NULL;

        if (!end || !(g_str_equal(end, ".sum") || g_str_equal(end, ".cur") || g_str_equal(end, ".max")))
                return NULL;
        return g_strndup(dot + 1, (gsize) (end - dot - 1));
}

static void sum_up(const virTypedParameter *parameter, GHashTable *counters) {
        g_autofree char *name = kernel_name(parameter->field);
        guint64 *sum = name ? g_hash_table_lookup(counters, name) : NULL;

        if (!name)
                return;
        if (!sum) {
                sum = g_new0(guint64, 1);
                (void) g_hash_table_insert(counters, g_steal_pointer(&name), sum);
        }
        *sum += (guint64) MAX(counter_value(parameter), 0);
}

GHashTable *libvirt_facts_count(virDomainPtr domain, GError **error) {
        virDomainPtr domains[] = {domain, NULL};
        virDomainStatsRecordPtr *records = NULL;
        int n = virDomainListGetStats(domains, STATISTICS, &records, 0);

        if (n < 0) {
                libvirt_error(error, is_gone() ? CONDITION_NO_SUCH_GUEST : CONDITION_LIBVIRT_UNAVAILABLE,
                              "libvirt can't tell a guest's statistics");
                return NULL;
        }
        GHashTable *counters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        for (int i = 0; i < n; i++)
                for (int j = 0; j < records[i]->nparams; j++)
                        sum_up(&records[i]->params[j], counters);
        virDomainStatsRecordListFree(records);
        return counters;
}
