/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The workers, and what their jobs share. It reads nothing by itself. */

#include "readings.h"
#include "worker-source.h"

Readings *readings_new(sd_event *event, Root *root, int *ret_error) {
        Readings *readings = g_new0(Readings, 1);
        int r = worker_source_add(event, "reads", &readings->worker, &readings->worker_source);

        readings->root = root_ref(root);
        if (r >= 0)
                r = worker_source_add(event, "scans", &readings->scans, &readings->scans_source);
        if (r >= 0)
                return readings;
        readings_free(readings);
        *ret_error = r;
        return NULL;
}

void readings_free(Readings *readings) {
        if (!readings)
                return;
        (void) sd_event_source_disable_unref(readings->worker_source);
        (void) sd_event_source_disable_unref(readings->scans_source);
        g_clear_pointer(&readings->worker, worker_free);
        g_clear_pointer(&readings->scans, worker_free);
        g_clear_pointer(&readings->scan.users, users_unref);
        root_unref(readings->root);
        g_free(readings);
}

Users *readings_users(Readings *readings, gint64 asked) {
        return users_scan_shared(&readings->scan, readings->root, asked);
}
