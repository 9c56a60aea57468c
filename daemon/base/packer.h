/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writes the properties of an object as packed.h has them, in their order. Texts are made valid
 * UTF-8 and cut, as are arrays of texts (bound-text.h): what one property may say is bounded. */

#include "packed.h"

typedef struct Packer Packer;

Packer *packer_new(void);
/* What was written; the packer is gone. */
Packed *packer_end(Packer *packer);

/* The next property; its value is what is written then, each of a variant. */
void packer_property(Packer *packer, const char *name, const char *type);
/* The next entry of a dictionary a{sv}, and of one whose values have @type. */
void packer_entry(Packer *packer, const char *key, const char *type);
void packer_named(Packer *packer, const char *key, const char *type);
/* The elements are what is written until packer_close(). */
void packer_open(Packer *packer, const char *element);
void packer_close(Packer *packer);

void packer_boolean(Packer *packer, bool value);
void packer_uint32(Packer *packer, guint32 value);
void packer_text(Packer *packer, const char *text);
/* An array of texts, NULL for none. */
void packer_texts(Packer *packer, const char *const *texts);
/* Any value of the letters that packed.h has. */
void packer_variant(Packer *packer, GVariant *value);

/* The same of a dictionary a{sv}, which is sunk when it is floating. */
Packed *packer_pack(GVariant *properties);
