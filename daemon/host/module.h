/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One kernel module as /sys/module and /lib/modules show it (kernel/module/sysfs.c,
 * kernel/params.c). It changes nothing. */

#include <glib.h>
#include <stdbool.h>

#include "loader.h"
#include "root.h"

typedef enum ModuleState {
        MODULE_LIVE,
        MODULE_LOADABLE, /* not loaded; its file for the running kernel is there */
        MODULE_BUILTIN,  /* part of the kernel */
        MODULE_MISSING,  /* not loaded, and no file for the running kernel */
        MODULE_UNKNOWN,  /* it could not be looked at: host_unknown() */
} ModuleState;

typedef struct ModuleValue {
        char *value; /* as sysfs prints it without the newline; "" when the module is not loaded or it can't be read */
        bool writable; /* sysfs lets root write it. Beneath another root: its file is executable, the one bit of a mode
                        * that git keeps and that no parameter of a kernel has */
} ModuleValue;

typedef struct Module {
        char *name; /* with underscores */
        ModuleState state;
        /* Built in, but its init failed: the parameters are in sysfs all the same, and there is no
         * KVM. Of the vendor's module; host.c knows. */
        bool dead;
        /* It has an install line, and a softdep line of it names a module that exists, which makes
         * the former void (libkmod/libkmod-module.c, __kmod_module_get_probe_list(), "ignorecmd";
         * seen with kmod 30 and 34.2, against modprobe.d(5)) */
        bool has_softdep;
        int refcnt;         /* -1 when the kernel does not tell (built in, not loaded) */
        GStrv holders;      /* modules that use this one */
        GHashTable *values; /* parameter name -> ModuleValue*: every parameter that this kernel's module has */
} Module;

typedef enum ModuleUse {
        MODULE_UNTOLD, /* it is built in, or not loaded */
        MODULE_FREE,
        MODULE_USED, /* by something other than the modules that use it */
} ModuleUse;

/* As the kernel counts now. */
ModuleUse module_read_use(const Root *root, const char *name);

/* What tells a load of the module @name from one before or after it: the number of its directory in
 * sysfs, another one after each. False when it is not loaded, or has no parameters. */
bool module_load_number(const Root *root, const char *name, guint64 *ret);

/* Of which nothing is known but its name. */
Module *module_new_unknown(const char *name);
/* @loader is asked for the parameters of a module that is not loaded. Never fails: what can't be
 * read is missing. */
Module *module_read(const Root *root, const Loader *loader, const char *name);
void module_free(Module *module);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Module, module_free)

const char *module_state_to_string(ModuleState state); /* "live", "loadable", "builtin", "missing", "unknown" */
bool module_is_present(const Module *module);          /* live, or built in and not dead */
/* Someone other than the modules that use it holds it; false when the kernel does not tell. */
bool module_in_use(const Module *module);
const ModuleValue *module_value(const Module *module, const char *parameter);
