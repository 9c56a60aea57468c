/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading and comparing. Whoever asked libvirt, and why, is reprobe.c's. */

#include <string.h>

#include "capabilities.h"
#include "error.h"
#include "sort.h"

/* So many names of features go into a sentence. */
#define NAMES_MAX 24U

typedef struct Reader {
        Capabilities *capabilities;
        bool host_model; /* inside of <mode name='host-model'> */
} Reader;

static const char *attribute(const char *const *names, const char *const *values, const char *wanted) {
        for (; *names; names++, values++)
                if (g_str_equal(*names, wanted))
                        return *values;
        return "";
}

/* As libvirt's schema has the name of a feature (cputypes.rng, featureName, 9.0.0), and as all
 * models are called (src/cpu_map). It goes into a sentence, where another one could pass for more
 * than a name. */
static bool is_name(const char *text, gsize size) {
        for (gsize i = 0; i < size; i++)
                if (!g_ascii_isalnum(text[i]) && !strchr("-_.", text[i]))
                        return false;
        return size > 0;
}

bool capabilities_is_name(const char *text) {
        return is_name(text, strlen(text));
}

char *capabilities_list(const GStrv names) {
        const unsigned n = g_strv_length(names);
        g_autoptr(GString) text = g_string_new(NULL);

        for (unsigned i = 0; i < MIN(n, NAMES_MAX); i++)
                g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", names[i]);
        if (n > NAMES_MAX)
                g_string_append_printf(text, " and %u more", n - NAMES_MAX);
        return g_string_free(g_steal_pointer(&text), FALSE);
}

static void add_feature(GHashTable *features, const char *name, bool has) {
        if (capabilities_is_name(name))
                (void) g_hash_table_insert(features, g_strdup(name), GINT_TO_POINTER(has));
}

static void on_start(GMarkupParseContext *context, const char *element, const char **names, const char **values,
                     gpointer data, GError **error) {
        Reader *reader = data;

        if (g_str_equal(element, "mode"))
                reader->host_model = g_str_equal(attribute(names, values, "name"), "host-model");
        else if (reader->host_model && g_str_equal(element, "feature"))
                add_feature(reader->capabilities->features, attribute(names, values, "name"),
                            !g_str_equal(attribute(names, values, "policy"), "disable"));
}

static void on_end(GMarkupParseContext *context, const char *element, gpointer data, GError **error) {
        if (g_str_equal(element, "mode"))
                ((Reader *) data)->host_model = false;
}

static void on_text(GMarkupParseContext *context, const char *text, gsize size, gpointer data, GError **error) {
        const Reader *reader = data;
        const GSList *stack = g_markup_parse_context_get_element_stack(context);
        const char *element = stack->data, *above = stack->next ? stack->next->data : "";
        char **place = NULL;

        if (g_str_equal(element, "path") && g_str_equal(above, "domainCapabilities"))
                place = &reader->capabilities->emulator;
        else if (g_str_equal(element, "model") && reader->host_model && is_name(text, size))
                place = &reader->capabilities->model;
        if (!place)
                return;
        g_free(*place);
        *place = g_strndup(text, size);
}

Capabilities *capabilities_parse(const char *xml, GError **error) {
        static const GMarkupParser parser = {.start_element = on_start, .end_element = on_end, .text = on_text};
        g_autoptr(Capabilities) capabilities = g_new(Capabilities, 1);
        g_autoptr(GMarkupParseContext) context = NULL;
        g_autoptr(GError) problem = NULL;
        Reader reader = {.capabilities = capabilities};

        *capabilities = (Capabilities) {
                        .emulator = g_strdup(""),
                        .model = g_strdup(""),
                        .features = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        };
        context = g_markup_parse_context_new(&parser, 0, &reader, NULL);
        if (g_markup_parse_context_parse(context, xml, -1, &problem) &&
            g_markup_parse_context_end_parse(context, &problem) && *capabilities->emulator)
                return g_steal_pointer(&capabilities);
        error_make_valid(&problem);
        g_set_error(error, CONDITION, CONDITION_INTERNAL, "What libvirt says of its capabilities is not understood: %s",
                    problem ? problem->message : "no emulator is named");
        return NULL;
}

void capabilities_free(Capabilities *capabilities) {
        if (!capabilities)
                return;
        g_free(capabilities->emulator);
        g_free(capabilities->model);
        g_hash_table_unref(capabilities->features);
        g_free(capabilities);
}

/* What is not named is as the model has it. */
static int degree(const Capabilities *capabilities, const char *feature) {
        gpointer has;

        return !g_hash_table_lookup_extended(capabilities->features, feature, NULL, &has) ? 1 : has ? 2 : 0;
}

static void add_gained(GPtrArray *names, GHashTable *features, const Capabilities *before, const Capabilities *after) {
        GHashTableIter iter;
        gpointer name;

        g_hash_table_iter_init(&iter, features);
        while (g_hash_table_iter_next(&iter, &name, NULL))
                if (degree(after, name) > degree(before, name) &&
                    !g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
                        g_ptr_array_add(names, g_strdup(name));
}

GStrv capabilities_gained(const Capabilities *before, const Capabilities *after) {
        g_autoptr(GPtrArray) names = g_ptr_array_new();

        add_gained(names, before->features, before, after);
        add_gained(names, after->features, before, after);
        g_ptr_array_sort(names, compare_names);
        g_ptr_array_add(names, NULL);
        return (GStrv) g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

static void add_names(GPtrArray *parts, const char *verb, char **names) {
        g_autofree char *list = capabilities_list(names);

        if (*names)
                g_ptr_array_add(parts, g_strconcat(verb, " ", list, NULL));
}

char *capabilities_compare(const Capabilities *before, const Capabilities *after) {
        g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
        g_auto(GStrv) gained = capabilities_gained(before, after), lost = capabilities_gained(after, before);

        if (!g_str_equal(before->model, after->model))
                g_ptr_array_add(parts, g_strdup_printf("is %s and was %s", *after->model ? after->model : "none",
                                                       *before->model ? before->model : "none"));
        add_names(parts, "has lost", lost);
        add_names(parts, "has gained", gained);
        if (parts->len == 0)
                return g_strdup("is as before");
        g_ptr_array_add(parts, NULL);
        return g_strjoinv(", ", (char **) parts->pdata);
}
