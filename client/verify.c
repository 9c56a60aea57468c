/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compares what the host says of itself with what the probe has found. It must not know what has
 * been changed. */

#include <string.h>

#include "connection.h"
#include "error.h"
#include "probing.h"
#include "verify.h"

static bool is_verdict(const char *word) {
        return g_str_equal(word, "on") || g_str_equal(word, "off");
}

static void fail(const char *name, const char *why, sd_bus_error *error) {
        (void) sd_bus_error_setf(error, name, "The change is in effect, but nothing is proven: %s", why);
}

/* @found is no proof of what @nested, the host's own word, says. */
static void object(const Value *found, const char *nested, sd_bus_error *error) {
        const char *word = get_string(found, "Result"), *message = get_string(found, "Message");

        if (g_str_equal(word, "denied"))
                fail(condition_to_name(CONDITION_ACCESS_DENIED), message, error);
        else if (g_str_equal(word, "unsupported") && !is_verdict(nested))
                fail(condition_to_name(CONDITION_UNSUPPORTED), message, error);
        else
                (void) sd_bus_error_setf(error, condition_to_name(CONDITION_HOST_DEGRADED),
                                         "The change is in effect and nested is %s, but the probe has found something "
                                         "else: %s What can be done: nestvirtctl check",
                                         nested, message);
}

static Value *with_verdict(const Value *result, const char *word) {
        Value *verdict = value_copy(result);

        value_add_text(verdict, "Verified", word);
        return verdict;
}

/* The daemon's own result, as it is kept for the findings, and is never of the moment between two
 * changes. */
Value *verify_change(Client *client, const Value *result, sd_bus_error *error) {
        g_autoptr(Value) manager = NULL;
        g_autoptr(Value) found = probing_ask(client, error);

        if (!found) {
                _cleanup_(sd_bus_error_free) sd_bus_error why = *error;
                *error = SD_BUS_ERROR_NULL;
                fail(why.name, why.message ?: why.name, error);
                return NULL;
        }
        if (connection_get_all(client, PATH_MANAGER, IFACE_MANAGER, &manager, error) < 0)
                return NULL;
        const char *nested = get_string(manager, "Nested"), *word = get_string(found, "Result");
        if (is_verdict(word) && (g_str_equal(word, nested) || !is_verdict(nested)))
                return with_verdict(result, word);
        object(found, nested, error);
        return NULL;
}
