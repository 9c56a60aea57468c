/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A limit to how long the guest may run: after it, KVM_RUN returns with EINTR, and does so at once
 * when it is called again. */

#include <linux/kvm.h>
#include <stdbool.h>

/* Both return 0 or -errno. @run is the vCPU's shared page; it must outlive the watch. */
int watchdog_begin(struct kvm_run *run, unsigned seconds);
int watchdog_end(void);

bool watchdog_has_barked(void);
