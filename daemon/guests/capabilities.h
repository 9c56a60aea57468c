/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What libvirt says that it gives to a guest whose CPU is host-model: read from its domain
 * capabilities, and held against what it said before. Pure. */

#include <glib.h>
#include <stdbool.h>

typedef struct Capabilities {
        char *emulator; /* the program that was asked, a path */
        char *model;    /* of host-model; "" when libvirt has none here */
        /* name -> GINT_TO_POINTER(true): had beside the model; (false): not had, though of the
         * model */
        GHashTable *features;
} Capabilities;

/* @xml: libvirt's <domainCapabilities>. Internal when it is none. What is not a name where a model
 * or a feature has its own is left out. */
Capabilities *capabilities_parse(const char *xml, GError **error);
void capabilities_free(Capabilities *capabilities);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Capabilities, capabilities_free)

/* It can be the name of a feature or of a model, and is no more than a name in a sentence. */
bool capabilities_is_name(const char *text);
/* "vme, rdseed"; of very many, that there are more. */
char *capabilities_list(const GStrv names);

/* The features that @after has more of than @before: sorted names, empty when there are none. Of
 * two models' own features nothing is known here. */
GStrv capabilities_gained(const Capabilities *before, const Capabilities *after);
/* What has become of host-model: "has lost npt", "is as before". */
char *capabilities_compare(const Capabilities *before, const Capabilities *after);
