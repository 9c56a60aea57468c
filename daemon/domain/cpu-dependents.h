/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Features that hang on svm or vmx: QEMU leaves them out of a CPU without it, whatever it is asked
 * for (target/i386/cpu.c, feature_dependencies: FEAT_SVM on svm, all of FEAT_VMX_* on vmx; read in
 * 11.1, tried with 7.2). With check='full' libvirt then does not start a guest whose <cpu> or whose
 * model has them (src/cpu/cpu_x86.c, virCPUx86UpdateLive(): "missing features"). */

#include "domain-xml.h"

/* @feature, here and below: "svm" or "vmx". */
bool cpu_dependents_has(const char *feature, const char *name);
/* When @feature has been taken away. What is required or forced becomes disabled; of @listed, the
 * features of the guest's model (NULL: nothing is to be added), what is not named is added as
 * disabled. @names gets those names, with commas between them. */
void cpu_dependents_disable(DomainXml *domain, xmlNode *cpu, const char *feature, const char *const *listed,
                            GString *names);
/* When @feature is given again: what is disabled is no longer named. But with check='full', what
 * QEMU's model has and libvirt's has not must be named, as libvirt takes it for an extra feature;
 * it is required. @gone and @required get the names. */
void cpu_dependents_release(DomainXml *domain, xmlNode *cpu, const char *feature, GString *gone, GString *required);
