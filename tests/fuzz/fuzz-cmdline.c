/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel command line. What is found in it stands in it, is nobody's file, and hides nothing of
 * what comes after. */

#include <string.h>

#include "fuzz.h"
#include "options.h"

#define PATH "proc/cmdline"
/* What libkmod reads of it. */
#define READ_MAX 4095U

static char *fold(const char *text) {
        g_autofree char *valid = g_utf8_make_valid(text, -1);

        return g_strdelimit(g_steal_pointer(&valid), "-", '_');
}

static void check_options(const Options *options, const char *text) {
        g_autofree char *folded = fold(text);

        for (unsigned i = 0; i < options->options->len; i++) {
                const Option *option = g_ptr_array_index(options->options, i);
                g_autofree char *written = g_strconcat(option->module, ".", option->name, NULL), *word = fold(written);
                fuzz_assert_utf8(option->value);
                g_assert_null(option->path);
                g_assert_cmpuint(option->line, ==, 0);
                /* The kernel splits a module's options once more, also at a no-break space; and what
                 * was quoted without a name is none. */
                g_assert_true(strstr(folded, word) || strchr(text, '\xa0') || *option->name == '=');
        }
        for (unsigned i = 0; i < options->commands->len; i++) {
                const Command *command = g_ptr_array_index(options->commands, i);
                g_assert_true(g_str_equal(command->verb, "blacklist") ||
                              g_str_equal(command->verb, "module_blacklist"));
                fuzz_assert_utf8(command->module);
                g_assert_null(command->path);
        }
        g_assert_cmpuint(options->bad->len, ==, 0);
}

static void check_appended(const char *text, const Options *before) {
        g_autofree char *more = g_strconcat(text, " kvm_zz.last=1", NULL);

        fuzz_write(PATH, more, strlen(more));
        g_autoptr(Options) options = options_read(fuzz_root());
        const Option *last = options_winner(options, "kvm_zz", "last", NULL);
        g_assert_nonnull(last);
        g_assert_cmpstr(last->value, ==, "1");
        g_assert_cmpuint(options->options->len, ==, before->options->len + 1);
        g_assert_cmpuint(options->commands->len, ==, before->commands->len);
}

static bool has_open_quote(const char *text) {
        bool open = false;

        for (; *text; text++)
                open ^= *text == '"';
        return open;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        size_t length;
        g_autofree char *text = fuzz_take_rest(&data, &size, &length);

        fuzz_write(PATH, text, length);
        g_autoptr(Options) options = options_read(fuzz_root());
        check_options(options, text);
        if (!has_open_quote(text) && strlen(text) < READ_MAX - 32 && !strstr(text, "kvm_zz") && !strstr(text, "kvm-zz"))
                check_appended(text, options);
        return 0;
}
