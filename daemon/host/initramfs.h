/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The initramfs of the running kernel, as far as it can be judged from outside: a module that is in
 * it is loaded with the copy of modprobe.d that it was built with. The image itself is not read.
 * What builds it is known to be initramfs-tools or dracut; of others there is no more than the
 * image's age. */

#include <glib.h>
#include <stdbool.h>

#include "options.h"
#include "root.h"

typedef struct Initramfs {
        char *image;           /* absolute; NULL: none was found */
        gint64 built;          /* seconds since the epoch, of the image's last change */
        gint64 folder_changed; /* the same of /etc/modprobe.d; 0: unknown */
        gint64 booted;         /* the same of the boot; 0: unknown */
        char *puts_kvm; /* "/etc/initramfs-tools/modules:12": the line that puts a module of KVM into it, or NULL */
        char *rebuild;  /* the command that builds it anew, "" when its tool is not known */
        char *left_out; /* a file with options of KVM in a folder that no image has a copy of, or NULL */
        /* absolute path -> gint64 *: the last change of each file of modprobe.d with options of
         * KVM */
        GHashTable *changed;
} Initramfs;

/* Never fails: what can't be read is not there. @vendor is the vendor's module, or NULL. */
Initramfs *initramfs_read(const Root *root, const char *release, const char *vendor, const Options *options);
void initramfs_free(Initramfs *initramfs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Initramfs, initramfs_free)

/* Something came or went in /etc/modprobe.d after the image was built: maybe a file with options of
 * KVM, which the image still has. */
bool initramfs_folder_is_newer(const Initramfs *initramfs);
/* The file with options of KVM that was changed last, and later than the image was built; NULL when
 * there is none. */
const char *initramfs_newer_file(const Initramfs *initramfs);
/* @path has been as it is since before this boot, and was changed after the image was built. */
bool initramfs_missed(const Initramfs *initramfs, const char *path);
