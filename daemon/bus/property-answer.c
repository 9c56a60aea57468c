/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the question to the reply. Which objects there are, and who may see them, it does not
 * know. */

#include "packed-append.h"
#include "property-answer.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"

bool property_is_asked(sd_bus_message *message) {
        const char *member = sd_bus_message_get_member(message);

        return member && g_str_has_prefix(member, "Get") && sd_bus_message_is_method_call(message, PROPERTIES, NULL);
}

/* @value NULL: all. */
static int reply_with(sd_bus_message *message, const Packed *properties, const char *value) {
        sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(message, &reply);

        if (r >= 0)
                r = value ? packed_append_variant(reply, value) : packed_append_all(reply, properties);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r < 0 ? r : 1;
}

int property_answer(sd_bus_message *message, const char *interface, const Packed *properties, gsize *last) {
        const bool one = sd_bus_message_has_signature(message, "ss");
        const char *asked, *name, *value;
        int r;

        if (!sd_bus_message_is_method_call(message, PROPERTIES, one ? "Get" : "GetAll") ||
            (!one && !sd_bus_message_has_signature(message, "s")))
                return 0;
        r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &asked);
        if (r < 0 || !g_str_equal(asked, interface))
                return MIN(r, 0);
        if (!one)
                return reply_with(message, properties, NULL);
        r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &name);
        value = r < 0 ? NULL : packed_find(properties, name, last);
        return value ? reply_with(message, properties, value) : MIN(r, 0);
}
