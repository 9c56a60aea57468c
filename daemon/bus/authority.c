/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The steps of one question: watch for the caller's leaving, ask the bus who it is, ask polkit. The
 * match goes out before the first question, so a caller that leaves at any time is noticed: by the
 * match, or by the bus not knowing it. */

#include <errno.h>
#include <string.h>

#include "authority.h"
#include "cleanup.h"
#include "error.h"
#include "fair-queue.h"
#include "names.h"
#include "question.h"

/* A person may take a while to find the password; a polkitd that hangs must not be waited for for
 * ever. */
#define POLKIT_TIMEOUT_USEC (5 * 60 * G_USEC_PER_SEC)

/* dbus-daemon lets a connection wait for 128 answers at a time (max_replies_per_connection, where
 * nobody has configured it), and whatever more we asked would fail: also what we ask systemd, which
 * has the rest to itself. polkit answers when a person has, or nobody does, so one user must not
 * have them all, from however many connections. */
#define QUESTIONS_MAX 96U
#define QUESTIONS_OF_USER_MAX 16U
/* What polkit answers by itself: beside those, and the next ones wait until it has. Where it does
 * not, whoever only reads is told less. */
#define READINGS_MAX 8U
#define READING_TIMEOUT_USEC (5 * G_USEC_PER_SEC)

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_IFACE "org.freedesktop.PolicyKit1.Authority"
#define POLKIT_ALLOW_INTERACTION 1U

struct Authority {
        sd_bus *bus;
        bool always_ask;
        GHashTable *asks; /* Ask*, a set */
        unsigned serial;
        unsigned readings;  /* polkit is asked so many of that kind, */
        FairQueue *waiting; /* and these (Ask*) are next, in turns of the users */
};

typedef struct Ask {
        Authority *authority;
        sd_bus_message *call;
        const Question *question;
        char *module;
        char *parameters;
        char *guest;
        const char *when;
        Caller caller;
        sd_bus_slot *step;  /* the question under way */
        char *cancellation; /* while polkit is asked */
        AuthorityDone done;
        void *userdata;
} Ask;

static void ask_free(Ask *ask) {
        sd_bus_message_unref(ask->call);
        sd_bus_slot_unref(ask->step);
        g_free(ask->module);
        g_free(ask->parameters);
        g_free(ask->guest);
        caller_clear(&ask->caller);
        g_free(ask->cancellation);
        g_free(ask);
}

static void ask_next(Authority *authority);

/* Takes @error over. */
static void ask_finish(Ask *ask, Verdict verdict, GError *error) {
        Authority *authority = ask->authority;
        g_autoptr(GError) reason = error;
        const bool reads = ask->question == &question_reading && ask->cancellation;

        (void) g_hash_table_steal(authority->asks, ask);
        (void) fair_queue_remove(authority->waiting, ask->caller.uid, ask);
        caller_release(&ask->caller);
        ask->done(verdict, &ask->caller, reason, ask->userdata);
        ask_free(ask);
        if (reads) {
                authority->readings--;
                ask_next(authority);
        }
}

static void G_GNUC_PRINTF(3, 4) ask_refuse(Ask *ask, Condition condition, const char *format, ...) {
        va_list args;

        va_start(args, format);
        GError *error = g_error_new_valist(CONDITION, (int) condition, format, args);
        va_end(args);
        ask_finish(ask, VERDICT_NO, error);
}

/* The dialog that nobody needs any more goes away. */
static void ask_cancel(Ask *ask) {
        if (ask->cancellation)
                (void) sd_bus_call_method_async(ask->authority->bus, NULL, POLKIT_NAME, POLKIT_PATH, POLKIT_IFACE,
                                                "CancelCheckAuthorization", NULL, NULL, "s", ask->cancellation);
}

static void ask_leave(void *userdata) {
        Ask *ask = userdata;

        ask_cancel(ask);
        ask_finish(ask, VERDICT_GONE, NULL);
}

/* It does not answer: then it is no for those, too, who would have waited for it. */
static void refuse_waiting(Authority *authority, const char *why) {
        Ask *ask;

        while ((ask = fair_queue_pop(authority->waiting)))
                ask_refuse(ask, CONDITION_ACCESS_DENIED, "Not allowed: polkit can't be asked (%s)", why);
}

/* Behind the two verdicts: whether the person who was asked has closed the dialog. */
static bool is_dismissed(sd_bus_message *reply) {
        const char *name, *value;
        bool found = false;

        if (sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "{ss}") >= 0)
                while (sd_bus_message_read(reply, "{ss}", &name, &value) > 0)
                        found = found || g_str_equal(name, "polkit.dismissed");
        return found;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
        Ask *ask = userdata;
        const sd_bus_error *failed = sd_bus_message_get_error(reply);
        int authorised = false, challenge = false;

        if (failed) {
                if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY) > 0 ||
                    sd_bus_message_is_method_error(reply, SD_BUS_ERROR_TIMEOUT) > 0) {
                        ask_cancel(ask);
                        if (ask->question == &question_reading)
                                refuse_waiting(ask->authority, failed->message ?: failed->name);
                }
                ask_refuse(ask, CONDITION_ACCESS_DENIED,
                           "Not allowed: polkit, which decides about everybody but root, can't be asked (%s). See "
                           "\"systemctl status polkit\", or do it as root",
                           failed->message ?: failed->name);
                return 1;
        }

        int r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_STRUCT, "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(reply, "bb", &authorised, &challenge);
        if (r < 0)
                ask_refuse(ask, CONDITION_ACCESS_DENIED, "Not allowed: polkit's answer can't be read: %s",
                           strerror(-r));
        else if (authorised)
                ask_finish(ask, VERDICT_YES, NULL);
        else if (challenge && sd_bus_message_get_allow_interactive_authorization(ask->call) <= 0)
                ask_refuse(ask, CONDITION_INTERACTIVE_AUTHORIZATION_REQUIRED,
                           "The action %s needs a password, and this call does not let polkit ask for one",
                           ask->question->action);
        else if (challenge)
                ask_refuse(ask, CONDITION_ACCESS_DENIED,
                           "Not allowed: the action %s needs a password, and polkit got none, or nobody was there to "
                           "be "
                           "asked. Do it on a terminal of this host, or as root",
                           ask->question->action);
        else if (is_dismissed(reply))
                ask_refuse(ask, CONDITION_ACCESS_DENIED,
                           "Not allowed: the question for a password, which the action %s needs, was closed",
                           ask->question->action);
        else
                ask_refuse(ask, CONDITION_ACCESS_DENIED, "Not allowed: polkit says no to the action %s",
                           ask->question->action);
        return 1;
}

static int ask_polkit(Ask *ask) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        sd_bus *bus = ask->authority->bus;
        const bool interactive = ask->question != &question_reading &&
                                 sd_bus_message_get_allow_interactive_authorization(ask->call) > 0;
        int r;

        ask->cancellation = g_strdup_printf("nestvirtd-%u", ask->authority->serial++);
        r = sd_bus_message_new_method_call(bus, &message, POLKIT_NAME, POLKIT_PATH, POLKIT_IFACE, "CheckAuthorization");
        if (r < 0)
                return r;
        r = sd_bus_message_append(message, "(sa{sv})s", "system-bus-name", 1, "name", "s", ask->caller.sender,
                                  ask->question->action);
        if (r < 0)
                return r;
        r = sd_bus_message_append(message, "a{ss}us", 6, "module", ask->module, "parameters", ask->parameters, "when",
                                  ask->when, "guest", ask->guest, "polkit.message",
                                  question_message(ask->question, ask->when), "polkit.gettext_domain", QUESTION_DOMAIN,
                                  interactive ? POLKIT_ALLOW_INTERACTION : 0U, ask->cancellation);
        if (r < 0)
                return r;
        return sd_bus_call_async(bus, &ask->step, message, on_answer, ask,
                                 ask->question == &question_reading ? READING_TIMEOUT_USEC : POLKIT_TIMEOUT_USEC);
}

static void ask_try_polkit(Ask *ask) {
        int r = ask_polkit(ask);

        if (r < 0)
                ask_refuse(ask, CONDITION_ACCESS_DENIED, "Not allowed: polkit can't be asked (%s)", strerror(-r));
}

/* The next that reads. */
static void ask_next(Authority *authority) {
        Ask *ask = authority->readings < READINGS_MAX ? fair_queue_pop(authority->waiting) : NULL;

        if (!ask)
                return;
        authority->readings++;
        ask_try_polkit(ask);
}

/* False, and @ask is refused and gone: polkit has too many questions already. */
static bool may_ask_polkit(Ask *ask) {
        const uid_t uid = ask->caller.uid;
        unsigned open = 0, of_user = 0;
        GHashTableIter i;
        gpointer key;

        g_hash_table_iter_init(&i, ask->authority->asks);
        while (g_hash_table_iter_next(&i, &key, NULL)) {
                const Ask *other = key;
                const bool asked = other->cancellation && other->question != &question_reading;
                open += asked;
                of_user += asked && other->caller.uid == uid;
        }
        if (of_user >= QUESTIONS_OF_USER_MAX)
                ask_refuse(ask, CONDITION_LIMITS_EXCEEDED,
                           "polkit has not answered %u questions about what the user with uid %u asked for, and gets "
                           "no more of them: answer or close their dialogs, or end the programs that ask, and try "
                           "again",
                           of_user, uid);
        else if (open >= QUESTIONS_MAX)
                ask_refuse(ask, CONDITION_LIMITS_EXCEEDED,
                           "polkit has not answered %u questions of several users, and gets no more of them: answer or "
                           "close their dialogs and try again, or do it as root",
                           open);
        else
                return true;
        return false;
}

static int on_credentials(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
        Ask *ask = userdata;
        const sd_bus_error *failed = sd_bus_message_get_error(reply);
        int r;

        ask->step = sd_bus_slot_unref(ask->step);
        if (failed && sd_bus_error_has_name(failed, SD_BUS_ERROR_NAME_HAS_NO_OWNER)) {
                ask_leave(ask);
                return 1;
        }
        r = failed ? -sd_bus_error_get_errno(failed) : caller_read(&ask->caller, reply);
        if (r < 0) {
                ask_refuse(ask, CONDITION_ACCESS_DENIED, "Not allowed: the bus does not say who asks (%s)",
                           strerror(-r));
                return 1;
        }
        if (ask->caller.uid == 0 && (ask->question == &question_reading || !ask->authority->always_ask)) {
                ask_finish(ask, VERDICT_YES, NULL);
                return 1;
        }
        if (ask->question == &question_reading) {
                fair_queue_push(ask->authority->waiting, ask->caller.uid, ask);
                ask_next(ask->authority);
        } else if (may_ask_polkit(ask))
                ask_try_polkit(ask);
        return 1;
}

static int ask_begin(Ask *ask) {
        sd_bus *bus = ask->authority->bus;
        int r = caller_watch(&ask->caller, bus, ask_leave, ask);
        if (r < 0)
                return r;
        return sd_bus_call_method_async(bus, &ask->step, DBUS_NAME, DBUS_PATH, DBUS_NAME, "GetConnectionCredentials",
                                        on_credentials, ask, "s", ask->caller.sender);
}

Authority *authority_new(sd_bus *bus, bool always_ask) {
        Authority *authority = g_new0(Authority, 1);

        authority->bus = bus;
        authority->always_ask = always_ask;
        authority->asks = g_hash_table_new(NULL, NULL);
        authority->waiting = fair_queue_new();
        return authority;
}

void authority_free(Authority *authority) {
        if (!authority)
                return;
        while (fair_queue_pop(authority->waiting))
                continue;
        g_autoptr(GList) asks = g_hash_table_get_keys(authority->asks);
        for (GList *i = asks; i; i = i->next)
                ask_leave(i->data);
        g_hash_table_unref(authority->asks);
        fair_queue_free(authority->waiting, NULL);
        g_free(authority);
}

/* D-Bus takes UTF-8 alone. */
static char *detail(const char *text) {
        return g_utf8_make_valid(text ?: "", -1);
}

static void ask_new(Authority *authority, sd_bus_message *call, const Question *question,
                    const AuthorityDetails *details, AuthorityDone done, void *userdata) {
        Ask *ask = g_new0(Ask, 1);

        *ask = (Ask) {
                        .authority = authority,
                        .call = sd_bus_message_ref(call),
                        .question = question,
                        .module = detail(details->module),
                        .parameters = detail(details->parameters),
                        .guest = detail(details->guest),
                        .when = details->when ?: "",
                        .caller = {.sender = g_strdup(sd_bus_message_get_sender(call)), .uid = (uid_t) -1},
                        .done = done,
                        .userdata = userdata,
        };
        (void) g_hash_table_add(authority->asks, ask);

        /* The peer that has started us may what we may: read, and write files. It has nobody reload
         * the modules of a machine. */
        if (question && !ask->caller.sender &&
            (question == &question_reading || g_str_equal(question->member, "Apply"))) {
                ask_finish(ask, VERDICT_YES, NULL);
                return;
        }
        int r = question && ask->caller.sender ? ask_begin(ask) : -EACCES;
        if (r < 0)
                ask_refuse(ask, CONDITION_ACCESS_DENIED, "Not allowed: nothing says who may call %s (%s)",
                           sd_bus_message_get_member(call), strerror(-r));
}

void authority_ask(Authority *authority, sd_bus_message *call, const AuthorityDetails *details, AuthorityDone done,
                   void *userdata) {
        const AuthorityDetails none = {};

        details = details ?: &none;
        ask_new(authority, call,
                question_find(sd_bus_message_get_interface(call), sd_bus_message_get_member(call), details->action),
                details, done, userdata);
}

bool authority_knows(const Authority *authority, const Call *call, Caller *ret) {
        if (authority->always_ask || call_uid(call) != 0 || !sd_bus_message_get_sender(call->message))
                return false;
        *ret = call_caller(call);
        return true;
}

void authority_ask_details(Authority *authority, sd_bus_message *call, AuthorityDone done, void *userdata) {
        ask_new(authority, call, &question_reading, &(AuthorityDetails) {}, done, userdata);
}
