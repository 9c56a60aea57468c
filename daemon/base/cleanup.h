/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What ends with its scope, for types that GLib does not know. */

#define _cleanup_(function) __attribute__((cleanup(function)))
