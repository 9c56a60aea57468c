/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Random configuration of modprobe: folders of it, and a kernel command line. */

#include <glib.h>

#include "tree.h"

#define MODPROBE_TREE_CMDLINE "proc/cmdline"

/* Fills an empty tree; the same for the same @seed. @places: the value of an option -> where that
 * was said ("/etc/modprobe.d/x.conf:3", "kernel command line"), for those values that are said in
 * one place alone. */
void modprobe_tree_make(const Tree *tree, guint32 seed, GHashTable *places);
