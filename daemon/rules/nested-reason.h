/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why nesting is as it is where no parameter of a module decides: a confidential virtual machine,
 * Microsoft's hypervisor, Arm, files of no host that runs. Pure. */

#include "host.h"

/* A sentence without its full stop; NULL where a module decides. */
char *nested_reason(const Host *host);
/* Guests of this host are those of Microsoft's hypervisor. */
bool nested_is_mshv(const Host *host);
