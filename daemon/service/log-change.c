/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which entry a change is, and its fields. It decides nothing. */

#include <syslog.h>

#include "error.h"
#include "log.h"
#include "log-change.h"

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
        log_fields_add(fields, "NESTVIRT_ERROR=%s", condition_to_name(condition_of(error)));
        log_fields_add(fields, "NESTVIRT_ERROR_MESSAGE=%s", error->message);
}

static char *who(const Caller *caller) {
        if (!caller)
                return g_strdup("waited for idle");
        return g_strdup_printf("asked for by uid %u, pid %d", (unsigned) caller->uid, (int) caller->pid);
}

void log_change(LogBudget *budget, const Caller *caller, const char *request, const char *outcome,
                const GError *error) {
        int priority;
        const char *id = id_of(error, &priority);

        /* A peer has changed a tree of its own, and is told: no journal is about that. */
        if (caller && !caller->sender)
                return;
        if (caller && g_str_equal(id, MESSAGE_CHANGE_REFUSED) && !log_budget_take(budget, caller->uid))
                return;
        g_autoptr(GPtrArray) fields = log_fields_new();
        g_autofree char *asked = who(caller), *message = NULL;
        log_fields_add(fields, "NESTVIRT_REQUEST=%s", request);
        if (outcome && !error)
                log_fields_add(fields, "NESTVIRT_OUTCOME=%s", outcome);
        add_error(fields, error);
        if (caller) {
                log_fields_add(fields, "NESTVIRT_CALLER=%s", caller->sender);
                log_fields_add(fields, "NESTVIRT_CALLER_UID=%u", (unsigned) caller->uid);
                log_fields_add(fields, "NESTVIRT_CALLER_PID=%d", (int) caller->pid);
        }
        message = error ? g_strdup_printf("%s (%s): %s", request, asked, error->message)
                        : g_strdup_printf("%s (%s): %s", request, asked, outcome);
        log_send(fields, priority, id, message);
}

void log_left_out(uid_t uid, unsigned count) {
        g_autoptr(GPtrArray) fields = log_fields_new();
        g_autofree char *message = g_strdup_printf("%u more changes that uid %u asked for were refused, of which there "
                                                   "are no entries of their own",
                                                   count, (unsigned) uid);

        log_fields_add(fields, "NESTVIRT_LEFT_OUT=%u", count);
        log_fields_add(fields, "NESTVIRT_CALLER_UID=%u", (unsigned) uid);
        log_send(fields, LOG_WARNING, MESSAGE_CHANGES_LEFT_OUT, message);
}

void log_recovered(const GPtrArray *steps, const GError *error) {
        g_autoptr(GPtrArray) fields = log_fields_new();
        g_autoptr(GString) text = g_string_new(NULL);
        int priority = LOG_WARNING;

        for (unsigned i = 0; i < steps->len; i++)
                g_string_append_printf(text, "%s%s", i > 0 ? "; " : "", (const char *) g_ptr_array_index(steps, i));
        if (error)
                g_string_append_printf(text, "%s%s", text->len > 0 ? "; " : "", error->message);
        add_error(fields, error);
        const char *id = error ? id_of(error, &priority) : MESSAGE_CHANGE_RECOVERED;
        log_send(fields, priority, id, text->str);
}

void log_reprobe(const Reprobe *reprobe) {
        g_autoptr(GPtrArray) fields = log_fields_new();

        add_error(fields, reprobe->error);
        if (!reprobe->error) {
                g_autofree char *gained = g_strjoinv(" ", reprobe->gained), *lost = g_strjoinv(" ", reprobe->lost);
                log_fields_add(fields, "NESTVIRT_GAINED=%s", gained);
                log_fields_add(fields, "NESTVIRT_LOST=%s", lost);
        }
        log_send(fields, reprobe->error ? LOG_ERR : LOG_NOTICE,
                 reprobe->error ? MESSAGE_LIBVIRT_STALE : MESSAGE_LIBVIRT_REFRESHED, reprobe->message);
}
