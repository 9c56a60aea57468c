/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Our own file with whatever somebody has written into it: the first part of the input chooses what
 * is set, the rest is the text. What was set is read back by the reader of modprobe.d, what was not
 * stays, and an edit done twice is the same as once. */

#include <string.h>

#include "dropin.h"
#include "fuzz.h"
#include "options.h"
#include "syntax.h"

typedef struct Edit {
        const char *module, *parameter, *value; /* NULL: unset */
} Edit;

static Edit choose(const char *words) {
        static const char *const modules[] = {"kvm_amd", "kvm_intel", "kvm"},
                                 *const parameters[] = {"nested", "npt", "ignore_msrs"},
                                 *const values[] = {"0", "1", "auto", "4294967295", "-1", "a b", "x\\y", "", NULL};
        const size_t n = strlen(words);

        return (Edit) {
                        .module = modules[n > 0 ? (unsigned char) words[0] % G_N_ELEMENTS(modules) : 0],
                        .parameter = parameters[n > 1 ? (unsigned char) words[1] % G_N_ELEMENTS(parameters) : 0],
                        .value = values[n > 2 ? (unsigned char) words[2] % G_N_ELEMENTS(values) : 0],
        };
}

/* Inside quotes there is no way to say a quote: it is left out. */
static void assert_same_value(const char *a, const char *b) {
        g_auto(GStrv) of_a = g_strsplit(a ?: "", "\"", -1), of_b = g_strsplit(b ?: "", "\"", -1);
        g_autofree char *one = g_strjoinv("", of_a), *other = g_strjoinv("", of_b);

        g_assert_true(!a == !b);
        g_assert_cmpstr(one, ==, other);
}

/* All that @a sets, but for the parameter of @edit, @b sets as well. */
static void assert_has(const Dropin *a, const Dropin *b, const Edit *edit) {
        g_auto(GStrv) modules = dropin_modules(a);

        for (char **module = modules; *module; module++) {
                g_auto(GStrv) names = dropin_names(a, *module), there = dropin_names(b, *module);
                for (char **name = names; *name; name++) {
                        if (g_str_equal(*module, edit->module) && g_str_equal(*name, edit->parameter))
                                continue;
                        g_assert_true(g_strv_contains((const char *const *) there, *name));
                        assert_same_value(dropin_get(a, *module, *name), dropin_get(b, *module, *name));
                }
        }
}

/* Lines that can't be options are in the new text as they were, in their order. */
static void assert_kept(const char *before, const char *after) {
        SyntaxCursor cursor = {.at = before, .end = before + strlen(before)};

        for (;;) {
                const char *begin = cursor.at;
                g_autofree char *line = syntax_next_line(&cursor), *raw = NULL;
                if (!line)
                        return;
                raw = g_strndup(begin, (gsize) (cursor.at - begin));
                if (strstr(line, "options") || g_str_has_prefix(raw, "# Written by nestvirtd: ") ||
                    g_str_has_prefix(raw, "# \"nestvirtctl reset\" "))
                        continue;
                const char *found = after ? strstr(after, raw) : NULL;
                /* A file of nothing but empty lines goes. */
                g_assert_true(found || (!after && raw[strspn(raw, " \t\r\n")] == 0));
                after = found ? found + strlen(raw) : NULL;
        }
}

/* What the next load of the module gets. */
static void assert_in_effect(const char *text, const Edit *edit) {
        fuzz_write(DROPIN_PATH, text, strlen(text));
        g_autoptr(Options) options = options_read(fuzz_root());
        const Option *winner = options_winner(options, edit->module, edit->parameter, NULL);

        g_assert_nonnull(winner);
        g_assert_cmpstr(winner->value, ==, edit->value);
}

static void check_edit(const char *text, const Edit *edit) {
        g_autoptr(Dropin) before = dropin_parse(text), dropin = dropin_parse(text), again = NULL;

        if (edit->value)
                dropin_set(dropin, edit->module, edit->parameter, edit->value);
        else
                (void) dropin_unset(dropin, edit->module, edit->parameter);
        g_autofree char *once = dropin_render(dropin), *twice = NULL;
        g_assert_true(once || !edit->value);
        again = dropin_parse(once ?: "");
        g_assert_cmpstr(dropin_get(again, edit->module, edit->parameter), ==, edit->value);
        assert_has(before, again, edit);
        assert_has(again, before, edit);
        twice = dropin_render(again);
        g_assert_cmpstr(once, ==, twice);
        assert_kept(text, once);
        if (edit->value)
                assert_in_effect(once, edit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        g_autofree char *words = fuzz_take(&data, &size, NULL), *text = fuzz_take_rest(&data, &size, NULL);
        const Edit edit = choose(words);
        g_autoptr(Dropin) dropin = dropin_parse(text);
        g_autofree char *same = dropin_render(dropin);

        if (same)
                g_assert_cmpstr(same, ==, text);
        check_edit(text, &edit);
        return 0;
}
