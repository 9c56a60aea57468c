/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the next start of a guest will come to. Pure.
 *
 * How libvirt behaves was read in libvirt 9.0.0 and 11.3.0 and, where a rule rests on it, tried
 * with 9.0.0 and QEMU 7.2:
 * - policy='require' for vmx is weak: libvirt checks it against the raw CPU, not against KVM. With
 *   nested=0 the guest starts without it (src/qemu/qemu_capabilities.c,
 *   virQEMUCapsInitHostCPUModel()), but for check='full'. So it is with svm, named or in a model.
 * - What the CPU itself has not is no wish: with svm required on Intel, or a model that has it, or
 *   vmx on AMD, libvirt refuses the start. The host's CPU passed through is compared with
 *   check='full' alone.
 * - With check='none' libvirt compares nothing, and QEMU leaves out what KVM does not give.
 * - Of two -cpu QEMU takes the last one (system/vl.c, qemu_init()), which is that of
 *   <qemu:commandline>; -global changes what no -cpu names. Tried with QEMU 7.2.
 * - A start with a managed save brings back the CPU of the save, whatever the definition says. */

#include "guest-judge.h"

/* "yes" "no" "fails" "unknown" */
const char *guest_start_judge(Judge *judge);
