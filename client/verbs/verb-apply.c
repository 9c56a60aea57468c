/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl apply: the desired state, of the daemon's folders or of files that are read here, so
 * that it can be that of another host. What they mean is the daemon's to say. */

#include "apply-result.h"
#include "connection.h"
#include "input.h"
#include "names.h"
#include "verbs.h"

/* One byte more than the daemon takes, so that it is the one to refuse. */
#define FILE_MAX ((gsize) 1024 * 1024 + 1)

static int append_file(sd_bus_message *call, const char *file, sd_bus_error *error) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autofree char *name = g_utf8_make_valid(input_is_standard(file) ? "standard input" : file, -1);

        if (!input_read(file, FILE_MAX, text, error))
                return -EIO;
        if (!g_utf8_validate_len(text->str, text->len, NULL))
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "%s is not UTF-8", name);
        return sd_bus_message_append(call, "(ss)", name, text->str);
}

/* {"Files": a(ss)}; nothing when no file is named. */
static int append_files(sd_bus_message *call, char **files, sd_bus_error *error) {
        int r;

        if (!*files)
                return 0;
        r = sd_bus_message_open_container(call, SD_BUS_TYPE_DICT_ENTRY, "sv");
        if (r >= 0)
                r = sd_bus_message_append(call, "s", "Files");
        if (r >= 0)
                r = sd_bus_message_open_container(call, SD_BUS_TYPE_VARIANT, "a(ss)");
        if (r >= 0)
                r = sd_bus_message_open_container(call, SD_BUS_TYPE_ARRAY, "(ss)");
        for (; r >= 0 && *files; files++)
                r = append_file(call, *files, error);
        for (unsigned i = 0; r >= 0 && i < 3; i++)
                r = sd_bus_message_close_container(call);
        return r;
}

static int append_word(sd_bus_message *call, const char *name, const char *word) {
        return word ? sd_bus_message_append(call, "{sv}", name, "s", word) : 0;
}

static int append_content(const Client *client, sd_bus_message *call, char **files, sd_bus_error *error) {
        int r = sd_bus_message_open_container(call, SD_BUS_TYPE_ARRAY, "{sv}");

        if (r >= 0)
                r = append_files(call, files, error);
        if (r >= 0)
                r = append_word(call, "When", client->apply.when);
        if (r >= 0)
                r = append_word(call, "Only", client->apply.only);
        return r < 0 ? r : sd_bus_message_close_container(call);
}

static int call_apply(Client *client, char **files, uint64_t flags, Value **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r = connection_prepare(client, PATH_MANAGER, IFACE_MANAGER, "Apply", &call, error);

        if (r < 0)
                return r;
        r = append_content(client, call, files, error);
        if (r >= 0)
                r = sd_bus_message_append(call, "t", flags);
        if (r < 0)
                return sd_bus_error_is_set(error) ? r : connection_fail(client, r, error);
        return connection_call(client, call, flags & FLAG_DRY_RUN ? CALL_WAIT : CALL_CHANGE, "a{sv}", ret, error);
}

static bool is_one_of(const char *word, const char *const *words) {
        return !word || g_strv_contains(words, word);
}

/* 0, or an exit status. */
static int check(const Client *client, char **files) {
        static const char *const whens[] = {"idle", "now", "boot", NULL},
                                 *const onlies[] = {"parameters", "guests", NULL},
                                 *const extents[] = {"effective", NULL};
        const ApplyOptions *apply = &client->apply;
        unsigned standard = 0;

        if (!is_one_of(apply->when, whens))
                return client_usage(client, "--when is idle, now or boot, not \"%s\"", apply->when);
        if (!is_one_of(apply->only, onlies))
                return client_usage(client, "--only is parameters or guests, not \"%s\"", apply->only);
        if (!is_one_of(apply->extent, extents))
                return client_usage(client, "--check is without a value, or effective, not \"%s\"", apply->extent);
        for (; *files; files++)
                standard += input_is_standard(*files);
        return standard > 1 ? client_usage(client, "Standard input can be read once") : 0;
}

int verb_apply(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const ApplyOptions *apply = &client->apply;
        g_autoptr(Value) result = NULL;

        int status = check(client, words);
        if (status > 0)
                return status;
        const uint64_t flags = client->flags | (apply->check ? FLAG_DRY_RUN : 0) |
                               (client->json != JSON_OFF ? FLAG_HOLDERS : 0);
        if (call_apply(client, words, flags, &result, &error) < 0)
                return client_fail(client, "apply the desired state", &error);
        return apply->check ? apply_result_print_drift(client, result, apply->extent)
                            : apply_result_print(client, result);
}
