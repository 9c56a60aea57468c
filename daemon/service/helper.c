/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Both ways to run the helper, and one time-out for both. A unit's steps: load it, hold a reference
 * so that it is not forgotten together with its exit status, start it, wait for the job, read the
 * status. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper.h"

#define USEC_PER_SEC UINT64_C(1000000)
#define TIMEOUT_ACCURACY_USEC (1000U * 1000U)

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define SYSTEMD_UNIT "org.freedesktop.systemd1.Unit"
#define SYSTEMD_SERVICE "org.freedesktop.systemd1.Service"

struct Helper {
        sd_event *event;
        sd_bus *bus;
        const char *folder; /* NULL: as units */
        char *name;         /* of the unit */
        HelperDone done;    /* NULL: nothing is under way */
        gpointer userdata;
        sd_event_source *timeout;
        int failed; /* it could not even begin: told from the loop, as every end is */
        sd_event_source *child;
        char *unit;        /* object path, once it is held */
        char *job;         /* object path, once it is known */
        sd_bus_slot *jobs; /* the match */
        sd_bus_slot *step; /* the call under way */
};

/* Nothing of the run is left but its answer. */
static void helper_clear(Helper *helper) {
        (void) sd_event_source_set_enabled(helper->timeout, SD_EVENT_OFF);
        helper->child = sd_event_source_disable_unref(helper->child);
        helper->jobs = sd_bus_slot_unref(helper->jobs);
        helper->step = sd_bus_slot_unref(helper->step);
        if (helper->unit)
                (void) sd_bus_call_method_async(helper->bus, NULL, SYSTEMD_NAME, helper->unit, SYSTEMD_UNIT, "Unref",
                                                NULL, NULL, NULL);
        g_clear_pointer(&helper->unit, g_free);
        g_clear_pointer(&helper->job, g_free);
        g_clear_pointer(&helper->name, g_free);
}

static void helper_finish(Helper *helper, int status, const char *detail) {
        const HelperDone done = g_steal_pointer(&helper->done);
        g_autofree char *kept = g_strdup(detail);

        helper_clear(helper);
        done(status, kept, helper->userdata);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        Helper *helper = userdata;

        if (helper->failed < 0)
                helper_finish(helper, helper->failed, NULL);
        else
                helper_finish(helper, -ETIMEDOUT, "it does not end");
        return 0;
}

static int on_child(sd_event_source *source, const siginfo_t *info, void *userdata) {
        if (info->si_code == CLD_EXITED)
                helper_finish(userdata, info->si_status, NULL);
        else
                helper_finish(userdata, -EPROTO, "it was killed");
        return 0;
}

static int spawn(const char *path, char *const *argv, const char *output, pid_t *ret) {
        char *const environment[] = {NULL};
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t none;

        (void) sigemptyset(&none);
        int r = -posix_spawn_file_actions_init(&actions);
        if (r < 0)
                return r;
        r = output ? -posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output,
                                                       O_WRONLY | O_TRUNC | O_NOFOLLOW | O_NOCTTY, 0)
                   : 0;
        if (r >= 0)
                r = -posix_spawnattr_init(&attributes);
        if (r < 0) {
                (void) posix_spawn_file_actions_destroy(&actions);
                return r;
        }
        /* The loop's signals are blocked in us; they are not to be in the child. */
        (void) posix_spawnattr_setsigmask(&attributes, &none);
        (void) posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        r = -posix_spawn(ret, path, &actions, &attributes, argv, environment);
        (void) posix_spawnattr_destroy(&attributes);
        (void) posix_spawn_file_actions_destroy(&actions);
        return r;
}

static int run_child(Helper *helper, const HelperTask *task) {
        g_auto(GStrv) argv = g_strdupv((char **) task->argv);
        pid_t pid;

        g_free(argv[0]);
        argv[0] = g_build_filename(helper->folder, task->argv[0], NULL);
        int r = spawn(argv[0], argv, task->output, &pid);
        if (r < 0)
                return r;
        r = sd_event_add_child(helper->event, &helper->child, pid, WEXITED, on_child, helper);
        if (r < 0) {
                (void) kill(pid, SIGKILL);
                (void) waitpid(pid, NULL, 0);
                return r;
        }
        /* It does not outlive its event source. */
        return sd_event_source_set_child_process_own(helper->child, true);
}

/* Tells the failure of a step; true when there was one. */
static bool step_failed(Helper *helper, sd_bus_message *reply) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        helper->step = sd_bus_slot_unref(helper->step);
        if (error)
                helper_finish(helper, -sd_bus_message_get_errno(reply), error->message ?: error->name);
        return error;
}

static int next_step(Helper *helper, int r) {
        if (r < 0)
                helper_finish(helper, r, NULL);
        return 1;
}

static int on_status(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
        Helper *helper = userdata;
        int32_t status;

        if (step_failed(helper, reply))
                return 1;
        int r = sd_bus_message_read(reply, "v", "i", &status);
        helper_finish(helper, r < 0 ? r : status, NULL);
        return 1;
}

static int on_job_removed(sd_bus_message *signal, void *userdata, sd_bus_error *unused) {
        Helper *helper = userdata;
        const char *job, *unit, *result;

        if (sd_bus_message_read(signal, "uoss", NULL, &job, &unit, &result) < 0 || g_strcmp0(job, helper->job) != 0)
                return 0;
        if (!g_str_equal(result, "done")) {
                g_autofree char *detail = g_strdup_printf("the job of %s ended as \"%s\"; see \"systemctl status %s\"",
                                                          unit, result, unit);
                helper_finish(helper, -EPROTO, detail);
                return 0;
        }
        (void) next_step(helper, sd_bus_call_method_async(helper->bus, &helper->step, SYSTEMD_NAME, helper->unit,
                                                          "org.freedesktop.DBus.Properties", "Get", on_status, helper,
                                                          "ss", SYSTEMD_SERVICE, "ExecMainStatus"));
        return 0;
}

static int on_started(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
        Helper *helper = userdata;
        const char *job;

        if (step_failed(helper, reply))
                return 1;
        int r = sd_bus_message_read_basic(reply, SD_BUS_TYPE_OBJECT_PATH, &job);
        if (r >= 0)
                helper->job = g_strdup(job);
        return next_step(helper, r);
}

static int on_held(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
        Helper *helper = userdata;

        if (step_failed(helper, reply))
                return 1;
        return next_step(helper, sd_bus_call_method_async(helper->bus, &helper->step, SYSTEMD_NAME, SYSTEMD_PATH,
                                                          SYSTEMD_MANAGER, "StartUnit", on_started, helper, "ss",
                                                          helper->name, "replace"));
}

static int on_loaded(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
        Helper *helper = userdata;
        const char *path;

        if (step_failed(helper, reply))
                return 1;
        int r = sd_bus_message_read_basic(reply, SD_BUS_TYPE_OBJECT_PATH, &path);
        if (r >= 0) {
                helper->unit = g_strdup(path);
                r = sd_bus_call_method_async(helper->bus, &helper->step, SYSTEMD_NAME, path, SYSTEMD_UNIT, "Ref",
                                             on_held, helper, NULL);
        }
        return next_step(helper, r);
}

/* The default would end the connection. Without the match nobody would tell of the end. */
static int on_match(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        if (error)
                helper_finish(userdata, -sd_bus_message_get_errno(reply), error->message ?: error->name);
        return 0;
}

static int run_unit(Helper *helper) {
        sd_bus *bus = helper->bus;

        int r = sd_bus_match_signal_async(bus, &helper->jobs, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved",
                                          on_job_removed, on_match, helper);
        if (r < 0)
                return r;
        return sd_bus_call_method_async(bus, &helper->step, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "LoadUnit",
                                        on_loaded, helper, "s", helper->name);
}

void helper_run(Helper *helper, const HelperTask *task, HelperDone done, gpointer userdata) {
        const uint64_t timeout = task->timeout_sec * USEC_PER_SEC;

        helper->name = g_strdup(task->unit);
        helper->done = done;
        helper->userdata = userdata;
        helper->failed = helper->folder ? run_child(helper, task) : run_unit(helper);
        (void) sd_event_source_set_time_relative(helper->timeout, helper->failed < 0 ? 0 : timeout);
        (void) sd_event_source_set_enabled(helper->timeout, SD_EVENT_ONESHOT);
}

Helper *helper_new(sd_event *event, sd_bus *bus, const char *folder) {
        Helper *helper = g_new0(Helper, 1);

        helper->event = event;
        helper->bus = bus;
        helper->folder = folder;
        int r = sd_event_add_time_relative(event, &helper->timeout, CLOCK_MONOTONIC, 0, TIMEOUT_ACCURACY_USEC,
                                           on_timeout, helper);
        if (r >= 0)
                r = sd_event_source_set_enabled(helper->timeout, SD_EVENT_OFF);
        if (r < 0)
                g_clear_pointer(&helper, helper_free);
        return helper;
}

void helper_free(Helper *helper) {
        if (!helper)
                return;
        helper_clear(helper);
        (void) sd_event_source_disable_unref(helper->timeout);
        g_free(helper);
}
