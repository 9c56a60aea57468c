/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs the rows, and looks at each finding of their hosts besides: its id, its place, its words. */

#include <string.h>

#include "check-row.h"

/* In their order; written out again on purpose: they are an interface. */
static const char *const ids[] = {
                "reading-failed",
                "degraded",
                "journal-damaged",
                "level",
                "below",
                "cpu",
                "firmware",
                "cpu-features",
                "cpu-sources",
                "cpus-differ",
                "kvm",
                "vendor-module",
                "module-files",
                "modules-disabled",
                "lockdown",
                "builtin",
                "device",
                "device-access",
                "nested",
                "paging",
                "probe",
                "kvm-kept",
                "pending",
                "desired-state",
                "parameter-refused",
                "parameter-unsupported",
                "parameter-needs",
                "parameter-differs",
                "parameter-by-hand",
                "parameter-unknown",
                "other-vendor",
                "parameter-overridden",
                "builtin-options",
                "install-command",
                "blacklist",
                "own-file",
                "modprobe-line",
                "masked-file",
                "modules-load",
                "initramfs",
                "virt-at-load",
                "nx-huge-pages",
                "l1d-flush",
                "windows-nests",
                "guests-left-out",
                NULL,
};

const Finding *check_row_find(const GPtrArray *findings, const char *id, unsigned *ret_n) {
        const Finding *found = NULL;

        *ret_n = 0;
        for (unsigned i = 0; i < findings->len; i++) {
                const Finding *f = g_ptr_array_index(findings, i);
                if (!g_str_equal(f->id, id))
                        continue;
                found = f;
                (*ret_n)++;
        }
        return found;
}

static int position(const char *id) {
        for (int i = 0; ids[i]; i++)
                if (g_str_equal(ids[i], id))
                        return i;
        return -1;
}

static void assert_order_and_words(const GPtrArray *findings) {
        static const char *const statuses[] = {"pass", "info", "warn", "fail", NULL};
        int last = -1;

        for (unsigned i = 0; i < findings->len; i++) {
                const Finding *f = g_ptr_array_index(findings, i);
                g_test_message("%s %s: %s", f->status, f->id, f->message);
                g_assert_cmpint(position(f->id), >=, 0);
                g_assert_cmpint(position(f->id), >=, last);
                last = position(f->id);
                g_assert_true(g_strv_contains(statuses, f->status));
                g_assert_cmpstr(f->subject, ==, "host");
                g_assert_cmpstr(f->message, !=, "");
                g_assert_false(g_str_has_suffix(f->message, "."));
                g_assert_null(strstr(f->message, "  "));
                if (g_str_equal(f->status, "pass"))
                        g_assert_cmpstr(f->fix, ==, "");
        }
}

static void test_row(gconstpointer data) {
        const CheckRow *row = data;
        g_autoptr(CheckFacts) facts = NULL;
        g_autoptr(Host) host = made_host_around(&row->made, &facts);
        unsigned n;

        host->device = row->node ? row->node : "ok";
        facts->has_node = row->mode != 0;
        facts->node = (struct stat) {.st_mode = S_IFCHR | row->mode, .st_uid = row->uid, .st_gid = row->gid};
        g_autoptr(GPtrArray) findings = check_host(host, facts, row->opened ? row->opened : "");
        const Finding *f = check_row_find(findings, row->id, &n);

        assert_order_and_words(findings);
        if (!row->status) {
                g_assert_null(f);
                return;
        }
        g_assert_nonnull(f);
        g_assert_cmpuint(n, ==, row->n > 0 ? row->n : 1);
        g_assert_cmpstr(f->status, ==, row->status);
        g_assert_nonnull(strstr(f->message, row->message));
        g_assert_true(!row->without || !strstr(f->message, row->without));
        g_assert_cmpstr(f->fix, ==, row->fix ? row->fix : "");
}

void check_rows_add(const CheckRow *rows, gsize n) {
        for (gsize i = 0; i < n; i++) {
                g_autofree char *fact = g_strdelimit(g_strdup(rows[i].fact), " ", '-');
                g_autofree char *path = g_strconcat("/check/", rows[i].id, "/", fact, NULL);
                g_test_add_data_func(path, &rows[i], test_row);
        }
}

void check_rows_assert_cover(const CheckRow *rows, gsize n, const char *first, const char *last, const char *but) {
        g_assert_cmpint(position(first), >=, 0);
        g_assert_cmpint(position(last), >, position(first));
        for (int i = position(first); i <= position(last); i++) {
                bool shown = g_strcmp0(ids[i], but) == 0;
                for (gsize r = 0; r < n; r++)
                        shown = shown || (g_str_equal(rows[r].id, ids[i]) && rows[r].status);
                g_test_message("%s", ids[i]);
                g_assert_true(shown);
        }
}
