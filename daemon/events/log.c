/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Journal entries with their fields. Where standard error is not the journal already (from the
 * build tree), errors are told there, too. It decides nothing. */

#define SD_JOURNAL_SUPPRESS_LOCATION

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>

#include "log.h"

/* systemd says in $JOURNAL_STREAM which file the journal is: device and inode. */
static bool stderr_is_journal(void) {
        const char *stream = g_getenv("JOURNAL_STREAM");
        struct stat st;

        if (!stream || fstat(STDERR_FILENO, &st) < 0)
                return false;
        g_autofree char *ours = g_strdup_printf("%" PRIu64 ":%" PRIu64, (uint64_t) st.st_dev, (uint64_t) st.st_ino);
        return g_str_equal(stream, ours);
}

GPtrArray *log_fields_new(void) {
        return g_ptr_array_new_with_free_func(g_free);
}

void log_fields_add(GPtrArray *fields, const char *format, ...) {
        va_list args;

        va_start(args, format);
        g_ptr_array_add(fields, g_strdup_vprintf(format, args));
        va_end(args);
}

/* The entry's fields as sd_journal_sendv() takes them. That the journal is not there is no reason
 * to do anything else. */
static void send_fields(const GPtrArray *fields) {
        g_autofree struct iovec *iov = g_new(struct iovec, fields->len);

        for (unsigned i = 0; i < fields->len; i++) {
                char *field = g_ptr_array_index(fields, i);
                iov[i] = (struct iovec) {.iov_base = field, .iov_len = strlen(field)};
        }
        (void) sd_journal_sendv(iov, (int) fields->len);
}

void log_send(GPtrArray *fields, int priority, const char *id, const char *message) {
        log_fields_add(fields, "MESSAGE=%s", message);
        log_fields_add(fields, "PRIORITY=%d", priority);
        if (id)
                log_fields_add(fields, "MESSAGE_ID=%s", id);
        send_fields(fields);
        if (priority <= LOG_ERR && !stderr_is_journal())
                (void) fprintf(stderr, "nestvirtd: %s\n", message);
}

void log_error(const char *format, ...) {
        g_autoptr(GPtrArray) fields = log_fields_new();
        va_list args;

        va_start(args, format);
        g_autofree char *message = g_strdup_vprintf(format, args);
        va_end(args);
        log_send(fields, LOG_ERR, NULL, message);
}
