/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A walk over a message that builds the GVariant of the same type: D-Bus and GVariant share their
 * type system. It must know nothing of what the messages mean. */

#include <errno.h>
#include <string.h>

#include "message.h"

/* The D-Bus specification's own limit: 32 arrays and 32 structs. */
#define DEPTH_MAX 64U

static int read_value(sd_bus_message *message, char type, const char *contents, unsigned depth, GVariant **ret);

/* Leaves the values up to the end of the current container in @values. */
static int read_values(sd_bus_message *message, unsigned depth, GPtrArray *values) {
        for (;;) {
                GVariant *value = NULL;
                const char *contents;
                char type;
                int r;

                r = sd_bus_message_peek_type(message, &type, &contents);
                if (r <= 0)
                        return r;
                r = read_value(message, type, contents, depth, &value);
                if (r < 0)
                        return r;
                g_ptr_array_add(values, g_variant_ref_sink(value));
        }
}

static GVariant *make_container(char type, const char *contents, const GPtrArray *values) {
        GVariant *const *children = (GVariant *const *) values->pdata;

        switch (type) {
        case SD_BUS_TYPE_ARRAY: {
                g_autoptr(GVariantType) element = g_variant_type_new(contents);
                return g_variant_new_array(element, children, values->len);
        }
        case SD_BUS_TYPE_DICT_ENTRY:
                return g_variant_new_dict_entry(children[0], children[1]);
        case SD_BUS_TYPE_VARIANT:
                return g_variant_new_variant(children[0]);
        default:
                return g_variant_new_tuple(children, values->len);
        }
}

static GPtrArray *values_new(void) {
        return g_ptr_array_new_with_free_func((GDestroyNotify) g_variant_unref);
}

static int read_container(sd_bus_message *message, char type, const char *contents, unsigned depth, GVariant **ret) {
        g_autoptr(GPtrArray) values = values_new();
        /* The message's own signature is not to be relied on once it is inside of the container. */
        g_autofree char *inner = g_strdup(contents);
        int r;

        if (depth >= DEPTH_MAX)
                return -ELOOP;
        r = sd_bus_message_enter_container(message, type, inner);
        if (r < 0)
                return r;
        r = read_values(message, depth + 1, values);
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(message);
        if (r < 0)
                return r;
        *ret = make_container(type, inner, values);
        return 0;
}

static int read_string(sd_bus_message *message, char type, GVariant **ret) {
        const char *string;
        int r = sd_bus_message_read_basic(message, type, &string);

        if (r < 0)
                return r;
        *ret = type == SD_BUS_TYPE_OBJECT_PATH ? g_variant_new_object_path(string)
               : type == SD_BUS_TYPE_SIGNATURE ? g_variant_new_signature(string)
                                               : g_variant_new_string(string);
        return 0;
}

typedef union Number {
        int boolean;
        uint8_t byte;
        int16_t i16;
        uint16_t u16;
        int32_t i32;
        uint32_t u32;
        int64_t i64;
        uint64_t u64;
        double real;
} Number;

static int read_number(sd_bus_message *message, char type, GVariant **ret) {
        Number n = {};
        int r;

        if (!strchr("bynqiuxtd", type))
                return -EOPNOTSUPP;
        r = sd_bus_message_read_basic(message, type, &n);
        if (r < 0)
                return r;
        *ret = type == SD_BUS_TYPE_BOOLEAN  ? g_variant_new_boolean(n.boolean)
               : type == SD_BUS_TYPE_BYTE   ? g_variant_new_byte(n.byte)
               : type == SD_BUS_TYPE_INT16  ? g_variant_new_int16(n.i16)
               : type == SD_BUS_TYPE_UINT16 ? g_variant_new_uint16(n.u16)
               : type == SD_BUS_TYPE_INT32  ? g_variant_new_int32(n.i32)
               : type == SD_BUS_TYPE_UINT32 ? g_variant_new_uint32(n.u32)
               : type == SD_BUS_TYPE_INT64  ? g_variant_new_int64(n.i64)
               : type == SD_BUS_TYPE_UINT64 ? g_variant_new_uint64(n.u64)
                                            : g_variant_new_double(n.real);
        return 0;
}

static int read_value(sd_bus_message *message, char type, const char *contents, unsigned depth, GVariant **ret) {
        switch (type) {
        case SD_BUS_TYPE_ARRAY:
        case SD_BUS_TYPE_DICT_ENTRY:
        case SD_BUS_TYPE_STRUCT:
        case SD_BUS_TYPE_VARIANT:
                return read_container(message, type, contents, depth, ret);
        case SD_BUS_TYPE_STRING:
        case SD_BUS_TYPE_OBJECT_PATH:
        case SD_BUS_TYPE_SIGNATURE:
                return read_string(message, type, ret);
        default:
                return read_number(message, type, ret);
        }
}

int message_read(sd_bus_message *message, GVariant **ret) {
        g_autoptr(GPtrArray) values = values_new();
        int r = read_values(message, 0, values);

        if (r < 0)
                return r;
        *ret = g_variant_ref_sink(make_container(SD_BUS_TYPE_STRUCT, NULL, values));
        return 0;
}
