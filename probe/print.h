/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A report, for people or for programs. All return 0 or -errno, and leave @stream to its owner. */

#include <stdio.h>

#include "report.h"

/* The message, and a line for each number. */
int print_text(FILE *stream, const Report *report);

typedef enum PrintForm {
        PRINT_JSON, /* one object with the keys of org.nestvirt1.Manager's ProbeResult in snake_case; an error when the caller may not look */
        PRINT_VARIANT, /* ProbeResult itself, a{sv} in GLib's text format, and Loads a{st}: by module what tells one load of it from the next */
} PrintForm;

int print_report(FILE *stream, PrintForm form, const Report *report);
