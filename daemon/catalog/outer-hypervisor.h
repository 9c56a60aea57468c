/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the host below gives to this one when it is itself a virtual machine, and what there decides
 * it: rules over what the CPU shows. Of KVM it is known which parameter a feature follows
 * (arch/x86/kvm/vmx/nested.c, nested_vmx_setup_ctls_msrs(); svm/svm.c, svm_set_cpu_caps(); Linux
 * 5.10 to 7.3); whatever runs the machine can mask more. Pure. */

#include <glib.h>
#include <stdbool.h>

#include "cpu.h"

/* "kvm_intel.ept": the parameter of the KVM below that @feature follows, NULL when none does.
 * @module is the vendor's. */
const char *outer_hypervisor_parameter(const char *module, const char *feature);
/* No KVM gives it to a guest, so in a virtual machine its absence is no fault. */
bool outer_hypervisor_is_never_given(const char *module, const char *feature);
/* KVM gives it whatever its parameters and its CPU are. */
bool outer_hypervisor_is_always_given(const char *module, const char *feature);

/* Why a virtual machine lacks @missing (features of @module's vendor, "ept, ept_ad"), as the end of
 * a sentence ("on the host below kvm_intel.ept is off, …"). NULL on the hardware, and where a
 * remark in brackets says better why. */
char *outer_hypervisor_reason(const Cpu *cpu, const char *module, const char *missing);
/* What to do so that this machine gets the feature that nesting needs: a sentence without its full
 * stop. @platform may be NULL. */
char *outer_hypervisor_how_to_nest(const Cpu *cpu, const char *feature, const char *platform);
/* Whose cloud a machine is in, or what manages it, by what its firmware says (sys/class/dmi/id:
 * sys_vendor, chassis_asset_tag; either may be NULL); NULL: none that is known. */
const char *outer_hypervisor_platform(const char *vendor, const char *asset_tag);
/* A kernel of the Windows Subsystem for Linux by its release, "6.6.87-microsoft-standard-WSL2";
 * its platform is "WSL". */
bool outer_hypervisor_is_wsl(const char *release);
/* "KVM", "Hyper-V", or the word of systemd-detect-virt(1). */
const char *outer_hypervisor_name(const Cpu *cpu);
