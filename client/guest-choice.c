/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Patterns are for names alone, and are matched here: to the daemon a name is a name, whatever
 * characters it has. A name that is a guest's is no pattern. */

#include <fnmatch.h>
#include <string.h>

#include "connection.h"
#include "error.h"
#include "guest-choice.h"
#include "guest-list.h"

static bool is_pattern(const char *word) {
        return strpbrk(word, "*?[") != NULL;
}

static bool matches(const char *pattern, const char *name) {
        return g_str_equal(pattern, name) || fnmatch(pattern, name, 0) == 0;
}

static bool is_excepted(const Client *client, const char *name) {
        for (unsigned i = 0; i < client->guest.except->len; i++)
                if (matches(g_ptr_array_index(client->guest.except, i), name))
                        return true;
        return false;
}

bool guest_choice_is_one(const Client *client, char *const *words) {
        return !client->all && client->guest.except->len == 0 && words[0] && !words[1] && !is_pattern(words[0]);
}

static bool is_name(const GPtrArray *names, const char *word) {
        for (unsigned i = 0; i < names->len; i++)
                if (g_str_equal(g_ptr_array_index(names, i), word))
                        return true;
        return false;
}

static bool needs_names(const Client *client, char *const *words) {
        bool needed = client->all || client->guest.except->len > 0;

        for (char *const *word = words; *word && !needed; word++)
                needed = is_pattern(*word);
        return needed;
}

static void take_name(const GuestRow *row, gpointer names) {
        g_ptr_array_add(names, g_strdup(row->name));
}

static int list_names(Client *client, GPtrArray *names, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *guests = NULL;
        guint64 omitted;
        int r = guest_list_ask(client, CALL_WAIT, &guests, error);

        if (r < 0)
                return r;
        r = guest_list_read(guests, take_name, names, &omitted);
        return r < 0 ? connection_fail(client, r, error) : 0;
}

/* False when it matches none. */
static bool add_matches(const Client *client, const GPtrArray *names, const char *pattern, GPtrArray *chosen) {
        bool found = false;

        for (unsigned i = 0; i < names->len; i++) {
                const char *name = g_ptr_array_index(names, i);
                if (!matches(pattern, name))
                        continue;
                found = true;
                if (!is_excepted(client, name))
                        g_ptr_array_add(chosen, g_strdup(name));
        }
        return found;
}

/* A UUID, or a name that the daemon has no guest for, is the daemon's to tell. */
static bool add_word(const Client *client, const GPtrArray *names, const char *word, GPtrArray *chosen) {
        if (is_pattern(word) && !is_name(names, word))
                return add_matches(client, names, word, chosen);
        if (!is_excepted(client, word))
                g_ptr_array_add(chosen, g_strdup(word));
        return true;
}

static int fail_none(sd_bus_error *error, const char *what) {
        return sd_bus_error_setf(error, condition_to_name(CONDITION_NO_SUCH_GUEST),
                                 "%s; those that there are: nestvirtctl guests", what);
}

int guest_choice(Client *client, char **words, GStrv *ret, sd_bus_error *error) {
        g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free),
                             chosen = g_ptr_array_new_with_free_func(g_free);
        const bool every = client->all && client->guest.except->len == 0;
        int r = !every && needs_names(client, words) ? list_names(client, names, error) : 0;

        if (r < 0)
                return r;
        if (client->all && !every)
                (void) add_matches(client, names, "*", chosen);
        for (char **word = words; *word; word++)
                if (!add_word(client, names, *word, chosen)) {
                        g_autofree char *what = g_strdup_printf("No guest's name is like \"%s\"", *word);
                        return fail_none(error, what);
                }
        if (!every && chosen->len == 0)
                return fail_none(error, "No guest is left");
        g_ptr_array_add(chosen, NULL);
        *ret = (GStrv) g_ptr_array_free(g_steal_pointer(&chosen), FALSE);
        return 0;
}
