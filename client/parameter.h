/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One parameter's entry, as the daemon shows it, in people's words. Pure. */

#include <glib.h>
#include <stdbool.h>

#include "value.h"

/* "on" for the "1" of a switch; any other value as it is. */
const char *parameter_word(const Value *entry, const char *value);
/* What the next load gets: "off", "default (on)", or "default" when the kernel's is not known. */
char *parameter_configured(const Value *entry);
/* It is not as the kernel would have it by itself: in effect, for the next load, or as soon as
 * nobody uses KVM. */
bool parameter_differs(const Value *entry);
/* It belongs on one screen: it decides about nesting, or somebody has set it. */
bool parameter_matters(const Value *entry, const char *name);
