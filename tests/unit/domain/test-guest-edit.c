/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A change of a definition that is kept in memory: each thing that can go wrong between the first
 * look and the last. */

#include <string.h>

#include "error.h"
#include "guest-edit.h"

#define XML                                                                                                         \
        "<domain type='kvm'>\n  <name>one</name>\n  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>\n" \
        "  <cpu mode='host-passthrough'/>\n  <devices><graphics type='vnc' passwd='sesame'/></devices>\n</domain>\n"
#define OTHER "<domain type='kvm'><name>one</name><os><type arch='x86_64'>hvm</type></os></domain>"

typedef struct Store {
        char *text;
        const char *becomes[3]; /* what is kept instead of what is written, one write after the other; NULL: that */
        unsigned reads, writes;
        unsigned failing_read, failing_write; /* from 1 on; 0: none */
        int how;                              /* a write fails; 0: Unsupported */
} Store;

static char *store_read(gpointer guest, GError **error) {
        Store *kept = guest;

        if (++kept->reads == kept->failing_read) {
                g_set_error_literal(error, CONDITION, CONDITION_LIBVIRT_UNAVAILABLE, "no");
                return NULL;
        }
        return g_strdup(kept->text);
}

static bool store_write(gpointer guest, const char *xml, GError **error) {
        Store *kept = guest;

        if (++kept->writes == kept->failing_write) {
                g_set_error_literal(error, CONDITION, kept->how ? kept->how : CONDITION_UNSUPPORTED, "no");
                return false;
        }
        g_free(kept->text);
        kept->text = g_strdup(kept->becomes[kept->writes - 1] ?: xml);
        return true;
}

static const GuestStore store = {.read = store_read, .write = store_write};

static GuestFacts *make_facts(void) {
        GuestFacts *facts = guest_facts_new();

        facts->name = g_strdup("one");
        facts->uuid = g_strdup("3b5b08e4-3dca-4ff9-9a1d-40389758d081");
        facts->type = "kvm";
        facts->arch = "x86_64";
        facts->persistent = true;
        facts->defined = guest_cpu_empty();
        facts->defined.mode = "host-passthrough";
        return facts;
}

static GuestPlan *make_listed_plan(const char *xml, int nested, const char *const *listed) {
        g_autoptr(GuestEdit) edit = guest_edit_new();
        g_autoptr(GError) error = NULL;

        edit->nested = nested;
        GuestPlan *plan = guest_edit_plan(xml, edit, make_facts(), "amd", listed, &error);
        g_assert_no_error(error);
        return plan;
}

static GuestPlan *make_plan(const char *xml, int nested) {
        return make_listed_plan(xml, nested, NULL);
}

typedef struct Row {
        const char *what;
        Store store;
        int condition;    /* -1: it succeeds */
        const char *text; /* what is kept in the end; NULL: the new definition */
        unsigned writes;
        const char *says; /* the message has it; NULL: whatever */
} Row;

/* clang-format off */
static const Row rows[] = {
        { "done", {.text = NULL}, -1, NULL, 1 },
        { "somebody was faster", {.text = (char *) OTHER}, CONDITION_CONFLICT, OTHER, 0 },
        { "not read", {.failing_read = 1}, CONDITION_LIBVIRT_UNAVAILABLE, XML, 0 },
        { "not written", {.failing_write = 1}, CONDITION_UNSUPPORTED, XML, 1 },
        { "perhaps written", {.failing_write = 1, .how = CONDITION_LIBVIRT_UNAVAILABLE}, CONDITION_LIBVIRT_UNAVAILABLE, XML, 1,
          "whether it was taken is not known (no). Look at it: virsh dumpxml --inactive 3b5b08e4-3dca-4ff9-9a1d-40389758d081" },
        { "not read back", {.failing_read = 2}, CONDITION_LIBVIRT_UNAVAILABLE, NULL, 1,
          "could not be read back (no). Look at it: virsh dumpxml --inactive 3b5b08e4-3dca-4ff9-9a1d-40389758d081" },
        { "something else was made of it", {.becomes = {OTHER}}, CONDITION_RELOAD_FAILED, XML, 2 },
        { "no definition at all", {.becomes = {"<domain"}}, CONDITION_RELOAD_FAILED, XML, 2 },
        { "and could not be put back", {.becomes = {OTHER}, .failing_write = 2}, CONDITION_HOST_DEGRADED, OTHER, 2 },
        { "nor was what was put back", {.becomes = {OTHER, OTHER}}, CONDITION_HOST_DEGRADED, OTHER, 2 },
        { "nor could that be read", {.becomes = {OTHER}, .failing_read = 3}, CONDITION_HOST_DEGRADED, XML, 2 },
};
/* clang-format on */

static void test_row(gconstpointer data) {
        const Row *row = data;
        g_autoptr(GuestPlan) plan = make_plan(XML, 0);
        g_autoptr(GError) error = NULL;
        g_autofree char *now = NULL;
        Store kept = row->store;

        kept.text = g_strdup(row->store.text ?: XML);
        g_assert_true(guest_edit_carry_out(plan, &store, &kept, "amd", &now, &error) == (row->condition < 0));
        g_assert_cmpstr(now, ==, row->condition < 0 ? kept.text : NULL);
        if (row->condition >= 0) {
                g_assert_error(error, CONDITION, row->condition);
                g_assert_null(strstr(error->message, "sesame"));
                g_assert_nonnull(strstr(error->message, row->says ?: ""));
        }
        g_assert_cmpstr(kept.text, ==, row->text ?: plan->after);
        g_assert_cmpuint(kept.writes, ==, row->writes);
        g_free(kept.text);
}

static void test_plan(void) {
        g_autoptr(GuestPlan) plan = make_plan(XML, 0);
        const GuestHost host = {.vendor = "amd", .nested = "on", .mmu = "tdp", .live = true, .cpu_has = true};

        g_assert_false(guest_plan_is_unchanged(plan));
        g_assert_nonnull(strstr(plan->after, "sesame"));
        g_assert_null(strstr(plan->diff, "sesame"));
        g_assert_nonnull(strstr(plan->diff, "disable"));
        g_assert_cmpstr(plan->cpu.policy, ==, "disable");
        g_assert_false(guest_plan_needs_restart(plan, &host));
        g_autoptr(GPtrArray) impact = guest_plan_impact(plan, &host);
        g_assert_cmpuint(impact->len, ==, 0);

        g_autoptr(GuestPlan) again = make_plan(plan->after, 0);
        g_assert_true(guest_plan_is_unchanged(again));
        g_assert_cmpstr(again->diff, ==, "");
}

#define FULL(model)                                                                                                \
        "<domain type='kvm'><os><type arch='x86_64'>hvm</type></os><cpu mode='custom' match='exact' check='full'>" \
        "<model>" model "</model><feature policy='require' name='svm'/></cpu></domain>"

/* Of what was written is asked for the same again, so with the same list. */
static void test_what_hangs_on_it(void) {
        static const char *const listed[] = {"avx", "npt", "svm", NULL};
        g_autoptr(GuestPlan) plan = make_listed_plan(FULL("EPYC-Milan"), 0, listed);
        g_autoptr(GError) error = NULL;
        g_autofree char *now = NULL;
        Store kept = {.text = g_strdup(FULL("EPYC-Milan"))};

        g_assert_nonnull(strstr(plan->after, "<feature policy='disable' name='npt'/>"));
        g_assert_null(strstr(plan->after, "avx"));
        g_assert_true(guest_edit_carry_out(plan, &store, &kept, "amd", &now, &error));
        g_assert_no_error(error);
        g_assert_cmpstr(now, ==, plan->after);
        g_assert_cmpuint(kept.writes, ==, 1);
        g_free(kept.text);
}

typedef struct Model {
        const char *xml;
        GuestEdit edit;
        const char *model; /* NULL: none that matters */
} Model;

static void test_whose_features(void) {
        /* clang-format off */
        static const Model models[] = {
                { FULL("EPYC"), {.nested = 0}, "EPYC" },
                { FULL("EPYC"), {.nested = 0, .model = (char *) "Dhyana"}, "Dhyana" },
                { FULL("EPYC"), {.nested = 0, .mode = (char *) "host-model"}, NULL },
                { FULL("EPYC"), {.nested = 1}, NULL },
                { FULL("EPYC"), {.nested = -1}, NULL },
                { FULL(""), {.nested = 0}, NULL },
                { "<domain><cpu check='full'><model>EPYC</model></cpu></domain>", {.nested = 0}, "EPYC" },
                { "<domain><cpu mode='host-model' check='full'><model>EPYC</model></cpu></domain>", {.nested = 0}, NULL },
                { "<domain><cpu check='partial'><model>EPYC</model></cpu></domain>", {.nested = 0}, NULL },
        };
        /* clang-format on */

        for (gsize i = 0; i < G_N_ELEMENTS(models); i++) {
                g_autoptr(CpuXml) cpu = cpu_xml_read(models[i].xml, "", NULL);
                g_assert_cmpstr(guest_edit_model(cpu, &models[i].edit), ==, models[i].model);
        }
}

/* Whoever asks may ask for any: what is kept for good would grow with each. */
static void test_no_model_is_kept(void) {
        g_autoptr(GuestEdit) edit = guest_edit_new();
        g_autoptr(GError) error = NULL;
        g_autofree char *now = NULL;
        Store kept = {.text = g_strdup(XML)};

        edit->model = g_strdup("Unheard-Of-v7");
        g_autoptr(GuestPlan) plan = guest_edit_plan(XML, edit, make_facts(), "amd", NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(plan->cpu.mode, ==, "custom");
        g_assert_cmpstr(plan->cpu.model, ==, "Unheard-Of-v7");
        g_assert_cmpstr(plan->cpu.mmu_policy, ==, "");
        g_assert_true(guest_edit_carry_out(plan, &store, &kept, "amd", &now, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(g_quark_try_string("Unheard-Of-v7"), ==, 0);
        g_free(kept.text);
}

/* What hypervisors have besides vmx and svm, and this CPU is not to have. */
static void test_less(void) {
        static const char *const policies[][3] = {
                        {"disable", "vgif", "disable"}, {"forbid", "npt", "forbid"}, {"disable", "vmx-vpid", "disable"},
                        {"disable", "svm", ""},         {"forbid", "vmx", ""},       {"require", "vgif", ""},
                        {"disable", "avx2", ""}};

        for (gsize i = 0; i < G_N_ELEMENTS(policies); i++) {
                g_autoptr(GuestFacts) facts = guest_facts_new();
                g_autoptr(GError) error = NULL;
                g_autofree char *text = g_strdup_printf("<domain><cpu mode='maximum'><feature policy='%s' name='%s'/>"
                                                        "</cpu></domain>",
                                                        policies[i][0], policies[i][1]);
                g_autoptr(CpuXml) xml = cpu_xml_read(text, "amd", &error);
                g_assert_no_error(error);
                const GuestCpu cpu = guest_cpu_from_xml(xml, "amd", guest_facts_words(facts));
                g_assert_cmpstr(cpu.less, ==, policies[i][2]);
        }
}

/* Nor what a definition names, which may be another thing each time it is read. */
static void test_no_definition_is_kept(void) {
        g_autoptr(GuestFacts) facts = guest_facts_new();
        g_autoptr(GError) error = NULL;
        CpuXml *xml = cpu_xml_read("<domain><cpu mode='custom'><model>Unheard-Of-v8</model></cpu></domain>", "amd",
                                   &error);

        g_assert_no_error(error);
        facts->defined = guest_cpu_from_xml(xml, "amd", guest_facts_words(facts));
        cpu_xml_free(xml);
        g_assert_cmpstr(facts->defined.mode, ==, "custom");
        g_assert_cmpstr(facts->defined.model, ==, "Unheard-Of-v8");
        g_assert_cmpuint(g_quark_try_string("Unheard-Of-v8"), ==, 0);
}

static void test_words(void) {
        g_autoptr(GuestEdit) edit = guest_edit_new();
        g_autoptr(GError) error = NULL;

        g_assert_false(guest_edit_check(edit, &error));
        g_assert_error(error, CONDITION, CONDITION_INVALID_ARGS);
        edit->mode = g_strdup("custom");
        edit->model = g_strdup("EPYC");
        edit->nested = 1;
        g_assert_true(guest_edit_check(edit, NULL));
        g_autofree char *text = guest_edit_to_string(edit);
        g_assert_cmpstr(text, ==, "mode=custom model=EPYC nested=yes");
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strdup_printf("/guest-edit/%s", rows[i].what);
                g_test_add_data_func(path, &rows[i], test_row);
        }
        g_test_add_func("/guest-edit/plan", test_plan);
        g_test_add_func("/guest-edit/what-hangs-on-it", test_what_hangs_on_it);
        g_test_add_func("/guest-edit/whose-features", test_whose_features);
        g_test_add_func("/guest-edit/no-model-is-kept", test_no_model_is_kept);
        g_test_add_func("/guest-edit/no-definition-is-kept", test_no_definition_is_kept);
        g_test_add_func("/guest-edit/less", test_less);
        g_test_add_func("/guest-edit/words", test_words);
        return g_test_run();
}
