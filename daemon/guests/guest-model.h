/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names that bring svm. AMD's models have it (src/cpu_map), but with KVM, QEMU leaves it out of a
 * model unless it is named (target/i386/kvm/kvm-cpu.c, kvm_default_props, since 2.2; machine types
 * of before keep it: hw/i386/pc_piix.c, pc_compat_2_1_fn(), until 9.0), libvirt does not name what
 * is in the model, and the XML of the running guest then says "disable". So it is with host-model,
 * which comes to one of AMD's models where the CPU has svm. Intel's models have no vmx, and
 * host-model names it. Read in libvirt 9.0.0 and 11.3.0, and tried with 9.0.0 and QEMU 7.2. */

#include <stdbool.h>

/* libvirt's CPU model brings svm with it; false for names that are not known. */
bool guest_model_brings_svm(const char *model);
/* QEMU leaves svm in such a model when it is run as this machine type. */
bool guest_machine_keeps_svm(const char *machine);
