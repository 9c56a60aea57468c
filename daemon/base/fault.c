/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The first fault of a thread's reading. It must not decide what becomes of what was read. */

#include <errno.h>
#include <string.h>

#include "fault.h"

static _Thread_local bool watching;
static _Thread_local Fault *first;

void fault_watch(void) {
        g_assert(!watching);
        watching = true;
}

Fault *fault_found(void) {
        watching = false;
        return g_steal_pointer(&first);
}

void fault_free(Fault *fault) {
        if (!fault)
                return;
        g_free(fault->path);
        g_free(fault);
}

static bool is_of_process(const char *path) {
        return g_str_has_prefix(path, "proc/") && g_ascii_isdigit(path[strlen("proc/")]);
}

bool fault_is(const char *path, int errnum) {
        switch (errnum) {
        case ENOENT:
        case ENOTDIR:
        case EACCES:
        case EPERM:
        case ELOOP:
        case ENAMETOOLONG:
        case EISDIR:
        case ENXIO:
        case ENODEV:
        case EFBIG:
        case EOVERFLOW:
        case EINVAL:
        case EXDEV:
        case EOPNOTSUPP:
        case ENOSYS:
                return false;
        case ESRCH:
                return !is_of_process(path);
        default:
                return true;
        }
}

void fault_note(const char *absolute, int errnum) {
        if (!watching || first)
                return;
        first = g_new(Fault, 1);
        *first = (Fault) {.path = g_utf8_make_valid(absolute, -1), .errnum = errnum};
}

char *fault_to_string(const Fault *fault) {
        return g_strdup_printf("%s could not be read: %s", fault->path, g_strerror(fault->errnum));
}

const char *fault_fix(const Fault *fault) {
        switch (fault->errnum) {
        case EMFILE:
                return "systemctl restart nestvirtd.service";
        case ENFILE:
                return "sysctl fs.file-nr fs.file-max";
        case ENOMEM:
                return "free -h";
        default:
                return "journalctl -k -n 20";
        }
}
