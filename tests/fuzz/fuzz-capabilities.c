/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two of libvirt's answers about host-model, the parts of the input. Each is like itself, and what
 * one gains over the other the other loses, in one line. */

#include <string.h>

#include "capabilities.h"
#include "fuzz.h"

static Capabilities *parse(const char *text) {
        g_autoptr(GError) error = NULL;
        Capabilities *capabilities = capabilities_parse(text, &error);

        g_assert_true(!capabilities == !!error);
        if (error)
                fuzz_assert_utf8(error->message);
        else {
                fuzz_assert_utf8(capabilities->emulator);
                g_assert_cmpstr(capabilities->emulator, !=, "");
                fuzz_assert_line(capabilities->model);
        }
        return capabilities;
}

static Capabilities *print_and_parse(const Capabilities *capabilities) {
        g_autofree char *head = g_markup_printf_escaped("<domainCapabilities><path>%s</path><cpu>"
                                                        "<mode name='host-model'><model>%s</model>",
                                                        capabilities->emulator, capabilities->model);
        g_autoptr(GString) text = g_string_new(head);
        GHashTableIter iter;
        gpointer name, has;

        g_hash_table_iter_init(&iter, capabilities->features);
        while (g_hash_table_iter_next(&iter, &name, &has)) {
                g_autofree char *feature = g_markup_printf_escaped("<feature policy='%s' name='%s'/>",
                                                                   has ? "require" : "disable", (const char *) name);
                g_string_append(text, feature);
        }
        g_string_append(text, "</mode></cpu></domainCapabilities>");
        return parse(text->str);
}

static void assert_as_before(const Capabilities *a, const Capabilities *b) {
        g_autofree char *words = capabilities_compare(a, b);

        g_assert_cmpstr(words, ==, "is as before");
        g_assert_cmpstr(a->emulator, ==, b->emulator);
        g_assert_cmpuint(g_hash_table_size(a->features), ==, g_hash_table_size(b->features));
}

static void compare(const Capabilities *a, const Capabilities *b) {
        g_auto(GStrv) gained = capabilities_gained(a, b), lost = capabilities_gained(b, a);
        g_autofree char *words = capabilities_compare(a, b);

        fuzz_assert_line(words);
        for (char **name = gained; *name; name++) {
                g_assert_false(g_strv_contains((const char *const *) lost, *name));
                g_assert_true(!name[1] || strcmp(*name, name[1]) < 0);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        g_autofree char *first = fuzz_take(&data, &size, NULL), *second = fuzz_take_rest(&data, &size, NULL);
        Capabilities *a = parse(first), *b = parse(second), *again = a ? print_and_parse(a) : NULL;

        if (a) {
                assert_as_before(a, a);
                g_assert_nonnull(again);
                assert_as_before(a, again);
        }
        if (a && b)
                compare(a, b);
        capabilities_free(a);
        capabilities_free(b);
        capabilities_free(again);
        return 0;
}
