/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A host in a temporary folder whose modules can be loaded and unloaded: the loader edits the files
 * of sys/module as a kernel would. For the tests that need failures and races at a chosen moment;
 * the real loader is tested on the emulated hosts. */

#include <glib.h>
#include <stdbool.h>

#include "loader.h"

typedef struct FakeLoader FakeLoader;
struct FakeLoader {
        Loader parent;
        char *directory;     /* of the host */
        const char *fail_at; /* "load kvm_amd" or "unload kvm": this call fails; NULL: none */
        unsigned fail_times; /* so many times, counted down */
        bool forbidden;      /* the load that fails does so because the kernel lets nobody load that module */
        bool race;           /* the next load of the vendor's module finds it loaded with its defaults, once */
        bool gone;           /* the modules' files are gone */
        const char *busy;    /* this module can't be unloaded: somebody uses it */
        void (*hook)(FakeLoader *loader, const char *call); /* told "load kvm_amd" before it is made, or NULL */
        bool ready;                                         /* prepare has been called since the last release */
        GString *calls; /* "unload kvm_amd; unload kvm; load kvm ; load kvm_amd nested=0; " */
};

/* Makes the files of an AMD host with Linux 6.1 and kvm_amd loaded in @directory (an existing,
 * empty folder). */
void fake_host_make(const char *directory);
FakeLoader *fake_loader_new(const char *directory);
/* As modprobe by hand: loads with @options, whatever the faults say. */
void fake_loader_insert(FakeLoader *loader, const char *module, const char *options);
/* What was written into parameters is shown from now on as the kernel prints it. */
void fake_host_print(const char *directory);
/* Writes a file beneath the host; NULL removes it. */
void fake_host_write(const char *directory, const char *path, const char *text);
/* Its text, or NULL. */
char *fake_host_read(const char *directory, const char *path);
/* Removes the whole folder. */
void fake_host_remove(const char *directory);
