/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a call asks for of guests' definitions, as it stands in the message. */

#include <systemd/sd-bus.h>

#include "guest-plan.h"

/* The options a{sv} of SetCpu and SetCpus, or, @prepare, recipe and options "sa{sv}" of Prepare,
 * into @edit. False: InvalidArgs. */
bool guest_arguments_read(sd_bus_message *message, bool prepare, GuestEdit *edit, GError **error);
