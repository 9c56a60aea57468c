/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Keeping, counting and answering. What a call is about is its method's. */

#include <errno.h>
#include <string.h>

#include "bound.h"
#include "call.h"
#include "cleanup.h"
#include "error.h"
#include "log.h"
#include "request.h"
#include "variant.h"

struct Calls {
        Senders *senders;
        GHashTable *users; /* uid -> number */
};

static void call_next(Call *call);
static void call_reject(Call *call, const GError *error);

static void on_known(Sender *sender, int error) {
        g_autoptr(GError) nobody = NULL;
        Call *call;

        if (error < 0 && error != -ESRCH)
                g_set_error(&nobody, CONDITION, CONDITION_ACCESS_DENIED, "The bus does not say who calls (%s)",
                            strerror(-error));
        while ((call = g_queue_pop_head(&sender->waiting)))
                if (sender->known)
                        call_next(call);
                else
                        call_reject(call, nobody);
}

Calls *calls_new(void) {
        Calls *calls = g_new(Calls, 1);

        *calls = (Calls) {.senders = senders_new(on_known), .users = g_hash_table_new(NULL, NULL)};
        return calls;
}

void calls_close(Calls *calls) {
        Sender *sender;

        while ((sender = senders_unknown(calls->senders)))
                call_reject(g_queue_pop_head(&sender->waiting), NULL);
}

void calls_free(Calls *calls) {
        if (!calls)
                return;
        senders_free(calls->senders);
        g_hash_table_unref(calls->users);
        g_free(calls);
}

static unsigned of_user(const Calls *calls, uid_t uid) {
        gpointer count = g_hash_table_lookup(calls->users, GUINT_TO_POINTER(uid));

        return GPOINTER_TO_UINT(count);
}

static void count_for_user(const Calls *calls, uid_t uid, unsigned count) {
        if (count == 0)
                (void) g_hash_table_remove(calls->users, GUINT_TO_POINTER(uid));
        else
                (void) g_hash_table_insert(calls->users, GUINT_TO_POINTER(uid), GUINT_TO_POINTER(count));
}

int call_refuse(sd_bus_error *ret, const GError *error) {
        /* A message may name files and values of others, and D-Bus takes no reply that is not
         * UTF-8. */
        g_autofree char *valid = g_utf8_make_valid(error->message, -1), *message = bound_text(valid, BOUND_TEXT);

        return sd_bus_error_set(ret, condition_to_name(condition_of(error)), message);
}

static int read_last(sd_bus_message *message, uint64_t *ret) {
        const char *signature = sd_bus_message_get_signature(message, true);
        g_autofree char *before = g_strndup(signature, strlen(signature) - 1);
        int r = *before ? sd_bus_message_skip(message, before) : 0;

        if (r >= 0)
                r = sd_bus_message_read_basic(message, SD_BUS_TYPE_UINT64, ret);
        if (r >= 0)
                r = sd_bus_message_rewind(message, true);
        return r;
}

bool call_unreadable(int r, GError **error) {
        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "The call can't be read: %s", strerror(-r));
        return false;
}

bool call_read_flags(sd_bus_message *message, uint64_t allowed, uint64_t *ret, GError **error) {
        int r = read_last(message, ret);

        return r < 0 ? call_unreadable(r, error) : request_check_flags(*ret, allowed, error);
}

Call *call_new(Calls *calls, sd_bus_message *message, GError **error) {
        Call *call = g_new(Call, 1);

        *call = (Call) {
                        .calls = calls,
                        .message = sd_bus_message_ref(message),
                        .asked = g_get_monotonic_time(),
                        .weight = 1,
                        .sender = sender_take(calls->senders, message),
        };
        if (call->sender->calls <= CALLS_MAX)
                return call;
        g_set_error(error, CONDITION, CONDITION_LIMITS_EXCEEDED,
                    "%u calls of yours are under way already: wait for one of them to end", CALLS_MAX);
        call_drop(call);
        return NULL;
}

int call_take(Calls *calls, sd_bus_message *message, uint64_t allowed, uint64_t *ret_flags, Call **ret,
              sd_bus_error *error) {
        g_autoptr(GError) refused = NULL;
        uint64_t flags;

        *ret = call_read_flags(message, allowed, &flags, &refused) ? call_new(calls, message, &refused) : NULL;
        if (!*ret)
                return call_refuse(error, refused);
        if (ret_flags)
                *ret_flags = flags;
        return 0;
}

void call_drop(Call *call) {
        if (call->admitted)
                count_for_user(call->calls, call_uid(call), of_user(call->calls, call_uid(call)) - call->weight);
        (void) g_queue_remove(&call->sender->waiting, call);
        sender_release(call->sender);
        sd_bus_message_unref(call->message);
        g_clear_pointer(&call->more, g_variant_unref);
        g_free(call);
}

uid_t call_uid(const Call *call) {
        return call->sender->uid;
}

Caller call_caller(const Call *call) {
        return (Caller) {
                        .sender = g_strdup(sd_bus_message_get_sender(call->message)),
                        .uid = call->sender->uid,
                        .pid = call->sender->pid,
        };
}

/* Whoever has the call drops it. @error may be NULL: nobody is there to be told. */
static void call_reject(Call *call, const GError *error) {
        _cleanup_(sd_bus_error_free) sd_bus_error reason = SD_BUS_ERROR_NULL;

        if (error) {
                (void) call_refuse(&reason, error);
                (void) sd_bus_reply_method_error(call->message, &reason);
        }
        call->drop(call->data);
}

static void call_next(Call *call) {
        const uid_t uid = call_uid(call);
        const unsigned count = of_user(call->calls, uid);
        g_autoptr(GError) error = NULL;

        if (count + call->weight > CALLS_OF_USER_MAX) {
                g_set_error(&error, CONDITION, CONDITION_LIMITS_EXCEEDED,
                            "%u calls of the user with uid %u are under way already (one for many guests counts for "
                            "%u): wait for some of them to end, or end the programs that call",
                            count, (unsigned) uid, CALL_HEAVY);
                call_reject(call, error);
                return;
        }
        count_for_user(call->calls, uid, count + call->weight);
        call->admitted = true;
        if (call->turns)
                operation_queue_ask(call->turns, uid, call->begin, call->drop, call->data);
        else
                call->next(call->data);
}

static void call_identify(Call *call) {
        int r;

        if (call->sender->known) {
                call_next(call);
                return;
        }
        r = sender_ask(call->sender, sd_bus_message_get_bus(call->message));
        if (r >= 0) {
                g_queue_push_tail(&call->sender->waiting, call);
                return;
        }
        g_autoptr(GError) error = g_error_new(CONDITION, CONDITION_INTERNAL, "The bus can't be asked who calls (%s)",
                                              strerror(-r));
        call_reject(call, error);
}

void call_admit(Call *call, CallAdmitted next, GDestroyNotify drop, gpointer data) {
        call->next = next;
        call->drop = drop;
        call->data = data;
        if (call->admitted)
                next(data);
        else
                call_identify(call);
}

void call_ask_turn(Call *call, OperationQueue *queue, OperationBegin begin, GDestroyNotify drop, gpointer data) {
        call->turns = queue;
        call->begin = begin;
        call->drop = drop;
        call->data = data;
        if (call->admitted)
                operation_queue_ask(queue, call_uid(call), begin, drop, data);
        else
                call_identify(call);
}

/* Whoever calls gets an answer, be it that there is none. */
void call_send(Call *call, sd_bus_message *reply, int r) {
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        else
                (void) sd_bus_reply_method_errorf(call->message, condition_to_name(CONDITION_INTERNAL),
                                                  "The answer could not be put into words: %s", strerror(-r));
        /* That the bus, or the caller, is gone is not worth a line. */
        if (r < 0 && r != -ENOTCONN && r != -ECONNRESET)
                log_error("Cannot reply to %s: %s", sd_bus_message_get_member(call->message), strerror(-r));
        sd_bus_message_unref(reply);
        call_drop(call);
}

void call_reply(Call *call, GVariant *body) {
        g_autoptr(GVariant) bounded = body ? bound_reply(body) : NULL;
        sd_bus_message *reply = NULL;

        int r = sd_bus_message_new_method_return(call->message, &reply);
        if (r >= 0)
                r = variant_append_body(reply, bounded);
        call_send(call, reply, r);
}

void call_fail(Call *call, const GError *error) {
        _cleanup_(sd_bus_error_free) sd_bus_error reason = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;

        (void) call_refuse(&reason, error);
        int r = sd_bus_message_new_method_error(call->message, &reply, &reason);
        if (r >= 0)
                r = variant_append_body(reply, call->more);
        call_send(call, reply, r);
}

void call_say_more(Call *call, GVariant *more) {
        g_clear_pointer(&call->more, g_variant_unref);
        call->more = bound_reply(more);
}
