/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The properties of the two interfaces, exactly with the names and signatures of the contract,
 * within their bounds. Pure. */

#include "host.h"
#include "packed.h"

/* In the order of the vtables; keys are sorted. */
Packed *describe_manager(const Host *host);
Packed *describe_module(const Host *host, const Module *module);
