/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "bound.h"

static char *long_text(gsize length) {
        return g_strnfill(length, 'x');
}

static void test_texts(void) {
        static const struct {
                const char *text;
                gsize max;
                const char *expected;
        } rows[] = {
                        {"", 5, ""},
                        {"abcde", 5, "abcde"},
                        {"abcdef", 5, "ab…"},
                        {"ab\xc3\xa4\xc3\xa4", 5, "ab…"},
                        {"a\xc3\xa4\xc3\xa4\xc3\xa4", 5, "a…"}, /* not within a character */
                        {"\xf0\x9f\x90\xa7\xf0\x9f\x90\xa7", 6, "…"},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *cut = bound_text(rows[i].text, rows[i].max);
                g_assert_cmpstr(cut, ==, rows[i].expected);
        }
}

static GVariant *entry(const char *key, GVariant *value) {
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&builder, "{sv}", key, value);
        return g_variant_builder_end(&builder);
}

static void test_texts_of_a_reply(void) {
        g_autofree char *text = long_text(5000);
        g_autoptr(GVariant) deep =
                        bound_reply(g_variant_new_parsed("{'nested': {'Reason': <%s>, 'Value': <%s>}}", text, text));
        g_autoptr(GVariant) nested = g_variant_lookup_value(deep, "nested", G_VARIANT_TYPE_VARDICT);
        const char *reason = NULL, *value = NULL;

        g_assert_true(g_variant_lookup(nested, "Reason", "&s", &reason));
        g_assert_cmpuint(strlen(reason), ==, 4096);
        g_assert_true(g_variant_lookup(nested, "Value", "&s", &value));
        g_assert_cmpuint(strlen(value), ==, 256);
}

/* (aa{sv}), of @n entries of nearly @bytes, and one that says that @omitted are left out. */
static GVariant *many(unsigned n, gsize bytes, guint32 omitted) {
        g_autofree char *text = long_text(bytes);
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
        for (unsigned i = 0; i < n; i++)
                g_variant_builder_add_value(&builder, entry("Message", g_variant_new_string(text)));
        if (omitted > 0)
                g_variant_builder_add_value(&builder, entry("Omitted", g_variant_new_uint32(omitted)));
        return g_variant_new("(aa{sv})", &builder);
}

static guint32 omitted_of(GVariant *entry_of_it) {
        guint32 count = 0;

        g_assert_cmpuint(g_variant_n_children(entry_of_it), ==, 1);
        g_assert_true(g_variant_lookup(entry_of_it, "Omitted", "u", &count));
        return count;
}

static void test_what_is_left_out_is_counted(void) {
        for (unsigned known = 0; known < 10; known += 3) {
                g_autoptr(GVariant) reply = bound_reply(many(5000, 4000, known));
                g_autoptr(GVariant) rows = g_variant_get_child_value(reply, 0);
                const gsize n = g_variant_n_children(rows);
                g_autoptr(GVariant) last = g_variant_get_child_value(rows, n - 1);
                g_assert_cmpuint(n, >, 1500);
                g_assert_cmpuint(bound_size(reply), <, BOUND_ROWS + 1024);
                g_assert_cmpuint(omitted_of(last), ==, 5000 - (n - 1) + known);
        }
        g_autoptr(GVariant) few = g_variant_ref_sink(many(100, 4000, 7));
        g_autoptr(GVariant) same = bound_reply(few);
        g_assert_true(same == few);
}

static void test_named_entries_and_texts(void) {
        g_autofree char *text = long_text(4000);
        GVariantBuilder named, texts;

        g_variant_builder_init(&named, G_VARIANT_TYPE("a{sa{sv}}"));
        g_variant_builder_init(&texts, G_VARIANT_TYPE_STRING_ARRAY);
        for (unsigned i = 0; i < 5000; i++) {
                g_autofree char *name = g_strdup_printf("%u-1", i);
                g_variant_builder_add(&named, "{s@a{sv}}", name, entry("Reason", g_variant_new_string(text)));
                g_variant_builder_add(&texts, "s", text);
        }
        g_autoptr(GVariant) reply = bound_reply(g_variant_new("(a{sa{sv}})", &named));
        g_autoptr(GVariant) rows = g_variant_get_child_value(reply, 0);
        g_autoptr(GVariant) others = g_variant_lookup_value(rows, BOUND_OTHERS, G_VARIANT_TYPE_VARDICT);
        g_assert_cmpuint(omitted_of(others), ==, 5000 - (g_variant_n_children(rows) - 1));

        g_autoptr(GVariant) change = bound_reply(entry("Steps", g_variant_builder_end(&texts)));
        g_autoptr(GVariant) steps = g_variant_lookup_value(change, "Steps", G_VARIANT_TYPE_STRING_ARRAY);
        const gsize n = g_variant_n_children(steps);
        g_autoptr(GVariant) last = g_variant_get_child_value(steps, n - 1);
        g_autofree char *expected = g_strdup_printf("… and %u more", (unsigned) (5000 - (n - 1)));
        g_assert_cmpuint(bound_size(steps), <, BOUND_TEXTS + 1024);
        g_assert_cmpstr(g_variant_get_string(last, NULL), ==, expected);
}

/* By hand, from the specification. */
static void test_sizes(void) {
        static const struct {
                const char *value;
                gsize size;
        } rows[] = {
                        {"('',)", 5 + 3},
                        {"(true, uint64 2)", 4 + 4 + 8},
                        {"({'a': <'b'>},)", 4 + 4 + 6 + 3 + 3 + 6 + 6},
                        {"(['f', '', 'ghi'],)", 4 + 6 + 2 + 5 + 3 + 8 + 4},
                        {"([@a{sv} {}, {'x': <@as []>}],)", 4 + 4 + 4 + 4 + 6 + 4 + 2 + 4},
                        {"(objectpath '/a', uint32 1, true)", 4 + 3 + 1 + 4 + 4},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(GVariant) value = g_variant_ref_sink(g_variant_new_parsed(rows[i].value));
                g_test_message("%s", rows[i].value);
                g_assert_cmpuint(bound_size(value), ==, rows[i].size);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/bound/texts", test_texts);
        g_test_add_func("/bound/texts-of-a-reply", test_texts_of_a_reply);
        g_test_add_func("/bound/what-is-left-out-is-counted", test_what_is_left_out_is_counted);
        g_test_add_func("/bound/named-entries-and-texts", test_named_entries_and_texts);
        g_test_add_func("/bound/sizes", test_sizes);
        return g_test_run();
}
