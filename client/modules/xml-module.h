/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the client and its module for XML agree on. */

#include <glib.h>

#define XML_MODULE "nestvirtctl-xml.so"
#define XML_MODULE_PATCH "xml_module_patch"
/* What it comes with: Debian's has ICU and, by that, C++ in it. */
#define XML_MODULE_LIBRARY "libxml2.so." LIBXML_SOVERSION

typedef struct XmlPatch {
        const char *vendor;       /* NULL: what the definition is made for, else that of this machine's CPU */
        const char *mode, *model; /* NULL: leave it */
        int nested;               /* 1, 0; -1: leave it */
        const char *recipe;       /* NULL: none */
        const char *release;      /* for the recipe, NULL: its newest */
} XmlPatch;

/* The XML with @patch done to it, or NULL with an error of the domain of error.h. @steps and
 * @advice get char *. */
typedef char *(*XmlModulePatch)(const char *xml, const XmlPatch *patch, GPtrArray *steps, GPtrArray *advice,
                                GError **error);

char *xml_module_patch(const char *xml, const XmlPatch *patch, GPtrArray *steps, GPtrArray *advice, GError **error);
