/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Recipes: what else than vmx or svm a guest needs to be a host of another hypervisor. Pure: text
 * in, text out. Nothing here knows whether the host can deliver, and nothing is ever made smaller
 * than it is. */

#include <glib.h>

typedef struct RecipeRequest {
        const char *name; /* "kvm", "proxmox", "hyperv", "esxi" */
        /* "intel", "amd", as of a CpuEdit */
        const char *vendor, *otherwise;
        const char *release; /* of ESXi, "6.7", "8.0", "8", "7.0u3" or "7.0.3"; NULL: the newest known */
} RecipeRequest;

/* The XML prepared; byte for byte the same in what the recipe has no business with, and all of it
 * when nothing is to be done. @steps gets in words (char *) what was done, @advice what the recipe
 * does not do: it concerns the host, with the command for it. InvalidArgs: no such recipe, no such
 * release, or what cpu_xml_read() refuses. Unsupported: a guest that can't be one, or in which
 * something has to be done by hand first; the message says what. */
char *recipe_apply(const char *xml, const RecipeRequest *request, GPtrArray *steps, GPtrArray *advice, GError **error);

/* "esxi, hyperv, kvm, proxmox" */
char *recipe_names(void);
