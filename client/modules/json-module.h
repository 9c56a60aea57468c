/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the client and its module for JSON agree on. */

#include <glib.h>
#include <stdbool.h>

#include "value.h"

#define JSON_MODULE "nestvirtctl-json.so"
#define JSON_MODULE_APPEND "json_module_append"

#define JSON_MODULE_READ "json_module_read"

/* The key for a D-Bus name; newly allocated. */
typedef char *(*JsonKey)(const char *name);
typedef void (*JsonModuleAppend)(GString *text, const Value *value, bool pretty, JsonKey key_of);

void json_module_append(GString *text, const Value *value, bool pretty, JsonKey key_of);

/* The other way round: one text of JSON as a tree, its keys as they are. Objects, arrays and
 * strings alone; what else there is is left out. NULL when it is no JSON, or nested too deeply. */
typedef Value *(*JsonModuleRead)(const char *text);
Value *json_module_read(const char *text);
