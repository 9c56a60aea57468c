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

#include "error.h"
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

static void G_GNUC_PRINTF(2, 3) add_field(GPtrArray *fields, const char *format, ...) {
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

static void send_entry(GPtrArray *fields, int priority, const char *id, const char *message) {
        add_field(fields, "MESSAGE=%s", message);
        add_field(fields, "PRIORITY=%d", priority);
        if (id)
                add_field(fields, "MESSAGE_ID=%s", id);
        send_fields(fields);
        if (priority <= LOG_ERR && !stderr_is_journal())
                (void) fprintf(stderr, "nestvirtd: %s\n", message);
}

static const char *id_of(const GError *error, int *ret_priority) {
        *ret_priority = LOG_NOTICE;
        if (!error)
                return MESSAGE_CHANGE_MADE;
        switch (condition_of(error)) {
        case CONDITION_HOST_DEGRADED:
                *ret_priority = LOG_CRIT;
                return MESSAGE_HOST_DEGRADED;
        case CONDITION_RELOAD_FAILED:
        case CONDITION_TIMED_OUT:
        case CONDITION_INTERNAL:
                *ret_priority = LOG_ERR;
                return MESSAGE_CHANGE_FAILED;
        default:
                return MESSAGE_CHANGE_REFUSED;
        }
}

static void add_error(GPtrArray *fields, const GError *error) {
        if (!error)
                return;
        add_field(fields, "NESTVIRT_ERROR=%s", condition_to_name(condition_of(error)));
        add_field(fields, "NESTVIRT_ERROR_MESSAGE=%s", error->message);
}

static char *who(const Caller *caller) {
        if (!caller)
                return g_strdup("waited for idle");
        return g_strdup_printf("asked for by uid %u, pid %d", (unsigned) caller->uid, (int) caller->pid);
}

void log_change(const Caller *caller, const char *request, const char *outcome, const GError *error) {
        g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *asked = who(caller), *message = NULL;
        int priority;
        const char *id = id_of(error, &priority);

        add_field(fields, "NESTVIRT_REQUEST=%s", request);
        if (outcome && !error)
                add_field(fields, "NESTVIRT_OUTCOME=%s", outcome);
        add_error(fields, error);
        if (caller) {
                add_field(fields, "NESTVIRT_CALLER=%s", caller->sender);
                add_field(fields, "NESTVIRT_CALLER_UID=%u", (unsigned) caller->uid);
                add_field(fields, "NESTVIRT_CALLER_PID=%d", (int) caller->pid);
        }
        message = error ? g_strdup_printf("%s (%s): %s", request, asked, error->message)
                        : g_strdup_printf("%s (%s): %s", request, asked, outcome);
        send_entry(fields, priority, id, message);
}

void log_recovered(const GPtrArray *steps, const GError *error) {
        g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GString) text = g_string_new(NULL);
        int priority = LOG_WARNING;

        for (unsigned i = 0; i < steps->len; i++)
                g_string_append_printf(text, "%s%s", i > 0 ? "; " : "", (const char *) g_ptr_array_index(steps, i));
        if (error)
                g_string_append_printf(text, "%s%s", text->len > 0 ? "; " : "", error->message);
        add_error(fields, error);
        const char *id = error ? id_of(error, &priority) : MESSAGE_CHANGE_RECOVERED;
        send_entry(fields, priority, id, text->str);
}

void log_reprobe(const Reprobe *reprobe) {
        g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);

        add_error(fields, reprobe->error);
        if (!reprobe->error) {
                g_autofree char *gained = g_strjoinv(" ", reprobe->gained), *lost = g_strjoinv(" ", reprobe->lost);
                add_field(fields, "NESTVIRT_GAINED=%s", gained);
                add_field(fields, "NESTVIRT_LOST=%s", lost);
        }
        send_entry(fields, reprobe->error ? LOG_ERR : LOG_NOTICE,
                   reprobe->error ? MESSAGE_LIBVIRT_STALE : MESSAGE_LIBVIRT_REFRESHED, reprobe->message);
}

void log_error(const char *format, ...) {
        g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
        va_list args;

        va_start(args, format);
        g_autofree char *message = g_strdup_vprintf(format, args);
        va_end(args);
        send_entry(fields, LOG_ERR, NULL, message);
}
