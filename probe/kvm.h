/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* KVM as it is on this host: the device, what of nesting it offers, and the parameters that matter
 * for it. */

#include <linux/kvm.h>
#include <stdbool.h>

#include "report.h"

typedef enum VendorId { VENDOR_SVM, VENDOR_VMX } VendorId;

typedef struct Kvm {
        int fd; /* of /dev/kvm */
        int run_size;
        struct kvm_cpuid2 *cpuid; /* for the guest */
        VendorId vendor;
        const char *module; /* the vendor module's name */
        bool forced;        /* nesting is not offered: the CPU's bit in @cpuid is set all the same */
        bool paging;        /* EPT or NPT is offered to L1, which KVM does when it uses that itself */
} Kvm;

/* For KVM_GET_MSRS and KVM_SET_MSRS: one entry after the head. */
typedef union OneMsr {
        struct kvm_msrs msrs;
        char bytes[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
} OneMsr;

/* False: the report says why there is nothing to be probed. */
bool kvm_open(Kvm *kvm, const char *path, Report *report);
void kvm_close(Kvm *kvm);
