/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The parts that recipes are made of. Each changes one thing of a tree, and says so in @steps; or
 * says what must be done by hand, and returns false. */

#include <inttypes.h>

#include "domain-xml.h"

bool recipe_raise_cpus(DomainXml *domain, unsigned cpus, GPtrArray *steps, GError **error);
bool recipe_raise_memory(DomainXml *domain, uint64_t mib, GPtrArray *steps, GError **error);
/* Interfaces whose model is not in @good (NULL-terminated) get the first of it. */
bool recipe_set_nics(DomainXml *domain, const char *const *good, GPtrArray *steps, GError **error);
/* Disks on virtio and SCSI move to SATA. */
bool recipe_set_disks(DomainXml *domain, GPtrArray *steps, GError **error);
/* Enlightenments and CPU features for Windows that is to run Hyper-V. The guest has a <cpu> with a
 * mode or a model. */
void recipe_set_hyperv(DomainXml *domain, const char *vendor, GPtrArray *steps);

/* A size with its unit, in bytes, as libvirt reads it (src/util/virutil.c, virScaleInteger): KiB
 * without a unit. False when it is none. */
bool recipe_parse_size(const char *number, const char *unit, uint64_t *ret);
/* The place of "sdX" among the disks: sda 0, sdz 25, sdaa 26; -1 when it is not called so. */
int recipe_disk_index(const char *name);
char *recipe_disk_name(unsigned place);
