/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a signal says, in people's words: held against what was known before, so that they are told
 * what differs. It prints nothing itself. */

#include <glib.h>

#include "inventory.h"

typedef struct Changes Changes;
/* One line, complete. */
typedef void (*ChangesSay)(const char *line, void *userdata);

Changes *changes_new(const Inventory *inventory, ChangesSay say, void *userdata);
void changes_free(Changes *changes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Changes, changes_free)

/* @changed: a dictionary, properties of our interface at @path. */
void changes_take(Changes *changes, const char *path, const Value *changed);
/* An object has come, or gone (@properties NULL). One that is known already has changed, and one
 * that is not known is no news when it goes. */
void changes_take_object(Changes *changes, const char *path, const Value *properties);
/* Everything anew, as after a time without signals. */
void changes_take_inventory(Changes *changes, const Inventory *inventory);
/* "host", or the name in the object's path. */
const char *changes_object(const char *path);
