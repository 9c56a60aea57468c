/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is taken from libvirt's domain capabilities, and what is said of two of them. */

#include "capabilities.h"
#include "error.h"

#define XML(model, features)                                                                                    \
        "<domainCapabilities><path>/usr/bin/qemu</path><domain>kvm</domain>"                                    \
        "<cpu><mode name='host-passthrough' supported='yes'><enum name='x'><value>on</value></enum></mode>"     \
        "<mode name='host-model' supported='yes'>" model "<vendor>AMD</vendor>" features "</mode>"              \
        "<mode name='custom' supported='yes'><model usable='yes'>qemu64</model><feature name='no' policy='x'/>" \
        "</mode></cpu><devices><video><model>vga</model></video></devices></domainCapabilities>"
#define HAS(name) "<feature policy='require' name='" name "'/>"
#define LACKS(name) "<feature policy='disable' name='" name "'/>"
#define EPYC "<model fallback='forbid'>EPYC</model>"

static Capabilities *parse(const char *xml) {
        g_autoptr(GError) error = NULL;
        Capabilities *capabilities = capabilities_parse(xml, &error);

        g_assert_no_error(error);
        return capabilities;
}

static void assert_compared(const char *before, const char *after, const char *expected) {
        g_autoptr(Capabilities) one = parse(before), other = parse(after);
        g_autofree char *text = capabilities_compare(one, other);

        g_assert_cmpstr(text, ==, expected);
}

static void test_parse(void) {
        g_autoptr(Capabilities) capabilities = parse(XML(EPYC, HAS("svm") LACKS("npt")));

        g_assert_cmpstr(capabilities->emulator, ==, "/usr/bin/qemu");
        g_assert_cmpstr(capabilities->model, ==, "EPYC");
        g_assert_cmpuint(g_hash_table_size(capabilities->features), ==, 2);
        g_assert_nonnull(g_hash_table_lookup(capabilities->features, "svm"));
        g_assert_null(g_hash_table_lookup(capabilities->features, "npt"));
}

/* A name goes into a sentence, and can't be a sentence of its own. */
static void test_no_names(void) {
        static const char *const features[] = {
                        HAS(""),         HAS("a b"), HAS("a&#10;b"),        HAS("a\nb"),
                        LACKS("a&#27;"), HAS("a,b"), HAS("\xe2\x80\xaeno"), "<feature policy='require'/>"};
        static const char *const models[] = {"<model>EPYC and all</model>", "<model>a&#10;b</model>",
                                             "<model>\xe2\x80\xae</model>", "<model></model>"};

        for (unsigned i = 0; i < G_N_ELEMENTS(features); i++) {
                g_autofree char *xml = g_strdup_printf(XML(EPYC, "%s" HAS("Vmx-a_b.c1")), features[i]);
                assert_compared(XML(EPYC, ""), xml, "has gained Vmx-a_b.c1");
        }
        for (unsigned i = 0; i < G_N_ELEMENTS(models); i++) {
                g_autofree char *xml = g_strdup_printf(XML("%s", ""), models[i]);
                assert_compared(XML(EPYC, ""), xml, "is none and was EPYC");
        }
}

static void test_not_understood(void) {
        static const char *const texts[] = {"",
                                            "<",
                                            "<domainCapabilities>",
                                            "<domainCapabilities/>",
                                            "<path>/x</path>",
                                            "<domainCapabilities><path/></domainCapabilities>",
                                            "<domainCapabilities></domain\xa4>"};

        for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
                g_autoptr(GError) error = NULL;
                g_assert_null(capabilities_parse(texts[i], &error));
                g_assert_error(error, CONDITION, CONDITION_INTERNAL);
                g_assert_true(g_utf8_validate(error->message, -1, NULL)); /* the bus takes nothing else */
        }
}

static void test_compare(void) {
        assert_compared(XML(EPYC, HAS("svm")), XML(EPYC, HAS("svm")), "is as before");
        assert_compared(XML(EPYC, HAS("svm") HAS("npt")), XML(EPYC, HAS("svm")), "has lost npt");
        assert_compared(XML(EPYC, ""), XML(EPYC, LACKS("svm")), "has lost svm");
        assert_compared(XML(EPYC, HAS("b")), XML(EPYC, LACKS("b") HAS("c") HAS("a")), "has lost b, has gained a, c");
        assert_compared(XML("", ""), XML(EPYC, ""), "is EPYC and was none");
        assert_compared(XML(EPYC, ""), XML("<model>EPYC-Rome</model>", ""), "is EPYC-Rome and was EPYC");
}

static void test_many(void) {
        g_autoptr(GString) features = g_string_new(NULL);

        for (unsigned i = 0; i < 30; i++)
                g_string_append_printf(features, HAS("f%02u"), i);
        g_autofree char *after = g_strdup_printf(XML(EPYC, "%s"), features->str);
        assert_compared(XML(EPYC, ""), after,
                        "has gained f00, f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, f12, f13, f14, f15, "
                        "f16, "
                        "f17, f18, f19, f20, f21, f22, f23 and 6 more");
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/capabilities/parse", test_parse);
        g_test_add_func("/capabilities/no-names", test_no_names);
        g_test_add_func("/capabilities/not-understood", test_not_understood);
        g_test_add_func("/capabilities/compare", test_compare);
        g_test_add_func("/capabilities/many", test_many);
        return g_test_run();
}
