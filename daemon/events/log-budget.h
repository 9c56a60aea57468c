/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How many entries of the journal a user may cause by asking for what is refused: LOG_BUDGET_BURST
 * at once, and one more every while. What is left out is counted, and told in the place of the next
 * one, so that who asks without end has one entry every while. uid 0 has no limit. */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#define LOG_BUDGET_BURST 20U

typedef struct LogBudget LogBudget;

/* @count entries about what this user has asked for were left out since the last time. */
typedef void (*LogBudgetTell)(uid_t uid, unsigned count);

/* @refill_usec: the while, not 0. NULL when there is no memory for it. */
LogBudget *log_budget_new(sd_event *event, uint64_t refill_usec, LogBudgetTell tell);
/* Tells what has not been told. */
void log_budget_free(LogBudget *budget);
/* False: the entry is to be left out, and has been counted. */
bool log_budget_take(LogBudget *budget, uid_t uid);
