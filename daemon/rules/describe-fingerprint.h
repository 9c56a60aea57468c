/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Fingerprints and what comes of comparing them, as the methods answer it
 * (dbus/org.nestvirt1.xml). */

#include "fingerprint.h"

/* (a{sv}), floating. */
GVariant *describe_fingerprint(const Fingerprint *fingerprint);
GVariant *describe_comparison(const Fingerprint *first, const Fingerprint *second);
/* aa{sv}, floating, of @found, AbilityDifference* of a guest of the host that is called @here on
 * the other one. */
GVariant *describe_differences(const Fingerprint *from, const Fingerprint *to, const GPtrArray *found, const char *here,
                               const char *there);
