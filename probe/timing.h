/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How long the operations of the table take. */

#include <stdbool.h>

#include "report.h"
#include "session.h"

/* False: the report has the conclusion. When guest code is emulated, nothing is measured, and the
 * report says so. */
bool timing_run(Session *session, Report *report);
