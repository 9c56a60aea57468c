/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Parts of an input, and the one folder whose files they become. It must not know a target. */

#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

/* What GLib only complains of is a defect, too. */
static GLogWriterOutput write_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer userdata) {
        if (!(level & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR)))
                return G_LOG_WRITER_HANDLED;
        (void) g_log_writer_standard_streams(level, fields, n_fields, userdata);
        abort();
}

__attribute__((constructor)) static void take_log(void) {
        g_log_set_writer_func(write_log, NULL, NULL);
}

static char *take(const uint8_t **data, size_t *size, size_t part, size_t *ret_size) {
        char *text = g_malloc(part + 1);

        for (size_t i = 0; i < part; i++)
                text[i] = (char) (*data)[i];
        text[part] = 0;
        *data += part;
        *size -= part;
        if (ret_size)
                *ret_size = part;
        return text;
}

char *fuzz_take(const uint8_t **data, size_t *size, size_t *ret_size) {
        const uint8_t *end = *size > 0 ? memchr(*data, FUZZ_BETWEEN, *size) : NULL;
        char *text = take(data, size, end ? (size_t) (end - *data) : *size, ret_size);

        *data += end != NULL;
        *size -= end != NULL;
        return text;
}

char *fuzz_take_rest(const uint8_t **data, size_t *size, size_t *ret_size) {
        return take(data, size, *size, ret_size);
}

static char folder[] = "/dev/shm/nestvirt-fuzz-XXXXXX";

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *walk) {
        return remove(path);
}

static void remove_folder(void) {
        (void) nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const Root *fuzz_root(void) {
        static Root *root;
        g_autoptr(GError) error = NULL;

        if (!root) {
                g_assert_nonnull(g_mkdtemp(folder));
                (void) atexit(remove_folder);
                root = root_new(folder, NULL, &error);
                g_assert_no_error(error);
        }
        return root;
}

void fuzz_write(const char *path, const char *content, size_t size) {
        g_autofree char *full = root_absolute(fuzz_root(), path);
        int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        if (fd < 0) {
                g_autofree char *parent = g_path_get_dirname(full);
                g_assert_no_errno(g_mkdir_with_parents(parent, 0755));
                fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        }
        g_assert_no_errno(fd);
        g_assert_cmpint(write(fd, content, size), ==, (gssize) size);
        g_assert_no_errno(close(fd));
}

void fuzz_remove(const char *path) {
        g_autofree char *full = root_absolute(fuzz_root(), path);

        (void) unlink(full);
}

void fuzz_assert_utf8(const char *text) {
        g_assert_nonnull(text);
        g_assert_true(g_utf8_validate(text, -1, NULL));
}

void fuzz_assert_line(const char *text) {
        fuzz_assert_utf8(text);
        for (const char *p = text; *p; p = g_utf8_next_char(p))
                g_assert_false(g_unichar_iscntrl(g_utf8_get_char(p)));
}

void fuzz_assert_line_of(unsigned line, const char *text, size_t size) {
        unsigned lines = 1;

        for (size_t i = 0; i < size; i++)
                lines += text[i] == '\n';
        g_assert_cmpuint(line, <=, lines);
}
