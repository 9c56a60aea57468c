/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The steps of both vendors in the order that KVM needs: CPUID (vm_open), MSRs, mode, control
 * structures. */

#include <errno.h>
#include <string.h>

#include "backend.h"

/* With nesting off, KVM may refuse the bits (it does from 6.12 on). L1 then finds out itself that
 * it has no such instruction. */
static int set_mode(Vm *vm, const Backend *backend) {
        const int r = vm_set_mode(vm, backend->cr4, backend->efer);

        return r == -EINVAL && vm->kvm->forced ? vm_set_mode(vm, 0, 0) : r;
}

bool backend_prepare(Vm *vm, const Guest *guest, Report *report) {
        const Backend *backend = backend_of(vm->kvm);

        int r = backend->enable(vm);
        if (r < 0 && !vm->kvm->forced)
                return conclude(report, RESULT_BROKEN, "KVM offers %s, and refuses its MSRs: %s", backend->vendor,
                                strerror(-r));
        r = set_mode(vm, backend);
        if (r < 0)
                return conclude(report, RESULT_BROKEN, "KVM offers %s, and refuses to switch it on: %s",
                                backend->vendor, strerror(-r));
        return backend->prepare(vm, guest, report);
}
