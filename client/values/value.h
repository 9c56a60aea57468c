/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the daemon tells, as a tree that is read once and looked up often: of the types of D-Bus,
 * with variants looked through. And results of our own, put together from such. A Value * owns its
 * whole tree; a const Value * is a part of one, and lasts as long as that. */

#include <glib.h>
#include <stdbool.h>

/* Besides the basic types and VALUE_STRUCT, which D-Bus calls so. */
#define VALUE_LIST 'a'
#define VALUE_DICTIONARY 'e'
#define VALUE_STRUCT 'r'

typedef struct Value Value;
struct Value {
        char type;
        bool properties; /* of a dictionary: its keys are names of D-Bus, as in a{sv} */
        guint32 n;       /* children; of a dictionary there are two for each entry */
        union {
                const char *text;      /* s, o, g */
                guint64 number;        /* b, y, q, u, t */
                gint64 integer;        /* n, i, x */
                double real;           /* d */
                const Value *children; /* of a dictionary key and value in turns */
        };
};

static inline bool value_is_text(const Value *value) {
        return value->type == 's' || value->type == 'o' || value->type == 'g';
}

static inline bool value_is_container(const Value *value) {
        return value->type == VALUE_LIST || value->type == VALUE_DICTIONARY || value->type == VALUE_STRUCT;
}

/* So many elements, or entries of a dictionary; nothing else has any, nor has NULL. */
static inline guint32 value_length(const Value *value) {
        if (!value)
                return 0;
        return value->type == VALUE_DICTIONARY ? value->n / 2 : value_is_container(value) ? value->n : 0;
}

static inline const Value *value_key(const Value *dictionary, guint32 i) {
        return &dictionary->children[2 * i];
}

/* An element, or what stands under a key. */
static inline const Value *value_at(const Value *value, guint32 i) {
        return &value->children[value->type == VALUE_DICTIONARY ? 2 * i + 1 : i];
}

/* The key, "" when it is no text. */
const char *value_name(const Value *dictionary, guint32 i);

/* The text of an element or entry, "" when it is none. */
const char *value_text(const Value *value, guint32 i);

/* What stands under @name; NULL when there is nothing. @value may be anything, and NULL, here and
 * below: what is of another type than it should be is not there. */
const Value *value_find(const Value *value, const char *name);
/* "" when there is no such text. */
const char *get_string(const Value *value, const char *name);
bool get_boolean(const Value *value, const char *name);
/* False when there is no such number that can't be negative; @ret is left then. */
bool get_number(const Value *value, const char *name, guint64 *ret);
/* Empty when there is none. */
const Value *get_dictionary(const Value *value, const char *name);
const Value *get_list(const Value *value, const char *name);
/* Of the texts in such a list. */
bool list_contains(const Value *list, const char *text);

bool value_equal(const Value *a, const Value *b);
/* For people: "yes", "5", "a, b", "key=value, key=value". */
char *value_describe(const Value *value);

/* A tree to be put together: of VALUE_DICTIONARY the keys are names of D-Bus. */
Value *value_new(char type);
/* A dictionary by names of things. */
Value *value_new_named(void);
void value_free(Value *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Value, value_free)
/* All of @value anew, with its texts. */
Value *value_copy(const Value *value);

/* Another entry of a dictionary, or, with @name NULL, element of a list. The name is copied, as is
 * the text; @value has to last as long as @parent, and a @child is taken over. */
void value_add(Value *parent, const char *name, const Value *value);
void value_add_text(Value *parent, const char *name, const char *text);
void value_add_boolean(Value *parent, const char *name, bool boolean);
void value_add_number(Value *parent, const char *name, guint64 number);
void value_add_real(Value *parent, const char *name, double real);
void value_take(Value *parent, const char *name, Value *child);
/* All entries of @dictionary, as by value_add(). */
void value_add_all(Value *parent, const Value *dictionary);
/* The texts of @array, as one entry. */
void value_take_texts(Value *parent, const char *name, const GPtrArray *array);

/* For who makes trees (message.c): memory and things that last as long as @root. */
void *value_allocate(Value *root, gsize size);
void value_keep(Value *root, gpointer thing, GDestroyNotify free_thing);
