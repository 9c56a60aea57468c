/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The seam to the kernel's module loader: libkmod behind it in the daemon (loader-kmod.c), a fake
 * in the test binaries. All calls may block; load and unload are made by the worker of host changes
 * alone, as are prepare and release. */

#include <glib.h>
#include <stdbool.h>

#include "root.h"

typedef struct Loader Loader;
struct Loader {
        /* load and unload are refused with CONDITION_UNSUPPORTED: the root is not the machine. */
        bool inert;
        /* Inserts one module with exactly @options ("nested=1 npt=0"), after the modules that it
         * depends on and that are not there yet; no modprobe.d options, no install commands. @error
         * carries the errno in words. True and @ret_existed true when somebody else has loaded it
         * meanwhile, with options that nobody knows. */
        bool (*load)(Loader *loader, const char *module, const char *options, bool *ret_existed, GError **error);
        /* Asks the kernel to load a module that is live: it looks at the file, its signature and
         * its version before it sees that the module is there already (linux/kernel/module/main.c,
         * load_module()). So a file that could not be loaded again, or that a lock switched on
         * since then keeps out (lockdown, sig_enforce), is found before the module is unloaded.
         * What was loaded from a file older than this boot, and has a good signature or needs none,
         * is not tried. Where that file is, and what it depends on, is found out as well and kept
         * until release, for unload and load to have nothing else to do. */
        bool (*prepare)(Loader *loader, const char *module, GError **error);
        void (*release)(Loader *loader);
        /* Removes one module, without force and without waiting. False and @ret_busy true when
         * someone uses it. */
        bool (*unload)(Loader *loader, const char *module, bool *ret_busy, GError **error);
        /* The module's file for the running kernel (may be built in: ""), or NULL when there is
         * none. */
        char *(*locate)(const Loader *loader, const char *module);
        /* Parameter name -> type as in modinfo ("bool", "int", …), or NULL when the file can't be
         * read. */
        GHashTable *(*parameters)(const Loader *loader, const char *module);
        void (*free)(Loader *loader);
};

/* The libkmod that runs, which may be another one than this was built with, is older than 33. */
bool loader_kmod_is_before_33(void);
Loader *loader_kmod_new(const Root *root, GError **error);
