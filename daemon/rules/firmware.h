/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether the firmware lets the CPU virtualize, so far as it can be proven. A kernel takes the vmx
 * flag away when the firmware has locked VMX off (since Linux 5.6, init_ia32_feat_ctl()), and the
 * svm flag (since 6.7, init_amd()); before, only the load of the module fails. CPUID keeps saying
 * that the CPU has it. Pure. */

#include "host.h"

typedef enum Firmware {
        FIRMWARE_UNKNOWN,
        /* there is nothing to switch: the CPU, or what a virtual machine is given of it, has
         * neither VMX nor SVM */
        FIRMWARE_NONE,
        FIRMWARE_OFF,
        FIRMWARE_ON,
        FIRMWARE_MAX
} Firmware;

/* By the CPU alone, so that it does not change while modules come and go. @ret_evidence (may be
 * NULL) gets what proves that it is on or off, else NULL. */
Firmware firmware_judge(const Host *host, char **ret_evidence);
const char *firmware_to_string(Firmware firmware); /* "unknown" "none" "off" "on" */
/* The register that the firmware sets is known, and lets the CPU virtualize. */
bool firmware_is_open(const Cpu *cpu);
