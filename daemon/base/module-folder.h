/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the modules of a kernel are. libkmod knows of the first one, and as NixOS has it of the
 * last. */

#include "root.h"

/* Folders of folders, each of which is named like a release; beneath the root, NULL at the end.
 * /run/booted-system is NixOS', which has no /lib (nixos/modules/system/boot/kernel.nix). */
extern const char *const module_folders[];

/* That of the kernel @release which has a list of modules (modules.dep), beneath the root; NULL:
 * there is none. It goes when the running kernel is upgraded or removed. */
char *module_folder_find(const Root *root, const char *release);
