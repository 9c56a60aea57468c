/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Fingerprints and what comes of comparing them, as the methods answer it
 * (dbus/org.nestvirt1.xml). */

#include "fingerprint.h"

/* (a{sv}), floating. */
GVariant *describe_fingerprint(const Fingerprint *fingerprint);
GVariant *describe_comparison(const Fingerprint *first, const Fingerprint *second);
