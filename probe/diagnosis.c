/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Numbers of the hardware and of KVM as sentences. */

#include <asm/svm.h>
#include <asm/vmx.h>
#include <stdio.h>

#include "diagnosis.h"

/* SVM_EXIT_ERR of asm/svm.h, whose type is not the same in all kernels' headers: -1 in Linux 6.1,
 * -1ull in 7.2. */
#define EXIT_INVALID UINT64_MAX

#define EXCEPTION_PAGE_FAULT 14U
/* Bit 31 of an exit reason (Intel's manual, volume 3D, appendix C). */
#define ENTRY_FAILED 0x80000000U
#define INTERRUPTION_VECTOR 0xffU

typedef struct Word {
        uint64_t number;
        const char *name;
} Word;

static const Word svm_exits[] = {SVM_EXIT_REASONS};
static const Word vmx_exits[] = {VMX_EXIT_REASONS};

/* Intel's manual, volume 3C, 31.4. */
static const Word instruction_errors[] = {
                {1, "VMCALL in VMX root operation"},
                {2, "VMCLEAR with an invalid address"},
                {3, "VMCLEAR with the VMXON pointer"},
                {4, "VMLAUNCH of a VMCS that is not clear"},
                {5, "VMRESUME of a VMCS that was not launched"},
                {6, "VMRESUME after VMXOFF"},
                {7, "entry with invalid control fields"},
                {8, "entry with invalid host-state fields"},
                {9, "VMPTRLD with an invalid address"},
                {10, "VMPTRLD with the VMXON pointer"},
                {11, "VMPTRLD with another revision"},
                {12, "VMREAD or VMWRITE of a field that is not supported"},
                {13, "VMWRITE to a read-only field"},
                {15, "VMXON in VMX root operation"},
                {26, "entry with events blocked by MOV SS"},
                {28, "INVEPT or INVVPID with an invalid operand"},
};

static const char *const exceptions[32] = {
                [0] = "#DE",  [1] = "#DB",  [2] = "NMI",  [3] = "#BP",  [4] = "#OF",  [5] = "#BR",  [6] = "#UD",
                [7] = "#NM",  [8] = "#DF",  [10] = "#TS", [11] = "#NP", [12] = "#SS", [13] = "#GP", [14] = "#PF",
                [16] = "#MF", [17] = "#AC", [18] = "#MC", [19] = "#XM", [20] = "#VE", [21] = "#CP",
};

#define WORD_OF(words, number) word_of((words), sizeof(words) / sizeof((words)[0]), (number))

static const char *word_of(const Word *words, size_t n, uint64_t number) {
        for (size_t i = 0; i < n; i++)
                if (words[i].number == number)
                        return words[i].name;
        return "unknown";
}

static const char *exception_name(unsigned vector) {
        return (vector < 32 ? exceptions[vector] : NULL) ?: "an unknown exception";
}

static const char *level_of(const Vm *vm) {
        return vm_is_nested(vm) ? "L2" : "L1";
}

bool diagnose_stop(const Vm *vm, Report *report) {
        const struct kvm_run *run = vm->run;

        switch (run->exit_reason) {
        case KVM_EXIT_SHUTDOWN:
                return conclude(report, RESULT_BROKEN, "%s shut down (a triple fault)", level_of(vm));
        case KVM_EXIT_FAIL_ENTRY:
                return conclude(report, RESULT_BROKEN,
                                "The CPU refused to enter the guest (KVM_EXIT_FAIL_ENTRY, hardware reason %#llx)",
                                (unsigned long long) run->fail_entry.hardware_entry_failure_reason);
        case KVM_EXIT_INTERNAL_ERROR:
                return conclude(report, RESULT_BROKEN, "KVM gave up in %s (KVM_EXIT_INTERNAL_ERROR, suberror %u)",
                                level_of(vm), run->internal.suberror);
        default:
                return conclude(report, RESULT_BROKEN, "KVM returned from %s for the reason %u, which nobody asked for",
                                level_of(vm), run->exit_reason);
        }
}

bool diagnose_exception(const Vm *vm, Report *report) {
        VmException exception;

        if (!vm_get_exception(vm, &exception, report))
                return false;
        const char *level = exception.in_l2 ? "L2" : "L1", *name = exception_name(exception.vector);
        if (exception.vector == EXCEPTION_PAGE_FAULT)
                return conclude(report, RESULT_BROKEN, "%s took %s at %#llx, for the address %#llx (error code %#llx)",
                                level, name, (unsigned long long) exception.rip, (unsigned long long) exception.address,
                                (unsigned long long) exception.error);
        return conclude(report, RESULT_BROKEN, "%s took %s at %#llx (error code %#llx)", level, name,
                        (unsigned long long) exception.rip, (unsigned long long) exception.error);
}

bool diagnose_svm_exit(uint64_t code, uint64_t info1, uint64_t info2, Report *report) {
        const unsigned long long first = info1, second = info2;

        if (code == EXIT_INVALID)
                return conclude(report, RESULT_BROKEN,
                                "VMRUN refused the VMCB (exit code -1, VMEXIT_INVALID: controls, host or guest state)");
        if (code == SVM_EXIT_SHUTDOWN)
                return conclude(report, RESULT_BROKEN, "L2 shut down (exit code 0x7f: a triple fault)");
        if (code == SVM_EXIT_NPF || code == SVM_EXIT_EXCP_BASE + EXCEPTION_PAGE_FAULT)
                return conclude(report, RESULT_BROKEN,
                                "L2 took a %s for the address %#llx (exit code %#llx, error code %#llx)",
                                code == SVM_EXIT_NPF ? "nested page fault" : "page fault", second,
                                (unsigned long long) code, first);
        if (code >= SVM_EXIT_EXCP_BASE && code <= SVM_EXIT_LAST_EXCP)
                return conclude(report, RESULT_BROKEN, "L2 took %s (exit code %#llx, error code %#llx)",
                                exception_name((unsigned) (code - SVM_EXIT_EXCP_BASE)), (unsigned long long) code,
                                first);
        return conclude(report, RESULT_BROKEN,
                        "L2 left with exit code %#llx (%s), which nobody asked for (%#llx, %#llx)",
                        (unsigned long long) code, WORD_OF(svm_exits, code), first, second);
}

bool diagnose_vmx_exit(const VmxExit *exit, Report *report) {
        const unsigned long long qualification = exit->qualification, physical = exit->physical;
        const uint32_t reason = exit->reason & ~ENTRY_FAILED;
        const unsigned vector = exit->interruption & INTERRUPTION_VECTOR;

        if (exit->reason & ENTRY_FAILED)
                return conclude(report, RESULT_BROKEN,
                                "The VM entry failed (exit reason %#x: %s, qualification %llu): L2's state is not "
                                "valid",
                                exit->reason, WORD_OF(vmx_exits, reason), qualification);
        if (reason == EXIT_REASON_TRIPLE_FAULT)
                return conclude(report, RESULT_BROKEN, "L2 shut down (exit reason 2: a triple fault)");
        if (reason == EXIT_REASON_EPT_VIOLATION || reason == EXIT_REASON_EPT_MISCONFIG)
                return conclude(report, RESULT_BROKEN,
                                "L2 took an %s for the address %#llx (exit reason %u, qualification %#llx)",
                                reason == EXIT_REASON_EPT_VIOLATION ? "EPT violation" : "EPT misconfiguration",
                                physical, reason, qualification);
        if (reason == EXIT_REASON_EXCEPTION_NMI && vector == EXCEPTION_PAGE_FAULT)
                return conclude(report, RESULT_BROKEN, "L2 took a page fault for the address %#llx (exit reason 0)",
                                qualification);
        if (reason == EXIT_REASON_EXCEPTION_NMI)
                return conclude(report, RESULT_BROKEN, "L2 took %s (exit reason 0)", exception_name(vector));
        return conclude(report, RESULT_BROKEN,
                        "L2 left with exit reason %u (%s), which nobody asked for (qualification %#llx)", reason,
                        WORD_OF(vmx_exits, reason), qualification);
}

bool diagnose_vmx_fail(const char *instruction, bool valid, uint64_t error, uint64_t field, Report *report) {
        if (!valid)
                return conclude(report, RESULT_BROKEN, "%s failed (VMfailInvalid: there is no current VMCS)",
                                instruction);
        (void) conclude(report, RESULT_BROKEN, "%s failed (VM-instruction error %llu: %s)", instruction,
                        (unsigned long long) error, WORD_OF(instruction_errors, error));
        if (field != 0)
                report_add(report, "for the field %#llx", (unsigned long long) field);
        return false;
}
