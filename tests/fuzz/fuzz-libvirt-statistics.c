/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libvirt's statistics of a guest: "type field=value" in each part of the input. A counter is the
 * sum of what was told under its name, and none has a dot in its name. libvirt itself is the
 * functions at the top. */

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

#include "fuzz.h"
#include "guest-facts.h"
#include "libvirt-statistics.h"

#define PARAMETERS_MAX 64U

static virTypedParameter parameters[PARAMETERS_MAX];
static virDomainStatsRecord record = {.params = parameters};
static virDomainStatsRecordPtr records[] = {&record, NULL};

int virDomainListGetStats(virDomainPtr *domains, unsigned int stats, virDomainStatsRecordPtr **ret,
                          unsigned int flags) {
        *ret = records;
        return 1;
}

int virConnectGetAllDomainStats(virConnectPtr connection, unsigned int stats, virDomainStatsRecordPtr **ret,
                                unsigned int flags) {
        *ret = records;
        return 1;
}

void virDomainStatsRecordListFree(virDomainStatsRecordPtr *stats) {
}

int virDomainGetUUIDString(virDomainPtr domain, char *uuid) {
        g_strlcpy(uuid, "11111111-2222-3333-4444-555555555555", VIR_UUID_STRING_BUFLEN);
        return 0;
}

virDomainPtr virDomainLookupByUUIDString(virConnectPtr connection, const char *uuid) {
        return NULL;
}

int virDomainFree(virDomainPtr domain) {
        return 0;
}

int virConnectListAllDomains(virConnectPtr connection, virDomainPtr **domains, unsigned int flags) {
        return -1;
}

virErrorPtr virGetLastError(void) {
        return NULL;
}

/* "uvcpu.0.exits.sum=12" */
static void set_parameter(virTypedParameter *parameter, const char *text) {
        const char *equals = strchrnul(text, '=');
        const guint64 value = *equals ? g_ascii_strtoull(equals + 1, NULL, 10) : 0;

        *parameter = (virTypedParameter) {.type = VIR_TYPED_PARAM_STRING};
        if (!*text || equals == text)
                return;
        g_strlcpy(parameter->field, text + 1, MIN(sizeof(parameter->field), (gsize) (equals - text)));
        if (*text == 'u') {
                parameter->type = VIR_TYPED_PARAM_ULLONG;
                parameter->value.ul = value;
        } else if (*text == 'l') {
                parameter->type = VIR_TYPED_PARAM_LLONG;
                parameter->value.l = (long long) value;
        } else if (*text == 'b') {
                parameter->type = VIR_TYPED_PARAM_BOOLEAN;
                parameter->value.b = (char) (value & 1);
        }
}

static guint64 told(const virTypedParameter *parameter) {
        switch (parameter->type) {
        case VIR_TYPED_PARAM_ULLONG:
                return MIN(parameter->value.ul, G_MAXINT64);
        case VIR_TYPED_PARAM_LLONG:
                return parameter->value.l > 0 ? (guint64) parameter->value.l : 0;
        case VIR_TYPED_PARAM_BOOLEAN:
                return parameter->value.b;
        default:
                return 0;
        }
}

/* "vm.NAME.sum" or "vcpu.N.NAME.sum". */
static bool is_of(const char *field, const char *name) {
        g_auto(GStrv) words = g_strsplit(field, ".", -1);
        const unsigned n = g_strv_length(words);
        const bool vm = n == 3 && g_str_equal(words[0], "vm"), vcpu = n == 4 && g_str_equal(words[0], "vcpu");

        return (vm || vcpu) && g_str_equal(words[n - 2], name) &&
               g_strv_contains((const char *const[]) {"sum", "cur", "max", NULL}, words[n - 1]);
}

/* Where the sum is no number that the kernel could have come to, it is not compared. */
static guint64 sum(const char *name, bool *ret_overflow) {
        guint64 all = 0;

        for (int i = 0; i < record.nparams; i++)
                if (is_of(parameters[i].field, name))
                        *ret_overflow |= __builtin_add_overflow(all, told(&parameters[i]), &all);
        return all;
}

static void check_counters(GHashTable *counters) {
        GHashTableIter iter;
        gpointer name, value;

        g_hash_table_iter_init(&iter, counters);
        while (g_hash_table_iter_next(&iter, &name, &value)) {
                bool overflow = false;
                const guint64 expected = sum(name, &overflow);
                g_assert_null(strchr(name, '.'));
                if (!overflow)
                        g_assert_cmpuint(*(const guint64 *) value, ==, expected);
        }
        for (int i = 0; i < record.nparams; i++) {
                g_auto(GStrv) words = g_strsplit(parameters[i].field, ".", -1);
                const unsigned n = g_strv_length(words);
                if (n >= 2 && is_of(parameters[i].field, words[n - 2]))
                        g_assert_true(g_hash_table_contains(counters, words[n - 2]));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) none = g_ptr_array_new();

        for (record.nparams = 0; size > 0 && record.nparams < (int) PARAMETERS_MAX; record.nparams++) {
                g_autofree char *text = fuzz_take(&data, &size, NULL);
                set_parameter(&parameters[record.nparams], text);
        }
        g_autoptr(GHashTable) counters = libvirt_statistics_count(NULL, &error);
        g_assert_no_error(error);
        check_counters(counters);
        g_autoptr(GPtrArray) guests = libvirt_statistics_runs(NULL, none);
        g_assert_cmpuint(guests->len, ==, 1);
        const GuestFacts *facts = g_ptr_array_index(guests, 0);
        g_assert_cmpint(facts->nested_run, >=, -1);
        g_assert_cmpint(facts->guest_mode, >=, -1);
        return 0;
}
