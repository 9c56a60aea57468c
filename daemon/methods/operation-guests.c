/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The path of one change of many guests' definitions: they are looked at and found by their names,
 * and then each is planned, and carried out before the next is planned. polkit is asked once, when
 * the first is found of which anything is to be done: nothing has been done by then, and nobody is
 * asked for what changes nothing. Each guest is a change of its own: one that fails undoes no
 * other. What libvirt does not answer in time ends it, as the next would be as late. */

#include <string.h>

#include "error.h"
#include "guest-arguments.h"
#include "guests-result.h"
#include "log.h"
#include "log-change.h"
#include "methods.h"
#include "request.h"
#include "services.h"
#include "sort.h"

/* Of each name, and of all of them together: the call is kept until all is done. */
#define NAME_MAX_LENGTH 4096U
#define NAMES_SIZE ((gsize) 1024 * 1024)
/* So many are named where people read it. */
#define NAMES_SAID 3U

typedef struct Target {
        char *name, *uuid;
} Target;

typedef struct GuestsOperation {
        Services *services;
        Call *call;         /* NULL while libvirt is asked, which has it then, and once it is answered */
        GPtrArray *words;   /* char*, as they were given; none: all guests */
        GPtrArray *targets; /* Target*, from @next on still to do */
        unsigned next;
        GuestEdit *edit;
        bool dry_run, authorised;
        GuestPlan *plan; /* of the target at hand */
        Caller caller;   /* known from the authorisation on */
        GuestsResult *result;
} GuestsOperation;

static void target_free(gpointer data) {
        Target *target = data;

        g_free(target->name);
        g_free(target->uuid);
        g_free(target);
}

static void operation_free(gpointer data) {
        GuestsOperation *operation = data;

        g_ptr_array_unref(operation->words);
        g_ptr_array_unref(operation->targets);
        guest_edit_free(operation->edit);
        guest_plan_free(operation->plan);
        caller_clear(&operation->caller);
        guests_result_free(operation->result);
        g_free(operation);
}

static void operation_fail(GuestsOperation *operation, const GError *error) {
        call_fail(operation->call, error);
        operation_free(operation);
}

static void operation_drop(GuestsOperation *operation) {
        call_drop(operation->call);
        operation_free(operation);
}

static void operation_reply(GuestsOperation *operation) {
        call_reply(g_steal_pointer(&operation->call), guests_result_describe(operation->result, operation->dry_run));
}

static GuestWaiter waiter(GuestsOperation *operation, GuestAnswer answer, GuestOutcome outcome) {
        return (GuestWaiter) {
                        .call = g_steal_pointer(&operation->call),
                        .answer = answer,
                        .outcome = outcome,
                        .userdata = operation,
                        .drop = operation_free,
        };
}

/* One after the other */

static const Target *target_at_hand(const GuestsOperation *operation) {
        return g_ptr_array_index(operation->targets, operation->next);
}

/* "web1, web2, web3 and 7 more" */
static char *say_names(const GuestsOperation *operation) {
        g_autoptr(GString) text = g_string_new(NULL);
        const unsigned all = operation->targets->len, said = MIN(all, NAMES_SAID);

        for (unsigned i = 0; i < said; i++) {
                const Target *target = g_ptr_array_index(operation->targets, i);
                g_string_append_printf(text, "%s%s", i == 0 ? "" : ", ", target->name);
        }
        if (all > said)
                g_string_append_printf(text, " and %u more", all - said);
        return g_string_free(g_steal_pointer(&text), FALSE);
}

/* For the journal. */
static char *say_change(const GuestsOperation *operation, const char *name) {
        g_autofree char *parameters = guest_edit_to_string(operation->edit);

        return g_strdup_printf("%s: %s", name, parameters);
}

/* Nothing was asked about them. */
static void leave_rest(GuestsOperation *operation, const GError *why) {
        g_autoptr(GError) error = g_error_new(CONDITION, condition_of(why),
                                              "Not tried, as of the guest before it was said: %s", why->message);

        for (; operation->next < operation->targets->len; operation->next++)
                guests_result_add_failure(operation->result, target_at_hand(operation)->name, error);
}

static void on_planned(Call *call, GuestFound *found, const GError *error, gpointer userdata);

static void operation_go_on(GuestsOperation *operation) {
        if (operation->next == operation->targets->len) {
                operation_reply(operation);
                operation_free(operation);
                return;
        }
        const GuestWaiter next = waiter(operation, on_planned, NULL);
        guests_plan(operation->services->guests, &next, target_at_hand(operation)->uuid, operation->edit);
}

/* @error NULL: it went well. */
static void target_done(GuestsOperation *operation, const char *outcome, bool late, const GError *error) {
        if (error)
                guests_result_add_failure(operation->result, target_at_hand(operation)->name, error);
        else
                guests_result_add(operation->result, outcome, operation->plan,
                                  guests_host(operation->services->guests));
        g_clear_pointer(&operation->plan, guest_plan_free);
        operation->next++;
        if (error &&
            (late || condition_of(error) == CONDITION_LIBVIRT_UNAVAILABLE || condition_of(error) == CONDITION_INTERNAL))
                leave_rest(operation, error);
}

static void on_defined(Call *call, GuestFound *found, const GError *error, gpointer userdata) {
        GuestsOperation *operation = userdata;
        g_autofree char *title = say_change(operation, target_at_hand(operation)->name);

        operation->call = call;
        operation->plan = g_steal_pointer(&found->plan);
        if (found->begun) {
                /* What came of it is not known yet: that is on_outcome()'s to log. */
                const unsigned at_hand = operation->next;
                log_error("%s: %s", title, error->message);
                target_done(operation, NULL, true, error);
                operation_reply(operation);
                operation->next = at_hand;
                return;
        }
        log_change(operation->services->log_budget, &operation->caller, title, "applied", error);
        target_done(operation, "applied", found->late, error);
        operation_go_on(operation);
}

/* Its caller was told that it is late; the journal has what came of it all the same. */
static void on_outcome(const GError *error, gpointer userdata) {
        GuestsOperation *operation = userdata;
        g_autofree char *title = say_change(operation, target_at_hand(operation)->name);

        log_change(operation->services->log_budget, &operation->caller, title, "applied", error);
        operation_free(operation);
}

static void define(GuestsOperation *operation) {
        if (caller_is_gone(&operation->caller)) {
                operation_drop(operation);
                return;
        }
        const GuestWaiter next = waiter(operation, on_defined, on_outcome);
        guests_define(operation->services->guests, &next, g_steal_pointer(&operation->plan));
}

static void on_verdict(Verdict verdict, const Caller *caller, const GError *error, void *userdata) {
        GuestsOperation *operation = userdata;

        if (verdict == VERDICT_YES) {
                operation->caller = caller_copy(caller);
                operation->authorised = true;
                define(operation);
        } else if (verdict == VERDICT_NO) {
                g_autofree char *names = say_names(operation), *title = say_change(operation, names);
                log_change(operation->services->log_budget, caller, title, NULL, error);
                operation_fail(operation, error);
        } else
                operation_drop(operation);
}

static void authorise(GuestsOperation *operation) {
        g_autofree char *parameters = guest_edit_to_string(operation->edit), *names = say_names(operation);
        const AuthorityDetails details = {.guest = names, .parameters = parameters, .when = "now"};

        authority_ask(operation->services->authority, operation->call->message, &details, on_verdict, operation);
}

static void on_planned(Call *call, GuestFound *found, const GError *error, gpointer userdata) {
        GuestsOperation *operation = userdata;
        const bool unchanged = !error && guest_plan_is_unchanged(found->plan);

        operation->call = call;
        operation->plan = g_steal_pointer(&found->plan);
        if (error || unchanged || operation->dry_run) {
                target_done(operation, unchanged ? "unchanged" : "planned", found->late, error);
                operation_go_on(operation);
        } else if (operation->authorised)
                define(operation);
        else
                authorise(operation);
}

/* Which guests they are */

static void add_target(GuestsOperation *operation, const char *name, const char *uuid) {
        Target *target = g_new(Target, 1);

        *target = (Target) {.name = g_strdup(name), .uuid = g_strdup(uuid)};
        g_ptr_array_add(operation->targets, target);
}

/* uuid -> name, of name -> uuid; both stay the table's. */
static GHashTable *turn_round(GHashTable *names) {
        GHashTable *uuids = g_hash_table_new(g_str_hash, g_str_equal);
        GHashTableIter iter;
        gpointer name, uuid;

        g_hash_table_iter_init(&iter, names);
        while (g_hash_table_iter_next(&iter, &name, &uuid))
                (void) g_hash_table_insert(uuids, uuid, name);
        return uuids;
}

static void add_missing(GuestsOperation *operation, const char *word) {
        g_autoptr(GError) error =
                        g_error_new(CONDITION, CONDITION_NO_SUCH_GUEST,
                                    "No guest is called \"%s\"; those that there are: nestvirtctl guests", word);

        guests_result_add_failure(operation->result, word, error);
}

/* A guest that is named twice is one. */
static void find_named(GuestsOperation *operation, GHashTable *names) {
        g_autoptr(GHashTable) uuids = turn_round(names), seen = g_hash_table_new(g_str_hash, g_str_equal);

        for (unsigned i = 0; i < operation->words->len; i++) {
                const char *word = g_ptr_array_index(operation->words, i), *uuid = g_hash_table_lookup(names, word);
                g_autofree char *lower = g_ascii_strdown(word, -1);
                gpointer key = NULL;
                if (!uuid && g_hash_table_lookup_extended(uuids, lower, &key, NULL))
                        uuid = key;
                if (!g_hash_table_add(seen, uuid ? (gpointer) uuid : (gpointer) word))
                        continue;
                if (uuid)
                        add_target(operation, g_hash_table_lookup(uuids, uuid), uuid);
                else
                        add_missing(operation, word);
        }
}

static void find_all(GuestsOperation *operation, GHashTable *names) {
        g_autoptr(GPtrArray) sorted = sorted_keys(names);

        for (unsigned i = 0; i < sorted->len; i++) {
                const char *name = g_ptr_array_index(sorted, i);
                add_target(operation, name, g_hash_table_lookup(names, name));
        }
}

static void on_looked(Call *call, GuestFound *found, const GError *error, gpointer userdata) {
        GuestsOperation *operation = userdata;

        operation->call = call;
        if (error) {
                operation_fail(operation, error);
                return;
        }
        g_autoptr(GHashTable) names = guests_names(operation->services->guests);
        if (operation->words->len > 0)
                find_named(operation, names);
        else
                find_all(operation, names);
        operation_go_on(operation);
}

/* The call */

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
        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "The call can't be read: %s", strerror(-r));
        return NULL;
}

int operation_guests_set_cpus(sd_bus_message *message, void *userdata, sd_bus_error *error) {
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
        GuestsOperation *operation = g_new0(GuestsOperation, 1);
        *operation = (GuestsOperation) {
                        .services = services,
                        .call = call,
                        .words = g_steal_pointer(&words),
                        .targets = g_ptr_array_new_with_free_func(target_free),
                        .edit = g_steal_pointer(&edit),
                        .dry_run = flags & REQUEST_DRY_RUN,
                        .result = guests_result_new(),
        };
        const GuestWaiter first = waiter(operation, on_looked, NULL);
        method_look(object, &first, NULL);
        return 1;
}
