/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The arguments of the methods that change parameters. All words are counted and looked at when the
 * call comes in, before it may wait for its turn, and long before any of them means something;
 * nothing is read beyond the limits. */

#include <string.h>

#include "error.h"
#include "operation.h"

#define NAME_MAX_LENGTH 64U
/* Nothing in the catalogue comes near. */
#define VALUE_MAX_LENGTH 256U
#define MODULES_MAX 8U
/* Nor a call: 256 of one user may wait, with all of their words. */
#define WORDS_MAX_LENGTH 4096U

typedef struct Word {
        const char *module;
        const char *name;  /* NULL: all of the module's that are ours */
        const char *value; /* NULL: back to what it is without us */
        bool reload;       /* the module is to be loaded anew, and nothing else */
} Word;

static GArray *words_new(void) {
        return g_array_new(FALSE, FALSE, sizeof(Word));
}

static bool check_name(const char *word, GError **error) {
        const size_t length = strnlen(word, NAME_MAX_LENGTH + 1);

        if (length > 0 && length <= NAME_MAX_LENGTH &&
            strspn(word, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-") == length)
                return true;
        g_autofree char *valid = g_utf8_make_valid(word, (gssize) length);
        g_autofree char *quoted = g_strescape(valid, NULL);
        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "\"%s\" can be no name of a module or a parameter",
                    quoted);
        return false;
}

static bool check_word(const Word *word, GError **error) {
        if ((word->module && !check_name(word->module, error)) || (word->name && !check_name(word->name, error)))
                return false;
        if (!word->value || strnlen(word->value, VALUE_MAX_LENGTH + 1) <= VALUE_MAX_LENGTH)
                return true;
        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "A value has more than %u characters", VALUE_MAX_LENGTH);
        return false;
}

static bool words_add(GArray *words, const char *module, const char *name, const char *value, GError **error) {
        const Word word = {.module = module, .name = name, .value = value};

        if (words->len >= REQUEST_MAX) {
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "More than %u parameters in one call",
                            REQUEST_MAX);
                return false;
        }
        if (!check_word(&word, error))
                return false;
        g_array_append_val(words, word);
        return true;
}

static bool read_settings(sd_bus_message *message, const char *module, GArray *words, GError **error) {
        const char *name, *value;
        int r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "{ss}");

        while (r >= 0 && (r = sd_bus_message_read(message, "{ss}", &name, &value)) > 0)
                if (!words_add(words, module, name, value, error))
                        return false;
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        return r >= 0 || call_unreadable(r, error);
}

static bool read_names(sd_bus_message *message, const char *module, GArray *words, GError **error) {
        const unsigned before = words->len;
        const char *name;
        int r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "s");

        while (r >= 0 && (r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &name)) > 0)
                if (!words_add(words, module, name, NULL, error))
                        return false;
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        if (r < 0)
                return call_unreadable(r, error);
        return words->len > before || words_add(words, module, NULL, NULL, error);
}

typedef bool (*ReadModule)(sd_bus_message *message, const char *module, GArray *words, GError **error);

static bool read_modules(sd_bus_message *message, const char *entry, ReadModule read, GArray *words, GError **error) {
        g_autofree char *contents = g_strdup_printf("{%s}", entry);
        unsigned n = 0;
        int r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, contents);

        while (r >= 0 && (r = sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY, entry)) > 0) {
                const char *module;

                if (++n > MODULES_MAX) {
                        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "More than %u modules in one call",
                                    MODULES_MAX);
                        return false;
                }
                r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &module);
                if (r < 0)
                        break;
                /* Also where there is nothing for it: it is kept with the call. */
                if (!check_name(module, error) || !read(message, module, words, error))
                        return false;
                r = sd_bus_message_exit_container(message);
        }
        return r >= 0 || call_unreadable(r, error);
}

/* All of them together are small, or they are refused; @words may be NULL. */
static GArray *bounded(GArray *words, GError **error) {
        gsize length = 0;

        for (unsigned i = 0; words && i < words->len; i++) {
                const Word *word = &g_array_index(words, Word, i);
                length += (word->name ? strlen(word->name) : 0) + (word->value ? strlen(word->value) : 0);
        }
        if (length <= WORDS_MAX_LENGTH)
                return words;
        g_array_unref(words);
        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "More than %u characters of names and values in one call",
                    WORDS_MAX_LENGTH);
        return NULL;
}

static GArray *read_some_modules(sd_bus_message *message, const char *entry, ReadModule read, GError **error) {
        g_autoptr(GArray) words = words_new();

        return bounded(read_modules(message, entry, read, words, error) ? g_steal_pointer(&words) : NULL, error);
}

static GArray *read_one_module(sd_bus_message *message, const char *module, ReadModule read, GError **error) {
        g_autoptr(GArray) words = words_new();

        return bounded(read(message, module, words, error) ? g_steal_pointer(&words) : NULL, error);
}

/* Takes @words over. */
static GArray *some(GArray *words, GError **error) {
        if (!words || words->len > 0)
                return words;
        g_array_unref(words);
        g_set_error_literal(error, CONDITION, CONDITION_INVALID_ARGS, "No parameter is given");
        return NULL;
}

GArray *operation_read_set_all(sd_bus_message *message, const char *module, GError **error) {
        return some(read_some_modules(message, "sa{ss}", read_settings, error), error);
}

GArray *operation_read_reset_all(sd_bus_message *message, const char *module, GError **error) {
        GArray *words = read_some_modules(message, "sas", read_names, error);

        if (words && words->len == 0)
                (void) words_add(words, NULL, NULL, NULL, error);
        return words;
}

GArray *operation_read_set(sd_bus_message *message, const char *module, GError **error) {
        return some(read_one_module(message, module, read_settings, error), error);
}

GArray *operation_read_reset(sd_bus_message *message, const char *module, GError **error) {
        return read_one_module(message, module, read_names, error);
}

GArray *operation_read_reload(sd_bus_message *message, const char *module, GError **error) {
        const Word word = {.module = module, .reload = true};
        GArray *words = words_new();

        g_array_append_val(words, word);
        return words;
}

static bool apply_word(const Word *word, const Host *host, Request *request, GError **error) {
        if (word->reload) {
                request->reload = g_strdup(word->module);
                return true;
        }
        if (word->value)
                return request_set(request, host, word->module, word->name, word->value, error);
        if (word->name)
                return request_reset(request, host, word->module, word->name, error);
        return request_reset_all(request, host, word->module, error);
}

bool operation_apply(const GArray *words, const Host *host, Request *request, GError **error) {
        for (unsigned i = 0; i < words->len; i++)
                if (!apply_word(&g_array_index(words, Word, i), host, request, error))
                        return false;
        return true;
}
