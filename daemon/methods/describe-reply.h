/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What methods return, as tuples of dictionaries with the names of the contract. Where not all is
 * told, a last dictionary has Omitted alone. Pure. */

#include "change.h"
#include "guest-plan.h"
#include "statistics.h"
#include "users.h"

/* (a{sv}): Outcome, Changed, Changes, Steps, Notes, Impact, Values. */
GVariant *describe_change(const ChangeResult *result);
/* (a{sv}): Outcome, Steps. */
GVariant *describe_outcome(const char *outcome, const GPtrArray *steps);
/* (a{sv}): Outcome, Changed, Changes, Steps, Advice, Impact, Diff, RestartNeeded; DiffMissing where
 * there is none to show. */
GVariant *describe_guest_change(const char *outcome, const GuestPlan *plan, const GuestHost *host);
/* (aa{sv}) of Finding*: Id, Status, Subject, Message, Fix. */
GVariant *describe_findings(const GPtrArray *findings);
/* (aa{sv}) of those who hold KVM: Pid, Uid, Command, Unit, Guest. */
GVariant *describe_users(const Users *users);
/* An a{sa{sv}} of one entry: @name and its @dictionary (consumed). */
GVariant *describe_named(const char *name, GVariant *dictionary);
/* The same of a machine: its counters, each a t; of a guest Machine, and where some are withheld
 * Withheld and Reason. */
GVariant *describe_machine(const VmStatistics *vm);
