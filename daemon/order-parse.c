/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The arguments of the methods that change parameters. All words are counted and looked at before any of them means something; nothing
 * is read beyond the limits. */

#include <errno.h>
#include <string.h>

#include "error.h"
#include "order.h"

#define NAME_MAX_LENGTH 64U
/* Nothing in the catalogue comes near. */
#define VALUE_MAX_LENGTH 256U
#define MODULES_MAX 8U

typedef struct Word {
        const char *module;
        const char *name;  /* NULL: all of the module's that are ours */
        const char *value; /* NULL: back to what it is without us */
} Word;

static bool fail_read(int r, GError **error) {
        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "The call can't be read: %s", strerror(-r));
        return false;
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

static bool words_add(GArray *words, const char *module, const char *name, const char *value, GError **error) {
        const Word word = {.module = module, .name = name, .value = value};

        if (words->len >= REQUEST_MAX) {
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "More than %u parameters in one call",
                            REQUEST_MAX);
                return false;
        }
        if (value && strnlen(value, VALUE_MAX_LENGTH + 1) > VALUE_MAX_LENGTH) {
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "A value has more than %u characters",
                            VALUE_MAX_LENGTH);
                return false;
        }
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
        return r >= 0 || fail_read(r, error);
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
                return fail_read(r, error);
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
                if (!read(message, module, words, error))
                        return false;
                r = sd_bus_message_exit_container(message);
        }
        return r >= 0 || fail_read(r, error);
}

static bool apply_word(const Word *word, const Host *host, Request *request, GError **error) {
        if (word->value)
                return request_set(request, host, word->module, word->name, word->value, error);
        if (word->name)
                return request_reset(request, host, word->module, word->name, error);
        return request_reset_all(request, host, word->module, error);
}

static bool apply(const GArray *words, const Host *host, Request *request, GError **error) {
        for (unsigned i = 0; i < words->len; i++) {
                const Word *word = &g_array_index(words, Word, i);
                if ((word->module && !check_name(word->module, error)) ||
                    (word->name && !check_name(word->name, error)))
                        return false;
        }
        for (unsigned i = 0; i < words->len; i++)
                if (!apply_word(&g_array_index(words, Word, i), host, request, error))
                        return false;
        return true;
}

static bool apply_some(const GArray *words, const Host *host, Request *request, GError **error) {
        if (words->len > 0)
                return apply(words, host, request, error);
        g_set_error_literal(error, CONDITION, CONDITION_INVALID_ARGS, "No parameter is given");
        return false;
}

bool order_parse_set_all(sd_bus_message *message, const Host *host, const char *module, Request *request,
                         GError **error) {
        g_autoptr(GArray) words = g_array_new(FALSE, FALSE, sizeof(Word));

        return read_modules(message, "sa{ss}", read_settings, words, error) && apply_some(words, host, request, error);
}

bool order_parse_reset_all(sd_bus_message *message, const Host *host, const char *module, Request *request,
                           GError **error) {
        g_autoptr(GArray) words = g_array_new(FALSE, FALSE, sizeof(Word));

        return read_modules(message, "sas", read_names, words, error) &&
               (words->len > 0 || words_add(words, NULL, NULL, NULL, error)) && apply(words, host, request, error);
}

bool order_parse_set(sd_bus_message *message, const Host *host, const char *module, Request *request, GError **error) {
        g_autoptr(GArray) words = g_array_new(FALSE, FALSE, sizeof(Word));

        return read_settings(message, module, words, error) && apply_some(words, host, request, error);
}

bool order_parse_reset(sd_bus_message *message, const Host *host, const char *module, Request *request,
                       GError **error) {
        g_autoptr(GArray) words = g_array_new(FALSE, FALSE, sizeof(Word));

        return read_names(message, module, words, error) && apply(words, host, request, error);
}

bool order_parse_reload(sd_bus_message *message, const Host *host, const char *module, Request *request,
                        GError **error) {
        request->reload = g_strdup(module);
        return true;
}
