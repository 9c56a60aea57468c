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

/* Nothing of it is known when @text is NULL or can't be read. @kind: gets what it says beside the
 * CPU; may be NULL. */
static void read_cpu(const char *text, const char *vendor, GuestCpu *ret, GuestFacts *kind) {
        g_autoptr(CpuXml) xml = text ? cpu_xml_read(text, vendor, NULL) : NULL;

        *ret = xml ? guest_cpu_from_xml(xml, vendor) : (GuestCpu) {};
        if (xml && kind) {
                kind->type = intern(xml->type);
                kind->arch = intern(xml->arch);
                kind->machine = intern(xml->machine);
        }
}

/* Takes libvirt's string over. */
static void take_cpu(char *text, const char *vendor, GuestCpu *ret) {
        read_cpu(text, vendor, ret, NULL);
        free(text);
}

static void read_snapshot(virDomainSnapshotPtr snapshot, const char *vendor, GuestFacts *facts) {
        const char *name = virDomainSnapshotGetName(snapshot);
        char *text = virDomainSnapshotGetXMLDesc(snapshot, 0);
        const char *begin = text ? strstr(text, "<domain ") : NULL, *end = begin ? strstr(begin, "</domain>") : NULL;
        GuestCpu cpu = {};

        /* Not of the <inactiveDomain> that may follow. */
        if (end) {
                g_autofree char *domain = g_strndup(begin, (gsize) (end - begin) + strlen("</domain>"));
                read_cpu(domain, vendor, &cpu, NULL);
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

static bool is_active(virDomainPtr domain) {
        return virDomainGetID(domain) != (unsigned) -1;
}

/* That it is running is part of what every list and look-up brings; and what does not run is
 * persistent. */
static GuestFacts *new_facts(virDomainPtr domain) {
        GuestFacts *facts = guest_facts_new();
        char uuid[VIR_UUID_STRING_BUFLEN] = "";

        (void) virDomainGetUUIDString(domain, uuid);
        facts->uuid = g_strdup(uuid);
        facts->name = g_strdup(virDomainGetName(domain));
        facts->active = is_active(domain);
        facts->persistent = !facts->active || virDomainIsPersistent(domain) > 0;
        return facts;
}

GuestFacts *libvirt_facts_state(virDomainPtr domain) {
        GuestFacts *facts = new_facts(domain);

        facts->managed_save = virDomainHasManagedSaveImage(domain, 0) > 0;
        return facts;
}

/* Of the last call: there is no guest any more. */
static bool is_gone(void) {
        const virError *last = virGetLastError();

        return last && last->code == VIR_ERR_NO_DOMAIN;
}

/* The definition could not be had: because there is no guest any more, or nobody to ask? */
static bool is_lost(virDomainPtr domain, GError **error) {
        const bool gone = is_gone();
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
        char *text = virDomainGetXMLDesc(domain, facts->persistent ? VIR_DOMAIN_XML_INACTIVE : 0);

        if (!text && is_lost(domain, error))
                return false;
        read_cpu(text, vendor, &facts->defined, facts);
        free(text);
        return true;
}

static void read_others(virDomainPtr domain, const char *vendor, GuestFacts *facts, bool snapshots) {
        if (facts->active && facts->persistent)
                take_cpu(virDomainGetXMLDesc(domain, 0), vendor, &facts->live);
        else if (facts->active)
                facts->live = facts->defined;
        if (facts->managed_save)
                take_cpu(virDomainManagedSaveGetXMLDesc(domain, 0), vendor, &facts->saved);
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

void libvirt_facts_complete(virDomainPtr domain, const char *definition, const char *vendor, GuestFacts *facts) {
        read_cpu(definition, vendor, &facts->defined, facts);
        read_others(domain, vendor, facts, virDomainSnapshotNum(domain, 0) > 0);
}

/* "vcpu.0.nested_run.sum", whichever virtual CPU. */
static bool is_counter(const char *field, const char *name) {
        const char *at = strncmp(field, "vcpu.", strlen("vcpu.")) == 0 ? strchr(field + strlen("vcpu."), '.') : NULL;

        return at && g_str_equal(at + 1, name);
}

/* guest_mode is a boolean to Linux 6.1 and hence to QEMU 7.2 and libvirt 9.0
 * ("vcpu.0.guest_mode.cur=yes"); others are numbers. */
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

static void free_domains(virDomainPtr *domains, int n) {
        for (int i = 0; i < n; i++)
                (void) virDomainFree(domains[i]);
        free(domains);
}

/* How many there are; negative when libvirt can't list them. */
static int list_domains(virConnectPtr connection, unsigned flags, virDomainPtr **ret, GError **error) {
        int n = virConnectListAllDomains(connection, ret, flags);

        if (n < 0)
                libvirt_error(error, CONDITION_LIBVIRT_UNAVAILABLE, "libvirt can't list its guests");
        return n;
}

/* The UUIDs of the guests of one kind, a set. */
static GHashTable *list_kind(virConnectPtr connection, unsigned flags, GError **error) {
        virDomainPtr *domains = NULL;
        char uuid[VIR_UUID_STRING_BUFLEN];
        int n = list_domains(connection, flags, &domains, error);

        if (n < 0)
                return NULL;
        GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (int i = 0; i < n; i++)
                if (virDomainGetUUIDString(domains[i], uuid) >= 0)
                        (void) g_hash_table_add(set, g_strdup(uuid));
        free_domains(domains, n);
        return set;
}

/* What is asked about all guests at once. */
typedef struct Kinds {
        GHashTable *saved, *with_snapshots;
} Kinds;

static bool kinds_list(virConnectPtr connection, Kinds *ret, GError **error) {
        ret->saved = list_kind(connection, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, error);
        ret->with_snapshots = ret->saved ? list_kind(connection, VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, error) : NULL;
        return ret->with_snapshots;
}

static void kinds_clear(Kinds *kinds) {
        g_clear_pointer(&kinds->saved, g_hash_table_unref);
        g_clear_pointer(&kinds->with_snapshots, g_hash_table_unref);
}

/* False when it could not be read for another reason than that it has gone meanwhile. */
static bool add_guest(virDomainPtr domain, const char *vendor, const Kinds *kinds, GPtrArray *guests, GError **error) {
        g_autoptr(GuestFacts) facts = new_facts(domain);
        g_autoptr(GError) problem = NULL;

        facts->managed_save = g_hash_table_contains(kinds->saved, facts->uuid);
        if (read_definition(domain, vendor, facts, &problem)) {
                read_others(domain, vendor, facts, g_hash_table_contains(kinds->with_snapshots, facts->uuid));
                g_ptr_array_add(guests, g_steal_pointer(&facts));
        } else if (!g_error_matches(problem, CONDITION, CONDITION_NO_SUCH_GUEST)) {
                g_propagate_error(error, g_steal_pointer(&problem));
                return false;
        }
        return true;
}

/* As much as is known without a question about it. */
static bool add_surveyed(virDomainPtr domain, const char *vendor, const Kinds *kinds, GPtrArray *guests,
                         GError **error) {
        GuestFacts *facts = guest_facts_new();
        char uuid[VIR_UUID_STRING_BUFLEN] = "";

        (void) virDomainGetUUIDString(domain, uuid);
        facts->uuid = g_strdup(uuid);
        facts->active = is_active(domain);
        facts->managed_save = g_hash_table_contains(kinds->saved, uuid);
        if (g_hash_table_contains(kinds->with_snapshots, uuid))
                facts->snapshots = g_ptr_array_new();
        g_ptr_array_add(guests, facts);
        return true;
}

typedef bool (*AddGuest)(virDomainPtr domain, const char *vendor, const Kinds *kinds, GPtrArray *guests,
                         GError **error);

static GPtrArray *list_all(virConnectPtr connection, const char *vendor, AddGuest add, GError **error) {
        g_autoptr(GPtrArray) guests = g_ptr_array_new_with_free_func((GDestroyNotify) guest_facts_free);
        virDomainPtr *domains = NULL;
        Kinds kinds = {};
        int n = kinds_list(connection, &kinds, error) ? list_domains(connection, 0, &domains, error) : -1;
        bool good = n >= 0;

        for (int i = 0; i < n && good; i++)
                good = add(domains[i], vendor, &kinds, guests, error);
        free_domains(domains, n);
        kinds_clear(&kinds);
        return good ? g_steal_pointer(&guests) : NULL;
}

GPtrArray *libvirt_facts_list(virConnectPtr connection, const char *vendor, GError **error) {
        return list_all(connection, vendor, add_guest, error);
}

GPtrArray *libvirt_facts_survey(virConnectPtr connection, GError **error) {
        return list_all(connection, "", add_surveyed, error);
}

/* Those of them that there are. */
static virDomainPtr *look_up(virConnectPtr connection, const GPtrArray *uuids, int *ret_n) {
        virDomainPtr *domains = calloc(uuids->len + 1, sizeof *domains);

        *ret_n = 0;
        for (unsigned i = 0; domains && i < uuids->len; i++) {
                domains[*ret_n] = virDomainLookupByUUIDString(connection, g_ptr_array_index(uuids, i));
                if (domains[*ret_n])
                        ++*ret_n;
        }
        return domains;
}

static int read_records(virConnectPtr connection, const GPtrArray *uuids, virDomainStatsRecordPtr **ret) {
        virDomainPtr *domains;
        int n, r = -1;

        if (uuids->len == 0)
                return virConnectGetAllDomainStats(connection, VIR_DOMAIN_STATS_VCPU, ret,
                                                   VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE);
        domains = look_up(connection, uuids, &n);
        if (n > 0)
                r = virDomainListGetStats(domains, VIR_DOMAIN_STATS_VCPU, ret, 0);
        free_domains(domains, n);
        return r;
}

/* Where the driver has no statistics nothing is known. */
GPtrArray *libvirt_facts_statistics(virConnectPtr connection, const GPtrArray *uuids) {
        GPtrArray *guests = g_ptr_array_new_with_free_func((GDestroyNotify) guest_facts_free);
        virDomainStatsRecordPtr *records = NULL;
        char uuid[VIR_UUID_STRING_BUFLEN];
        int n = read_records(connection, uuids, &records);

        for (int i = 0; i < n; i++)
                if (virDomainGetUUIDString(records[i]->dom, uuid) >= 0) {
                        GuestFacts *facts = guest_facts_new();
                        facts->uuid = g_strdup(uuid);
                        take_record(records[i], facts);
                        g_ptr_array_add(guests, facts);
                }
        if (n >= 0)
                virDomainStatsRecordListFree(records);
        return guests;
}

/* "vcpu.0.exits.sum" and "vm.pages_4k.cur": the kernel's name, which has no dot in it. NULL: it is
 * not one of KVM's. */
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
