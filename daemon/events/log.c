/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Journal entries with their fields. Where standard error is not the journal already (from the
 * build tree), errors are told there, too. What is worth an entry is for others to decide. */

#define SD_JOURNAL_SUPPRESS_LOCATION

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>

#include "log.h"

/* Their places are syslog's numbers. */
static const char *const levels[] = {"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};

enum { TARGET_JOURNAL, TARGET_CONSOLE };
static const char *const targets[] = {[TARGET_JOURNAL] = "journal", [TARGET_CONSOLE] = "console"};

static int level_now = LOG_INFO;
static int target_now = TARGET_JOURNAL;

static bool set_word(int *now, const char *const *words, unsigned count, const char *word) {
        for (unsigned i = 0; i < count; i++)
                if (g_str_equal(words[i], word)) {
                        g_atomic_int_set(now, (int) i);
                        return true;
                }
        return false;
}

const char *log_level(void) {
        return levels[g_atomic_int_get(&level_now)];
}

bool log_set_level(const char *level) {
        return set_word(&level_now, levels, G_N_ELEMENTS(levels), level);
}

const char *log_target(void) {
        return targets[g_atomic_int_get(&target_now)];
}

bool log_set_target(const char *target) {
        return set_word(&target_now, targets, G_N_ELEMENTS(targets), target);
}

/* What sd_journal_sendv() adds by itself. */
const char *log_identifier(void) {
        return program_invocation_short_name;
}

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

/* One line: what is in the message may have been named by others. The journal takes a number in
 * front of it for its priority (sd-daemon(3)). */
static void print_line(int priority, const char *message, bool journal) {
        g_autofree char *line = g_strdelimit(g_strdup(message), "\n\r", ' ');

        if (journal)
                (void) fprintf(stderr, "<%d>%s\n", priority, line);
        else
                (void) fprintf(stderr, "%s: %s\n", log_identifier(), line);
}

void log_send(GPtrArray *fields, int priority, const char *id, const char *message) {
        const bool console = g_atomic_int_get(&target_now) == TARGET_CONSOLE, journal = stderr_is_journal();

        if (priority > g_atomic_int_get(&level_now))
                return;
        log_fields_add(fields, "MESSAGE=%s", message);
        log_fields_add(fields, "PRIORITY=%d", priority);
        if (id)
                log_fields_add(fields, "MESSAGE_ID=%s", id);
        if (!console)
                send_fields(fields);
        if (console || (priority <= LOG_ERR && !journal))
                print_line(priority, message, journal);
}

G_GNUC_PRINTF(2, 0)
static void send_line(int priority, const char *format, va_list args) {
        g_autoptr(GPtrArray) fields = log_fields_new();
        g_autofree char *message = g_strdup_vprintf(format, args);

        log_send(fields, priority, NULL, message);
}

void log_error(const char *format, ...) {
        va_list args;

        va_start(args, format);
        send_line(LOG_ERR, format, args);
        va_end(args);
}

void log_debug(const char *format, ...) {
        va_list args;

        if (g_atomic_int_get(&level_now) < LOG_DEBUG)
                return;
        va_start(args, format);
        send_line(LOG_DEBUG, format, args);
        va_end(args);
}
