/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the block. It must not know any property. */

#include "packed.h"
#include "sort.h"

typedef struct Property {
        gsize begin;
        const char *name, *value;
        gsize size; /* of the value */
        gsize end;  /* where the next one begins */
} Property;

void packed_free(Packed *packed) {
        g_free(packed);
}

/* The one that begins at @offset; false when none does. */
static bool read_property(const Packed *packed, gsize offset, Property *ret) {
        const char *at = packed->bytes + offset;
        guint32 size;

        if (offset >= packed->size)
                return false;
        packed_take_number(&at, &size, sizeof(size));
        ret->begin = offset;
        ret->end = (gsize) (at - packed->bytes) + size;
        ret->name = packed_take_text(&at);
        ret->value = at;
        ret->size = (gsize) (packed->bytes + ret->end - at);
        return true;
}

static bool find_between(const Packed *packed, const char *name, gsize from, gsize to, Property *ret) {
        for (gsize at = from; at < to && read_property(packed, at, ret); at = ret->end)
                if (strcmp(ret->name, name) == 0)
                        return true;
        return false;
}

static bool find(const Packed *packed, const char *name, gsize *last, Property *ret) {
        if (!find_between(packed, name, *last, packed->size, ret) && !find_between(packed, name, 0, *last, ret))
                return false;
        *last = ret->begin;
        return true;
}

const char *packed_find(const Packed *packed, const char *name, gsize *last) {
        Property found;

        return find(packed, name, last, &found) ? found.value : NULL;
}

const char *packed_next(const Packed *packed, gsize *at, const char **ret_name) {
        Property property;

        if (!read_property(packed, *at, &property))
                return NULL;
        *at = property.end;
        *ret_name = property.name;
        return property.value;
}

/* Adds what @of has and @other lacks, or (@values) has with another value. */
static void add_differences(GPtrArray *names, const Packed *of, const Packed *other, bool values) {
        Property one, found;
        gsize last = 0;

        for (gsize at = 0; read_property(of, at, &one); at = one.end) {
                const bool there = find(other, one.name, &last, &found);
                if (!there || (values && (found.size != one.size || memcmp(found.value, one.value, one.size) != 0)))
                        g_ptr_array_add(names, g_strdup(one.name));
        }
}

GStrv packed_diff(const Packed *before, const Packed *after) {
        g_autoptr(GPtrArray) names = g_ptr_array_new();

        if (before->size != after->size || memcmp(before->bytes, after->bytes, before->size) != 0) {
                add_differences(names, before, after, true);
                add_differences(names, after, before, false);
        }
        g_ptr_array_sort(names, compare_names);
        g_ptr_array_add(names, NULL);
        return (GStrv) g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

static gsize align(gsize offset, gsize alignment) {
        return (offset + alignment - 1) / alignment * alignment;
}

static gsize text_end(const char **at, gsize offset) {
        return align(offset, 4) + 4 + strlen(packed_take_text(at)) + 1;
}

/* Where a value that begins at @offset of a message ends: the D-Bus specification, Marshaling. */
static gsize value_end(const char **at, gsize offset) {
        const char letter = *(*at)++;

        switch (letter) {
        case 's':
        case 'o':
                return text_end(at, offset);
        case 'b':
                *at += 1;
                return align(offset, 4) + 4;
        case 'u':
        case 'i':
                *at += 4;
                return align(offset, 4) + 4;
        case 't':
                *at += 8;
                return align(offset, 8) + 8;
        case 'v':
                offset += 2 + strlen(packed_take_text(at));
                return value_end(at, offset);
        case '{':
                (void) packed_take_text(at);
                offset = value_end(at, align(offset, 8));
                return value_end(at, offset);
        default:
                (void) packed_take_text(at);
                offset = letter == 'a' ? align(offset, 4) + 4 : align(offset, 8);
                while (**at != PACKED_END)
                        offset = value_end(at, offset);
                (*at)++;
                return offset;
        }
}

gsize packed_message_size(const Packed *packed) {
        Property property;
        gsize end = 4;

        for (gsize at = 0; read_property(packed, at, &property); at = property.end) {
                const char *name = property.name, *value = property.value;
                end = value_end(&value, text_end(&name, align(end, 8)));
        }
        return align(end, 8);
}
