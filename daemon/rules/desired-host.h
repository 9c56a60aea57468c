/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the desired state means on one host, and in what that host differs from it. Rules over a
 * snapshot. Pure. */

#include "catalog.h"
#include "desired.h"
#include "host.h"

typedef struct DesiredSetting {
        const Parameter *parameter; /* of a module that this host has an object of */
        char *value;                /* normalised */
        const DesiredKey *key;      /* where it is said; the desired state's */
} DesiredSetting;

/* DesiredSetting*, no parameter twice: the section of a module wins over [Parameters]. What is not
 * for this host adds to @notes (char*): the section of a module that it does not use, and
 * nested=off where nothing can nest anyway. NULL and Unsupported, InvalidValue for what this host
 * can't have, with file and line. */
GPtrArray *desired_settings(const Desired *desired, const Host *host, GPtrArray *notes, GError **error);

/* The same where it is not known on which host it will be, as of an image: [Parameters] means every
 * vendor's module that has the parameter, and nothing is held against a CPU or a kernel. */
GPtrArray *desired_settings_anywhere(const Desired *desired, GError **error);

typedef struct Drift {
        char *module, *name;
        char *desired, *configured, *effective; /* as in the entry of a parameter (org.nestvirt1.xml) */
        bool pending; /* it is configured, and waits for idle or for the next boot to be in effect */
} Drift;

/* Drift*, of the settings that differ: in what the next load gets, or in what is in effect.
 * @boot: they are to be in effect with the next boot. */
GPtrArray *desired_drift(const GPtrArray *settings, const Host *host, bool boot);

/* Of the folders: the settings, and in what the host differs, both as above. NULL, and @ret_error
 * (newly allocated) why: they can't be understood, or this host can't have what they say; "" when
 * the host could not be read. */
GPtrArray *desired_of_host(const Host *host, GPtrArray **ret_drift, char **ret_error);
