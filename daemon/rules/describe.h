/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The properties of the two interfaces as dictionaries a{sv}, exactly with the names and signatures
 * of the contract. Two of them compared say what changed. Pure. */

#include <glib.h>

#include "host.h"

/* Both are floating, as GLib has it; keys are sorted. */
GVariant *describe_manager(const Host *host);
GVariant *describe_module(const Host *host, const Module *module);
/* The names whose values differ between two a{sv}, or that only one of them has, sorted; empty when
 * none. */
GStrv describe_diff(GVariant *before, GVariant *after);
