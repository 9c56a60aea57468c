/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every call about guests begins with. */

#include "guests.h"
#include "object.h"

/* Looks at the guest of that name or UUID, or, @name NULL, at all of them, as guests_look() does;
 * AccessDenied when the caller may not see guests. Takes the waiter's call over. */
void guest_look(const Object *object, const GuestWaiter *waiter, const char *name);
