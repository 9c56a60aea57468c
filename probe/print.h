/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A report on standard output, for people or for programs. Both return 0 or -errno. */

#include "report.h"

/* The message, and a line for each number. */
int print_text(const Report *report);

typedef enum PrintForm {
        /* One object with the keys of org.nestvirt1.Manager's ProbeResult in snake_case; an error
         * when the caller may not look. */
        PRINT_JSON,
        /* ProbeResult itself, a{sv} in GLib's text format, and Loads a{st}: by module what tells
         * one load of it from the next. */
        PRINT_VARIANT,
} PrintForm;

int print_report(PrintForm form, const Report *report);
