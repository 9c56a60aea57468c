/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The one table of conditions. It must not know any message text, nor anything of D-Bus but the
 * names. */

#include <errno.h>
#include <string.h>

#include "error.h"

#define OURS(name) "org.nestvirt1.Error." name
#define THEIRS(name) "org.freedesktop.DBus.Error." name

typedef struct ConditionEntry {
        const char *name;
        int exit_status;
} ConditionEntry;

/* clang-format off */
static const ConditionEntry conditions[CONDITION_MAX] = {
        [CONDITION_INTERNAL] = { OURS("Internal"), 1 },
        [CONDITION_INVALID_ARGS] = { OURS("InvalidArgs"), 2 },
        [CONDITION_NO_SUCH_PARAMETER] = { OURS("NoSuchParameter"), 2 },
        [CONDITION_INVALID_VALUE] = { OURS("InvalidValue"), 2 },
        [CONDITION_UNSUPPORTED] = { OURS("Unsupported"), 6 },
        [CONDITION_BUILTIN] = { OURS("Builtin"), 6 },
        [CONDITION_NOT_PERMITTED] = { OURS("NotPermitted"), 6 },
        [CONDITION_OVERRIDDEN] = { OURS("Overridden"), 1 },
        [CONDITION_BUSY] = { OURS("Busy"), 5 },
        [CONDITION_CONFLICT] = { OURS("Conflict"), 1 },
        [CONDITION_RELOAD_FAILED] = { OURS("ReloadFailed"), 1 },
        [CONDITION_HOST_DEGRADED] = { OURS("HostDegraded"), 7 },
        [CONDITION_NO_SUCH_GUEST] = { OURS("NoSuchGuest"), 1 },
        [CONDITION_TRANSIENT_GUEST] = { OURS("TransientGuest"), 1 },
        [CONDITION_LIBVIRT_UNAVAILABLE] = { OURS("LibvirtUnavailable"), 1 },
        [CONDITION_TIMED_OUT] = { OURS("TimedOut"), 1 },
        [CONDITION_LIMITS_EXCEEDED] = { THEIRS("LimitsExceeded"), 1 },
        [CONDITION_ACCESS_DENIED] = { THEIRS("AccessDenied"), 4 },
        [CONDITION_INTERACTIVE_AUTHORIZATION_REQUIRED] = { THEIRS("InteractiveAuthorizationRequired"), 4 },
};

/* What the bus itself or the local end of the connection says. Everything that is not here ends
 * with 1: an unknown method or object, for one, means that the daemon is there and older or newer
 * than its client. */
static const ConditionEntry foreign[] = {
        { THEIRS("InvalidArgs"), 2 },
        { THEIRS("InvalidSignature"), 2 },
        { THEIRS("AuthFailed"), 8 },
        { THEIRS("BadAddress"), 8 },
        { THEIRS("Disconnected"), 8 },
        { THEIRS("NameHasNoOwner"), 8 },
        { THEIRS("NoNetwork"), 8 },
        { THEIRS("NoReply"), 8 },
        { THEIRS("NoServer"), 8 },
        { THEIRS("ServiceUnknown"), 8 },
        { THEIRS("TimedOut"), 8 },
        { THEIRS("Timeout"), 8 },
};
/* clang-format on */

/* The daemon could not be started: by the bus, or by systemd in its name. */
static const char *const start_failures[] = {THEIRS("Spawn."), "org.freedesktop.systemd1."};

GQuark condition_quark(void) {
        return g_quark_from_static_string("nestvirt-condition");
}

const char *condition_to_name(Condition condition) {
        if ((unsigned) condition >= CONDITION_MAX)
                condition = CONDITION_INTERNAL;
        return conditions[condition].name;
}

int condition_exit_status(const char *name) {
        if (!name)
                return 1;
        for (gsize i = 0; i < G_N_ELEMENTS(conditions); i++)
                if (g_str_equal(conditions[i].name, name))
                        return conditions[i].exit_status;
        for (gsize i = 0; i < G_N_ELEMENTS(foreign); i++)
                if (g_str_equal(foreign[i].name, name))
                        return foreign[i].exit_status;
        for (gsize i = 0; i < G_N_ELEMENTS(start_failures); i++)
                if (g_str_has_prefix(name, start_failures[i]))
                        return 8;
        return 1;
}

Condition condition_of(const GError *error) {
        if (!error || error->domain != CONDITION || error->code < 0 || error->code >= CONDITION_MAX)
                return CONDITION_INTERNAL;
        return (Condition) error->code;
}

char *error_quote(const char *word) {
        g_autofree char *valid = g_utf8_make_valid(word, (gssize) strnlen(word, 64));

        return g_strescape(valid, NULL);
}

void error_make_valid(GError **error) {
        if (!error || !*error)
                return;
        g_autofree char *message = (*error)->message;
        (*error)->message = g_utf8_make_valid(message, -1);
}

bool error_set_errno(GError **error, int errnum, const char *format, ...) {
        g_autofree char *message = NULL;
        va_list arguments;

        va_start(arguments, format);
        message = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        /* GLib has no code for EFBIG; its nearest is the one that says "too much". */
        g_set_error(error, G_FILE_ERROR, errnum == EFBIG ? G_FILE_ERROR_NOSPC : g_file_error_from_errno(errnum),
                    "%s: %s", message, g_strerror(errnum));
        return false;
}
