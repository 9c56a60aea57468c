/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads, and knows nothing of what it reads. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "input.h"

/* False with errno. */
static bool read_all(int fd, gsize max, GString *text) {
        while (text->len < max) {
                char buffer[64 * 1024];
                const ssize_t n = read(fd, buffer, MIN(sizeof(buffer), max - text->len));
                if (n == 0)
                        return true;
                if (n > 0)
                        g_string_append_len(text, buffer, n);
                else if (errno != EINTR)
                        return false;
        }
        return true;
}

bool input_read(const char *file, gsize max, GString *text, GError **error) {
        const bool named = file && !g_str_equal(file, "-");
        const int fd = named ? open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY) : STDIN_FILENO;
        const bool good = fd >= 0 && read_all(fd, max, text);

        if (!good)
                g_set_error(error, CONDITION, CONDITION_INTERNAL, "%s can't be read: %s",
                            named ? file : "Standard input", g_strerror(errno));
        if (named && fd >= 0)
                (void) close(fd);
        if (!good || !memchr(text->str, '\0', text->len))
                return good;
        g_set_error_literal(error, CONDITION, CONDITION_INVALID_ARGS, "The input is not text: it has a zero byte");
        return false;
}
