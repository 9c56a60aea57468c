/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Words are of bounded length and of letters that libvirt's names are made of; what they mean is
 * guest_edit_check()'s and the editor's to say. */

#include <string.h>

#include "call.h"
#include "error.h"
#include "guest-arguments.h"

#define WORD_MAX 64U
/* Of SetCpu; Prepare has fewer. */
#define OPTIONS_MAX 3U

static bool take_word(const char *key, const char *word, char **ret, GError **error) {
        const size_t length = strnlen(word, WORD_MAX + 1);

        if (length == 0 || length > WORD_MAX || strspn(word, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.-") != length) {
                g_autofree char *quoted = error_quote(word);
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "%s can't be \"%s\"", key, quoted);
                return false;
        }
        g_free(*ret);
        *ret = g_strdup(word);
        return true;
}

/* One of the members of @edit that are words, or NULL: then it is Nested, or nothing. */
static char **word_of(GuestEdit *edit, const char *key) {
        if (edit->recipe)
                return g_str_equal(key, "Release") ? &edit->release : NULL;
        return g_str_equal(key, "Mode") ? &edit->mode : g_str_equal(key, "Model") ? &edit->model : NULL;
}

static bool read_option(sd_bus_message *message, GuestEdit *edit, GError **error) {
        const char *key, *word;
        char **place;
        int nested, r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &key);

        if (r < 0)
                return call_unreadable(r, error);
        place = word_of(edit, key);
        if (place) {
                r = sd_bus_message_read(message, "v", "s", &word);
                return r < 0 ? call_unreadable(r, error) : take_word(key, word, place, error);
        }
        if (edit->recipe || !g_str_equal(key, "Nested")) {
                g_autofree char *quoted = error_quote(key);
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "There is no option \"%s\"; there is %s", quoted,
                            edit->recipe ? "Release" : "Mode, Model and Nested");
                return false;
        }
        r = sd_bus_message_read(message, "v", "b", &nested);
        if (r < 0)
                return call_unreadable(r, error);
        edit->nested = nested;
        return true;
}

static bool read_options(sd_bus_message *message, GuestEdit *edit, GError **error) {
        unsigned n = 0;
        int r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                if (++n > OPTIONS_MAX) {
                        g_set_error_literal(error, CONDITION, CONDITION_INVALID_ARGS, "An option is given twice");
                        return false;
                }
                if (!read_option(message, edit, error))
                        return false;
                r = sd_bus_message_exit_container(message);
        }
        return r >= 0 || call_unreadable(r, error);
}

bool guest_arguments_read(sd_bus_message *message, bool prepare, GuestEdit *edit, GError **error) {
        const char *recipe;
        int r = prepare ? sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &recipe) : 0;

        if (r < 0)
                return call_unreadable(r, error);
        return (!prepare || take_word("A recipe", recipe, &edit->recipe, error)) &&
               read_options(message, edit, error) && guest_edit_check(edit, error);
}
