/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Hosts for tests, made of a few words: each is written as files into a folder and read from there
 * as any other host. */

#include <stdbool.h>

#include "check-facts.h"
#include "host.h"
#include "tree.h"

/* For .files and .times. */
#define PAIRS(...)                \
        (const char *const[]) {   \
                __VA_ARGS__, NULL \
        }

typedef struct MadeHost {
        const char *release;   /* NULL: a 6.1 kernel */
        const char *vendor;    /* as in cpuinfo; NULL: AuthenticAMD; "": there is no cpuinfo */
        const char *flags;     /* of the CPU, besides the usual ones; NULL: "svm npt nrip_save" */
        const char *vmx_flags; /* NULL: there is no such line */
        const char *others;    /* of cpuinfo, the blocks of the other processors; NULL: there is one */
        const char *cpuid, *msr, *kvm_cpuid, *kvm_msr; /* the text of these files in facts; NULL: there is none */
        const char *loaded; /* "kvm_amd.nested=1 kvm.ignore_msrs+=N": parameters of loaded modules; + is writable; "kvm.": none */
        const char *builtin;  /* likewise, of built-in ones */
        const char *loadable; /* "kvm_amd.nested kvm_amd.npt": of modules that are not loaded */
        const char *modprobe; /* the text of etc/modprobe.d/admin.conf */
        const char *late;     /* the text of usr/lib/modprobe.d/zzzz-late.conf, which is read after ours */
        const char *ours;     /* the text of our own drop-in */
        const char *cmdline;
        const char *const *files; /* path, text, path, text, …, NULL: any others */
        const char *const *times; /* path, seconds since the epoch, …, NULL: when files were changed last */
        const char *pending;      /* "kvm_amd.nested=0": waits for idle */
        bool kvm_kept, modules_disabled, degraded, bad_journal, no_module_files;
} MadeHost;

/* @tree must be an empty folder; it can be thrown away afterwards. */
Host *made_host_read(const MadeHost *made, const Tree *tree);
/* In a folder of its own, which is gone when it returns; the host's root is the machine's. */
Host *made_host(const MadeHost *made);
/* The same, and what the findings look at besides. */
Host *made_host_around(const MadeHost *made, CheckFacts **ret_facts);
