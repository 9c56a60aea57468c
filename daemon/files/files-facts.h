/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What libvirt keeps of its guests beneath a root, as facts (src/qemu/qemu_conf.c,
 * virQEMUDriverConfigNew(), libvirt 1.0 to 11.9). Nobody is asked: what only a libvirt that runs
 * could tell is not known. */

#include "guest-facts.h"
#include "root.h"

/* GuestFacts* of all guests that are defined, or are noted as running; LibvirtUnavailable when one
 * of the files can't be read. One that libvirt itself would leave out, as it can't be understood,
 * is left out. */
GPtrArray *files_facts_list(const Root *root, const char *vendor, GError **error);
