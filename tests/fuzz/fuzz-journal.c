/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The record of a change: the first part of the input damages one byte of it, the rest is its text.
 * It is refused in words that can be shown or read; what was read, written anew, is the same; and a
 * record that says what its text sums up to is never read as another one, whichever byte of it is
 * damaged. */

#include <string.h>

#include "fuzz.h"
#include "journal.h"

static char *read_text(void) {
        g_autofree char *path = root_absolute(fuzz_root(), JOURNAL_PATH);
        char *text = NULL;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        return text;
}

/* What the record comes to: its text when it is written anew; NULL: it is refused. */
static char *normalise(JournalPhase *ret_phase) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Plan) plan = journal_read(fuzz_root(), ret_phase, &error);

        g_assert_true(!plan == !!error);
        if (error) {
                fuzz_assert_utf8(error->message);
                return NULL;
        }
        g_assert_true(journal_write(fuzz_root(), plan, *ret_phase, &error));
        g_assert_no_error(error);
        return read_text();
}

/* Whether records are written with a sum of what they say: told by one that says nothing. */
static bool have_checksum(void) {
        g_autoptr(Plan) nothing = plan_new_empty();
        g_autoptr(GError) error = NULL;

        g_assert_true(journal_write(fuzz_root(), nothing, JOURNAL_BEGUN, &error));
        g_autofree char *text = read_text();
        return strstr(text, "sum") || strstr(text, "Sum") || strstr(text, "sha256");
}

static void check_damage(const char *text, const char *choice) {
        g_autofree char *damaged = g_strdup(text);
        const size_t n = strlen(choice), length = strlen(text);
        const size_t at = n > 1 ? ((unsigned char) choice[0] * 256U + (unsigned char) choice[1]) % length : 0;
        JournalPhase phase;

        damaged[at] = (char) (damaged[at] ^ (n > 2 ? choice[2] : 1));
        fuzz_write(JOURNAL_PATH, damaged, length);
        g_autofree char *read = normalise(&phase);
        if (read && have_checksum())
                g_assert_cmpstr(read, ==, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        size_t length;
        g_autofree char *choice = fuzz_take(&data, &size, NULL), *text = fuzz_take_rest(&data, &size, &length);
        JournalPhase phase, again_phase;

        fuzz_write(JOURNAL_PATH, text, length);
        g_autofree char *once = normalise(&phase);
        if (!once)
                return 0;
        g_autofree char *twice = normalise(&again_phase);
        g_assert_cmpstr(once, ==, twice);
        g_assert_cmpint(phase, ==, again_phase);
        check_damage(once, choice);
        return 0;
}
