/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What SetCpus has answered, in words for people, or as JSON. */

#include "client.h"

/* False: one of the guests could not be changed, or more. */
bool guests_result_print(const Client *client, const Value *result);
