/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What differs between AMD's SVM and Intel's VMX: how the probe prepares L1 and what L1 enters L2
 * with. L1 itself is svm's or vmx's code. */

#include <stdbool.h>
#include <stdint.h>

#include "report.h"
#include "vm.h"

/* L2 as L1 starts it. */
typedef struct Guest {
        uint64_t rip, rsp;
        uint64_t cr3;
        uint64_t nested;     /* the tables of nested paging; 0: none */
        uint32_t exceptions; /* a bit for each that goes to L1 */
        bool shadow;         /* L1 does L2's paging: loads of CR3 and INVLPG go to it */
        uint64_t exit;       /* VMX: the address at which L1 goes on */
} Guest;

typedef struct Backend {
        const char *vendor;      /* in names of counts */
        const char *paging;      /* the vendor's name of nested paging */
        const char *instruction; /* the first that is illegal when nesting is off */
        uint64_t cr4, efer;      /* what has to be set for it */
        PageBits bits;           /* of nested paging's tables: all is allowed */

        /* Before the mode is set. Returns 0 or -errno. */
        int (*enable)(Vm *vm);
        /* Writes what L1 enters L2 with to CONTROL, HOST_AREA and FIELDS. */
        bool (*prepare)(Vm *vm, const Guest *guest, Report *report);
} Backend;

extern const Backend svm_backend, vmx_backend;

static inline const Backend *backend_of(const Kvm *kvm) {
        return kvm->vendor == VENDOR_SVM ? &svm_backend : &vmx_backend;
}

/* The vCPU as L1, ready to enter @guest, which is all but where L1 begins. */
bool backend_prepare(Vm *vm, const Guest *guest, Report *report);
