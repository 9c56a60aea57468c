/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns one run of the vCPU: its limit, its time, and that it ends at a port or with a conclusion.
 * What the guest means by a port is none of its business. */

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "clock.h"
#include "diagnosis.h"
#include "run.h"
#include "watchdog.h"

static bool fail_run(const Vm *vm, int error, unsigned seconds, Report *report) {
        struct kvm_regs regs = {};

        if (!watchdog_has_barked())
                return conclude(report, RESULT_BROKEN, "KVM can't run the vCPU: %s", strerror(error));
        if (!vm_get_registers(vm, &regs, report))
                return false;
        return conclude(report, RESULT_HANG, "%s does not end: stopped after %u s, at the address %#llx",
                        vm_is_nested(vm) ? "L2" : "L1", seconds, (unsigned long long) regs.rip);
}

/* One call that may be interrupted by signals of others: only the watchdog's ends it. */
static int run_once(Vm *vm) {
        const uint64_t begin = clock_now();
        int r;

        do
                r = ioctl(vm->vcpu, KVM_RUN, NULL);
        while (r < 0 && errno == EINTR && !watchdog_has_barked());
        const int error = r < 0 ? errno : 0;
        vm->elapsed = clock_now() - begin;
        return error;
}

int run_to_port(Vm *vm, unsigned seconds, Report *report) {
        int r = watchdog_begin(vm->run, seconds);

        if (r < 0) {
                (void) conclude(report, RESULT_BROKEN, "Cannot set an alarm: %s", strerror(-r));
                return -1;
        }
        const int error = run_once(vm);
        (void) watchdog_end();
        if (error != 0)
                (void) fail_run(vm, error, seconds, report);
        else if (vm->run->exit_reason != KVM_EXIT_IO || vm->run->io.direction != KVM_EXIT_IO_OUT)
                (void) diagnose_stop(vm, report);
        else
                return vm->run->io.port;
        return -1;
}
