/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A walk over a message, led by its signature: libsystemd is asked for types only where a variant
 * begins, as it takes a thousand instructions to enter a container, and there are a thousand. It
 * must know nothing of what the messages mean. */

#include <errno.h>
#include <string.h>

#include "message.h"

/* The D-Bus specification's own limit: 32 arrays and 32 structs; variants count for one each. */
#define DEPTH_MAX 64U
/* "Signatures", likewise. */
#define SIGNATURE_MAX ((gsize) 255)

typedef struct Reader {
        sd_bus_message *message;
        Value *root;
        GArray *open; /* Value: the children, so far, of all containers that are not at their ends */
        unsigned depth;
} Reader;

static int read_value(Reader *reader, const char *type, const char *end, Value *ret);

/* The end of the complete type that @type begins with. */
static const char *type_end(const char *type) {
        const char *end;

        return *type && strchr("sbuotgdxiyqnv", *type)        ? type + 1
               : g_variant_type_string_scan(type, NULL, &end) ? end
                                                              : NULL;
}

static void begin_text(char *buffer, const char *from, const char *end) {
        memcpy(buffer, from, (gsize) (end - from));
        buffer[end - from] = '\0';
}

static int read_children(Reader *reader, const char *types) {
        int r = 1;

        for (const char *type = types, *end; r > 0 && *type; type = end) {
                Value value;
                end = type_end(type);
                if (!end)
                        return -EBADMSG;
                r = read_value(reader, type, end, &value);
                if (r > 0)
                        g_array_append_val(reader->open, value);
        }
        return r;
}

/* 0 at the end of an array that the container would be in. @types: of what is in it. */
static int read_inside(Reader *reader, char type, const char *types) {
        int r = sd_bus_message_enter_container(reader->message, type, types);

        if (r <= 0)
                return r;
        r = read_children(reader, types);
        if (r == 0)
                return -EBADMSG;
        return r < 0 ? r : sd_bus_message_exit_container(reader->message) ?: 1;
}

/* Those from @start on become @ret's. */
static void close_children(Reader *reader, guint start, Value *ret) {
        const gsize n = reader->open->len - start;

        ret->n = (guint32) n;
        ret->children = n > 0 ? memcpy(value_allocate(reader->root, n * sizeof(Value)),
                                       &g_array_index(reader->open, Value, start), n * sizeof(Value))
                              : NULL;
        g_array_set_size(reader->open, start);
}

static int read_elements(Reader *reader, const char *element) {
        int r;

        do {
                Value value;
                r = read_value(reader, element, element + strlen(element), &value);
                if (r > 0)
                        g_array_append_val(reader->open, value);
        } while (r > 0);
        return r;
}

/* @entry: "sv" of "{sv}". */
static int read_entries(Reader *reader, const char *entry) {
        int r;

        do
                r = read_inside(reader, SD_BUS_TYPE_DICT_ENTRY, entry);
        while (r > 0);
        return r;
}

static int read_array(Reader *reader, const char *element, Value *ret) {
        const bool dictionary = *element == SD_BUS_TYPE_DICT_ENTRY_BEGIN;
        const guint start = reader->open->len;
        int r = sd_bus_message_enter_container(reader->message, SD_BUS_TYPE_ARRAY, element);

        if (r <= 0)
                return r;
        *ret = (Value) {.type = dictionary ? VALUE_DICTIONARY : VALUE_LIST, .properties = strcmp(element, "{sv}") == 0};
        if (dictionary) {
                char entry[SIGNATURE_MAX + 1];
                begin_text(entry, element + 1, element + strlen(element) - 1);
                r = read_entries(reader, entry);
        } else
                r = read_elements(reader, element);
        if (r < 0)
                return r;
        close_children(reader, start, ret);
        return sd_bus_message_exit_container(reader->message) ?: 1;
}

static int read_struct(Reader *reader, const char *types, Value *ret) {
        const guint start = reader->open->len;
        int r = read_inside(reader, SD_BUS_TYPE_STRUCT, types);

        if (r <= 0)
                return r;
        *ret = (Value) {.type = VALUE_STRUCT};
        close_children(reader, start, ret);
        return r;
}

/* What is in it. The message's own signature is not to be relied on once it has been entered. */
static int read_variant(Reader *reader, Value *ret) {
        char inner[SIGNATURE_MAX + 1];
        const char *contents;
        char type;
        int r = sd_bus_message_peek_type(reader->message, &type, &contents);

        if (r <= 0)
                return r;
        if (type != SD_BUS_TYPE_VARIANT || !contents || strlen(contents) > SIGNATURE_MAX)
                return -EBADMSG;
        begin_text(inner, contents, contents + strlen(contents));
        r = sd_bus_message_enter_container(reader->message, SD_BUS_TYPE_VARIANT, inner);
        if (r >= 0)
                r = read_value(reader, inner, inner + strlen(inner), ret);
        return r < 0 ? r : sd_bus_message_exit_container(reader->message) ?: 1;
}

typedef union Basic {
        const char *text;
        int boolean;
        guint8 byte;
        gint16 i16;
        guint16 u16;
        gint32 i32;
        guint32 u32;
        gint64 i64;
        guint64 u64;
        double real;
} Basic;

static guint64 as_number(char type, const Basic *basic) {
        return type == SD_BUS_TYPE_BOOLEAN  ? basic->boolean != 0
               : type == SD_BUS_TYPE_BYTE   ? basic->byte
               : type == SD_BUS_TYPE_UINT16 ? basic->u16
               : type == SD_BUS_TYPE_UINT32 ? basic->u32
                                            : basic->u64;
}

static gint64 as_integer(char type, const Basic *basic) {
        return type == SD_BUS_TYPE_INT16 ? basic->i16 : type == SD_BUS_TYPE_INT32 ? basic->i32 : basic->i64;
}

static int read_basic(Reader *reader, char type, Value *ret) {
        Basic basic;
        int r = sd_bus_message_read_basic(reader->message, type, &basic);

        if (r <= 0)
                return r;
        *ret = (Value) {.type = type};
        if (value_is_text(ret))
                ret->text = basic.text;
        else if (type == SD_BUS_TYPE_DOUBLE)
                ret->real = basic.real;
        else if (strchr("nix", type))
                ret->integer = as_integer(type, &basic);
        else
                ret->number = as_number(type, &basic);
        return r;
}

/* @type up to @end is one complete type. 0 at the end of an array that it would be in. */
static int read_container(Reader *reader, const char *type, const char *end, Value *ret) {
        char inner[SIGNATURE_MAX + 1];

        if ((gsize) (end - type) > SIGNATURE_MAX)
                return -EBADMSG;
        switch (*type) {
        case SD_BUS_TYPE_ARRAY:
                begin_text(inner, type + 1, end);
                return read_array(reader, inner, ret);
        case SD_BUS_TYPE_STRUCT_BEGIN:
                begin_text(inner, type + 1, end - 1);
                return read_struct(reader, inner, ret);
        case SD_BUS_TYPE_VARIANT:
                return read_variant(reader, ret);
        default:
                return -EOPNOTSUPP;
        }
}

static int read_value(Reader *reader, const char *type, const char *end, Value *ret) {
        int r;

        if (strchr("sogbynqiuxtd", *type))
                return read_basic(reader, *type, ret);
        if (reader->depth >= DEPTH_MAX)
                return -ELOOP;
        reader->depth++;
        r = read_container(reader, type, end, ret);
        reader->depth--;
        return r;
}

static void unref_message(gpointer message) {
        (void) sd_bus_message_unref(message);
}

int message_read(sd_bus_message *message, const char *type, Value **ret) {
        g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(Value));
        g_autoptr(Value) root = value_new(VALUE_LIST);
        Reader reader = {.message = message, .root = root, .open = open};
        int r = read_value(&reader, type, type + strlen(type), root);

        if (r <= 0)
                return r < 0 ? r : -EBADMSG;
        value_keep(root, sd_bus_message_ref(message), unref_message);
        *ret = g_steal_pointer(&root);
        return 0;
}
