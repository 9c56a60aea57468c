/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Loads the image and talks with it. What is ordered, and what the costs mean, is not its
 * business. */

#include <stddef.h>
#include <string.h>

#include "backend.h"
#include "diagnosis.h"
#include "layout.h"
#include "run.h"
#include "session.h"

/* image.S */
extern const char image[], image_end[];

#define TIMEOUT_SEC 20U

/* The gate for page faults of L2 leads to its own handler. */
#define VECTOR_PAGE_FAULT 14U
#define EXCEPTION_BIT (1U << VECTOR_PAGE_FAULT)

static void put_gate(Vm *vm, uint64_t handler) {
        const uint64_t gate = (handler >> 16 & 0xffff) << 48 | (uint64_t) 0x8e00 << 32 | CODE_SELECTOR << 16 |
                              (handler & 0xffff);

        vm_put(vm, L2_IDT + 16 * VECTOR_PAGE_FAULT, gate, 8);
}

static bool load(Session *session, Report *report) {
        Vm *vm = &session->vm;
        const Backend *backend = backend_of(vm->kvm);
        const size_t size = (size_t) (image_end - image);
        const Order order = {.vmx = vm->kvm->vendor == VENDOR_VMX, .way = session->way};
        ImageHead head;

        memcpy(vm_at(vm, CODE, size), image, size);
        memcpy(&head, image, sizeof head);
        memcpy(vm_at(vm, SHARED, sizeof order), &order, sizeof order);
        vm_map(vm, L2_TABLES, &page_bits, false);
        vm_map(vm, SHADOW_TABLES, &page_bits, false);
        vm_map(vm, NESTED_TABLES, &backend->bits, false);
        put_gate(vm, head.l2_page_fault);
        const Guest guest = {
                        .rip = head.l2,
                        .rsp = L2_STACK,
                        .cr3 = session->way == WAY_SHADOW ? SHADOW_TABLES : L2_TABLES,
                        .nested = session->way == WAY_NESTED ? NESTED_TABLES : 0,
                        .exceptions = session->way == WAY_SHADOW ? EXCEPTION_BIT : 0,
                        .shadow = session->way == WAY_SHADOW,
                        .exit = head.vmx_exit,
        };
        const struct kvm_regs regs = {.rip = head.l1, .rsp = L1_STACK, .rflags = 2};
        return backend_prepare(vm, &guest, report) && vm_set_registers(vm, &regs, report);
}

static bool diagnose_fail(const Vm *vm, Report *report) {
        static const char *const instructions[] = {
                        [FAILURE_VMXON] = "VMXON",     [FAILURE_VMCLEAR] = "VMCLEAR",    [FAILURE_VMPTRLD] = "VMPTRLD",
                        [FAILURE_VMWRITE] = "VMWRITE", [FAILURE_ENTRY] = "The VM entry", [FAILURE_INVEPT] = "INVEPT",
        };
        Order order;

        memcpy(&order, vm_at(vm, SHARED, sizeof order), sizeof order);
        if (order.failure == FAILURE_EXIT || order.failure == FAILURE_EVENT) {
                const VmxExit exit = {
                                .reason = (uint32_t) order.code,
                                .qualification = order.info[0],
                                .interruption = (uint32_t) order.info[1],
                                .physical = order.info[2],
                };
                (void) (order.vmx ? diagnose_vmx_exit(&exit, report)
                                  : diagnose_svm_exit(order.code, order.info[0], order.info[1], report));
                if (order.failure == FAILURE_EVENT)
                        report_add(report, "in the middle of the delivery of an event");
                return false;
        }
        if (order.failure < FAILURE_VMXON || order.failure > FAILURE_INVEPT)
                return conclude(report, RESULT_BROKEN, "L1 failed at an unknown place");
        return diagnose_vmx_fail(instructions[order.failure], order.info[0], order.code, order.info[1], report);
}

/* Runs to @port; L2 may come by at its own. */
static bool run_to(Session *session, int port, Report *report) {
        Vm *vm = &session->vm;

        for (;;) {
                const int stop = run_to_port(vm, TIMEOUT_SEC, report);
                if (stop < 0)
                        return false;
                session->elapsed += vm->elapsed;
                if (stop == port)
                        return true;
                switch (stop) {
                case PORT_L2:
                        if (vm_is_nested(vm) != (session->way != WAY_ALONE))
                                return conclude(report, RESULT_BROKEN, "KVM does not know whether it runs L1 or L2");
                        break;
                case PORT_EXCEPTION:
                        return diagnose_exception(vm, report);
                case PORT_FAIL:
                        return diagnose_fail(vm, report);
                default:
                        return conclude(report, RESULT_BROKEN, "The guest is at port %#x, where it should be at %#x",
                                        stop, port);
                }
        }
}

bool session_open(Session *session, const Kvm *kvm, Way way, Tamper tamper, Report *report) {
        session->way = way;
        if (!vm_open(&session->vm, kvm, report) || !load(session, report))
                return false;
        if (tamper)
                tamper(&session->vm);
        return run_to(session, PORT_READY, report);
}

void session_close(Session *session) {
        vm_close(&session->vm);
}

const char *session_way_name(const Session *session) {
        const Kvm *kvm = session->vm.kvm;
        const bool svm = kvm->vendor == VENDOR_SVM;

        switch (session->way) {
        case WAY_SHADOW:
                return !kvm->paging ? "shadow-on-shadow" : svm ? "shadow-on-npt" : "shadow-on-ept";
        case WAY_NESTED:
                return svm ? "npt-on-npt" : "ept-on-ept";
        default:
                return "one-level";
        }
}

bool session_order(Session *session, Operation operation, uint32_t count, Cost *ret, Report *report) {
        Vm *vm = &session->vm;
        StatsSample before, after;

        vm_put(vm, SHARED + offsetof(Order, operation), operation, 4);
        vm_put(vm, SHARED + offsetof(Order, count), count, 4);
        if (!run_to(session, PORT_BEGIN, report) || !vm_sample(vm, &before, report))
                return false;
        session->elapsed = 0;
        if (!run_to(session, PORT_DONE, report) || !vm_sample(vm, &after, report))
                return false;
        *ret = (Cost) {
                        .exits = stats_exits(&before, &after),
                        .emulated = after.values[STAT_INSN_EMULATION] - before.values[STAT_INSN_EMULATION],
                        .elapsed = session->elapsed,
        };
        return run_to(session, PORT_READY, report);
}
