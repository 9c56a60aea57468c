/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a change has answered, told to people or as it is to programs. */

#include "client.h"

/* @result: a dictionary with Outcome, Steps, Notes, Impact, Values. */
void change_print(const Client *client, const Value *result);
/* For people: what else there is to say of it, Notes. */
void change_print_notes(const Client *client, const Value *result);
/* The same as change_print(), but for people only how it is now, without the steps. */
void change_print_outcome(const Client *client, const Value *result);
/* For people: what the probe has shown, Verified. */
void change_print_verdict(const Client *client, const Value *result);
/* @result: of a guest's definition: a dictionary with Outcome, Steps, Advice, Impact, Diff,
 * RestartNeeded. @name: as the user calls it. */
void change_print_guest(const Client *client, const char *name, const Value *result);
/* For people, at the end: @diff, or, when that is "", why it is @missing; nothing when that is "",
 * too. */
void change_print_diff(const Client *client, const char *diff, const char *missing);
