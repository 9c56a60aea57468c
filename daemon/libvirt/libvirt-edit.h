/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Definitions of guests as libvirt keeps them, for guest-edit.h. It decides nothing of what is in
 * them. */

#include <libvirt/libvirt.h>

#include "guest-plan.h"

/* As hypervisor.h says of plan and define. */
GuestPlan *libvirt_edit_plan(virDomainPtr domain, const GuestEdit *edit, const char *vendor, GError **error);
GuestFacts *libvirt_edit_define(virDomainPtr domain, const GuestPlan *plan, const char *vendor, GError **error);
