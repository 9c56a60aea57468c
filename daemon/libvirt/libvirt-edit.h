/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Definitions of guests as libvirt keeps them, for guest-edit.h. It decides nothing of what is in
 * them. */

#include <libvirt/libvirt.h>

#include "hypervisor.h"
#include "libvirt-own.h"

/* As hypervisor.h says of edit and define. Where these have failed, events of before may have been
 * taken for ours (libvirt-own.h). */
bool libvirt_edit(virDomainPtr domain, LibvirtOwn *own, GuestOrder *order, GError **error);
GuestFacts *libvirt_edit_define(virDomainPtr domain, LibvirtOwn *own, const GuestPlan *plan, const char *vendor,
                                GError **error);
