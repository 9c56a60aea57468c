/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The system calls that read and alter files, of this program and of the libraries that it is
 * linked with: one of them fails, by its number. */

#include <stdbool.h>

/* In the place of an errno: one write(2) is short; or the process ends before one of the calls that
 * alter something, with the status FAULT_KILLED. Of these alone the calls are counted then. */
#define FAULT_SHORT (-1)
#define FAULT_KILL (-2)
#define FAULT_KILLED 9

/* The call with number @n from now (1 is the next) fails with @errnum; with @lasting those after
 * it, too. 0: none does. */
void fault_inject(unsigned n, int errnum, bool lasting);
/* No more; how many calls there were. */
unsigned fault_injected(void);
/* The first call that failed, with its path where it has one; "" when none has. */
const char *fault_struck(void);
/* What is called meanwhile is neither counted nor fails. */
void fault_pause(bool pause);
/* How often this thread has called fsync(2). */
unsigned fault_syncs(void);
/* Something is altered by other means, as by a loader of modules: the process may end here as
 * well. */
void fault_kill_here(void);
/* From now on no file becomes visible under @name (EIO), until it is NULL. */
void fault_refuse_rename(const char *name);
