/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tree in memory, looked up and put together. It must not know where values come from, nor what
 * they mean. */

#include <string.h>

#include "value.h"

#define BLOCK ((gsize) 16 * 1024)

typedef struct Kept {
        gpointer thing;
        GDestroyNotify free_thing;
} Kept;

/* What a Value * points to. Small parts of the tree are cut off blocks, of which the last one has
 * some left: there are thousands of them, and all go together. */
typedef struct Root {
        Value value;
        GArray *children; /* Value, of one that is put together; else NULL */
        GArray *kept;     /* Kept; NULL: nothing */
        char *block;
        gsize left;
} Root;

static const Value no_list = {.type = VALUE_LIST}, no_dictionary = {.type = VALUE_DICTIONARY};

static Value *root_new(Value value) {
        Root *root = g_new0(Root, 1);

        root->value = value;
        return &root->value;
}

Value *value_new(char type) {
        return root_new((Value) {.type = type, .properties = type == VALUE_DICTIONARY});
}

Value *value_new_named(void) {
        return root_new((Value) {.type = VALUE_DICTIONARY});
}

void value_free(Value *value) {
        Root *root = (Root *) value;

        if (!root)
                return;
        for (guint i = 0; root->kept && i < root->kept->len; i++) {
                const Kept *kept = &g_array_index(root->kept, Kept, i);
                kept->free_thing(kept->thing);
        }
        g_clear_pointer(&root->kept, g_array_unref);
        g_clear_pointer(&root->children, g_array_unref);
        g_free(root);
}

void value_keep(Value *value, gpointer thing, GDestroyNotify free_thing) {
        Root *root = (Root *) value;
        const Kept kept = {.thing = thing, .free_thing = free_thing};

        if (!root->kept)
                root->kept = g_array_new(FALSE, FALSE, sizeof(Kept));
        g_array_append_val(root->kept, kept);
}

void *value_allocate(Value *value, gsize size) {
        Root *root = (Root *) value;
        const gsize rounded = (size + sizeof(Value) - 1) & ~(sizeof(Value) - 1);

        if (rounded > root->left) {
                root->left = MAX(rounded, BLOCK);
                root->block = g_malloc(root->left);
                value_keep(value, root->block, g_free);
        }
        void *memory = root->block;
        root->block += rounded;
        root->left -= rounded;
        return memory;
}

static const char *copy_text(Value *root, const char *text) {
        const gsize size = strlen(text) + 1;

        return memcpy(value_allocate(root, size), text, size);
}

/* As a part of @root's tree. */
static Value copy_below(Value *root, const Value *value) {
        Value copy = *value;

        if (value_is_text(value))
                copy.text = copy_text(root, value->text);
        else if (value_is_container(value) && value->n > 0) {
                Value *children = value_allocate(root, value->n * sizeof(Value));
                for (guint32 i = 0; i < value->n; i++)
                        children[i] = copy_below(root, &value->children[i]);
                copy.children = children;
        }
        return copy;
}

static void append(Value *parent, const Value *value) {
        Root *root = (Root *) parent;

        if (!root->children)
                root->children = g_array_new(FALSE, FALSE, sizeof(Value));
        g_array_append_vals(root->children, value, 1);
        parent->children = (const Value *) (void *) root->children->data;
        parent->n = root->children->len;
}

Value *value_copy(const Value *value) {
        Value *root = root_new((Value) {.type = value->type, .properties = value->properties});

        if (!value_is_container(value))
                *root = copy_below(root, value);
        for (guint32 i = 0; value_is_container(value) && i < value->n; i++) {
                const Value child = copy_below(root, &value->children[i]);
                append(root, &child);
        }
        return root;
}

void value_add(Value *parent, const char *name, const Value *value) {
        if (name)
                append(parent, &(Value) {.type = 's', .text = copy_text(parent, name)});
        append(parent, value);
}

void value_add_text(Value *parent, const char *name, const char *text) {
        value_add(parent, name, &(Value) {.type = 's', .text = copy_text(parent, text)});
}

void value_add_boolean(Value *parent, const char *name, bool boolean) {
        value_add(parent, name, &(Value) {.type = 'b', .number = boolean});
}

void value_add_number(Value *parent, const char *name, guint64 number) {
        value_add(parent, name, &(Value) {.type = 't', .number = number});
}

void value_add_real(Value *parent, const char *name, double real) {
        value_add(parent, name, &(Value) {.type = 'd', .real = real});
}

void value_take(Value *parent, const char *name, Value *child) {
        value_add(parent, name, child);
        value_keep(parent, child, (GDestroyNotify) value_free);
}

void value_add_all(Value *parent, const Value *dictionary) {
        for (guint32 i = 0; i < dictionary->n; i++)
                append(parent, &dictionary->children[i]);
}

void value_take_texts(Value *parent, const char *name, const GPtrArray *array) {
        Value *list = value_new(VALUE_LIST);

        for (guint i = 0; i < array->len; i++)
                value_add_text(list, NULL, g_ptr_array_index(array, i));
        value_take(parent, name, list);
}

const char *value_name(const Value *dictionary, guint32 i) {
        const Value *key = value_key(dictionary, i);

        return value_is_text(key) ? key->text : "";
}

const char *value_text(const Value *value, guint32 i) {
        return value_is_text(value_at(value, i)) ? value_at(value, i)->text : "";
}

const Value *value_find(const Value *value, const char *name) {
        if (!value || value->type != VALUE_DICTIONARY)
                return NULL;
        for (guint32 i = 0; i < value_length(value); i++)
                if (value_key(value, i)->type == 's' && strcmp(value_key(value, i)->text, name) == 0)
                        return value_at(value, i);
        return NULL;
}

static const Value *find_typed(const Value *value, const char *name, char type) {
        const Value *found = value_find(value, name);

        return found && found->type == type ? found : NULL;
}

const char *get_string(const Value *value, const char *name) {
        const Value *found = find_typed(value, name, 's');

        return found ? found->text : "";
}

bool get_boolean(const Value *value, const char *name) {
        const Value *found = find_typed(value, name, 'b');

        return found && found->number != 0;
}

bool get_number(const Value *value, const char *name, guint64 *ret) {
        const Value *found = value_find(value, name);

        if (!found || !strchr("yqut", found->type))
                return false;
        *ret = found->number;
        return true;
}

const Value *get_dictionary(const Value *value, const char *name) {
        return find_typed(value, name, VALUE_DICTIONARY) ?: &no_dictionary;
}

const Value *get_list(const Value *value, const char *name) {
        return find_typed(value, name, VALUE_LIST) ?: &no_list;
}

bool list_contains(const Value *list, const char *text) {
        for (guint32 i = 0; i < value_length(list); i++)
                if (value_at(list, i)->type == 's' && strcmp(value_at(list, i)->text, text) == 0)
                        return true;
        return false;
}

bool value_equal(const Value *a, const Value *b) {
        if (a->type != b->type)
                return false;
        if (value_is_text(a))
                return strcmp(a->text, b->text) == 0;
        if (!value_is_container(a))
                return a->number == b->number;
        if (a->n != b->n)
                return false;
        for (guint32 i = 0; i < a->n; i++)
                if (!value_equal(&a->children[i], &b->children[i]))
                        return false;
        return true;
}

static void describe(GString *text, const Value *value) {
        const bool named = value->type == VALUE_DICTIONARY;

        if (value_is_text(value))
                g_string_append(text, value->text);
        else if (value->type == 'b')
                g_string_append(text, value->number ? "yes" : "no");
        else if (value->type == 'd')
                g_string_append_printf(text, "%g", value->real);
        else if (strchr("nix", value->type))
                g_string_append_printf(text, "%" G_GINT64_FORMAT, value->integer);
        else if (!value_is_container(value))
                g_string_append_printf(text, "%" G_GUINT64_FORMAT, value->number);
        for (guint32 i = 0; i < value_length(value); i++) {
                g_string_append(text, i > 0 ? ", " : "");
                if (named) {
                        describe(text, value_key(value, i));
                        g_string_append_c(text, '=');
                }
                describe(text, value_at(value, i));
        }
}

char *value_describe(const Value *value) {
        GString *text = g_string_new(NULL);

        describe(text, value);
        return g_string_free(text, FALSE);
}
