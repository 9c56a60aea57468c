/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libvirt's typed parameters, which are sums and names of the kernel's. What a counter means is
 * not known here, but for the two that tell of a guest's guests. */

#include <string.h>

#include "error.h"
#include "guest-facts.h"
#include "libvirt-domains.h"
#include "libvirt-error.h"
#include "libvirt-statistics.h"

/* Of the whole machine since libvirt 8.9; an older daemon leaves out what it does not know. */
#if LIBVIR_CHECK_VERSION(8, 9, 0)
#define STATISTICS (VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_VM)
#else
#define STATISTICS VIR_DOMAIN_STATS_VCPU
#endif

/* "vcpu.0.nested_run.sum", whichever virtual CPU. */
static bool is_counter(const char *field, const char *name) {
        const char *at = strncmp(field, "vcpu.", strlen("vcpu.")) == 0 ? strchr(field + strlen("vcpu."), '.') : NULL;

        return at && g_str_equal(at + 1, name);
}

/* Never negative. guest_mode is a boolean to Linux 6.1 and hence to QEMU 7.2 and libvirt 9.0
 * ("vcpu.0.guest_mode.cur=yes"); others are numbers. */
static gint64 counter_value(const virTypedParameter *parameter) {
        switch (parameter->type) {
        case VIR_TYPED_PARAM_ULLONG:
                return (gint64) MIN(parameter->value.ul, G_MAXINT64);
        case VIR_TYPED_PARAM_LLONG:
                return MAX(parameter->value.l, 0);
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

/* NOWAIT, of libvirt 4.5: of a guest about whom somebody asks already nothing is told of what only
 * its QEMU knows, and the other guests do not wait for it. */
static int read_records(virConnectPtr connection, const GPtrArray *uuids, virDomainStatsRecordPtr **ret) {
        virDomainPtr *domains;
        int n, r = -1;

        if (uuids->len == 0)
                return virConnectGetAllDomainStats(connection, VIR_DOMAIN_STATS_VCPU, ret,
                                                   VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE |
                                                                   VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
        domains = libvirt_domains_look_up(connection, uuids, &n);
        if (n > 0)
                r = virDomainListGetStats(domains, VIR_DOMAIN_STATS_VCPU, ret,
                                          VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
        libvirt_domains_free(domains, n);
        return r;
}

GPtrArray *libvirt_statistics_runs(virConnectPtr connection, const GPtrArray *uuids) {
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
        *sum += (guint64) counter_value(parameter);
}

GHashTable *libvirt_statistics_count(virDomainPtr domain, GError **error) {
        virDomainPtr domains[] = {domain, NULL};
        virDomainStatsRecordPtr *records = NULL;
        int n = virDomainListGetStats(domains, STATISTICS, &records, 0);

        if (n < 0) {
                libvirt_error(error, libvirt_error_is_gone() ? CONDITION_NO_SUCH_GUEST : CONDITION_LIBVIRT_UNAVAILABLE,
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
