/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libkmod over the modules of a root, for the loader. What libkmod can't read it mostly takes for
 * absent; so far as that can be seen, it is a fault (fault.h). */

#include <libkmod.h>
#include <stdbool.h>

#include "root.h"

/* libkmod with the module folder of the root. It is made anew for each call: files may have come or
 * gone, and two threads use the loader. */
typedef struct Library {
        struct kmod_ctx *ctx;
        int fd;          /* the module folder, -1 on the machine: libkmod knows where it is */
        char *directory; /* as libkmod sees it, "/proc/self/fd/7" */
        char *folder;    /* beneath the root, "lib/modules/6.1.0-38-amd64" */
} Library;

/* @configured: with what modprobe.d says. To be cleared also when it is false. */
bool library_open(Library *library, const Root *root, bool configured);
void library_clear(Library *library);
/* The module of that name, also a built-in one; NULL when the kernel has none. */
struct kmod_module *library_find(const Library *library, const Root *root, const char *name);
/* Its file beneath the root, "" for a built-in one, NULL when it is gone though modules.dep names
 * it. */
char *library_file(const Library *library, const Root *root, const struct kmod_module *module);
