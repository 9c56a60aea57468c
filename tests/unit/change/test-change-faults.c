/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A fault at every system call of every kind of change. What is told is so at once: after a success
 * the host is the new one, after an error the old one, but for HostDegraded; and what a start
 * without faults makes of it is wholly one of the two. Every place where that is not so is listed.
 * With NESTVIRT_FIRE=whole: more errors, once and from there on, short writes, and a kill at every
 * call that alters something with a fault at every call of the recovery. The loader is the kernel:
 * its calls are none of ours. */

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "change-fixture.h"
#include "error.h"
#include "fault-injector.h"
#include "plan-draft.h"
#include "recover.h"

typedef struct Kind {
        const char *name;
        const char *waits; /* asked for before, while KVM was held, and waiting; NULL: nothing */
        const char *words; /* asked for now; NULL: what waits is tried */
        uint64_t flags;
        Obstacles obstacles; /* during the change */
        bool planned;        /* the calls of planning count as well */
} Kind;

static const Kind kinds[] = {
                {.name = "set", .words = "kvm_amd.nested=0"},
                {.name = "planned", .words = "kvm_amd.nested=0", .planned = true},
                {.name = "several", .words = "kvm_amd.nested=0 kvm.enable_pmu=0 kvm.ignore_msrs=1"},
                {.name = "written", .words = "kvm.ignore_msrs=1"},
                {.name = "reset", .words = "kvm_amd.npt"},
                {.name = "reload", .words = "reload:kvm_amd"},
                {.name = "runtime", .words = "kvm_amd.nested=0", .flags = REQUEST_RUNTIME},
                {.name = "next-boot", .words = "kvm_amd.nested=0", .flags = REQUEST_NEXT_BOOT},
                {.name = "when-idle",
                 .words = "kvm_amd.nested=0",
                 .flags = REQUEST_WHEN_IDLE,
                 .obstacles.busy = "kvm_amd"},
                {.name = "merged-wait",
                 .waits = "kvm_amd.nested=0",
                 .words = "kvm_amd.npt=0",
                 .flags = REQUEST_WHEN_IDLE,
                 .obstacles.busy = "kvm_amd"},
                {.name = "ended-wait", .waits = "kvm_amd.nested=0"},
                {.name = "failed-wait", .waits = "kvm_amd.nested=0", .obstacles.fail_at = "load kvm_amd"},
                {.name = "cancelled-wait", .waits = "kvm_amd.nested=0", .words = ""},
                {.name = "kvm-kept", .words = "kvm_amd.nested=0", .obstacles.busy = "kvm"},
                {.name = "failed-load", .words = "kvm_amd.nested=0", .obstacles.fail_at = "load kvm_amd"},
                {.name = "failed-publish",
                 .waits = "kvm_amd.npt=0",
                 .words = "kvm_amd.nested=0",
                 .obstacles.busy = "kvm",
                 .obstacles.fail_rename = "kvm-kept"},
                {.name = "failed-deferral",
                 .waits = "kvm_amd.npt=0",
                 .words = "kvm_amd.nested=0",
                 .flags = REQUEST_WHEN_IDLE,
                 .obstacles.busy = "kvm_amd",
                 .obstacles.fail_rename = "pending"},
                {.name = "settled-wait",
                 .waits = "kvm_amd.nested=0",
                 .words = "kvm_amd.nested=1",
                 .flags = REQUEST_NEXT_BOOT},
                {.name = "busy", .words = "kvm_amd.nested=0", .obstacles.busy = "kvm_amd"},
};

static const struct {
        const char *name;
        int number;
} errors[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS},
              {"EMFILE", EMFILE}, {"EACCES", EACCES}, {"ENOMEM", ENOMEM}, {"a short write", FAULT_SHORT},
              {"EINTR", EINTR}};

static Loader real_loader;

/* In the place of GLib's: who holds a module here holds it for good. */
void g_usleep(gulong microseconds) {
}

static bool loader_load(Loader *loader, const char *module, const char *options, bool *ret_existed, GError **error) {
        fault_kill_here();
        fault_pause(true);
        const bool ok = real_loader.load(loader, module, options, ret_existed, error);
        fault_pause(false);
        return ok;
}

static bool loader_unload(Loader *loader, const char *module, bool *ret_busy, GError **error) {
        fault_kill_here();
        fault_pause(true);
        const bool ok = real_loader.unload(loader, module, ret_busy, error);
        fault_pause(false);
        return ok;
}

static void prepare(Fixture *fixture, const Kind *kind) {
        fixture_set_up(fixture, NULL);
        real_loader = fixture->loader->parent;
        fixture->loader->parent.load = loader_load;
        fixture->loader->parent.unload = loader_unload;
        fake_host_write(fixture->directory, KEPT_FILE, "options kvm_amd npt=1\n");
        if (kind->waits)
                fixture_defer(fixture, kind->waits);
}

/* Carries @kind out with a fault at @nth (0: none). The result is NULL when the planning failed. */
static ChangeResult *run(Fixture *fixture, const Kind *kind, unsigned nth, int errnum, bool lasting) {
        g_autoptr(GError) error = NULL;
        ChangeResult *result;

        if (kind->planned)
                fault_inject(nth, errnum, lasting);
        g_autoptr(Plan) plan = kind->words ? fixture_plan(fixture, kind->words, kind->flags, &error)
                                           : fixture_plan_attempt(fixture, &error);
        fixture_obstruct(fixture, &kind->obstacles);
        if (!kind->planned)
                fault_inject(nth, errnum, lasting);
        if (plan)
                result = change_run(plan, fixture->root, &fixture->loader->parent);
        else {
                result = change_result_new();
                result->error = g_steal_pointer(&error);
        }
        fixture_obstruct(fixture, NULL);
        return result;
}

typedef struct Campaign {
        const Kind *kind;
        char *before, *after, *after_seen, *before_seen;
        char *unasked, *unasked_seen; /* a wait that fails is taken back */
        GPtrArray *lies;              /* char* */
        unsigned runs, n_old, n_new, n_told;
} Campaign;

/* The host before or after it has been carried out with nothing in its way. */
static char *make_host(const Kind *kind, bool after, bool seen) {
        Fixture fixture;

        prepare(&fixture, kind);
        if (after) {
                g_autoptr(ChangeResult) result = run(&fixture, kind, 0, 0, false);
                (void) fault_injected();
                g_assert_true(!result->error || kind->obstacles.fail_at || kind->obstacles.busy);
        }
        fake_host_print(fixture.directory);
        char *dump = seen ? fixture_dump_seen(&fixture) : fixture_dump(&fixture);
        fixture_tear_down(&fixture, NULL);
        return dump;
}

static void begin(Campaign *campaign, const Kind *kind) {
        Kind unasked = *kind, unfailing = *kind;

        if (!kind->words)
                unasked.waits = NULL;
        unfailing.obstacles.fail_rename = NULL;
        *campaign = (Campaign) {
                        .kind = kind,
                        .before = make_host(kind, false, false),
                        .before_seen = make_host(kind, false, true),
                        .after = make_host(&unfailing, true, false),
                        .after_seen = make_host(&unfailing, true, true),
                        .unasked = make_host(&unasked, false, false),
                        .unasked_seen = make_host(&unasked, false, true),
                        .lies = g_ptr_array_new_with_free_func(g_free),
        };
}

static void end(Campaign *campaign) {
        g_test_message("%s: %u runs: %u old, %u new; %u of them told as degraded; %u wrong", campaign->kind->name,
                       campaign->runs, campaign->n_old, campaign->n_new, campaign->n_told, campaign->lies->len);
        for (unsigned i = 0; i < campaign->lies->len; i++)
                g_test_message("%s", (const char *) g_ptr_array_index(campaign->lies, i));
        if (campaign->lies->len > 0)
                g_test_fail();
        g_assert_cmpuint(campaign->runs, >, 50);
        g_free(campaign->before);
        g_free(campaign->before_seen);
        g_free(campaign->after);
        g_free(campaign->after_seen);
        g_free(campaign->unasked);
        g_free(campaign->unasked_seen);
        g_ptr_array_unref(campaign->lies);
}

/* What is wrong about what was told, or NULL. @error: NULL for a success. */
static const char *judge(const Campaign *campaign, Fixture *fixture, const GError *error, bool recovered,
                         bool lasting) {
        fake_host_print(fixture->directory);
        g_autofree char *now = fixture_dump_seen(fixture);
        const bool old = g_str_equal(now, campaign->before_seen) || g_str_equal(now, campaign->unasked_seen);
        const bool new = g_str_equal(now, campaign->after_seen);

        if (g_error_matches(error, CONDITION, CONDITION_HOST_DEGRADED)) {
                g_autofree char *journal = fake_host_read(fixture->directory, JOURNAL_FILE);
                /* Of a disk that fails for good nobody can tell. */
                return old && !journal && !lasting ? "nothing is degraded" : NULL;
        }
        if (recovered)
                return error || old || new ? NULL : "a recovery told of no failure";
        if (error)
                return old ? NULL : "it failed, and the host is not the old one";
        return new ? NULL : "it was done, and the host is not the new one";
}

/* What is wrong with what a start makes of it now that nothing fails, or NULL. */
static char *start(Campaign *campaign, Fixture *fixture) {
        g_autoptr(ChangeResult) recovered = recover_run(fixture->root, &fixture->loader->parent);
        if (recovered && recovered->error)
                return g_strdup_printf("the next start fails: %s", recovered->error->message);
        char *broken = fixture_find_broken(fixture);
        if (broken)
                return broken;
        fake_host_print(fixture->directory);
        g_autofree char *now = fixture_dump(fixture);
        const bool old = g_str_equal(now, campaign->before) || g_str_equal(now, campaign->unasked);
        const bool new = g_str_equal(now, campaign->after);
        campaign->n_old += old;
        campaign->n_new += new && !old;
        if (!old && !new && g_getenv("NESTVIRT_FIRE_DUMP"))
                g_test_message("NOW\n%s\nBEFORE\n%s\nAFTER\n%s", now, campaign->before, campaign->after);
        return old || new ? NULL : g_strdup("the next start leaves a host that is neither");
}

static void settle(Campaign *campaign, Fixture *fixture, const GError *error, bool recovered, bool lasting,
                   const char *what) {
        g_autofree char *where = g_strdup(fault_struck());
        const char *lie = judge(campaign, fixture, error, recovered, lasting);
        g_autofree char *broken = start(campaign, fixture);

        campaign->runs++;
        campaign->n_told += g_error_matches(error, CONDITION, CONDITION_HOST_DEGRADED);
        if (lie || broken)
                g_ptr_array_add(campaign->lies, g_strdup_printf("%s (%s): %s%s%s [%s]", what, where, lie ?: "",
                                                                lie && broken ? "; " : "", broken ?: "",
                                                                error ? error->message : "no error"));
}

/* False when it had fewer calls. */
static bool change_once(Campaign *campaign, unsigned nth, unsigned e, bool lasting) {
        g_autofree char *what = g_strdup_printf("%s at %u%s", errors[e].name, nth, lasting ? " and on" : "");
        Fixture fixture;

        prepare(&fixture, campaign->kind);
        g_autoptr(ChangeResult) result = run(&fixture, campaign->kind, nth, errors[e].number, lasting);
        const bool hit = fault_injected() >= nth;
        settle(campaign, &fixture, result->error, false, lasting, what);
        fixture_tear_down(&fixture, NULL);
        return hit;
}

static bool is_whole_campaign(void) {
        return g_strcmp0(g_getenv("NESTVIRT_FIRE"), "whole") == 0;
}

static void test_change(gconstpointer data) {
        const unsigned n = is_whole_campaign() ? G_N_ELEMENTS(errors) : 2;
        Campaign campaign;

        begin(&campaign, data);
        for (unsigned e = 0; e < n; e++) {
                /* What we may not look at is planned as what is not there, and told so. */
                if (campaign.kind->planned && errors[e].number == EACCES)
                        continue;
                /* No kernel says EINTR for ever. */
                for (int lasting = 0; lasting <= (e < n - 1); lasting++)
                        for (unsigned nth = 1; change_once(&campaign, nth, e, lasting);)
                                nth++;
        }
        end(&campaign);
}

/* False when the change ended before it had made so many calls that alter something. */
static bool run_and_kill(Fixture *fixture, const Kind *kind, unsigned kill_at) {
        int status;
        const pid_t child = fork();

        g_assert_cmpint(child, >=, 0);
        if (child == 0) {
                (void) run(fixture, kind, kill_at, FAULT_KILL, false);
                _exit(0);
        }
        g_assert_cmpint(waitpid(child, &status, 0), ==, child);
        g_assert_true(WIFEXITED(status));
        return WEXITSTATUS(status) == FAULT_KILLED;
}

/* False when it was not killed, or (@ret_hit) the recovery had fewer calls. */
static bool recover_once(Campaign *campaign, unsigned kill_at, unsigned nth, unsigned e, bool lasting, bool *ret_hit) {
        g_autofree char *what = g_strdup_printf("killed at %u, %s at %u%s", kill_at, errors[e].name, nth,
                                                lasting ? " and on" : "");
        Fixture fixture;

        prepare(&fixture, campaign->kind);
        const bool killed = run_and_kill(&fixture, campaign->kind, kill_at);
        if (killed) {
                fault_inject(nth, errors[e].number, lasting);
                g_autoptr(ChangeResult) result = recover_run(fixture.root, &fixture.loader->parent);
                *ret_hit = fault_injected() >= nth;
                settle(campaign, &fixture, result ? result->error : NULL, true, lasting, what);
        }
        fixture_tear_down(&fixture, NULL);
        return killed;
}

/* For one way of failing: false when the change was not killed. */
static bool recover_each(Campaign *campaign, unsigned kill_at, unsigned e, bool lasting) {
        bool hit = true;

        for (unsigned nth = 1; hit; nth++)
                if (!recover_once(campaign, kill_at, nth, e, lasting, &hit))
                        return false;
        return true;
}

static void test_recovery(gconstpointer data) {
        Campaign campaign;

        begin(&campaign, data);
        for (unsigned kill_at = 1; recover_each(&campaign, kill_at, 0, false); kill_at++) {
                (void) recover_each(&campaign, kill_at, 0, true);
                (void) recover_each(&campaign, kill_at, 1, false);
        }
        end(&campaign);
}

int main(int argc, char **argv) {
        /* Ten thousand hosts with a hundred syncs each: in memory, where there is a file system for
         * that. */
        if (g_file_test("/dev/shm", G_FILE_TEST_IS_DIR))
                (void) g_setenv("TMPDIR", "/dev/shm", TRUE);
        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
                g_autofree char *path = g_strconcat("/change-faults/", kinds[i].name, NULL);
                g_autofree char *killed = g_strconcat("/recovery-faults/", kinds[i].name, NULL);
                g_test_add_data_func(path, &kinds[i], test_change);
                if (is_whole_campaign())
                        g_test_add_data_func(killed, &kinds[i], test_recovery);
        }
        return g_test_run();
}
