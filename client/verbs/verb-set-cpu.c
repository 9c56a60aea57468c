/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verbs that change guests' definitions: set-cpu and prepare. Each is one call, for one guest
 * or for many, whose answer is printed. What may be changed and how is the daemon's to decide. */

#include <stdlib.h>

#include "change-result.h"
#include "connection.h"
#include "guest-call.h"
#include "guest-choice.h"
#include "guests-result.h"
#include "names.h"
#include "verbs.h"

static int append_word(sd_bus_message *call, const char *name, const char *word) {
        return word ? sd_bus_message_append(call, "{sv}", name, "s", word) : 0;
}

/* a{sv}: Mode, Model and Nested, or Release. */
static int append_options(sd_bus_message *call, const GuestOptions *guest) {
        int r = sd_bus_message_open_container(call, SD_BUS_TYPE_ARRAY, "{sv}");

        if (r >= 0)
                r = append_word(call, "Mode", guest->mode);
        if (r >= 0)
                r = append_word(call, "Model", guest->model);
        if (r >= 0)
                r = append_word(call, "Release", guest->release);
        if (r >= 0 && guest->nested)
                r = sd_bus_message_append(call, "{sv}", "Nested", "b", guest_call_switch(guest->nested));
        return r < 0 ? r : sd_bus_message_close_container(call);
}

/* What the calls end with, and the way of all of them to their answer. */
static int call_with_options(Client *client, sd_bus_message *call, Value **ret, sd_bus_error *error) {
        const bool dry_run = client->flags & FLAG_DRY_RUN;
        int r = append_options(call, &client->guest);

        if (r >= 0)
                r = sd_bus_message_append(call, "t", client->flags);
        if (r < 0)
                return connection_fail(client, r, error);
        return connection_call(client, call, dry_run ? CALL_WAIT : CALL_CHANGE, "a{sv}", ret, error);
}

/* @recipe NULL: SetCpu. */
static int call_change(Client *client, const char *name, const char *recipe, Value **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        g_autofree char *path = NULL;
        int r;

        r = guest_call_find(client, name, &path, error);
        if (r < 0)
                return r;
        r = connection_prepare(client, path, IFACE_GUEST, recipe ? "Prepare" : "SetCpu", &call, error);
        if (r < 0)
                return r;
        r = recipe ? sd_bus_message_append(call, "s", recipe) : 0;
        return r < 0 ? connection_fail(client, r, error) : call_with_options(client, call, ret, error);
}

static int change(Client *client, const char *name, const char *recipe, const char *doing) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Value) result = NULL;

        if (call_change(client, name, recipe, &result, &error) < 0)
                return client_fail(client, doing, &error);
        change_print_guest(client, name, result);
        return 0;
}

static int call_many(Client *client, char **words, Value **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        g_auto(GStrv) guests = NULL;
        int r = guest_choice(client, words, &guests, error);

        if (r < 0)
                return r;
        r = connection_prepare(client, PATH_MANAGER, IFACE_MANAGER, "SetCpus", &call, error);
        if (r < 0)
                return r;
        r = sd_bus_message_append_strv(call, guests);
        return r < 0 ? connection_fail(client, r, error) : call_with_options(client, call, ret, error);
}

static int change_many(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Value) result = NULL;

        if (call_many(client, words, &result, &error) < 0)
                return client_fail(client, "set the CPU of guests", &error);
        return guests_result_print(client, result) ? 0 : EXIT_FAILURE;
}

int verb_set_cpu(Client *client, char **words) {
        const GuestOptions *guest = &client->guest;

        if (!words[0] && !client->all)
                return client_usage(client, "set-cpu needs NAME, a pattern such as 'web*', or --all");
        if (words[0] && client->all)
                return client_usage(client, "--all means every guest, so none can be named");
        if (!guest->mode && !guest->model && !guest->nested)
                return client_usage(client, "set-cpu needs --nested, --mode or --model");
        if (guest->nested && guest_call_switch(guest->nested) < 0)
                return client_usage(client, "--nested is yes or no, not \"%s\"", guest->nested);
        if (!guest_choice_is_one(client, words))
                return change_many(client, words);
        g_autofree char *doing = g_strdup_printf("set the CPU of the guest \"%s\"", words[0]);
        return change(client, words[0], NULL, doing);
}

int verb_prepare(Client *client, char **words) {
        g_autofree char *doing = g_strdup_printf("prepare the guest \"%s\"", words[0]);

        return change(client, words[0], words[1], doing);
}
