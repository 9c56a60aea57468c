/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the probe last found, as nestvirt-probe leaves it beneath run/nestvirt, gone with the boot:
 * a{sv} in GLib's text format, with the keys of the Manager's ProbeResult and one of its own. */

#include <glib.h>

#include "root.h"

#define PROBE_RESULT_PATH "run/nestvirt/probe"

/* ProbeResult: empty when there is none, or it can't be understood. Stale is true when a module of
 * KVM has been loaded anew since. Not floating. */
GVariant *probe_result_read(const Root *root, const char *boot_id);
