/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A walk over a value that cuts what is too long, and stops where there is no room. It must not
 * know what is said. */

#include <string.h>

#include "bound.h"

typedef struct Room {
        gsize texts, rows;
} Room;

/* The D-Bus specification, Marshaling. */
static gsize alignment_of(GVariant *value) {
        switch (g_variant_classify(value)) {
        case G_VARIANT_CLASS_VARIANT:
                return 1;
        case G_VARIANT_CLASS_UINT64:
        case G_VARIANT_CLASS_TUPLE:
        case G_VARIANT_CLASS_DICT_ENTRY:
                return 8;
        default:
                return 4;
        }
}

static gsize align(gsize offset, gsize alignment) {
        return (offset + alignment - 1) / alignment * alignment;
}

/* Where a value that begins at @offset ends. */
static gsize end_of(GVariant *value, gsize offset) {
        const GVariantClass class = g_variant_classify(value);
        const gsize begin = align(offset, alignment_of(value));
        gsize end = begin;

        if (class == G_VARIANT_CLASS_STRING || class == G_VARIANT_CLASS_OBJECT_PATH)
                return begin + 4 + strlen(g_variant_get_string(value, NULL)) + 1;
        if (!g_variant_is_container(value))
                return begin + alignment_of(value);
        if (class == G_VARIANT_CLASS_ARRAY)
                end += 4;
        for (gsize i = 0; i < g_variant_n_children(value); i++) {
                g_autoptr(GVariant) child = g_variant_get_child_value(value, i);
                if (class == G_VARIANT_CLASS_VARIANT)
                        end += 2 + strlen(g_variant_get_type_string(child));
                end = end_of(child, end);
        }
        return end;
}

gsize bound_size(GVariant *value) {
        return align(end_of(value, 0), 8);
}

bool bound_rows_take(BoundRows *rows, gsize size, gsize max) {
        if (rows->omitted == 0 && size <= max - rows->size) {
                rows->size += size;
                return true;
        }
        rows->omitted++;
        return false;
}

static GVariant *sink(GVariant *value) {
        return g_variant_ref_sink(value);
}

GVariant *bound_omitted(guint32 count) {
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&builder, "{sv}", "Omitted", g_variant_new_uint32(count));
        return g_variant_builder_end(&builder);
}

/* The last entry of an array of that type, or NULL: it is not one that may be cut. */
static GVariant *tail_of(const GVariantType *type, guint32 omitted) {
        if (g_variant_type_equal(type, G_VARIANT_TYPE("aa{sv}")))
                return sink(bound_omitted(omitted));
        if (g_variant_type_equal(type, G_VARIANT_TYPE("a{sa{sv}}")))
                return sink(g_variant_new("{s@a{sv}}", BOUND_OTHERS, bound_omitted(omitted)));
        if (g_variant_type_equal(type, G_VARIANT_TYPE_STRING_ARRAY)) {
                g_autofree char *text = g_strdup_printf(BOUND_ELLIPSIS " and %u more", omitted);
                return sink(g_variant_new_string(text));
        }
        return NULL;
}

/* How many an entry stands for: it may be such a last one already. */
static guint32 counted_in(GVariant *entry) {
        g_autoptr(GVariant) inner = g_variant_is_of_type(entry, G_VARIANT_TYPE("{sa{sv}}"))
                                                    ? g_variant_get_child_value(entry, 1)
                                                    : g_variant_ref(entry);
        guint32 count = 1;

        if (g_variant_is_of_type(inner, G_VARIANT_TYPE_VARDICT) && g_variant_n_children(inner) == 1)
                (void) g_variant_lookup(inner, "Omitted", "u", &count);
        return count;
}

/* Leaves in @entries, which are those of an array of that type, those for which there is room. */
static bool cut_rows(const GVariantType *type, GPtrArray *entries, const Room *room) {
        const gsize max = g_variant_type_equal(type, G_VARIANT_TYPE_STRING_ARRAY) ? room->texts : room->rows;
        g_autoptr(GVariant) known = tail_of(type, 0);
        BoundRows rows = {};
        guint32 omitted = 0;
        unsigned kept = 0;

        if (!known)
                return false;
        for (unsigned i = 0; i < entries->len; i++) {
                GVariant *entry = g_ptr_array_index(entries, i);
                if (bound_rows_take(&rows, bound_size(entry), max))
                        kept++;
                else
                        omitted += counted_in(entry);
        }
        if (rows.omitted == 0)
                return false;
        g_ptr_array_set_size(entries, (int) kept);
        g_ptr_array_add(entries, tail_of(type, omitted));
        return true;
}

static GVariant *cut(GVariant *value, gsize max, const Room *room);

static GVariant *cut_entry(GVariant *entry, gsize max, const Room *room) {
        g_autoptr(GVariant) key = g_variant_get_child_value(entry, 0), value = g_variant_get_child_value(entry, 1);
        const bool named = g_variant_is_of_type(key, G_VARIANT_TYPE_STRING);
        g_autoptr(GVariant) less = cut(value, named ? bound_text_max(g_variant_get_string(key, NULL)) : max, room);

        return less == value ? g_variant_ref(entry) : sink(g_variant_new_dict_entry(key, less));
}

static GVariant *rebuild(GVariant *value, const GPtrArray *children) {
        GVariant *const *all = (GVariant *const *) children->pdata;

        if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT))
                return sink(g_variant_new_variant(all[0]));
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_ARRAY))
                return sink(g_variant_new_array(g_variant_type_element(g_variant_get_type(value)), all, children->len));
        return sink(g_variant_new_tuple(all, children->len));
}

static GVariant *cut_container(GVariant *value, gsize max, const Room *room) {
        g_autoptr(GPtrArray) children = g_ptr_array_new_with_free_func((GDestroyNotify) g_variant_unref);
        bool same = true;

        for (gsize i = 0; i < g_variant_n_children(value); i++) {
                g_autoptr(GVariant) child = g_variant_get_child_value(value, i);
                const bool entry = g_variant_is_of_type(child, G_VARIANT_TYPE_DICT_ENTRY);
                GVariant *less = entry ? cut_entry(child, max, room) : cut(child, max, room);
                same = same && less == child;
                g_ptr_array_add(children, less);
        }
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_ARRAY) && cut_rows(g_variant_get_type(value), children, room))
                same = false;
        return same ? g_variant_ref(value) : rebuild(value, children);
}

/* @max: of the texts in it, as far as no key says otherwise. */
static GVariant *cut(GVariant *value, gsize max, const Room *room) {
        gsize length;

        if (g_variant_is_container(value))
                return cut_container(value, max, room);
        if (!g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
                return g_variant_ref(value);
        const char *text = g_variant_get_string(value, &length);
        return length <= max ? g_variant_ref(value) : sink(g_variant_new_take_string(bound_text(text, max)));
}

GVariant *bound_reply(GVariant *value) {
        g_autoptr(GVariant) sunk = sink(value);

        return cut(sunk, BOUND_NAME, &(Room) {.texts = BOUND_TEXTS, .rows = BOUND_ROWS});
}
