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
/* "intel" or "amd", whose CPUs such a model was made after (libvirt's src/cpu_map, 9.0 to 12.8;
 * Hygon's has svm, Zhaoxin's has vmx); NULL for those that are nobody's, and for names that are not
 * known. Under KVM QEMU gives it the vendor of the host all the same (target/i386/host-cpu.c,
 * host_cpu_instance_init(), 6.0 to 11.1), so that an Intel's model can nest on a CPU of AMD's. */
const char *guest_model_vendor(const char *model);
/* And nobody else's CPU can start it: libvirt wants svm, or what else only AMD's CPUs have. */
bool guest_model_needs_vendor(const char *model);
/* The CPU that QEMU gives has no long mode, as it is the 32-bit QEMU (target/i386/cpu.c,
 * TARGET_X86_64). Which one it is tells its name, to libvirt as well (src/qemu/qemu_command.c,
 * qemuBuildCpuCommandLine()); without one libvirt takes that of the guest's architecture first
 * (src/qemu/qemu_capabilities.c, virQEMUCapsFindBinaryForArch()). Tried with QEMU 7.2. */
bool guest_is_32_bit(const char *arch, const char *emulator);
/* Why a guest with such a <launchSecurity> can't run guests: a sentence, newly allocated; NULL when
 * it could.
 * - sev, sev-snp: arch/x86/kvm/svm/svm.c, has_svm(), later __kvm_is_svm_supported(), since 5.11.
 * - tdx: bit 5 of CPUID 1's ECX is fixed to 0 (TDX module 1.5; QEMU's target/i386/kvm/tdx.c,
 *   tdx_fixed0_bits, since 10.1). */
char *guest_launch_forbids(const char *launch);
/* QEMU leaves svm in such a model when it is run as this machine type. */
bool guest_machine_keeps_svm(const char *machine);
