/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The operation of a call whose arguments are the parameters themselves: SetParameters,
 * ResetParameters, Reload. */

#include "describe-reply.h"
#include "operation.h"

typedef struct WordsTask {
        char *module;  /* the words point to it, and into the call */
        GArray *words; /* what is asked for */
} WordsTask;

static void words_task_free(gpointer data) {
        WordsTask *task = data;

        g_array_unref(task->words);
        g_free(task->module);
        g_free(task);
}

static bool fill(gpointer data, const Host *host, Request *request, GError **error) {
        return operation_apply(((const WordsTask *) data)->words, host, request, error);
}

static void done(Call *call, const ChangeResult *result, const GError *error, gpointer data) {
        if (error)
                call_fail(call, error);
        else
                call_reply(call, describe_change(result));
        words_task_free(data);
}

int operation_take(Services *services, sd_bus_message *message, const char *module, OperationRead read,
                   uint64_t allowed_flags, sd_bus_error *error) {
        g_autoptr(GError) refused = NULL;
        g_autofree char *object = g_strdup(module);
        g_autoptr(GArray) words = NULL;
        uint64_t flags;

        if (call_read_flags(message, allowed_flags, &flags, &refused))
                words = read(message, object, &refused);
        Call *call = words ? call_new(services->calls, message, &refused) : NULL;
        if (!call)
                return call_refuse(error, refused);

        WordsTask *data = g_new(WordsTask, 1);
        *data = (WordsTask) {.module = g_steal_pointer(&object), .words = g_steal_pointer(&words)};
        operation_begin(services, call, flags,
                        &(OperationTask) {.fill = fill, .done = done, .drop = words_task_free, .data = data});
        return 1;
}
