/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Collects, and answers what several rules ask. No rule is here. */

#include <string.h>

#include "check-findings.h"
#include "finding.h"

/* Of one id; what is more is only counted. */
#define FINDINGS_MAX 16U

void check_begin(Check *check, const char *id) {
        check->id = id;
        check->n = 0;
}

void check_find(Check *check, const char *status, const char *fix, const char *format, ...) {
        va_list args;

        if (++check->n > FINDINGS_MAX)
                return;
        Finding *finding = g_new(Finding, 1);
        va_start(args, format);
        *finding = (Finding) {
                        .id = check->id,
                        .status = status,
                        .subject = g_strdup("host"),
                        .message = g_strdup_vprintf(format, args),
                        .fix = g_strdup(fix),
        };
        va_end(args);
        g_ptr_array_add(check->findings, finding);
}

void check_end(Check *check) {
        const unsigned n = check->n;

        if (n <= FINDINGS_MAX)
                return;
        check->n = 0;
        check_find(check, "info", "", "and %u more of this kind", n - FINDINGS_MAX);
}

const Module *check_module(const Host *host) {
        return host_vendor_module(host) ?: host_module(host, "kvm");
}

const char *check_effective(const Check *check, const char *module, const char *name) {
        const Parameter *parameter = catalog_variant(catalog_find(module, name), check->host->release);

        for (unsigned i = 0; i < check->effects->len; i++) {
                const Effect *e = g_ptr_array_index(check->effects, i);
                if (e->parameter == parameter && *e->effective)
                        return e->effective;
        }
        return NULL;
}

char *check_place(const char *path, unsigned line) {
        if (!path)
                return g_strdup("the kernel command line");
        return line > 0 ? g_strdup_printf("%s:%u", path, line) : g_strdup(path);
}

bool check_is_about_kvm(const char *path) {
        g_autofree char *name = g_path_get_basename(path);

        return strstr(name, "kvm") || strstr(name, "nestvirt") || strstr(name, "qemu") || strstr(name, "virt");
}
