/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The module that compares texts, by libgit2: of a patch between two buffers, the hunks. It must
 * not touch a repository, nor a file. */

#include <git2.h>

#include "diff-module.h"

static int append_line(const git_diff_delta *delta, const git_diff_hunk *hunk, const git_diff_line *line, void *data) {
        GString *out = data;

        switch (line->origin) {
        case GIT_DIFF_LINE_CONTEXT:
        case GIT_DIFF_LINE_ADDITION:
        case GIT_DIFF_LINE_DELETION:
                g_string_append_c(out, line->origin);
                break;
        case GIT_DIFF_LINE_CONTEXT_EOFNL:
        case GIT_DIFF_LINE_ADD_EOFNL:
        case GIT_DIFF_LINE_DEL_EOFNL:
        case GIT_DIFF_LINE_HUNK_HDR:
                break;
        default:
                return 0; /* git's own header, with names and hashes of files that there are not */
        }
        g_string_append_len(out, line->content, (gssize) line->content_len);
        return 0;
}

/* Once: it takes twenty milliseconds, as it looks after TLS and more that nothing here needs. */
static bool start(void) {
        static bool started;

        started = started || git_libgit2_init() >= 0;
        return started;
}

bool diff_module_hunks(const char *before, gsize old_length, const char *after, gsize new_length, GString *out) {
        git_diff_options options = GIT_DIFF_OPTIONS_INIT;
        git_patch *patch = NULL;
        bool good;

        options.flags = GIT_DIFF_FORCE_TEXT;
        options.context_lines = 3;
        good = start() &&
               git_patch_from_buffers(&patch, before, old_length, "a", after, new_length, "a", &options) == 0 &&
               git_patch_print(patch, append_line, out) == 0;
        git_patch_free(patch);
        return good;
}
