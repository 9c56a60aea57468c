/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a definition says of the guest's CPU outside of <cpu>. */

#include "domain-xml.h"

/* The option of QEMU's among <qemu:commandline> that gives the CPU another shape than <cpu>, as it
 * is spelled there: "-cpu", of which QEMU takes the last one, so this and not libvirt's; or
 * "-global" for a property of the CPU, which counts for what libvirt's -cpu does not name. "" when
 * there is none. Tried with QEMU 7.2: qom-get of svm (system/vl.c, qemu_init(); qom/object.c,
 * object_apply_global_props()). */
char *cpu_beside_argument(const DomainXml *domain);
/* "sev", "sev-snp", "tdx": the guest's memory is kept from the host; "" when it is not. */
char *cpu_beside_launch(const DomainXml *domain);
/* "evmcs" when the guest is to have that enlightenment for Hyper-V, which is about VMX alone, else
 * "". With <hyperv mode='passthrough'> libvirt asks for none by name (src/qemu/qemu_command.c,
 * qemuBuildCpuHypervCommandLine()). */
char *cpu_beside_hyperv(const DomainXml *domain);
/* The guest could make use of vmx or svm if it had it. Unsupported when not, with the reason. */
bool cpu_beside_allows_nested(const DomainXml *domain, GError **error);
