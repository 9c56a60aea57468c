/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opens the journal and reads its phase. What else it says, and when it is written, is
 * change/journal.c's. */

#include "error.h"
#include "journal-phase.h"

void journal_phase_set(GKeyFile *file, JournalPhase phase) {
        static const char *const phases[] = {"begun", "proven", "undoing", "degraded"};

        g_key_file_set_string(file, "change", "phase", phases[phase]);
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

GKeyFile *journal_phase_read(const Root *root, JournalPhase *ret_phase, GError **error) {
        g_autoptr(GKeyFile) file = NULL;
        g_autofree char *text = NULL;
        size_t size;

        if (!root_exists(root, JOURNAL_PATH))
                return NULL;
        if (!root_read(root, JOURNAL_PATH, JOURNAL_MAX, &text, &size, error))
                return NULL;

        file = g_key_file_new();
        if (!g_key_file_load_from_data(file, text, size, G_KEY_FILE_NONE, error)) {
                error_make_valid(error);
                return NULL;
        }
        if (!parse_phase(file, ret_phase)) {
                g_set_error(error, CONDITION, CONDITION_INTERNAL, "/%s does not say how far the change went",
                            JOURNAL_PATH);
                return NULL;
        }
        return g_steal_pointer(&file);
}
