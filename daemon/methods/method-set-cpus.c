/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SetCpus: one CPU for many guests, named or all. How that is done is operation-guests.c's. */

#include <string.h>

#include "error.h"
#include "guest-arguments.h"
#include "methods.h"
#include "operation-guests.h"
#include "request.h"
#include "sort.h"

/* Of each name, and of all of them together: the call is kept until all is done. */
#define NAME_MAX_LENGTH 4096U
#define NAMES_SIZE ((gsize) 1024 * 1024)
typedef struct CpusTask {
        GPtrArray *words; /* char*, as they were given; none: all guests */
        GuestEdit *edit;
        bool dry_run;
} CpusTask;

static void cpus_task_free(gpointer data) {
        CpusTask *task = data;

        g_ptr_array_unref(task->words);
        guest_edit_free(task->edit);
        g_free(task);
}

static void add_missing(GuestsResult *result, const char *word) {
        g_autoptr(GError) error =
                        g_error_new(CONDITION, CONDITION_NO_SUCH_GUEST,
                                    "No guest is called \"%s\"; those that there are: nestvirtctl guests", word);

        guests_result_add_failure(result, word, error);
}

/* A guest that is named twice is one. */
static void choose_named(const CpusTask *task, GHashTable *names, GPtrArray *targets, GuestsResult *result) {
        g_autoptr(GHashTable) uuids = guest_targets_by_uuid(names), seen = g_hash_table_new(g_str_hash, g_str_equal);

        for (unsigned i = 0; i < task->words->len; i++) {
                const char *word = g_ptr_array_index(task->words, i), *name = NULL;
                const char *uuid = guest_targets_find(names, uuids, word, &name);
                if (!g_hash_table_add(seen, uuid ? (gpointer) uuid : (gpointer) word))
                        continue;
                if (uuid)
                        guest_targets_add(targets, name, uuid, task->edit);
                else
                        add_missing(result, word);
        }
}

static void choose_all(const CpusTask *task, GHashTable *names, GPtrArray *targets) {
        g_autoptr(GPtrArray) sorted = sorted_keys(names);

        for (unsigned i = 0; i < sorted->len; i++) {
                const char *name = g_ptr_array_index(sorted, i);
                guest_targets_add(targets, name, g_hash_table_lookup(names, name), task->edit);
        }
}

static void choose(gpointer data, GHashTable *names, GPtrArray *targets, GuestsResult *result) {
        const CpusTask *task = data;

        if (task->words->len > 0)
                choose_named(task, names, targets, result);
        else
                choose_all(task, names, targets);
}

static void done(Call *call, const GuestsResult *result, const GError *error, gpointer data) {
        CpusTask *task = data;

        if (error)
                call_fail(call, error);
        else
                call_reply(call, guests_result_describe(result, task->dry_run));
        cpus_task_free(task);
}

static GPtrArray *read_words(sd_bus_message *message, GError **error) {
        g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
        gsize size = 0;
        const char *word;
        int r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "s");

        while (r >= 0 && (r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &word)) > 0) {
                const gsize length = strnlen(word, NAME_MAX_LENGTH + 1);
                size += length + 1;
                if (length > NAME_MAX_LENGTH || size > NAMES_SIZE) {
                        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                                    "Names of guests have at most %u bytes, and %zu together; none at all stand for "
                                    "all guests",
                                    NAME_MAX_LENGTH, NAMES_SIZE);
                        return NULL;
                }
                g_ptr_array_add(words, g_strdup(word));
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        if (r >= 0)
                return g_steal_pointer(&words);
        (void) call_unreadable(r, error);
        return NULL;
}

int method_set_cpus(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Object *object = userdata;
        Services *services = object_services(object);
        g_autoptr(GuestEdit) edit = guest_edit_new();
        g_autoptr(GError) refused = NULL;
        uint64_t flags;

        g_autoptr(GPtrArray) words = call_read_flags(message, REQUEST_DRY_RUN, &flags, &refused)
                                                     ? read_words(message, &refused)
                                                     : NULL;
        Call *call = words && guest_arguments_read(message, false, edit, &refused)
                                     ? call_new(services->calls, message, &refused)
                                     : NULL;
        if (!call)
                return call_refuse(error, refused);

        call->weight = CALL_HEAVY;
        CpusTask *data = g_new(CpusTask, 1);
        *data = (CpusTask) {
                        .words = g_steal_pointer(&words),
                        .edit = g_steal_pointer(&edit),
                        .dry_run = flags & REQUEST_DRY_RUN,
        };
        const GuestsTask task = {.choose = choose, .done = done, .drop = cpus_task_free, .data = data};
        operation_guests_begin(object, call, &task, data->dry_run, NULL);
        return 1;
}
