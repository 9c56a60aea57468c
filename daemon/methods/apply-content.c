/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files come as name and text, so that a client needs to know nothing of what is in them, and
 * messages can say where they are wrong. All of it is bounded, as the call is kept. */

#include <string.h>

#include "apply-content.h"
#include "call.h"
#include "error.h"

#define FILES_MAX 256U
#define FILES_SIZE ((gsize) 1024 * 1024)
#define NAME_MAX_LENGTH 4096U

static bool add_file(ApplyContent *content, const char *name, const char *text, gsize *size, GError **error) {
        const gsize length = strnlen(name, NAME_MAX_LENGTH + 1);

        *size += strlen(text);
        if (length > NAME_MAX_LENGTH || *size > FILES_SIZE) {
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                            "Files of the desired state have together at most %zu bytes, and names of at most %u",
                            FILES_SIZE, NAME_MAX_LENGTH);
                return false;
        }
        return desired_add_text(content->desired, name, text, error);
}

static bool read_files(sd_bus_message *message, ApplyContent *content, GError **error) {
        const char *name, *text;
        unsigned n = 0;
        gsize size = 0;
        int r = sd_bus_message_enter_container(message, SD_BUS_TYPE_VARIANT, "a(ss)");

        content->desired = content->desired ?: desired_new();
        if (r >= 0)
                r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "(ss)");
        while (r >= 0 && (r = sd_bus_message_read(message, "(ss)", &name, &text)) > 0) {
                if (++n > FILES_MAX) {
                        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "More than %u files in one call",
                                    FILES_MAX);
                        return false;
                }
                if (!add_file(content, name, text, &size, error))
                        return false;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        return r >= 0 || call_unreadable(r, error);
}

/* One of @words (NULL-terminated) into @ret, a copy of the constant. */
static bool read_word(sd_bus_message *message, const char *key, const char *const *words, const char **ret,
                      GError **error) {
        const char *word;
        int r = sd_bus_message_read(message, "v", "s", &word);

        if (r < 0) {
                (void) call_unreadable(r, error);
                return false;
        }
        for (*ret = NULL; *words && !*ret; words++)
                if (g_str_equal(*words, word))
                        *ret = *words;
        if (*ret)
                return true;
        g_autofree char *quoted = error_quote(word);
        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "%s can't be \"%s\"", key, quoted);
        return false;
}

static bool read_when(sd_bus_message *message, ApplyContent *content, GError **error) {
        static const char *const whens[] = {"idle", "now", "boot", NULL};
        const char *when;

        if (!read_word(message, "When", whens, &when, error))
                return false;
        g_free(content->when);
        content->when = g_strdup(when);
        return true;
}

static bool read_only(sd_bus_message *message, ApplyContent *content, GError **error) {
        static const char *const onlies[] = {"parameters", "guests", NULL};
        const char *only;

        if (!read_word(message, "Only", onlies, &only, error))
                return false;
        content->parameters = g_str_equal(only, onlies[0]);
        content->guests = !content->parameters;
        return true;
}

static bool read_entry(sd_bus_message *message, ApplyContent *content, GError **error) {
        const char *key;
        int r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &key);

        if (r < 0)
                return call_unreadable(r, error);
        if (g_str_equal(key, "Files"))
                return read_files(message, content, error);
        if (g_str_equal(key, "When"))
                return read_when(message, content, error);
        if (g_str_equal(key, "Only"))
                return read_only(message, content, error);
        g_autofree char *quoted = error_quote(key);
        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "There is no \"%s\"; there are Files, When and Only",
                    quoted);
        return false;
}

bool apply_content_read(sd_bus_message *message, ApplyContent *ret, GError **error) {
        int r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "{sv}");

        *ret = (ApplyContent) {.parameters = true, .guests = true};
        while (r >= 0 && (r = sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                if (!read_entry(message, ret, error))
                        return false;
                r = sd_bus_message_exit_container(message);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        return r >= 0 || call_unreadable(r, error);
}

void apply_content_clear(ApplyContent *content) {
        g_clear_pointer(&content->desired, desired_free);
        g_clear_pointer(&content->when, g_free);
}
