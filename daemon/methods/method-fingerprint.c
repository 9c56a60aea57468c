/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The methods GetFingerprint, CompareFingerprints, and Compare of a guest: in a turn, the helper
 * asks /dev/kvm, and the host is read with what it has left. That is kept for all who asked before
 * it was begun, as findings are (method-check.c). What is compared is told by the caller, or is
 * this host's; a guest is looked at before, and judged as it is known when the host is. */

#include <string.h>

#include "describe-fingerprint.h"
#include "error.h"
#include "guest-elsewhere.h"
#include "guest-look.h"
#include "methods.h"
#include "services.h"

/* Of each dictionary that is told, and of their texts. */
#define ENTRIES_MAX 128U
#define TEXT_MAX 128U

struct Fingerprints {
        Fingerprint *here; /* NULL: none yet, or @error */
        GError *error;
        gint64 begun; /* g_get_monotonic_time() */
        gint64 read;  /* the reading of the host that it was made of */
};

typedef struct Question {
        Services *services;
        Call *call;
        Fingerprint *first, *second; /* NULL: this host's; @first NULL: nothing is compared */
        char *guest;                 /* the UUID of the guest of this host that is to go to the @first; or NULL */
        gint64 begun;
} Question;

Fingerprints *fingerprints_new(void) {
        return g_new0(Fingerprints, 1);
}

static void forget(Fingerprints *fingerprints) {
        g_clear_pointer(&fingerprints->here, fingerprint_free);
        g_clear_error(&fingerprints->error);
}

void fingerprints_free(Fingerprints *fingerprints) {
        if (!fingerprints)
                return;
        forget(fingerprints);
        g_free(fingerprints);
}

static void question_free(gpointer data) {
        Question *question = data;

        g_free(question->guest);
        fingerprint_free(question->first);
        fingerprint_free(question->second);
        g_free(question);
}

static void question_drop(gpointer data) {
        Question *question = data;

        call_drop(question->call);
        question_free(question);
}

/* Without @here there are no differences. */
static GVariant *describe_elsewhere(const GuestElsewhere *elsewhere, const Fingerprint *here,
                                    const Fingerprint *there) {
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&builder, "{sv}", "Differences",
                              describe_differences(here, there, elsewhere->differences, "here", "there"));
        g_variant_builder_add(&builder, "{sv}", "Reason", g_variant_new_string(elsewhere->reason));
        g_variant_builder_add(&builder, "{sv}", "Verdict", g_variant_new_string(elsewhere->verdict));
        return g_variant_new("(a{sv})", &builder);
}

/* False when that takes what KVM offers @here, which is NULL. */
static bool reply_guest(const Question *question, const Fingerprint *here) {
        const Guests *guests = question->services->guests;
        const GuestFacts *facts = guests_find(guests, question->guest);
        g_autoptr(GuestElsewhere) elsewhere = NULL;
        g_autoptr(GError) gone = NULL;

        if (!facts) {
                g_set_error(&gone, CONDITION, CONDITION_NO_SUCH_GUEST, "The guest %s is there no longer",
                            question->guest);
                call_fail(question->call, gone);
                return true;
        }
        elsewhere = guest_elsewhere_new(facts, guests_host(guests), here ? here->ability : NULL,
                                        question->first->ability);
        if (elsewhere)
                call_reply(question->call, describe_elsewhere(elsewhere, here, question->first));
        return elsewhere;
}

static void reply(Question *question) {
        const Fingerprints *fingerprints = question->services->fingerprints;
        const Fingerprint *second = question->second ?: fingerprints->here;

        if (!second)
                call_fail(question->call, fingerprints->error);
        else if (question->guest)
                (void) reply_guest(question, second);
        else if (question->first)
                call_reply(question->call, describe_comparison(question->first, second));
        else
                call_reply(question->call, describe_fingerprint(second));
        question_free(question);
}

static void find(const Question *question) {
        Fingerprints *fingerprints = question->services->fingerprints;
        HostState *state = question->services->state;

        /* The helper may have left what /dev/kvm says. */
        host_state_refresh(state);
        forget(fingerprints);
        fingerprints->here = fingerprint_of_host(state->host, &fingerprints->error);
        fingerprints->begun = question->begun;
        fingerprints->read = state->refreshed;
}

static void on_checked(const char *word, gpointer data) {
        Question *question = data;
        OperationQueue *queue = question->services->queue;

        find(question);
        reply(question);
        operation_queue_end(queue);
}

static bool is_known(const Question *question) {
        const Fingerprints *fingerprints = question->services->fingerprints;

        return question->second ||
               ((fingerprints->here || fingerprints->error) && fingerprints->begun > question->call->asked &&
                fingerprints->read == question->services->state->refreshed);
}

static bool question_begin(gpointer data) {
        Question *question = data;
        const Services *services = question->services;

        /* For some guests /dev/kvm need not be asked. */
        if (question->guest && reply_guest(question, NULL)) {
                question_free(question);
                return false;
        }
        if (is_known(question)) {
                reply(question);
                return false;
        }
        question->begun = g_get_monotonic_time();
        /* Beneath another root there is what somebody has put there. */
        if (services->state->loader->inert) {
                find(question);
                reply(question);
                return false;
        }
        device_check(services->device, on_checked, question_drop, question);
        return true;
}

/* The pairs of a{ss}; 1, 0 at the end, or a negative errno. */
static int read_pair(sd_bus_message *message, const char **name, const char **text) {
        int r = sd_bus_message_read(message, "{ss}", name, text);

        if (r <= 0)
                return r;
        return strnlen(*name, TEXT_MAX) < TEXT_MAX && strnlen(*text, TEXT_MAX) < TEXT_MAX ? 1 : -E2BIG;
}

static int read_pairs(sd_bus_message *message, Fingerprint *fingerprint, bool ability, GError **error) {
        const char *name, *text;
        unsigned n = 0;
        int r = sd_bus_message_enter_container(message, SD_BUS_TYPE_VARIANT, "a{ss}");

        if (r >= 0)
                r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "{ss}");
        while (r >= 0 && (r = read_pair(message, &name, &text)) > 0) {
                if (n++ >= ENTRIES_MAX)
                        return -E2BIG;
                if (!ability)
                        fingerprint_add_parameter(fingerprint, name, text);
                else if (!fingerprint_add_ability(fingerprint, name, text, error))
                        return -EINVAL;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* What only explains it is passed over. */
static int read_entry(sd_bus_message *message, Fingerprint *fingerprint, const char **sha256, GError **error) {
        const char *name;
        int r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &name);

        if (r < 0)
                return r;
        if (g_str_equal(name, "Ability"))
                return read_pairs(message, fingerprint, true, error);
        if (g_str_equal(name, "Parameters"))
                return read_pairs(message, fingerprint, false, error);
        if (g_str_equal(name, "Sha256"))
                return sd_bus_message_read(message, "v", "s", sha256);
        return sd_bus_message_skip(message, "v");
}

/* One that is empty stands for this host, when that @may_be. */
static bool read_told(sd_bus_message *message, bool may_be, Fingerprint **ret, GError **error) {
        g_autoptr(Fingerprint) told = fingerprint_new();
        const char *sha256 = NULL;
        unsigned n = 0;
        int r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                r = n++ < ENTRIES_MAX ? read_entry(message, told, &sha256, error) : -E2BIG;
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        if (r < 0) {
                if (error && !*error)
                        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "The fingerprint can't be read: %s",
                                    strerror(-r));
                return false;
        }
        if (n == 0 && may_be)
                return true;
        if (!fingerprint_is_whole(told, sha256, error))
                return false;
        *ret = g_steal_pointer(&told);
        return true;
}

static int begin(Services *services, Call *call, Fingerprint *first, Fingerprint *second) {
        Question *question = g_new0(Question, 1);

        *question = (Question) {.services = services, .call = call, .first = first, .second = second};
        call_ask_turn(call, services->queue, question_begin, question_drop, question);
        return 1;
}

int method_get_fingerprint(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Services *services = object_services(userdata);
        Call *call;

        int r = call_take(services->calls, message, 0, NULL, &call, error);
        return r < 0 ? r : begin(services, call, NULL, NULL);
}

int method_compare_fingerprints(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Services *services = object_services(userdata);
        g_autoptr(Fingerprint) first = NULL, second = NULL;
        g_autoptr(GError) refused = NULL;
        uint64_t flags;
        Call *call = NULL;

        if (call_read_flags(message, 0, &flags, &refused) && read_told(message, false, &first, &refused) &&
            read_told(message, true, &second, &refused))
                call = call_new(services->calls, message, &refused);
        if (!call)
                return call_refuse(error, refused);
        return begin(services, call, g_steal_pointer(&first), g_steal_pointer(&second));
}

static void on_guest(Call *call, GuestFound *found, const GError *error, gpointer userdata) {
        Question *question = userdata;

        question->call = call;
        if (error) {
                call_fail(call, error);
                question_free(question);
                return;
        }
        /* Also where /dev/kvm need not be asked: in the middle of a change the host is none to
         * judge guests by. */
        call_ask_turn(call, question->services->queue, question_begin, question_drop, question);
}

int method_compare_guest(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Object *object = userdata;
        Services *services = object_services(object);
        g_autoptr(Fingerprint) there = NULL;
        g_autoptr(GError) refused = NULL;
        uint64_t flags;
        Call *call = NULL;

        if (call_read_flags(message, 0, &flags, &refused) && read_told(message, false, &there, &refused))
                call = call_new(services->calls, message, &refused);
        if (!call)
                return call_refuse(error, refused);
        Question *question = g_new0(Question, 1);
        *question = (Question) {
                        .services = services, .first = g_steal_pointer(&there), .guest = object_guest_uuid(object)};
        guest_look(object,
                   &(GuestWaiter) {.call = call, .answer = on_guest, .userdata = question, .drop = question_free},
                   question->guest);
        return 1;
}
