/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the client and its module for JSON agree on. */

#include <glib.h>
#include <stdbool.h>

#include "value.h"

#define JSON_MODULE "nestvirtctl-json.so"
#define JSON_MODULE_APPEND "json_module_append"

/* The key for a D-Bus name; newly allocated. */
typedef char *(*JsonKey)(const char *name);
typedef void (*JsonModuleAppend)(GString *text, const Value *value, bool pretty, JsonKey key_of);

void json_module_append(GString *text, const Value *value, bool pretty, JsonKey key_of);
