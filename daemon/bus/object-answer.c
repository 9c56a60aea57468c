/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the question to the reply. Which objects there are, and who may see them, it does not
 * know. */

#include "object-answer.h"
#include "packed-append.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"

bool object_is_asked(sd_bus_message *message) {
        const char *member = sd_bus_message_get_member(message);

        return member && g_str_has_prefix(member, "Get") && sd_bus_message_is_method_call(message, PROPERTIES, NULL);
}

/* @value NULL: all. */
static int reply_with(sd_bus_message *message, const Object *object, const char *value) {
        sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(message, &reply);

        if (r >= 0)
                r = value ? packed_append_variant(reply, value) : packed_append_all(reply, object->properties);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r < 0 ? r : 1;
}

int object_answer(Object *object, sd_bus_message *message) {
        const bool one = sd_bus_message_has_signature(message, "ss");
        const char *interface, *property, *value;
        int r;

        if (!sd_bus_message_is_method_call(message, PROPERTIES, one ? "Get" : "GetAll") ||
            (!one && !sd_bus_message_has_signature(message, "s")))
                return 0;
        r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &interface);
        if (r < 0 || !g_str_equal(interface, object->kind->interface))
                return r < 0 ? r : 0;
        if (!one)
                return reply_with(message, object, NULL);
        r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &property);
        value = r < 0 ? NULL : packed_find(object->properties, property, &object->last);
        return value ? reply_with(message, object, value) : MIN(r, 0);
}
