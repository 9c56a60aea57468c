/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What came from the bus as JSON text. The keys of property dictionaries, a{sv}, are D-Bus names
 * and become snake_case; those of all other dictionaries are names of things (parameters, counters)
 * and stay as they are. Booleans and numbers are native, structs are arrays. */

#include <glib.h>

#include "value.h"

typedef enum JsonMode {
        JSON_OFF,
        JSON_SHORT,  /* one line */
        JSON_PRETTY, /* indented */
} JsonMode;

/* Appends @value to @text, without a newline at its end. */
void json_append(GString *text, const Value *value, JsonMode mode);
/* "RestartNeeded" -> "restart_needed"; a name without capitals stays as it is. */
char *json_key(const char *name);
/* A text of JSON as a tree (json-module.h); NULL when it is none. */
Value *json_read(const char *text);
