/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Windows that is given vmx or svm though nothing asks for it. Where it finds one, Windows 11 and
 * Windows Server 2025 switch virtualization-based security on by themselves: the guest becomes a
 * host of Hyper-V, slower, or does not boot (github.com/microsoft/openvmm/pull/3648, which made
 * nesting opt-in for that reason). */

#include "guest-facts.h"
#include "guest-host.h"

/* It can now, or will be able to, and its definition does not name the feature. */
bool guest_nests_unasked(const GuestFacts *facts, const GuestHost *host);
