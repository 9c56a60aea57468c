/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opens the journal, tells whether it is whole, and reads its phase. What else it says, and when it
 * is written, is change/journal.c's. */

#include <string.h>

#include "error.h"
#include "journal-phase.h"

#define JOURNAL_VERSION "2"
#define SEAL "# sha256 "
#define DIGEST_SIZE 64U /* in hexadecimal digits */
#define SEAL_SIZE (strlen(SEAL) + DIGEST_SIZE + 1)

void journal_phase_set(GKeyFile *file, JournalPhase phase) {
        static const char *const phases[] = {"begun", "proven", "undoing", "degraded"};

        g_key_file_set_string(file, "change", "version", JOURNAL_VERSION);
        g_key_file_set_string(file, "change", "phase", phases[phase]);
}

char *journal_phase_seal(GKeyFile *file) {
        g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
        g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

        return g_strconcat(text, SEAL, digest, "\n", NULL);
}

static bool parse_phase(GKeyFile *file, JournalPhase *ret) {
        g_autofree char *phase = g_key_file_get_string(file, "change", "phase", NULL);

        if (g_strcmp0(phase, "begun") == 0)
                *ret = JOURNAL_BEGUN;
        else if (g_strcmp0(phase, "proven") == 0)
                *ret = JOURNAL_PROVEN;
        else if (g_strcmp0(phase, "undoing") == 0)
                *ret = JOURNAL_UNDOING;
        else if (g_strcmp0(phase, "degraded") == 0)
                *ret = JOURNAL_DEGRADED;
        else
                return false;
        return true;
}

/* Where the last line begins, if that is a seal; NULL without one. */
static const char *find_seal(const char *text, size_t size) {
        const char *seal = size >= SEAL_SIZE ? text + size - SEAL_SIZE : NULL;

        return seal && g_str_has_prefix(seal, SEAL) && text[size - 1] == '\n' ? seal : NULL;
}

static bool is_sealed(const char *text, const char *seal) {
        g_autofree char *digest =
                        g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *) text, (gsize) (seal - text));

        return strncmp(seal + strlen(SEAL), digest, DIGEST_SIZE) == 0;
}

/* One byte that is another one is in the text, which its seal gives away; or in the version or the
 * seal, and then one of the two is there without the other. */
static bool is_whole(GKeyFile *file, const char *text, size_t size) {
        const char *seal = find_seal(text, size);

        if (g_key_file_has_key(file, "change", "version", NULL) || seal)
                return seal && is_sealed(text, seal);
        return true;
}

GKeyFile *journal_phase_parse(const char *text, size_t size, JournalPhase *ret_phase, GError **error) {
        g_autoptr(GKeyFile) file = g_key_file_new();
        g_autoptr(GError) failed = NULL;

        if (!g_key_file_load_from_data(file, text, size, G_KEY_FILE_NONE, &failed)) {
                error_make_valid(&failed);
                g_set_error(error, CONDITION, CONDITION_INTERNAL, "it is no key file: %s", failed->message);
        } else if (!is_whole(file, text, size))
                g_set_error_literal(error, CONDITION, CONDITION_INTERNAL, "its checksum is not that of what it says");
        else if (!parse_phase(file, ret_phase))
                g_set_error_literal(error, CONDITION, CONDITION_INTERNAL, "it does not say how far the change went");
        else
                return g_steal_pointer(&file);
        return NULL;
}

GKeyFile *journal_phase_read(const Root *root, JournalPhase *ret_phase, GError **error) {
        g_autofree char *text = NULL;
        size_t size;

        if (!root_read_any(root, JOURNAL_PATH, JOURNAL_MAX, &text, &size, error) || !text)
                return NULL;
        return journal_phase_parse(text, size, ret_phase, error);
}
