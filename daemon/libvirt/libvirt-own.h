/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Events that only tell what we have done ourselves, and have read back: of each definition that
 * libvirt has taken of us there is one (qemuDomainDefineXMLFlags() in src/qemu/qemu_driver.c,
 * testDomainDefineXMLFlags() in src/test/test_driver.c), before or after it has answered. They are
 * counted and not recognized: where somebody else's come as well, the first are taken for ours, and
 * the last, after which all is read, is told. */

#include <glib.h>
#include <stdbool.h>

/* Of one connection; for any thread. */
typedef struct LibvirtOwn LibvirtOwn;

LibvirtOwn *libvirt_own_new(void);
void libvirt_own_free(LibvirtOwn *own);
/* The guest of that UUID is about to be defined by us. */
void libvirt_own_expect(LibvirtOwn *own, const char *uuid);
/* It was defined, by whomever: false when that is to be told. */
bool libvirt_own_take(LibvirtOwn *own, const char *uuid);
/* Whatever comes of it from now on is told. */
void libvirt_own_forget(LibvirtOwn *own, const char *uuid);
