/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a change of the host would do to a guest: a row for each way to lose, and for those that
 * only look like one. */

#include <string.h>

#include "guest-impact.h"
#include "made-guest.h"

typedef struct Row {
        const char *what;
        const char *vendor;                /* NULL: "intel" */
        const char *nested;                /* of now; NULL: "on" */
        const char *module, *name, *value; /* of the plan; NULL: kvm_intel or kvm_amd, "nested", "0" */
        bool nested_off;                   /* the plan says so */
        const char *defined, *live, *saved;
        const char *snapshot;
        const char *kind, *message; /* NULL: nothing; a part of it */
} Row;

/* clang-format off */
static const Row rows[] = {
        { "a guest that asks for vmx starts without", .defined = "custom Haswell require", .kind = "loses-nested", .message = "one starts, but can no longer run guests. It asks for vmx, but nested is off" },
        { "so does one that takes what there is", .defined = "host-passthrough - -", .kind = "loses-nested" },
        { "so does a running one, the next time", .defined = "host-model - -", .live = "custom Haswell require", .kind = "loses-nested", .message = "guests. nested is off on this host." },
        { "with check full it does not start", .defined = "custom Haswell require full", .kind = "fails-to-start", .message = "one will not start. It requires vmx with check='full'" },
        { "AMD's likewise", "amd", .defined = "custom EPYC require", .kind = "loses-nested", .message = "svm" },
        { "whoever does without is none the worse", .defined = "custom Haswell -" },
        { "nor is who fails already", .defined = "host-passthrough - forbid" },
        { "switching on takes nothing away", .nested = "off", .value = "1", .defined = "custom Haswell require" },
        { "nor does a switch that stays off", .nested = "off", .defined = "custom Haswell require full" },
        { "nor a nested of another module", .module = "kvm", .defined = "host-passthrough - -" },
        { "nor paging alone", .name = "ept", .defined = "host-passthrough - -" },
        { "a reload may switch it off unasked", .name = "ept", .nested_off = true, .defined = "host-passthrough - -", .kind = "loses-nested" },
        { "a managed save needs what it had", .defined = "custom Haswell -", .saved = "custom Haswell require", .kind = "saved-state", .message = "virsh managedsave-remove 3b5b08e4-3dca-4ff9-9a1d-40389758d081" },
        { "it can't be told of a save with the host's CPU", .defined = "custom Haswell -", .saved = "host-passthrough - require", .kind = "saved-state" },
        { "a save that had none comes back", .defined = "host-passthrough - -", .saved = "custom Haswell disable" },
        { "a snapshot needs what it had", .defined = "custom Haswell -", .snapshot = "custom Haswell require", .kind = "saved-state", .message = "those that hold its memory: before" },
        { "one that had none does not", .defined = "custom Haswell -", .snapshot = "custom Haswell disable" },
        { "nor one that could not be read", .defined = "custom Haswell -", .snapshot = "?" },
        { "nor one while nested stays on", .name = "ept", .defined = "custom Haswell -", .snapshot = "custom Haswell require" },
};
/* clang-format on */

static GuestHost host_of(const Row *row) {
        return (GuestHost) {
                        .vendor = row->vendor ?: "intel",
                        .nested = row->nested ?: "on",
                        .mmu = "tdp",
                        .live = true,
                        .cpu_has = true,
        };
}

static Plan *plan_of(const char *vendor, const char *module, const char *name, const char *after) {
        Plan *plan = plan_new_empty();
        PlanValue *value = g_new0(PlanValue, 1);

        plan->vendor = g_strdup_printf("kvm_%s", vendor);
        value->module = g_strdup(module ?: plan->vendor);
        value->name = g_strdup(name ?: "nested");
        value->after = g_strdup(after ?: "0");
        g_ptr_array_add(plan->values, value);
        return plan;
}

static void test_row(gconstpointer data) {
        const Row *row = data;
        const GuestHost now = host_of(row);
        g_autoptr(GuestFacts) facts = made_guest(row->defined, row->live, row->saved);
        g_autoptr(Plan) plan = plan_of(now.vendor, row->module, row->name, row->value);
        g_autoptr(GPtrArray) impact = g_ptr_array_new_with_free_func((GDestroyNotify) impact_free);

        if (row->snapshot)
                made_snapshot(facts, "before", row->snapshot);
        plan->nested_off = row->nested_off;
        const GuestHost then = guest_host_after(&now, plan);
        guest_impact(facts, &now, &then, impact);

        g_assert_cmpuint(impact->len, ==, row->kind ? 1 : 0);
        if (!row->kind)
                return;
        const Impact *one = g_ptr_array_index(impact, 0);
        g_test_message("%s", one->message);
        g_assert_cmpstr(one->kind, ==, row->kind);
        g_assert_cmpstr(one->subject, ==, "one");
        if (row->message)
                g_assert_nonnull(strstr(one->message, row->message));
}

static void test_paging(void) {
        const Row row = {};
        const GuestHost now = host_of(&row);
        g_autoptr(Plan) off = plan_of("intel", NULL, "ept", "0"), on = plan_of("intel", NULL, "ept", "1");
        g_autoptr(Plan) other = plan_of("intel", NULL, "npt", "0");

        g_assert_cmpstr(guest_host_after(&now, off).mmu, ==, "shadow");
        g_assert_cmpstr(guest_host_after(&now, on).mmu, ==, "tdp");
        g_assert_cmpstr(guest_host_after(&now, other).mmu, ==, "tdp");
        g_assert_cmpstr(guest_host_after(&now, off).nested, ==, "on");
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strdup_printf("/guest-impact/%s", rows[i].what);
                g_test_add_data_func(g_strdelimit(path, "'", '_'), &rows[i], test_row);
        }
        g_test_add_func("/guest-impact/paging", test_paging);
        return g_test_run();
}
