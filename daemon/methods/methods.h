/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The interfaces of org.nestvirt1, and the methods that have a file of their own. */

#include <systemd/sd-bus.h>

#include "object.h"
#include "services.h"

/* OBJECT_KINDS of them (interfaces.c). */
extern const ObjectKind interfaces[];

extern const sd_bus_vtable manager_vtable[]; /* interface-manager.c */
extern const sd_bus_vtable module_vtable[];  /* interface-module.c */
extern const sd_bus_vtable guest_vtable[];   /* interface-guest.c */

/* interface-log-control.c: puts it on the bus; a negative errno. */
int log_control_register(sd_bus *bus);

/* operation-guest.c */
int operation_guest_set_cpu(sd_bus_message *message, void *userdata, sd_bus_error *error);
int operation_guest_prepare(sd_bus_message *message, void *userdata, sd_bus_error *error);
/* method-set-cpus.c */
int method_set_cpus(sd_bus_message *message, void *userdata, sd_bus_error *error);
/* method-apply.c */
int method_apply(sd_bus_message *message, void *userdata, sd_bus_error *error);
/* method-check.c. What Check last answered; made by the composition root. */
Findings *findings_new(void);
void findings_free(Findings *findings);
int method_check(sd_bus_message *message, void *userdata, sd_bus_error *error);
/* method-fingerprint.c. What was last read for GetFingerprint; made by the composition root. */
Fingerprints *fingerprints_new(void);
void fingerprints_free(Fingerprints *fingerprints);
int method_get_fingerprint(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_compare_fingerprints(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_compare_guest(sd_bus_message *message, void *userdata, sd_bus_error *error);
/* method-ensure-device.c */
int method_ensure_device(sd_bus_message *message, void *userdata, sd_bus_error *error);
/* method-guests.c */
int method_get_guest(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_list_guests(sd_bus_message *message, void *userdata, sd_bus_error *error);
/* method-cancel-pending.c */
int method_cancel_pending(sd_bus_message *message, void *userdata, sd_bus_error *error);
/* method-probe.c */
int method_probe(sd_bus_message *message, void *userdata, sd_bus_error *error);
/* method-statistics.c */
int method_get_statistics(sd_bus_message *message, void *userdata, sd_bus_error *error);
