/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The snapshot of the host: everything that the files beneath the root say now. It is read whole by
 * one function and never modified; the loop owns it, and a refresh replaces it. A reading in which
 * a file could not be read for want of descriptors or memory, or for a disk that fails, is void
 * (fault.h): the snapshot from before stays, and has the fault beside it, which is all that a
 * refresh alters in it; where there is none, everything is unknown. The vendor's module
 * is the one that is loaded, whichever it is, else the one that fits the CPU on x86, else none. */

#include <glib.h>
#include <stdbool.h>

#include "cpu.h"
#include "desired-state.h"
#include "fault.h"
#include "loader.h"
#include "module.h"
#include "options.h"
#include "root.h"

/* Which kvm has stayed loaded through our last change of nested to off: one line, as of
 * host_kvm_number(). */
#define KVM_KEPT_PATH "run/nestvirt/kvm-kept"

typedef struct Host {
        Root *root;
        bool collected; /* what is not there may be on the host all the same: collection.h */
        bool at_rest;   /* no kernel runs on these files, nor is it told what one has said: an image, a disk */
        Fault *fault;   /* why the last reading was void; NULL: this is what it read */
        bool unknown;   /* and there was none before it: nothing below says anything */
        char *release;  /* kernel release, from proc/sys/kernel/osrelease */
        char *boot_id;  /* proc/sys/kernel/random/boot_id, "" when not there */
        /* "lxc", "docker"…: we are in one, as systemd tells (run/systemd/container); else "". Its
         * KVM is the host's, whose modules can't be seen or changed from within */
        char *container;
        Cpu *cpu;
        Options *options;
        DesiredState *desired; /* what an administrator wants; NULL with @unknown */
        GPtrArray *modules;    /* Module*: kvm first, then the vendor's if there is one */
        GHashTable *pending;   /* module -> (parameter -> value): what waits for idle, from run/nestvirt/pending */
        bool modules_disabled; /* proc/sys/kernel/modules_disabled, or nomodule on the command line */
        bool nomodule;         /* the latter */
        /* The running kernel's modules are there (module-folder.h) */
        bool has_module_files;
        /* our last change of nested could not unload the kvm.ko that is loaded now: see
         * effect-reason.c */
        bool kvm_kept;
        bool arm_asked;       /* the kernel command line asks for nesting on Arm (arm-nesting.h) */
        bool mshv;            /* Microsoft's hypervisor lets this host have guests of its: sys/class/misc/mshv */
        bool degraded;        /* a change failed and could not be undone (journal-phase.h) */
        bool journal_damaged; /* the record of a change is, and it is not known what that change was */
        GVariant *probe;      /* a{sv}: what the probe last found (probe-result.h) */
        const char *device;   /* "ok", "missing", "wrong-node", "denied", "broken", "unknown": static strings */
} Host;

/* The numbers of /dev/kvm: MISC_MAJOR (linux/major.h) and KVM_MINOR (linux/miscdevice.h). */
#define HOST_DEVICE_MAJOR 10U
#define HOST_DEVICE_MINOR 232U

/* Never NULL; when the reading was void, it is one of which all is unknown, with the fault. */
Host *host_read(Root *root, const Loader *loader);
/* The same after an event, of which @before was known: files of it that are proven not to have
 * changed (stamps.h) are not read again, nor is cpuinfo unless something was heard of the
 * processors (@cpus). @before NULL: all is read. */
Host *host_read_since(Root *root, const Loader *loader, const Host *before, bool cpus);
/* What is known when @now was read: @now, or @before with the fault of @now, whose reading was
 * void. The other one is freed. */
Host *host_succeed(Host *before, Host *now);
/* False with Internal when the last reading was void: no change is made of what may be old. */
bool host_is_read(const Host *host, GError **error);
void host_free(Host *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Host, host_free)

/* module_load_number() of kvm as a text; NULL when there is none. */
char *host_kvm_number(const Root *root);

const Module *host_module(const Host *host, const char *name); /* NULL when the host has no such object */
const Module *host_vendor_module(const Host *host);            /* NULL when there is none */
/* False of a collection whose modules are not loaded: it does not tell which ones they have. */
bool host_parameters_are_known(const Host *host);
bool host_is_arm(const Host *host);        /* its KVM is Arm's: arm-nesting.h */
const char *host_nested(const Host *host); /* "on" "off" "unavailable" "unknown" */
/* A switch of the vendor's module that is there now: "1", "0", or NULL when it does not tell. */
char *host_vendor_switch(const Host *host, const char *name);
const char *host_mmu(const Host *host); /* "tdp" "shadow" "" */
/* What stat(2) says of /dev/kvm: @error is 0 or -errno. Never "broken": only who opens it can
 * know. */
const char *host_judge_device(int error, const struct stat *st);
/* What waits for idle for this parameter, or NULL. */
const char *host_pending(const Host *host, const char *module, const char *parameter);
