/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What KVM's modules were loaded with, as a text that can be kept and compared: what they offer to
 * guests' CPUs rests on it. Pure.
 *
 * The rule: every parameter of the two modules counts that can't be written while they are loaded.
 * KVM works out the features that it offers, and those of VMX and SVM in them, when the vendor's
 * module is loaded (kvm_set_cpu_caps(), nested_vmx_setup_ctls_msrs(), svm_set_cpu_caps() in
 * arch/x86/kvm), so that what can be written later is not among what they rest on. Many of the
 * others are not either, but a list of those would have to be kept for each kernel, and one too
 * many costs libvirt a second. */

#include "host.h"

/* A line "kvm_amd.npt=1" for each, sorted; values as sysfs prints them. Without nested, to which
 * libvirt itself looks each time. NULL while KVM is not loaded. */
char *fixed_values(const Host *host);
/* "kvm_amd.npt was 1 and is 0", a few of them. */
char *fixed_values_compare(const char *before, const char *now);
