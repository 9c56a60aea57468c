/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is packed is what was said, within its bounds; what is found in it, and what counts as a
 * difference. */

#include <string.h>

#include "bound-text.h"
#include "packer.h"
#include "unpacked.h"

/* A value of each kind that a property has. */
#define ALL                                                                                                      \
        "{'a': <'x'>, 'b': <true>, 'c': <uint32 7>, 'd': <int32 -7>, 'e': <uint64 18446744073709551615>, "       \
        "'f': <['p', '', 'q']>, 'g': <@as []>, 'h': <{'k': <'v'>, 'l': <@as []>}>, 'i': <@a{sv} {}>, "           \
        "'j': <{'m': {'n': <false>}, 'o': {}}>, 'k': <{'a': uint64 1}>, 'l': <{'y': 'z'}>, 'm': <('s', true)>, " \
        "'n': <objectpath '/o'>, 'o': <<'inner'>>}"

static Packed *pack(const char *text) {
        return packer_pack(g_variant_new_parsed(text));
}

static void test_what_is_packed_is_what_was_said(void) {
        g_autoptr(GVariant) said = g_variant_ref_sink(g_variant_new_parsed(ALL)), back = unpacked(pack(ALL));

        g_assert_true(g_variant_equal(said, back));
}

static void test_the_writer(void) {
        static const char *const texts[] = {"one", "\xff", NULL};
        Packer *packer = packer_new();

        packer_property(packer, "Text", "s");
        packer_text(packer, "a\xfe");
        packer_property(packer, "Number", "u");
        packer_uint32(packer, 5);
        packer_property(packer, "Texts", "as");
        packer_texts(packer, texts);
        packer_property(packer, "Rows", "a{sa{sv}}");
        packer_open(packer, "{sa{sv}}");
        packer_named(packer, "row", "a{sv}");
        packer_open(packer, "{sv}");
        packer_entry(packer, "Is", "b");
        packer_boolean(packer, true);
        packer_entry(packer, "None", "as");
        packer_texts(packer, NULL);
        packer_close(packer);
        packer_close(packer);
        g_autoptr(GVariant) back = unpacked(packer_end(packer));
        g_autoptr(GVariant) expected = g_variant_ref_sink(g_variant_new_parsed(
                        "{'Text': <'a\xef\xbf\xbd'>, 'Number': <uint32 5>, 'Texts': <['one', '\xef\xbf\xbd']>, "
                        "'Rows': <{'row': {'Is': <true>, 'None': <@as []>}}>}"));
        g_assert_true(g_variant_equal(back, expected));
}

static void test_found_in_any_order(void) {
        static const char *const orders[] = {"abcdefghijklmno", "onmlkjihgfedcba", "aaoocc", "hxhza"};
        g_autoptr(Packed) packed = pack(ALL);

        for (gsize i = 0; i < G_N_ELEMENTS(orders); i++) {
                gsize last = 0;
                for (const char *letter = orders[i]; *letter; letter++) {
                        const char name[] = {*letter, 0};
                        const char *value = packed_find(packed, name, &last);
                        g_test_message("%s: %s", orders[i], name);
                        if (*letter > 'o') {
                                g_assert_null(value);
                                continue;
                        }
                        /* It stands behind its name. */
                        g_assert_cmpstr(value - sizeof(name), ==, name);
                        g_assert_true(*value == 'v');
                }
        }
}

static GVariant *entry(const char *key, GVariant *value) {
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&builder, "{sv}", key, value);
        return g_variant_builder_end(&builder);
}

static void assert_length(GVariant *dictionary, const char *key, gsize length) {
        const char *text = NULL;

        g_assert_true(g_variant_lookup(dictionary, key, "&s", &text));
        g_assert_cmpuint(strlen(text), ==, length);
}

static void test_each_text_has_its_bound(void) {
        static const struct {
                const char *key;
                gsize max;
        } rows[] = {{"Name", 256}, {"Command", 256}, {"Reason", 4096}, {"Message", 4096}, {"Diff", 1024 * 1024}};

        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *just = g_strnfill(rows[i].max, 'x'), *more = g_strnfill(rows[i].max + 1, 'x');
                g_autoptr(GVariant) fits = unpacked(packer_pack(entry(rows[i].key, g_variant_new_string(just))));
                assert_length(fits, rows[i].key, rows[i].max);
                g_assert_null(strstr(just, BOUND_ELLIPSIS));
                g_autoptr(GVariant) cut = unpacked(packer_pack(entry(rows[i].key, g_variant_new_string(more))));
                assert_length(cut, rows[i].key, rows[i].max);
        }
        /* Wherever it stands; and what comes behind it has its own. */
        g_autofree char *text = g_strnfill(5000, 'x');
        g_autoptr(GVariant) deep = unpacked(packer_pack(
                        entry("Parameters",
                              g_variant_new_parsed("{'nested': {'Reason': <%s>, 'Value': <%s>}}", text, text))));
        g_autoptr(GVariant) parameters = g_variant_lookup_value(deep, "Parameters", G_VARIANT_TYPE("a{sa{sv}}"));
        g_autoptr(GVariant) nested = g_variant_lookup_value(parameters, "nested", G_VARIANT_TYPE_VARDICT);
        assert_length(nested, "Reason", 4096);
        assert_length(nested, "Value", 256);
}

static void test_an_array_of_texts_has_its_bound(void) {
        g_autofree char *text = g_strnfill(251, 'x');
        const char *texts[101] = {};

        for (gsize i = 0; i < 100; i++)
                texts[i] = text;
        /* 256 bytes each, 64 of which are 16 KiB. */
        g_autoptr(GVariant) back = unpacked(packer_pack(entry("Overridden", g_variant_new_strv(texts, -1))));
        g_autofree const char **kept = NULL;
        g_assert_true(g_variant_lookup(back, "Overridden", "^a&s", &kept));
        g_assert_cmpuint(g_strv_length((char **) kept), ==, 65);
        g_assert_cmpstr(kept[63], ==, text);
        g_assert_cmpstr(kept[64], ==, "… and 36 more");
}

static void assert_diff(const char *before, const char *after, const char *expected) {
        g_autoptr(Packed) a = pack(before), b = pack(after);
        g_auto(GStrv) names = packed_diff(a, b);
        g_autofree char *joined = g_strjoinv(" ", names);

        g_test_message("%s to %s", before, after);
        g_assert_cmpstr(joined, ==, expected);
}

static void test_diff(void) {
        static const char a[] = "{'x': <uint32 1>, 'y': <'a'>}", swapped[] = "{'y': <'a'>, 'x': <uint32 1>}";
        static const char more[] = "{'x': <uint32 1>, 'y': <'a'>, 'z': <true>}",
                          other[] = "{'x': <'1'>, 'y': <'b'>}", *const none = "@a{sv} {}";
        static const char ab[] = "{'d': <{'k': <uint32 1>, 'l': <uint32 2>}>}",
                          ac[] = "{'d': <{'k': <uint32 1>, 'l': <uint32 3>}>}",
                          shorter[] = "{'d': <{'k': <uint32 1>}>}";

        assert_diff(a, a, "");
        assert_diff(a, swapped, "");
        assert_diff(a, more, "z");
        assert_diff(more, a, "z");
        assert_diff(a, other, "x y");
        assert_diff(none, a, "x y");
        assert_diff(none, none, "");
        assert_diff(ab, ac, "d");
        assert_diff(ab, shorter, "d");
        assert_diff(shorter, ab, "d");
        assert_diff("{'z': <'a'>, 'a': <'a'>}", "{'z': <'b'>, 'a': <'b'>}", "a z");
}

/* By hand, from the specification. */
static void test_message_sizes(void) {
        static const struct {
                const char *value;
                gsize size;
        } rows[] = {
                        {"@a{sv} {}", 4 + 4},
                        {"{'a': <'b'>}", 4 + 4 + 6 + 3 + 3 + 6 + 6},
                        {"{'x': <@as []>}", 4 + 4 + 6 + 4 + 2 + 4},
                        {"{'x': <true>, 'y': <uint64 2>}", 4 + 4 + 6 + 3 + 3 + 4 + 6 + 3 + 7 + 8},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(Packed) packed = pack(rows[i].value);
                g_test_message("%s", rows[i].value);
                g_assert_cmpuint(packed_message_size(packed), ==, rows[i].size);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/packed/what-is-packed-is-what-was-said", test_what_is_packed_is_what_was_said);
        g_test_add_func("/packed/the-writer", test_the_writer);
        g_test_add_func("/packed/found-in-any-order", test_found_in_any_order);
        g_test_add_func("/packed/each-text-has-its-bound", test_each_text_has_its_bound);
        g_test_add_func("/packed/an-array-of-texts-has-its-bound", test_an_array_of_texts_has_its_bound);
        g_test_add_func("/packed/diff", test_diff);
        g_test_add_func("/packed/message-sizes", test_message_sizes);
        return g_test_run();
}
