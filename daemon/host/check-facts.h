/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is around KVM on a host and matters to the findings alone: it is read when somebody asks for
 * them, not at each refresh. */

#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "dropin.h"
#include "fault.h"
#include "host.h"
#include "initramfs.h"
#include "stray.h"

typedef struct CheckFacts {
        Fault *fault;     /* why the reading was void, so that nothing below says anything; or NULL */
        char *lockdown;   /* "integrity", "confidentiality" (sys/kernel/security/lockdown), "" when there is none */
        bool signed_only; /* the kernel takes only modules that are signed (sys/module/module/parameters/sig_enforce) */
        char *unsigned_module;      /* a module of KVM that is loaded and has no signature (its taint has E), or NULL */
        GStrv other_kernels;        /* releases with modules besides the running one, the newest last */
        GStrv loaded_others;        /* modules of other hypervisors that are loaded: "vboxdrv", "vmmon" */
        GStrv installed_others;     /* the same that are not, but are installed for the running kernel */
        char *itlb_multihit, *l1tf; /* what the kernel says of the two CPU errata, "" when it does not */
        const char *platform;       /* whose machine it is, or what manages it (outer-hypervisor.h), or NULL */
        char *kernel_package;       /* Debian's package of the running kernel, where it is installed, or NULL */
        bool has_node;              /* the device node could be looked at, and is the right one */
        struct stat node;
        gid_t kvm_group; /* 0: there is none */
        Initramfs *initramfs;
        Dropin *written;   /* what we have written into our drop-in (DROPIN_WRITTEN_PATH) */
        GPtrArray *strays; /* Stray*: lines that nobody reads as they were meant */
        /* Of libvirt's guests, which whoever knows them fills in: so many are not shown; and the
         * names (char*) of those that are Windows and can nest unasked, or NULL, which are not for
         * everybody when @guests_hidden. */
        unsigned guests_left_out;
        GPtrArray *guests_unasked;
        bool guests_hidden;
} CheckFacts;

CheckFacts *check_facts_read(const Host *host); /* never fails: what can't be read is empty */
void check_facts_free(CheckFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CheckFacts, check_facts_free)
