/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What was there, perhaps, and could not be read: neither absence nor a refusal, but a want of
 * descriptors or of memory, or a disk that fails. What was read beside it then means nothing. Who
 * reads many files watches for it, so that no reader in between has to know: root.c notes each. */

#include <glib.h>
#include <stdbool.h>

typedef struct Fault {
        char *path; /* absolute on the machine */
        int errnum; /* positive */
} Fault;

/* From here on, in this thread, the first fault is kept. Watches are not nested. */
void fault_watch(void);
/* Ends the watch: the first fault, or NULL. */
Fault *fault_found(void);
void fault_free(Fault *fault);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fault, fault_free)

/* Whether @errnum is a fault, and no word about the file itself: one that is not there (ENOENT,
 * ENOTDIR; ESRCH below /proc/PID, whose process is gone), that we may not see (EACCES, EPERM), or
 * that is something else than was looked for (ELOOP, EISDIR, ENXIO, EFBIG, EINVAL and their like).
 * What is not known to be such a word is a fault: openat2(2), read(2), getdents64(2) and file
 * systems have many. @path is beneath the root. */
bool fault_is(const char *path, int errnum);
/* Keeps it, if this thread watches and there is none yet. */
void fault_note(const char *absolute, int errnum);

/* "/proc/cpuinfo could not be read: Too many open files" */
char *fault_to_string(const Fault *fault);
/* A command that mends it or shows more. */
const char *fault_fix(const Fault *fault);
