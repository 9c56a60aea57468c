/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The method Probe: who may, when, and what the program has left. The probe itself is a program of
 * its own, as it opens /dev/kvm; it runs in a turn, since it pins the modules. */

#include <errno.h>
#include <string.h>

#include "authority.h"
#include "bus.h"
#include "call.h"
#include "error.h"
#include "file.h"
#include "helper.h"
#include "object.h"
#include "probe-result.h"

/* Above the unit's own. */
#define TIMEOUT_SEC 150U

typedef struct Probe {
        Call *call;
        Caller caller; /* known from the authorisation on */
        bool times;
} Probe;

static void probe_free(Probe *probe) {
        caller_clear(&probe->caller);
        g_free(probe);
}

static void probe_drop(gpointer data) {
        Probe *probe = data;

        call_drop(probe->call);
        probe_free(probe);
}

static void probe_fail(Probe *probe, const GError *error) {
        call_fail(probe->call, error);
        probe_free(probe);
}

static void on_done(int status, const char *detail, gpointer data) {
        Probe *probe = data;
        Daemon *daemon = probe->call->daemon;
        g_autoptr(GError) error = NULL;

        /* The signal first: who has the reply has seen it. */
        daemon_refresh(daemon);
        GVariant *result = daemon->host->probe;
        if (status < 0)
                g_set_error(&error, CONDITION, status == -ETIMEDOUT ? CONDITION_TIMED_OUT : CONDITION_INTERNAL,
                            "The probe gave no result: %s", detail ?: strerror(-status));
        else if (g_variant_n_children(result) == 0)
                g_set_error(&error, CONDITION, CONDITION_INTERNAL,
                            "The probe gave no result: nestvirt-probe ended with %d; what it said is in the journal",
                            status);
        if (error)
                probe_fail(probe, error);
        else {
                call_reply(probe->call, g_variant_new("(@a{sv})", result));
                probe_free(probe);
        }
        turns_end(daemon->turns);
}

static void run(Probe *probe) {
        Daemon *daemon = probe->call->daemon;
        const char *measure = probe->times ? "times" : "counts";
        g_autofree char *unit = g_strdup_printf("nestvirt-probe@%s.service", measure);
        g_autofree char *node = root_device_path(daemon->root, "kvm"), *device = g_strdup_printf("--device=%s", node);
        g_autofree char *output = root_absolute(daemon->root, PROBE_RESULT_PATH);
        g_autofree char *what = g_strdup_printf("--measure=%s", measure);
        const char *const argv[] = {"nestvirt-probe", "--variant", what, device, NULL};
        const HelperTask task = {.unit = unit, .argv = argv, .output = output, .timeout_sec = TIMEOUT_SEC};

        helper_run(daemon->prober, &task, on_done, probe);
}

/* What the last run has left is not to be taken for this one's. */
static bool probe_execute(gpointer data) {
        Probe *probe = data;
        g_autoptr(GError) error = NULL;

        if (caller_is_gone(&probe->caller)) {
                probe_drop(probe);
                return false;
        }
        if (!file_write(probe->call->daemon->root, PROBE_RESULT_PATH, "", &error)) {
                probe_fail(probe, error);
                return false;
        }
        run(probe);
        return true;
}

static void on_verdict(Verdict verdict, const Caller *caller, const GError *error, void *userdata) {
        Probe *probe = userdata;

        if (verdict == VERDICT_YES) {
                probe->caller = caller_copy(caller);
                turns_ask(probe->call->daemon->turns, probe_execute, probe_drop, probe);
        } else if (verdict == VERDICT_NO)
                probe_fail(probe, error);
        else
                probe_drop(probe);
}

static bool read_options(sd_bus_message *message, bool *times, GError **error) {
        const char *name;
        unsigned n = 0;
        int value, r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &name);
                if (r >= 0 && !g_str_equal(name, "Times")) {
                        g_set_error_literal(error, CONDITION, CONDITION_INVALID_ARGS,
                                            "The only option of Probe is Times");
                        return false;
                }
                if (++n > 1) {
                        g_set_error_literal(error, CONDITION, CONDITION_INVALID_ARGS, "Times is given twice");
                        return false;
                }
                if (r >= 0)
                        r = sd_bus_message_read(message, "v", "b", &value);
                if (r >= 0) {
                        *times = value;
                        r = sd_bus_message_exit_container(message);
                }
        }
        if (r >= 0)
                return true;
        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "The call can't be read: %s", strerror(-r));
        return false;
}

int bus_method_probe(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Daemon *daemon = ((Object *) userdata)->daemon;
        g_autoptr(GError) refused = NULL;
        bool times = false;
        uint64_t flags;

        if (!bus_read_flags(message, 0, &flags, &refused) || !read_options(message, &times, &refused))
                return bus_error(error, refused);
        if (daemon->loader->inert) {
                g_set_error_literal(&refused, CONDITION, CONDITION_UNSUPPORTED,
                                    "This is a tree of files, not the running machine: no guest can run there");
                return bus_error(error, refused);
        }
        Call *call = call_new(daemon, message, &refused);
        if (!call)
                return bus_error(error, refused);

        Probe *probe = g_new0(Probe, 1);
        *probe = (Probe) {.call = call, .times = times};
        authority_ask(daemon->authority, message, NULL, on_verdict, probe);
        return 1;
}
