/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why a run ended where it should not have, in words for people. All return false, with the report
 * concluded: for "return diagnose_…". */

#include <stdbool.h>
#include <stdint.h>

#include "report.h"
#include "vm.h"

/* KVM_RUN came back for another reason than a port. */
bool diagnose_stop(const Vm *vm, Report *report);

/* The vCPU is at PORT_EXCEPTION. */
bool diagnose_exception(const Vm *vm, Report *report);

/* An exit from L2 that L1 did not expect: exit code and its two words of information. */
bool diagnose_svm_exit(uint64_t code, uint64_t info1, uint64_t info2, Report *report);

typedef struct VmxExit {
        uint32_t reason;
        uint64_t qualification;
        uint32_t interruption;
        uint64_t physical;
} VmxExit;

bool diagnose_vmx_exit(const VmxExit *exit, Report *report);

/* An instruction of VMX failed. @valid: there was a current VMCS, which has the error. @field is of
 * interest to VMWRITE. */
bool diagnose_vmx_fail(const char *instruction, bool valid, uint64_t error, uint64_t field, Report *report);
