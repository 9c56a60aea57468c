/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A walk over a packed value that opens, fills and closes the same containers in a message. */

#include <errno.h>
#include <string.h>

#include "packed-append.h"

static int append(sd_bus_message *message, const char **at);

/* What was packed is valid UTF-8, which sd-bus would find out anew for each text that it copies. */
static int append_text(sd_bus_message *message, const char **at) {
        const size_t size = strlen(*at);
        char *space;
        int r = sd_bus_message_append_string_space(message, size, &space);

        if (r >= 0)
                memcpy(space, *at, size);
        *at += size + 1;
        return r;
}

static int append_number(sd_bus_message *message, char letter, const char **at) {
        union {
                int boolean;
                uint32_t word;
                uint64_t number;
        } value = {};

        if (letter == SD_BUS_TYPE_BOOLEAN)
                value.boolean = *(*at)++ != 0;
        else if (letter == SD_BUS_TYPE_UINT32 || letter == SD_BUS_TYPE_INT32)
                packed_take_number(at, &value.word, sizeof(value.word));
        else if (letter == SD_BUS_TYPE_UINT64)
                packed_take_number(at, &value.number, sizeof(value.number));
        else
                return -EOPNOTSUPP;
        return sd_bus_message_append_basic(message, letter, &value);
}

/* What a container of that letter has: an entry two values, a variant one, the others up to their
 * end. */
static int append_members(sd_bus_message *message, char letter, const char **at) {
        int r = 0;

        if (letter == '{' || letter == SD_BUS_TYPE_VARIANT) {
                if (letter == '{')
                        r = append(message, at);
                return r < 0 ? r : append(message, at);
        }
        while (**at != PACKED_END && r >= 0)
                r = append(message, at);
        (*at)++;
        return r;
}

static int append_container(sd_bus_message *message, char letter, const char **at) {
        const char *contents = packed_take_text(at);
        const char type = letter == '{' ? SD_BUS_TYPE_DICT_ENTRY : letter == '(' ? SD_BUS_TYPE_STRUCT : letter;
        int r = sd_bus_message_open_container(message, type, contents);

        if (r >= 0)
                r = append_members(message, letter, at);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append(sd_bus_message *message, const char **at) {
        const char letter = *(*at)++;

        switch (letter) {
        case SD_BUS_TYPE_STRING:
                return append_text(message, at);
        case SD_BUS_TYPE_OBJECT_PATH:
                return sd_bus_message_append_basic(message, letter, packed_take_text(at));
        case SD_BUS_TYPE_ARRAY:
        case SD_BUS_TYPE_VARIANT:
        case '{':
        case '(':
                return append_container(message, letter, at);
        default:
                return append_number(message, letter, at);
        }
}

int packed_append(sd_bus_message *message, const char *value) {
        const char *at = value + 1;

        (void) packed_take_text(&at);
        return append(message, &at);
}

int packed_append_variant(sd_bus_message *message, const char *value) {
        return append(message, &value);
}

static int append_property(sd_bus_message *message, const char *name, const char *value) {
        int r = sd_bus_message_open_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv");

        if (r >= 0)
                r = append_text(message, &name);
        if (r >= 0)
                r = append(message, &value);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

int packed_append_all(sd_bus_message *message, const Packed *packed) {
        const char *name, *value;
        gsize at = 0;
        int r = sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, "{sv}");

        while (r >= 0 && (value = packed_next(packed, &at, &name)))
                r = append_property(message, name, value);
        return r < 0 ? r : sd_bus_message_close_container(message);
}
