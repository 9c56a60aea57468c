/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of parameters: that it is consistent in itself, that the facts that decide something
 * are in it, and what is made of names and values. */

#include <string.h>

#include "catalog.h"
#include "error.h"

#define BOOKWORM "6.1.0-38-cloud-amd64"
#define TRIXIE "6.12.43+deb13-amd64"
#define LONG_TERM "6.18.15+deb13-cloud-amd64"
#define SID "7.2.4-cloud-amd64"

static void test_rows_are_consistent(void) {
        for (unsigned i = 0; i < n_catalog; i++) {
                const Parameter *p = &catalog[i];
                g_test_message("%s.%s", p->module, p->name);
                g_assert_true(g_str_has_prefix(p->module, "kvm"));
                g_assert_cmpstr(p->description, !=, "");
                g_assert_false(g_str_has_suffix(p->description, "."));
                g_assert_cmpuint(strlen(p->description), <=, 100);
                g_assert_true((p->kind == KIND_CHOICE) == (p->choices != NULL));
                for (const char *const *need = p->needs; need && *need; need++)
                        g_assert_nonnull(catalog_find(p->module, *need));
                if (p->used_with)
                        g_assert_cmpint(catalog_find(p->module, p->used_with)->kind, ==, KIND_BOOL);
                if (p->forced_by)
                        g_assert_cmpint(catalog_find(p->module, p->forced_by)->kind, ==, KIND_BOOL);
                for (const CatalogDefault *d = p->defaults; d && d->value; d++) {
                        g_autofree char *release = g_strdup_printf("%u.%u.0", d->major, d->minor);
                        g_autofree char *normal = catalog_normalise(p, release, d->value, NULL);
                        if (p->since.major <= d->major) {
                                g_assert_cmpstr(normal, ==, d->value);
                                g_assert_cmpstr(catalog_default(p, release), ==, d->value);
                        }
                }
        }
}

static void test_counterparts_point_at_each_other(void) {
        unsigned pairs = 0;

        for (unsigned i = 0; i < n_catalog; i++) {
                const Parameter *p = &catalog[i];
                if (!p->counterpart)
                        continue;
                const char *other = g_str_equal(p->module, "kvm_intel") ? "kvm_amd" : "kvm_intel";
                const Parameter *back = catalog_find(other, p->counterpart);
                g_test_message("%s.%s", p->module, p->name);
                g_assert_nonnull(back);
                g_assert_cmpstr(back->counterpart, ==, p->name);
                pairs++;
        }
        g_assert_cmpuint(pairs, >=, 8);
        g_assert_cmpstr(catalog_find("kvm_intel", "ept")->counterpart, ==, "npt");
        g_assert_cmpstr(catalog_find("kvm_amd", "avic")->counterpart, ==, "enable_apicv");
}

/* Twice the same name in one module only where the kind changed, older row first. */
static void test_variants_ascend(void) {
        for (unsigned i = 0; i < n_catalog; i++)
                for (unsigned j = 0; j < i; j++) {
                        if (!g_str_equal(catalog[i].module, catalog[j].module) ||
                            !g_str_equal(catalog[i].name, catalog[j].name))
                                continue;
                        g_test_message("%s.%s", catalog[i].module, catalog[i].name);
                        g_assert_cmpuint(catalog[i].since.major, >, catalog[j].since.major);
                        g_assert_cmpint(catalog[i].kind, !=, catalog[j].kind);
                }
        for (unsigned i = 0; i < n_catalog; i++)
                if (catalog_find(catalog[i].module, catalog[i].name) == &catalog[i])
                        g_assert_cmpuint(catalog[i].since.major, ==, 0);
}

typedef struct Default {
        const char *module, *name, *release, *value;
} Default;

/* clang-format off */
static const Default defaults[] = {
        { "kvm_intel", "nested",              "4.19.0",   "0" },
        { "kvm_intel", "nested",              "4.20.0",   "1" },
        { "kvm_intel", "nested",              BOOKWORM,   "1" },
        { "kvm_intel", "enable_shadow_vmcs",  BOOKWORM,   "1" },
        { "kvm_intel", "enable_apicv",        BOOKWORM,   "1" },
        { "kvm_intel", "ept",                 BOOKWORM,   "1" },
        { "kvm_intel", "ple_gap",             BOOKWORM,   "128" },
        { "kvm_intel", "ple_window_max",      BOOKWORM,   "4294967295" },
        { "kvm_intel", "vmentry_l1d_flush",   BOOKWORM,   "auto" },
        { "kvm_intel", "enlightened_vmcs",    BOOKWORM,   "" },
        { "kvm_amd",   "nested",              "4.9.0",    "1" },
        { "kvm_amd",   "npt",                 "5.10.0",   "1" },
        { "kvm_amd",   "avic",                BOOKWORM,   "0" },
        { "kvm_amd",   "avic",                TRIXIE,     "0" },
        { "kvm_amd",   "avic",                "6.17.13",  "0" },
        { "kvm_amd",   "avic",                LONG_TERM,  "auto" },
        { "kvm_amd",   "avic",                SID,        "auto" },
        { "kvm_amd",   "sev",                 "5.10.0",   "" },
        { "kvm_amd",   "sev",                 BOOKWORM,   "1" },
        { "kvm",       "tdp_mmu",             "5.10.0",   "0" },
        { "kvm",       "tdp_mmu",             BOOKWORM,   "1" },
        { "kvm",       "halt_poll_ns_shrink", BOOKWORM,   "0" },
        { "kvm",       "halt_poll_ns_shrink", TRIXIE,     "2" },
        { "kvm",       "ignore_msrs",         BOOKWORM,   "0" },
        { "kvm",       "pi_inject_timer",     BOOKWORM,   "" },
        { "kvm",       "tdp_mmu",             "nonsense", "1" },
        { "kvm",       "tdp_mmu",             NULL,       "1" },
};
/* clang-format on */

static void test_defaults_by_kernel(void) {
        for (gsize i = 0; i < G_N_ELEMENTS(defaults); i++) {
                const Default *d = &defaults[i];
                g_test_message("%s.%s on %s", d->module, d->name, d->release ? d->release : "no release");
                g_assert_cmpstr(catalog_default(catalog_find(d->module, d->name), d->release), ==, d->value);
        }
        g_assert_cmpstr(catalog_default(NULL, BOOKWORM), ==, "");
}

typedef struct Value {
        const char *module, *name, *release, *text;
        const char *normal; /* NULL: InvalidValue */
        const char *parsed; /* NULL: the kernel refuses it */
} Value;

/* clang-format off */
static const Value values[] = {
        /* what people say, and what the kernel makes of the same word */
        { "kvm_intel", "nested", BOOKWORM, "1",      "1",   "1" },
        { "kvm_intel", "nested", BOOKWORM, "0",      "0",   "0" },
        { "kvm_intel", "nested", BOOKWORM, "on",     "1",   "1" },
        { "kvm_intel", "nested", BOOKWORM, "Off",    "0",   "0" },
        { "kvm_intel", "nested", BOOKWORM, "yes",    "1",   "1" },
        { "kvm_intel", "nested", BOOKWORM, "no",     "0",   "0" },
        { "kvm_intel", "nested", BOOKWORM, "true",   "1",   "1" },
        { "kvm_intel", "nested", BOOKWORM, "FALSE",  "0",   "0" },
        { "kvm_intel", "nested", BOOKWORM, "Y",      "1",   "1" },
        { "kvm_intel", "nested", BOOKWORM, "N",      "0",   "0" },
        { "kvm_intel", "nested", BOOKWORM, "",       NULL,  NULL },
        { "kvm_intel", "nested", BOOKWORM, "2",      NULL,  NULL },
        { "kvm_intel", "nested", BOOKWORM, "10",     NULL,  "1" },
        { "kvm_intel", "nested", BOOKWORM, "banana", NULL,  NULL },
        { "kvm_intel", "nested", BOOKWORM, "nope",   NULL,  "0" },
        { "kvm_intel", "nested", BOOKWORM, "o",      NULL,  NULL },
        { "kvm_intel", "nested", BOOKWORM, " 1",     NULL,  NULL },
        /* a switch that the kernel keeps as an int */
        { "kvm_amd", "nested", BOOKWORM, "Y",    "1",  NULL },
        { "kvm_amd", "nested", SID,      "on",   "1",  NULL },
        { "kvm_amd", "nested", NULL,     "Y",    "1",  NULL },
        { "kvm_amd", "nested", BOOKWORM, "1",    "1",  "1" },
        { "kvm_amd", "nested", BOOKWORM, "2",    NULL, "1" },
        { "kvm_amd", "nested", BOOKWORM, "0x0",  NULL, "0" },
        { "kvm_amd", "nested", BOOKWORM, "",     NULL, NULL },
        { "kvm_amd", "vgif",   BOOKWORM, "N",    "0",  NULL },
        { "kvm_amd", "npt",    "5.10.0", "N",    "0",  NULL },
        { "kvm_amd", "npt",    BOOKWORM, "N",    "0",  "0" },
        /* one that became a choice */
        { "kvm_amd", "avic", BOOKWORM, "auto", NULL,   NULL },
        { "kvm_amd", "avic", TRIXIE,   "auto", NULL,   NULL },
        { "kvm_amd", "avic", "6.17.13", "auto", NULL,  NULL },
        { "kvm_amd", "avic", LONG_TERM, "auto", "auto", "auto" },
        { "kvm_amd", "avic", SID,      "auto", "auto", "auto" },
        { "kvm_amd", "avic", SID,      "on",   "1",    "1" },
        { "kvm_amd", "avic", SID,      "Y",    "1",    "1" },
        { "kvm_amd", "avic", "5.10.0", "Y",    "1",    NULL },
        { "kvm_amd", "avic", BOOKWORM, "Y",    "1",    "1" },
        /* choices */
        { "kvm", "nx_huge_pages", BOOKWORM, "force", "1",     "1" },
        { "kvm", "nx_huge_pages", BOOKWORM, "off",   "0",     "0" },
        { "kvm", "nx_huge_pages", BOOKWORM, "Y",     "1",     "1" },
        { "kvm", "nx_huge_pages", BOOKWORM, "never", "never", "never" },
        { "kvm", "nx_huge_pages", BOOKWORM, "cond",  NULL,    NULL },
        { "kvm_intel", "vmentry_l1d_flush", BOOKWORM, "cond",         "cond", "cond" },
        { "kvm_intel", "vmentry_l1d_flush", BOOKWORM, "on",           NULL,   NULL },
        { "kvm_intel", "vmentry_l1d_flush", BOOKWORM, "not required", NULL,   NULL },
        /* numbers */
        { "kvm", "halt_poll_ns", BOOKWORM, "0",          "0",          "0" },
        { "kvm", "halt_poll_ns", BOOKWORM, "0x10",       "16",         "16" },
        { "kvm", "halt_poll_ns", BOOKWORM, "010",        "10",         "8" },
        { "kvm", "halt_poll_ns", BOOKWORM, "4294967295", "4294967295", "4294967295" },
        { "kvm", "halt_poll_ns", BOOKWORM, "4294967296", NULL,         NULL },
        { "kvm", "halt_poll_ns", BOOKWORM, "99999999999999999999999", NULL, NULL },
        { "kvm", "halt_poll_ns", BOOKWORM, "-1",         NULL,         NULL },
        { "kvm", "halt_poll_ns", BOOKWORM, "0x",         NULL,         NULL },
        { "kvm", "halt_poll_ns", BOOKWORM, "0x-1",       NULL,         NULL },
        { "kvm", "halt_poll_ns", BOOKWORM, "",           NULL,         NULL },
        { "kvm", "halt_poll_ns", BOOKWORM, "1 2",        NULL,         NULL },
        { "kvm", "halt_poll_ns", BOOKWORM, "on",         NULL,         NULL },
        { "kvm_amd", "pause_filter_count", BOOKWORM, "65535", "65535", "65535" },
        { "kvm_amd", "pause_filter_count", BOOKWORM, "65536", NULL,    NULL },
        { "kvm", "lapic_timer_advance_ns", BOOKWORM, "-1",          "-1",          "-1" },
        { "kvm", "lapic_timer_advance_ns", BOOKWORM, "-2147483648", "-2147483648", "-2147483648" },
        { "kvm", "lapic_timer_advance_ns", BOOKWORM, "-2147483649", NULL,          NULL },
        { "kvm", "lapic_timer_advance_ns", BOOKWORM, "2147483648",  NULL,          NULL },
};
/* clang-format on */

static void test_values(void) {
        for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
                const Value *v = &values[i];
                const Parameter *p = catalog_find(v->module, v->name);
                g_autoptr(GError) error = NULL;
                g_autofree char *normal = catalog_normalise(p, v->release, v->text, &error);
                g_autofree char *parsed = catalog_parse(p, v->release, v->text);

                g_test_message("%s.%s=%s on %s", v->module, v->name, v->text, v->release ? v->release : "no release");
                g_assert_cmpstr(normal, ==, v->normal);
                g_assert_cmpstr(parsed, ==, v->parsed);
                if (v->normal)
                        g_assert_no_error(error);
                else
                        g_assert_error(error, CONDITION, CONDITION_INVALID_VALUE);
        }
}

static void test_what_sysfs_prints(void) {
        static const struct {
                const char *module, *name, *printed, *read;
        } rows[] = {
                        {"kvm_intel", "nested", "Y", "1"},     {"kvm_intel", "nested", "N", "0"},
                        {"kvm_amd", "nested", "1", "1"},       {"kvm_amd", "nested", "0", "0"},
                        {"kvm_amd", "nested", "2", "1"},       {"kvm_amd", "nested", "", NULL},
                        {"kvm_amd", "nested", "(null)", NULL}, {"kvm", "halt_poll_ns", "200000", "200000"},
                        {"kvm_amd", "avic", "Y", "1"},         {"kvm_intel", "vmentry_l1d_flush", "EPT disabled", NULL},
                        {"kvm_amd", "nested", "-1", "1"},      {"kvm_amd", "vgif", "-1", "1"},
                        {"kvm_amd", "vls", "-1", "1"},         {"kvm_amd", "lbrv", "-1", "1"},
                        {"kvm_amd", "nrips", "-1", "1"},       {"kvm_amd", "tsc_scaling", "-2", "1"},
                        {"kvm_amd", "nested", "-", NULL},      {"kvm_amd", "nested", "--1", NULL},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *read = catalog_read(catalog_find(rows[i].module, rows[i].name), SID, rows[i].printed);
                g_test_message("%s.%s: %s", rows[i].module, rows[i].name, rows[i].printed);
                g_assert_cmpstr(read, ==, rows[i].read);
        }
}

/* "options kvm_intel nested" switches a bool on, and so does avic as a choice
 * (KERNEL_PARAM_OPS_FL_NOARG in svm/avic.c); anything else must have a value. */
static void test_a_name_without_a_value(void) {
        static const Default rows[] = {
                        {"kvm_intel", "nested", BOOKWORM, "1"},   {"kvm_amd", "nested", BOOKWORM, NULL},
                        {"kvm_amd", "avic", BOOKWORM, "1"},       {"kvm_amd", "avic", LONG_TERM, "1"},
                        {"kvm", "nx_huge_pages", BOOKWORM, NULL}, {"kvm", "halt_poll_ns", BOOKWORM, NULL},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                const Parameter *p = catalog_find(rows[i].module, rows[i].name);
                g_autofree char *value = catalog_parse(p, rows[i].release, NULL);
                g_test_message("%s.%s on %s", rows[i].module, rows[i].name, rows[i].release);
                g_assert_cmpstr(value, ==, rows[i].value);
        }
}

/* Whatever we pass to a load is a normalised value: no kernel may refuse one. */
static void test_the_kernel_takes_every_normalised_value(void) {
        static const char *const releases[] = {"5.10.0", BOOKWORM, TRIXIE, LONG_TERM, SID};
        static const char *const words[] = {"on", "off", "auto", "never", "cond", "always", "force", "0", "1", "65535"};
        unsigned taken = 0;

        for (unsigned i = 0; i < n_catalog; i++)
                for (gsize r = 0; r < G_N_ELEMENTS(releases); r++)
                        for (gsize w = 0; w < G_N_ELEMENTS(words); w++) {
                                const Parameter *p = &catalog[i];
                                g_autofree char *normal = catalog_normalise(p, releases[r], words[w], NULL);
                                if (!normal)
                                        continue;
                                g_autofree char *parsed = catalog_parse(p, releases[r], normal);
                                g_test_message("%s.%s=%s on %s", p->module, p->name, normal, releases[r]);
                                g_assert_cmpstr(parsed, ==, normal);
                                taken++;
                        }
        g_assert_cmpuint(taken, >, 4 * n_catalog);
}

static void test_messages_name_what_is_allowed(void) {
        g_autoptr(GError) of_bool = NULL, of_choice = NULL, of_number = NULL, of_garbage = NULL;
        g_autofree char *long_text = g_strnfill(100000, 'x');

        g_assert_null(catalog_normalise(catalog_find("kvm_amd", "nested"), BOOKWORM, "banana", &of_bool));
        g_assert_cmpstr(of_bool->message, ==, "nested can be on or off, not \"banana\"");
        g_assert_null(catalog_normalise(catalog_find("kvm_amd", "avic"), SID, "banana", &of_choice));
        g_assert_cmpstr(of_choice->message, ==, "avic can be auto, on or off, not \"banana\"");
        g_assert_null(catalog_normalise(catalog_find("kvm_amd", "pause_filter_count"), BOOKWORM, "x\n\033[1m",
                                        &of_number));
        g_assert_cmpstr(of_number->message, ==,
                        "pause_filter_count can be a number from 0 to 65535, not \"x\\n\\033[1m\"");
        g_assert_null(catalog_normalise(catalog_find("kvm", "ignore_msrs"), BOOKWORM, long_text, &of_garbage));
        g_assert_cmpuint(strlen(of_garbage->message), <, 200);
}

typedef struct Word {
        const char *word, *vendor_module;
        const char *found; /* "module.name", NULL: nobody knows it */
} Word;

/* clang-format off */
static const Word words[] = {
        { "nested",              "kvm_amd",   "kvm_amd.nested" },
        { "nested",              "kvm_intel", "kvm_intel.nested" },
        { "nested",              NULL,        "kvm_intel.nested" },
        { "shadow-vmcs",         "kvm_intel", "kvm_intel.enable_shadow_vmcs" },
        { "shadow_vmcs",         "kvm_intel", "kvm_intel.enable_shadow_vmcs" },
        { "enable-shadow-vmcs",  "kvm_intel", "kvm_intel.enable_shadow_vmcs" },
        { "apicv",               "kvm_intel", "kvm_intel.enable_apicv" },
        { "enable_apicv",        "kvm_intel", "kvm_intel.enable_apicv" },
        { "apicv",               "kvm_amd",   "kvm_intel.enable_apicv" },
        { "ept",                 "kvm_amd",   "kvm_intel.ept" },
        { "npt",                 "kvm_intel", "kvm_amd.npt" },
        { "ipiv",                "kvm_amd",   "kvm_amd.enable_ipiv" },
        { "ignore_msrs",         "kvm_amd",   "kvm.ignore_msrs" },
        { "ignore-msrs",         NULL,        "kvm.ignore_msrs" },
        { "kvm.ignore_msrs",     "kvm_amd",   "kvm.ignore_msrs" },
        { "virt-at-load",        "kvm_amd",   "kvm.enable_virt_at_load" },
        { "kvm-amd.nested",      "kvm_intel", "kvm_amd.nested" },
        { "kvm_intel.apicv",     "kvm_amd",   "kvm_intel.enable_apicv" },
        { "pmu",                 "kvm_pvm",   "kvm.enable_pmu" },
        { "kvm.nested",          "kvm_amd",   NULL },
        { "banana",              "kvm_amd",   NULL },
        { "nest",                "kvm_amd",   NULL },
        { "ne-ted",              "kvm_amd",   NULL },
        { "ignorexmsrs",         "kvm_amd",   NULL },
        { "nestedx",             "kvm_amd",   NULL },
        { "Nested",              "kvm_amd",   NULL },
        { "",                    "kvm_amd",   NULL },
        { ".",                   "kvm_amd",   NULL },
        { "kvm_amd.",            "kvm_amd",   NULL },
        { ".nested",             "kvm_amd",   NULL },
        { "enable_",             "kvm_amd",   NULL },
};
/* clang-format on */

static void test_words_for_parameters(void) {
        for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
                const Parameter *p = catalog_resolve(words[i].word, words[i].vendor_module);
                g_autofree char *found = p ? g_strdup_printf("%s.%s", p->module, p->name) : NULL;
                g_test_message("%s", words[i].word);
                g_assert_cmpstr(found, ==, words[i].found);
        }
}

static void test_find(void) {
        g_assert_nonnull(catalog_find("kvm-amd", "pause-filter-count"));
        g_assert_null(catalog_find("kvm_amd", "ept"));
        g_assert_null(catalog_find("kvm", "nested"));
        g_assert_null(catalog_find(NULL, "nested"));
        g_assert_null(catalog_find("kvm_amd", NULL));
        g_assert_cmpstr(catalog_find_anywhere("ept")->module, ==, "kvm_intel");
        g_assert_null(catalog_find_anywhere("shadow_vmcs"));
        g_assert_cmpint(catalog_variant(catalog_find("kvm_amd", "avic"), TRIXIE)->kind, ==, KIND_BOOL);
        g_assert_cmpint(catalog_variant(catalog_find("kvm_amd", "avic"), SID)->kind, ==, KIND_CHOICE);
}

static void test_what_sticks_in_kvm(void) {
        static const char *const sticks[] = {"enable_apicv", "enable_ipiv", "enable_device_posted_irqs",
                                             "enable_mediated_pmu", NULL};

        for (unsigned i = 0; i < n_catalog; i++) {
                const Parameter *p = &catalog[i];
                g_test_message("%s.%s", p->module, p->name);
                g_assert_cmpstr(p->common, ==, g_strv_contains(sticks, p->name) ? "kvm" : NULL);
        }
}

static void test_vendors(void) {
        g_assert_cmpstr(catalog_vendor_module("intel"), ==, "kvm_intel");
        g_assert_cmpstr(catalog_vendor_module("amd"), ==, "kvm_amd");
        g_assert_null(catalog_vendor_module(""));
        g_assert_null(catalog_vendor_module(NULL));
        g_assert_cmpstr(catalog_base_feature("kvm_intel"), ==, "vmx");
        g_assert_cmpstr(catalog_base_feature("kvm_amd"), ==, "svm");
        g_assert_null(catalog_base_feature("kvm"));
        g_assert_cmpstr(kind_to_string(KIND_BOOL), ==, "bool");
        g_assert_cmpstr(kind_to_string(KIND_INT), ==, "int");
        g_assert_cmpstr(kind_to_string(KIND_UINT), ==, "uint");
        g_assert_cmpstr(kind_to_string(KIND_CHOICE), ==, "choice");
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/catalog/rows-are-consistent", test_rows_are_consistent);
        g_test_add_func("/catalog/counterparts-point-at-each-other", test_counterparts_point_at_each_other);
        g_test_add_func("/catalog/variants-ascend", test_variants_ascend);
        g_test_add_func("/catalog/defaults-by-kernel", test_defaults_by_kernel);
        g_test_add_func("/catalog/values", test_values);
        g_test_add_func("/catalog/what-sysfs-prints", test_what_sysfs_prints);
        g_test_add_func("/catalog/a-name-without-a-value", test_a_name_without_a_value);
        g_test_add_func("/catalog/the-kernel-takes-every-normalised-value",
                        test_the_kernel_takes_every_normalised_value);
        g_test_add_func("/catalog/messages-name-what-is-allowed", test_messages_name_what_is_allowed);
        g_test_add_func("/catalog/words-for-parameters", test_words_for_parameters);
        g_test_add_func("/catalog/find", test_find);
        g_test_add_func("/catalog/what-sticks-in-kvm", test_what_sticks_in_kvm);
        g_test_add_func("/catalog/vendors", test_vendors);
        return g_test_run();
}
