/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "packed.h"

/* The properties as a{sv}, a reference of the caller's; @packed is freed. */
GVariant *unpacked(Packed *packed);
