/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* L1 enters L2; L2 says so to the probe by a port, at which KVM must say that the vCPU is in L2;
 * then L2 leaves to L1 by cpuid, again and again, and L1 must have got each of them. What KVM has
 * counted meanwhile has to be what it must be. */

#include <inttypes.h>
#include <string.h>

#include "backend.h"
#include "diagnosis.h"
#include "layout.h"
#include "proof.h"
#include "run.h"
#include "svm.h"
#include "vmx.h"

/* The guest's code; proof-svm.S and proof-vmx.S. */
extern const char proof_svm[], proof_svm_l2[], proof_svm_end[];
extern const char proof_vmx[], proof_vmx_exit[], proof_vmx_l2[], proof_vmx_end[];

#define ROUND_TRIPS 64U
#define REPEATS 5U
#define TIMEOUT_SEC 5U

/* What L1 asks of its VMCS for a round trip of L2 on Intel: two reads and a write. A round trip
 * itself is two exits: L2's and L1's entry. */
#define ACCESSES 3U
#define BARE_ROUND_TRIP 2U

#define RFLAGS_ZERO 0x40U

static bool load(Vm *vm, Report *report) {
        const bool svm = vm->kvm->vendor == VENDOR_SVM;
        const char *begin = svm ? proof_svm : proof_vmx, *l2 = svm ? proof_svm_l2 : proof_vmx_l2;
        const size_t size = (size_t) ((svm ? proof_svm_end : proof_vmx_end) - begin);
        const Guest guest = {
                        .rip = CODE + (uint64_t) (l2 - begin),
                        .rsp = L2_STACK,
                        .cr3 = L1_PML4,
                        .exceptions = UINT32_MAX,
                        .exit = CODE + (uint64_t) (proof_vmx_exit - proof_vmx),
        };
        const struct kvm_regs regs = {
                        .rip = CODE,
                        .rsp = L1_STACK,
                        .rsi = svm ? CONTROL : FIELDS,
                        .r12 = ROUND_TRIPS,
                        .r13 = REPEATS,
                        .rflags = 2,
        };

        memcpy(vm_at(vm, CODE, size), begin, size);
        return backend_prepare(vm, &guest, report) && vm_set_registers(vm, &regs, report);
}

static bool diagnose_fail(const Vm *vm, Report *report) {
        static const char *const instructions[] = {
                        [STAGE_VMXON] = "VMXON",     [STAGE_VMCLEAR] = "VMCLEAR",    [STAGE_VMPTRLD] = "VMPTRLD",
                        [STAGE_VMWRITE] = "VMWRITE", [STAGE_ENTRY] = "The VM entry",
        };
        struct kvm_regs regs;

        if (!vm_get_registers(vm, &regs, report))
                return false;
        const uint64_t stage = regs.r11;
        if (stage < STAGE_VMXON || stage > STAGE_ENTRY)
                return conclude(report, RESULT_BROKEN, "L1 failed at an unknown place");
        const uint64_t field = stage == STAGE_VMWRITE && regs.r8 <= MEMORY_SIZE - 8 ? vm_get(vm, regs.r8, 8) : 0;
        return diagnose_vmx_fail(instructions[stage], regs.r10 & RFLAGS_ZERO, regs.r9, field, report);
}

static bool diagnose_svm(const Vm *vm, Report *report) {
        return diagnose_svm_exit(vm_get(vm, CONTROL + VMCB_EXIT_CODE, 8), vm_get(vm, CONTROL + VMCB_EXIT_INFO_1, 8),
                                 vm_get(vm, CONTROL + VMCB_EXIT_INFO_2, 8), report);
}

static bool diagnose_vmx(const Vm *vm, Report *report) {
        struct kvm_regs regs;

        if (!vm_get_registers(vm, &regs, report))
                return false;
        const VmxExit exit = {
                        .reason = (uint32_t) regs.r8,
                        .qualification = regs.r10,
                        .interruption = (uint32_t) regs.r14,
                        .physical = regs.r15,
        };
        return diagnose_vmx_exit(&exit, report);
}

/* L1 is at its end: is it because L2 said that it is at its own? */
static bool check_end(const Vm *vm, Report *report) {
        struct kvm_regs regs;

        if (!vm_get_registers(vm, &regs, report))
                return false;
        if (vm->kvm->vendor == VENDOR_SVM)
                return vm_get(vm, CONTROL + VMCB_EXIT_CODE, 8) == VMEXIT_VMMCALL || diagnose_svm(vm, report);
        return regs.r8 == REASON_VMCALL || diagnose_vmx(vm, report);
}

/* Runs to @port. */
static bool run_to(Vm *vm, int port, Report *report) {
        const int stop = run_to_port(vm, TIMEOUT_SEC, report);

        if (stop < 0)
                return false;
        if (stop == port)
                return true;
        switch (stop) {
        case PORT_EXCEPTION:
                return diagnose_exception(vm, report);
        case PORT_FAIL:
                return diagnose_fail(vm, report);
        case PORT_DONE:
                return vm->kvm->vendor == VENDOR_SVM ? diagnose_svm(vm, report) : diagnose_vmx(vm, report);
        default:
                return conclude(report, RESULT_BROKEN, "The guest is at port %#x, where it should be at %#x", stop,
                                port);
        }
}

/* The exits of one repeat; the last one is that of the port itself. */
static bool measure(Vm *vm, uint64_t *ret, Report *report) {
        StatsSample before, after;

        if (!run_to(vm, PORT_L2_BEGIN, report))
                return false;
        if (!vm_is_nested(vm))
                return conclude(report, RESULT_BROKEN, "L2's code runs, but KVM says that it is not in L2");
        if (!vm_sample(vm, &before, report) || !run_to(vm, PORT_L2_END, report) || !vm_sample(vm, &after, report))
                return false;
        *ret = stats_exits(&before, &after) - 1;
        return true;
}

static bool report_counts(const Vm *vm, const uint64_t exits[static REPEATS], uint64_t entries, Report *report) {
        uint64_t least = exits[0], most = exits[0];

        for (unsigned i = 1; i < REPEATS; i++) {
                least = exits[i] < least ? exits[i] : least;
                most = exits[i] > most ? exits[i] : most;
        }
        /* What else is counted, such as an NMI of the host, only adds. */
        const uint64_t round_trip = (least + ROUND_TRIPS / 2) / ROUND_TRIPS;

        if (stats_has(&vm->stats, STAT_NESTED_RUN)) {
                const uint64_t wanted = 1 + (uint64_t) REPEATS * ROUND_TRIPS;
                if (entries < wanted)
                        return conclude(report, RESULT_BROKEN,
                                        "KVM has counted %" PRIu64 " entries into L2 where there were %" PRIu64,
                                        entries, wanted);
                report_count(report, NULL, "nested_run", entries);
        }
        if (!stats_has(&vm->stats, STAT_EXITS))
                return true;
        report_count(report, NULL, "round_trips", ROUND_TRIPS);
        report_count(report, NULL, "exits_least", least);
        report_count(report, NULL, "exits_most", most);
        report_count(report, NULL, "round_trip", round_trip);
        if (vm->kvm->vendor == VENDOR_VMX && round_trip >= BARE_ROUND_TRIP)
                report_count(report, NULL, "vmcs_access", (round_trip - BARE_ROUND_TRIP) / ACCESSES);
        return true;
}

static bool prove(Vm *vm, Report *report) {
        uint64_t exits[REPEATS] = {};
        StatsSample end;

        for (unsigned i = 0; i < REPEATS; i++)
                if (!measure(vm, &exits[i], report))
                        return false;
        if (!run_to(vm, PORT_DONE, report) || !check_end(vm, report) || !vm_sample(vm, &end, report))
                return false;
        return report_counts(vm, exits, end.values[STAT_NESTED_RUN], report);
}

bool proof_run(const Kvm *kvm, Tamper tamper, Report *report) {
        Vm vm;
        bool proven = false;

        if (vm_open(&vm, kvm, report) && load(&vm, report)) {
                if (tamper)
                        tamper(&vm);
                proven = prove(&vm, report);
        }
        vm_close(&vm);
        return proven;
}
