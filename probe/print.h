/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A report on standard output, for people or for programs. Both return 0 or -errno. */

#include "report.h"

int print_text(const Report *report);
/* One object with the keys of org.nestvirt1.Manager's ProbeResult; an error instead when the caller may not look. */
int print_json(const Report *report);
