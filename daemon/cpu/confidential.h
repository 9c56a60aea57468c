/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether this is a confidential virtual machine, whose host can't look into it. None of them can
 * have guests: kvm_amd does not load in one of SEV, SEV-ES or SEV-SNP ("KVM is unsupported when
 * running as an SEV guest", arch/x86/kvm/svm/svm.c, Linux 5.11), and TDX gives no VMX. */

#include "cpu-facts.h"
#include "cpuinfo.h"
#include "root.h"

/* "SEV", "SEV-ES", "SEV-SNP", "TDX", or "" when it is none, as far as can be told. Static. */
const char *confidential_read(const Root *root, const Cpuinfo *info, const CpuFacts *facts);
