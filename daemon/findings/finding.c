/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A finding's memory. Who finds it is not known here. */

#include <glib.h>

#include "finding.h"

void finding_free(Finding *finding) {
        if (!finding)
                return;
        g_free(finding->subject);
        g_free(finding->message);
        g_free(finding->fix);
        g_free(finding);
}
