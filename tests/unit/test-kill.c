/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SIGKILL at every system call of a change that alters something: whatever the moment, what a start does then leaves a host that is whole, and wholly
 * the old one or wholly the new one. The change runs in a child that is traced (ptrace(2)) and killed at its Nth such call. */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "change-fixture.h"
#include "error.h"
#include "recover.h"

static bool alters(uint64_t call) {
        static const long calls[] = {
                        SYS_write,  SYS_renameat2, SYS_unlinkat, SYS_mkdirat, SYS_fsync,    SYS_fdatasync, SYS_fchmod,
#ifdef SYS_rename
                        SYS_rename, SYS_unlink,    SYS_rmdir,    SYS_mkdir,   SYS_renameat, SYS_chmod,
#endif
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(calls); i++)
                if (call == (uint64_t) calls[i])
                        return true;
        return false;
}

/* True when the child stands at the entry of an altering call. */
static bool at_alteration(pid_t child) {
        struct __ptrace_syscall_info info;

        if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) < 0)
                g_error("PTRACE_GET_SYSCALL_INFO: %s", g_strerror(errno));
        return info.op == PTRACE_SYSCALL_INFO_ENTRY && alters(info.entry.nr);
}

static G_NORETURN void child_main(Fixture *fixture, Plan *plan) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
                _exit(2);
        (void) raise(SIGSTOP);
        ChangeResult *result = change_run(plan, fixture->root, &fixture->loader->parent);
        _exit(result->error ? 1 : 0);
}

/* Runs the change in a child and kills it at its @nth altering call. False when it ended before. */
static bool run_and_kill(Fixture *fixture, Plan *plan, unsigned nth) {
        int status;
        pid_t child = fork();

        g_assert_cmpint(child, >=, 0);
        if (child == 0)
                child_main(fixture, plan);
        g_assert_cmpint(waitpid(child, &status, 0), ==, child);
        g_assert_true(WIFSTOPPED(status));
        g_assert_cmpint(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), ==, 0);
        for (unsigned seen = 0;;) {
                g_assert_cmpint(ptrace(PTRACE_SYSCALL, child, NULL, NULL), ==, 0);
                g_assert_cmpint(waitpid(child, &status, 0), ==, child);
                if (WIFEXITED(status)) {
                        g_assert_cmpint(WEXITSTATUS(status), ==, 0);
                        return false;
                }
                g_assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80));
                if (!at_alteration(child) || ++seen < nth)
                        continue;
                g_assert_cmpint(kill(child, SIGKILL), ==, 0);
                g_assert_cmpint(waitpid(child, &status, 0), ==, child);
                g_assert_true(WIFSIGNALED(status));
                return true;
        }
}

typedef struct Case {
        const char *name;
        const char *busy; /* during the change */
        const char *words;
        uint64_t flags;
        const char *configured; /* a line of the file when it has happened */
} Case;

static const Case cases[] = {
                {"now", NULL, "kvm_amd.nested=0", 0, "options kvm_amd nested=0"},
                {"both-modules", NULL, "kvm_amd.nested=0 kvm.enable_pmu=0 kvm.ignore_msrs=1", 0,
                 "options kvm_amd nested=0"},
                {"next-boot", NULL, "kvm_amd.nested=0", REQUEST_NEXT_BOOT, "options kvm_amd nested=0"},
                {"when-idle", "kvm_amd", "kvm_amd.nested=0", REQUEST_WHEN_IDLE, "options kvm_amd nested=0"},
};

/* After the start: the file and the kernel say the same, but for a change that is for the next boot or waits, whose value is the old one. */
static void assert_old_or_new(Fixture *fixture, const Case *c, unsigned nth) {
        g_autofree char *text = fake_host_read(fixture->directory, KEPT_FILE);
        g_autofree char *pending = fake_host_read(fixture->directory, PENDING_FILE);
        g_auto(GStrv) lines = g_strsplit(text ?: "", "\n", -1);
        const bool configured = g_strv_contains((const char *const *) lines, c->configured);
        const bool applied = configured && c->flags == 0;

        g_test_message("killed at %u: %s", nth, configured ? "finished" : "undone");
        g_assert_true(configured || !text);
        fixture_assert_value(fixture, "kvm_amd", "nested", applied ? "0" : "1");
        if (strstr(c->words, "enable_pmu"))
                fixture_assert_value(fixture, "kvm", "enable_pmu", applied ? "N" : "Y");
        g_assert_cmpint(pending != NULL, ==, configured && c->flags == REQUEST_WHEN_IDLE);
        fixture_assert_whole(fixture);
}

static bool kill_once(const Case *c, unsigned nth, unsigned *finished) {
        Fixture fixture;
        g_autoptr(GError) error = NULL;

        fixture_set_up(&fixture, NULL);
        fixture.loader->busy = c->busy;
        g_autoptr(Plan) plan = fixture_plan(&fixture, c->words, c->flags, &error);
        g_assert_no_error(error);

        const bool killed = run_and_kill(&fixture, plan, nth);
        fixture.loader->busy = NULL;
        g_autoptr(ChangeResult) recovered = recover_run(fixture.root, &fixture.loader->parent);
        if (recovered)
                g_assert_no_error(recovered->error);
        assert_old_or_new(&fixture, c, nth);
        g_autofree char *text = fake_host_read(fixture.directory, KEPT_FILE);
        *finished += text != NULL;
        fixture_tear_down(&fixture, NULL);
        return killed;
}

static void test_kill(gconstpointer data) {
        unsigned nth = 1, finished = 0;

        while (kill_once(data, nth, &finished))
                nth++;
        /* It has been killed at many moments, early ones that are undone and late ones that are finished. */
        g_assert_cmpuint(nth, >, 8);
        g_assert_cmpuint(finished, >, 1);
        g_assert_cmpuint(finished, <, nth);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autofree char *path = g_strconcat("/kill/", cases[i].name, NULL);
                g_test_add_data_func(path, &cases[i], test_kill);
        }
        return g_test_run();
}
