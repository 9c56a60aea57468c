/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SIGKILL at every system call of a change that alters something: whatever the moment, what a start
 * does then leaves a host that is whole, and wholly the old one or wholly the new one. The change
 * runs in a child that is traced (ptrace(2)) and killed at its Nth such call. */

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "change-fixture.h"
#include "error.h"
#include "recover.h"

static const long alterations[] = {
                SYS_write,  SYS_renameat2, SYS_unlinkat, SYS_mkdirat, SYS_fsync,    SYS_fdatasync, SYS_fchmod,
#ifdef SYS_rename
                SYS_rename, SYS_unlink,    SYS_rmdir,    SYS_mkdir,   SYS_renameat, SYS_chmod,
#endif
};

/* From now on the tracer is asked at the entry of each altering call, and at no other
 * (seccomp(2)). */
static void ask_tracer(void) {
        enum { N = G_N_ELEMENTS(alterations) };
        struct sock_filter code[N + 3] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
        const struct sock_fprog program = {.len = G_N_ELEMENTS(code), .filter = code};

        for (unsigned i = 0; i < N; i++)
                code[i + 1] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) alterations[i],
                                                            (uint8_t) (N - i), 0);
        code[N + 1] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        code[N + 2] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
                _exit(2);
}

static G_NORETURN void child_main(Fixture *fixture, Plan *made) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
                _exit(2);
        (void) raise(SIGSTOP);
        ask_tracer();
        ChangeResult *result = change_run(made, fixture->root, &fixture->loader->parent);
        _exit(result->error ? 1 : 0);
}

/* Runs the change in a child and kills it at its @nth altering call. False when it ended before,
 * with an error if it @fails. */
static bool run_and_kill(Fixture *fixture, Plan *made, unsigned nth, bool fails) {
        int status;
        pid_t child = fork();

        g_assert_cmpint(child, >=, 0);
        if (child == 0)
                child_main(fixture, made);
        g_assert_cmpint(waitpid(child, &status, 0), ==, child);
        g_assert_true(WIFSTOPPED(status));
        g_assert_cmpint(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL), ==, 0);
        for (unsigned seen = 0;;) {
                g_assert_cmpint(ptrace(PTRACE_CONT, child, NULL, NULL), ==, 0);
                g_assert_cmpint(waitpid(child, &status, 0), ==, child);
                if (WIFEXITED(status)) {
                        g_assert_cmpint(WEXITSTATUS(status), ==, fails);
                        return false;
                }
                g_assert_cmpint(status >> 8, ==, SIGTRAP | (PTRACE_EVENT_SECCOMP << 8));
                if (++seen < nth)
                        continue;
                g_assert_cmpint(kill(child, SIGKILL), ==, 0);
                g_assert_cmpint(waitpid(child, &status, 0), ==, child);
                g_assert_true(WIFSIGNALED(status));
                return true;
        }
}

typedef struct Case {
        const char *name;
        const char *waits; /* asked for before, while KVM was held, and waiting; NULL: nothing */
        const char *words; /* asked for now; NULL: what waits is tried */
        uint64_t flags;
        Obstacles obstacles; /* during the change alone, not what a start does later */
} Case;

static const Case cases[] = {
                {"now", NULL, "kvm_amd.nested=0", 0, {NULL, NULL, NULL}},
                {"both-modules", NULL, "kvm_amd.nested=0 kvm.enable_pmu=0 kvm.ignore_msrs=1", 0, {NULL, NULL, NULL}},
                {"next-boot", NULL, "kvm_amd.nested=0", REQUEST_NEXT_BOOT, {NULL, NULL, NULL}},
                {"when-idle", NULL, "kvm_amd.nested=0", REQUEST_WHEN_IDLE, {"kvm_amd", NULL, NULL}},
                {"merged-wait", "kvm_amd.nested=0", "kvm_amd.npt=0", REQUEST_WHEN_IDLE, {"kvm_amd", NULL, NULL}},
                {"settled-wait", "kvm_amd.nested=0", "kvm_amd.nested=1", REQUEST_NEXT_BOOT, {NULL, NULL, NULL}},
                {"kvm-kept", "kvm_amd.npt=0", "kvm_amd.nested=0", 0, {"kvm", NULL, NULL}},
                {"ended-wait", "kvm_amd.nested=0", NULL, 0, {NULL, NULL, NULL}},
                {"failed-wait", "kvm_amd.nested=0", NULL, 0, {NULL, "load kvm_amd", NULL}},
                {"failed-load", NULL, "kvm_amd.nested=0", 0, {NULL, "load kvm_amd", NULL}},
                {"failed-publish", "kvm_amd.npt=0", "kvm_amd.nested=0", 0, {"kvm", NULL, "kvm-kept"}},
                {"failed-deferral",
                 "kvm_amd.npt=0",
                 "kvm_amd.nested=0",
                 REQUEST_WHEN_IDLE,
                 {"kvm_amd", NULL, "pending"}},
};

static void prepare(Fixture *fixture, const Case *c) {
        fixture_set_up(fixture, NULL);
        if (c->waits)
                fixture_defer(fixture, c->waits);
}

static Plan *plan(Fixture *fixture, const Case *c) {
        g_autoptr(GError) error = NULL;
        Plan *made = c->words ? fixture_plan(fixture, c->words, c->flags, &error)
                              : fixture_plan_attempt(fixture, &error);

        g_assert_no_error(error);
        return made;
}

/* The host after @c has been carried out and nobody has killed it, or (NULL) before. */
static char *whole_host(const Case *prepared, const Case *c) {
        Fixture fixture;

        prepare(&fixture, prepared);
        if (c) {
                g_autoptr(Plan) made = plan(&fixture, c);
                fixture_obstruct(&fixture, &c->obstacles);
                g_autoptr(ChangeResult) result = change_run(made, fixture.root, &fixture.loader->parent);
                fixture_obstruct(&fixture, NULL);
                g_assert_true((result->error != NULL) == (c->obstacles.fail_at || c->obstacles.fail_rename));
        }
        char *dump = fixture_dump(&fixture);
        fixture_tear_down(&fixture, NULL);
        return dump;
}

/* A host that is none of these is none that anybody asked for. */
typedef struct Ends {
        char *before, *after;
        char *finished; /* killed before it could fail at the very end, and finished by the start, which does not fail */
        unsigned n_old, n_new;
} Ends;

static void count_end(Ends *ends, const char *now) {
        const bool new = g_str_equal(now, ends->after) || g_str_equal(now, ends->finished);

        if (!new)
                g_assert_cmpstr(now, ==, ends->before);
        ends->n_new += new;
        ends->n_old += !new;
}

static bool kill_once(const Case *c, unsigned nth, Ends *ends) {
        Fixture fixture;

        prepare(&fixture, c);
        g_autoptr(Plan) made = plan(&fixture, c);
        fixture_obstruct(&fixture, &c->obstacles);
        const bool killed = run_and_kill(&fixture, made, nth, c->obstacles.fail_at || c->obstacles.fail_rename);
        fixture_obstruct(&fixture, NULL);
        g_autoptr(ChangeResult) recovered = recover_run(fixture.root, &fixture.loader->parent);
        if (recovered)
                g_assert_no_error(recovered->error);

        g_test_message("killed at %u", nth);
        g_autofree char *now = fixture_dump(&fixture);
        count_end(ends, now);
        fixture_assert_whole(&fixture);
        fixture_tear_down(&fixture, NULL);
        return killed;
}

static void test_kill(gconstpointer data) {
        const Case *c = data;
        Case unfailing = *c;
        unfailing.obstacles.fail_rename = NULL;
        Ends ends = {
                        .before = whole_host(c, NULL),
                        .after = whole_host(c, c),
                        .finished = whole_host(c, &unfailing),
        };
        unsigned nth = 1;

        while (kill_once(c, nth, &ends))
                nth++;
        /* It has been killed at many moments, early ones that are undone and late ones that are
         * finished. */
        g_assert_cmpuint(nth, >, 8);
        if (!c->obstacles.fail_at && !c->obstacles.fail_rename) {
                g_assert_cmpuint(ends.n_old, >, 1);
                g_assert_cmpuint(ends.n_new, >, 1);
        }
        g_free(ends.before);
        g_free(ends.after);
        g_free(ends.finished);
}

int main(int argc, char **argv) {
        /* A thousand hosts with a hundred syncs each: in memory, where there is a file system for
         * that. */
        if (g_file_test("/dev/shm", G_FILE_TEST_IS_DIR))
                (void) g_setenv("TMPDIR", "/dev/shm", TRUE);
        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autofree char *path = g_strconcat("/kill/", cases[i].name, NULL);
                g_test_add_data_func(path, &cases[i], test_kill);
        }
        return g_test_run();
}
