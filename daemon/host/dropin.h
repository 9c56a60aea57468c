/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Our own modprobe.d file, as text in and text out: which parameters it sets, and the same text
 * with some of them set or unset. Lines that we did not write (comments, anything but "options")
 * stay as they are. It never writes a file. */

#include <glib.h>
#include <stdbool.h>

#include "root.h"

#define DROPIN_PATH "etc/modprobe.d/zz-nestvirt.conf"
/* What we have written into the former, parameter by parameter: where that says otherwise, somebody
 * else has been at it. */
#define DROPIN_WRITTEN_PATH "var/lib/nestvirt/written"
#define DROPIN_RUNTIME_PATH "run/modprobe.d/zzz-nestvirt-runtime.conf"

typedef struct Dropin Dropin;

/* @path, absolute, or NULL for no file, is one of the two; with @runtime the one that lasts until
 * the next boot. */
bool dropin_is_ours(const char *path, bool runtime);

/* Reads the file at @path; one that is missing is empty. Fails only when it can't be read. */
Dropin *dropin_read(const Root *root, const char *path, GError **error);
Dropin *dropin_parse(const char *text);
void dropin_free(Dropin *dropin);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Dropin, dropin_free)

/* The value that the file gives, or NULL. */
const char *dropin_get(const Dropin *dropin, const char *module, const char *parameter);
/* @value must be normalised (catalog_normalise). */
void dropin_set(Dropin *dropin, const char *module, const char *parameter, const char *value);
/* False when the file does not have it. */
bool dropin_unset(Dropin *dropin, const char *module, const char *parameter);
/* Our settings are taken back: comments alone, and be they lines of ours that somebody has
 * commented out, are then no reason to keep the file. */
void dropin_tidy(Dropin *dropin);
/* @to says of a parameter what @from says, or nothing when that says nothing. True when it did not
 * before. */
bool dropin_copy(Dropin *to, const Dropin *from, const char *module, const char *parameter);
/* The same of every parameter that @then and @now say differently, as @now says it. */
void dropin_copy_changes(Dropin *to, const Dropin *then, const Dropin *now);
/* They set the same, and their other lines are the same. */
bool dropin_same(const Dropin *a, const Dropin *b);
/* Of the modules that it has lines for, sorted. */
GStrv dropin_modules(const Dropin *dropin);
/* Names set for @module, sorted. */
GStrv dropin_names(const Dropin *dropin, const char *module);
/* The whole text, byte for byte what was parsed when nothing was changed; or NULL when nothing but
 * our own header is left (dropin_tidy(): and comments): the file should go. */
char *dropin_render(const Dropin *dropin);
