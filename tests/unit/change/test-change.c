/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The transaction over a host of files: what it leaves behind when all goes well, and when any one
 * step does not. */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "change-fixture.h"
#include "error.h"
#include "recover.h"
#include "reload.h"

static void test_set_and_reset(Fixture *fixture, gconstpointer data) {
        g_autofree char *before = fixture_dump(fixture);

        g_autoptr(ChangeResult) off = fixture_change(fixture, "kvm_amd.nested=off", 0);
        assert_outcome(off, "applied");
        fixture_assert_value(fixture, "kvm_amd", "nested", "0");
        fixture_assert_line(fixture, KEPT_FILE, "options kvm_amd nested=0");
        g_assert_cmpstr(g_hash_table_lookup(off->values, "nested"), ==, "0");
        g_assert_true(g_str_has_prefix(fixture->loader->calls->str, "unload kvm_amd; unload kvm; load kvm "));
        fixture_assert_whole(fixture);

        g_autoptr(ChangeResult) again = fixture_change(fixture, "kvm_amd.nested=0", 0);
        assert_outcome(again, "unchanged");
        g_assert_cmpstr(fixture->loader->calls->str, ==, "");

        g_autoptr(ChangeResult) reset = fixture_change(fixture, "", 0);
        assert_outcome(reset, "applied");
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);
}

static void test_two_modules_at_once(Fixture *fixture, gconstpointer data) {
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0 kvm_amd.npt=0 kvm.ignore_msrs=1", 0);

        assert_outcome(result, "applied");
        fixture_assert_value(fixture, "kvm_amd", "nested", "0");
        fixture_assert_value(fixture, "kvm_amd", "npt", "N");
        fixture_assert_value(fixture, "kvm", "ignore_msrs", "Y");
        fixture_assert_line(fixture, KEPT_FILE, "options kvm ignore_msrs=1");
        fixture_assert_line(fixture, KEPT_FILE, "options kvm_amd nested=0 npt=0");
        g_assert_cmpstr(g_hash_table_lookup(result->values, "kvm.ignore_msrs"), ==, "Y");
        fixture_assert_whole(fixture);
}

static void test_failure_is_undone(Fixture *fixture, gconstpointer data) {
        static const char *const steps[] = {"prepare kvm_amd", "unload kvm_amd", "unload kvm", "load kvm",
                                            "load kvm_amd"};

        for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
                g_autofree char *before = fixture_dump(fixture);
                fixture->loader->fail_at = steps[i];
                fixture->loader->fail_times = 1;
                g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0 kvm.enable_pmu=0", 0);
                g_assert_error(result->error, CONDITION, CONDITION_RELOAD_FAILED);
                assert_text_has(result->error->message, "as it was");
                g_autofree char *after = fixture_dump(fixture);
                g_assert_cmpstr(before, ==, after);
        }
}

static void test_refused_value_is_undone(Fixture *fixture, gconstpointer data) {
        fake_host_write(fixture->directory, "etc/modprobe.d/bad.conf", "options kvm mystery=banana\n");
        g_autofree char *before = fixture_dump(fixture);

        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", 0);
        g_assert_error(result->error, CONDITION, CONDITION_RELOAD_FAILED);
        assert_text_has(result->error->message, "Invalid argument");
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);
}

static void test_failed_undo_is_told_and_healed(Fixture *fixture, gconstpointer data) {
        g_autofree char *before = fixture_dump(fixture);

        fixture->loader->fail_at = "load kvm_amd";
        fixture->loader->fail_times = 2;
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", 0);
        g_assert_error(result->error, CONDITION, CONDITION_HOST_DEGRADED);
        assert_text_has(result->error->message, "modprobe kvm_amd");
        fixture_assert_value(fixture, "kvm_amd", "nested", "-");

        g_autoptr(ChangeResult) healed = recover_run(fixture->root, &fixture->loader->parent);
        g_assert_nonnull(healed);
        g_assert_no_error(healed->error);
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);
}

static void test_race_is_noticed(Fixture *fixture, gconstpointer data) {
        fixture->loader->race = true;
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", 0);

        assert_outcome(result, "applied");
        fixture_assert_value(fixture, "kvm_amd", "nested", "0");
        g_assert_true(g_ptr_array_find_with_equal_func(result->steps, "kvm_amd was loaded by somebody else meanwhile",
                                                       g_str_equal, NULL));
        fixture_assert_whole(fixture);
}

static void test_busy(Fixture *fixture, gconstpointer data) {
        g_autofree char *before = fixture_dump(fixture);

        fixture->loader->busy = "kvm_amd";
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", 0);
        g_assert_error(result->error, CONDITION, CONDITION_BUSY);
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);

        /* What is in effect already is only written, also while in use. */
        g_autoptr(ChangeResult) kept = fixture_change(fixture, "kvm_amd.nested=1", 0);
        assert_outcome(kept, "configured");
        fixture_assert_line(fixture, KEPT_FILE, "options kvm_amd nested=1");
        g_assert_cmpstr(fixture->loader->calls->str, ==, "");
}

static void test_kvm_busy_but_needed(Fixture *fixture, gconstpointer data) {
        g_autofree char *before = fixture_dump(fixture);

        fixture->loader->busy = "kvm";
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm.enable_pmu=0", 0);
        g_assert_error(result->error, CONDITION, CONDITION_BUSY);
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);
}

static void test_kvm_kept_is_remembered(Fixture *fixture, gconstpointer data) {
        fixture->loader->busy = "kvm";
        g_autoptr(ChangeResult) off = fixture_change(fixture, "kvm_amd.nested=0", 0);
        assert_outcome(off, "applied");
        fixture_assert_kvm_kept(fixture, true);

        fixture->loader->busy = NULL;
        g_autoptr(ChangeResult) on = fixture_change(fixture, "kvm_amd.nested=1", 0);
        assert_outcome(on, "applied");
        fixture_assert_kvm_kept(fixture, false);
        fixture_assert_line(fixture, KVM_KEPT_PATH, NULL);
}

/* What lives in kvm and is not as the kernel makes it is given only to where it would be kept. */
static void test_kvm_keeps_what_lives_in_it(Fixture *fixture, gconstpointer data) {
        fake_host_write(fixture->directory, "sys/module/kvm_amd/parameters/enable_mediated_pmu", "Y\n");
        g_autoptr(ChangeResult) gone = fixture_change(fixture, "kvm_amd.nested=0", 0);
        assert_outcome(gone, "applied");
        g_assert_true(g_str_has_suffix(fixture->loader->calls->str, "load kvm ; load kvm_amd nested=0; "));

        fake_host_write(fixture->directory, "sys/module/kvm_amd/parameters/enable_mediated_pmu", "Y\n");
        fixture->loader->busy = "kvm";
        g_autoptr(ChangeResult) kept = fixture_change(fixture, "kvm_amd.nested=1", 0);
        assert_outcome(kept, "applied");
        g_assert_true(g_str_has_suffix(fixture->loader->calls->str, "load kvm_amd nested=1 enable_mediated_pmu=0; "));
}

/* By somebody else, so that nobody removes the record. */
static void test_kvm_kept_ends_when_it_is_loaded_by_hand(Fixture *fixture, gconstpointer data) {
        g_autofree char *folder = g_build_filename(fixture->directory, "sys/module/kvm/parameters", NULL);
        /* As long as it is open, no other directory gets its number. */
        const int held = open(folder, O_PATH | O_CLOEXEC);

        g_assert_cmpint(held, >=, 0);
        fixture->loader->busy = "kvm";
        g_autoptr(ChangeResult) off = fixture_change(fixture, "kvm_amd.nested=0", 0);
        assert_outcome(off, "applied");
        fixture_assert_kvm_kept(fixture, true);
        fake_loader_insert(fixture->loader, "kvm", "");
        fake_loader_insert(fixture->loader, "kvm_amd", "nested=0");
        fixture_assert_kvm_kept(fixture, false);
        (void) close(held);
}

static void test_when_idle(Fixture *fixture, gconstpointer data) {
        fixture->loader->busy = "kvm_amd";
        g_autoptr(ChangeResult) deferred = fixture_change(fixture, "kvm_amd.nested=0", REQUEST_WHEN_IDLE);
        assert_outcome(deferred, "deferred");
        fixture_assert_line(fixture, KEPT_FILE, "options kvm_amd nested=0");
        fixture_assert_value(fixture, "kvm_amd", "nested", "1");
        g_autoptr(ChangeResult) merged = fixture_change(fixture, "kvm_amd.npt=0", REQUEST_WHEN_IDLE);
        assert_outcome(merged, "deferred");

        g_autoptr(ChangeResult) busy = fixture_attempt(fixture);
        g_assert_error(busy->error, CONDITION, CONDITION_BUSY);
        fixture_assert_line(fixture, KEPT_FILE, "options kvm_amd nested=0 npt=0");

        fixture->loader->busy = NULL;
        g_autoptr(ChangeResult) applied = fixture_attempt(fixture);
        assert_outcome(applied, "applied");
        fixture_assert_value(fixture, "kvm_amd", "nested", "0");
        fixture_assert_value(fixture, "kvm_amd", "npt", "N");
        fixture_assert_line(fixture, PENDING_FILE, NULL);
        fixture_assert_whole(fixture);
}

static void test_when_idle_and_idle(Fixture *fixture, gconstpointer data) {
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", REQUEST_WHEN_IDLE);

        assert_outcome(result, "applied");
        fixture_assert_line(fixture, PENDING_FILE, NULL);
}

static void test_when_idle_fails(Fixture *fixture, gconstpointer data) {
        fake_host_write(fixture->directory, KEPT_FILE, "# mine \xff\noptions kvm_amd npt=1\n");
        g_autofree char *before = fixture_dump(fixture);

        fixture->loader->busy = "kvm_amd";
        g_autoptr(ChangeResult) deferred = fixture_change(fixture, "kvm_amd.nested=0", REQUEST_WHEN_IDLE);
        assert_outcome(deferred, "deferred");

        fixture->loader->busy = NULL;
        fixture->loader->fail_at = "load kvm_amd";
        fixture->loader->fail_times = 1;
        g_autoptr(ChangeResult) failed = fixture_attempt(fixture);
        g_assert_error(failed->error, CONDITION, CONDITION_RELOAD_FAILED);
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);
}

/* Whatever the failure is called, the caller is told what it has left. */
static void test_a_load_that_is_forbidden(Fixture *fixture, gconstpointer data) {
        g_autofree char *before = fixture_dump(fixture);

        fixture->loader->fail_at = "load kvm_amd";
        fixture->loader->forbidden = true;
        fixture->loader->fail_times = 1;
        g_autoptr(ChangeResult) now = fixture_change(fixture, "kvm_amd.nested=0", 0);
        g_assert_error(now->error, CONDITION, CONDITION_NOT_PERMITTED);
        assert_text_has(now->error->message, "Exec format error. Everything is as it was before");

        fixture->loader->busy = "kvm_amd";
        g_autoptr(ChangeResult) deferred = fixture_change(fixture, "kvm_amd.nested=0", REQUEST_WHEN_IDLE);
        assert_outcome(deferred, "deferred");
        fixture->loader->busy = NULL;
        fixture->loader->fail_times = 1;
        g_autoptr(ChangeResult) later = fixture_attempt(fixture);
        g_assert_error(later->error, CONDITION, CONDITION_NOT_PERMITTED);
        assert_text_has(later->error->message, "Everything is as it was before");
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);
}

/* The administrator reloads by hand, or asks for something else: nothing waits any more. */
static void test_when_idle_is_settled(Fixture *fixture, gconstpointer data) {
        fixture->loader->busy = "kvm_amd";
        g_autoptr(ChangeResult) deferred = fixture_change(fixture, "kvm_amd.nested=0", REQUEST_WHEN_IDLE);
        assert_outcome(deferred, "deferred");
        fake_loader_insert(fixture->loader, "kvm_amd", "nested=0");
        g_autoptr(ChangeResult) unchanged = fixture_attempt(fixture);
        assert_outcome(unchanged, "unchanged");
        fixture_assert_line(fixture, PENDING_FILE, NULL);

        g_autoptr(ChangeResult) again = fixture_change(fixture, "kvm_amd.nested=1", REQUEST_WHEN_IDLE);
        assert_outcome(again, "deferred");
        g_autoptr(ChangeResult) superseded = fixture_change(fixture, "kvm_amd.nested=0", REQUEST_NEXT_BOOT);
        assert_outcome(superseded, "configured");
        fixture_assert_line(fixture, PENDING_FILE, NULL);
}

static void test_next_boot(Fixture *fixture, gconstpointer data) {
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", REQUEST_NEXT_BOOT);

        assert_outcome(result, "configured");
        fixture_assert_line(fixture, KEPT_FILE, "options kvm_amd nested=0");
        fixture_assert_value(fixture, "kvm_amd", "nested", "1");
        g_assert_cmpstr(fixture->loader->calls->str, ==, "");
}

static void test_runtime(Fixture *fixture, gconstpointer data) {
        g_autoptr(ChangeResult) kept = fixture_change(fixture, "kvm_amd.nested=1", 0);
        assert_outcome(kept, "configured");
        g_autoptr(ChangeResult) off = fixture_change(fixture, "kvm_amd.nested=0", REQUEST_RUNTIME);
        assert_outcome(off, "applied");
        fixture_assert_line(fixture, RUNTIME_FILE, "options kvm_amd nested=0");
        fixture_assert_line(fixture, KEPT_FILE, "options kvm_amd nested=1");

        g_autoptr(ChangeResult) reset = fixture_change(fixture, "kvm_amd.nested", REQUEST_RUNTIME);
        assert_outcome(reset, "applied");
        fixture_assert_line(fixture, RUNTIME_FILE, NULL);
        fixture_assert_value(fixture, "kvm_amd", "nested", "1");

        g_autoptr(ChangeResult) again = fixture_change(fixture, "kvm_amd.nested=0", REQUEST_RUNTIME);
        assert_outcome(again, "applied");
        g_autoptr(ChangeResult) set = fixture_change(fixture, "kvm_amd.nested=0", 0);
        assert_outcome(set, "configured");
        fixture_assert_line(fixture, RUNTIME_FILE, NULL);
        fixture_assert_line(fixture, KEPT_FILE, "options kvm_amd nested=0");
}

static void test_writable_needs_no_reload(Fixture *fixture, gconstpointer data) {
        fixture->loader->busy = "kvm_amd";
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm.ignore_msrs=1", 0);

        assert_outcome(result, "applied");
        fixture_assert_value(fixture, "kvm", "ignore_msrs", "1");
        g_assert_cmpstr(fixture->loader->calls->str, ==, "");
}

/* What the administrator wrote by hand into a writable parameter outlives a reload that was not
 * about it. */
static void test_hand_written_value_is_kept(Fixture *fixture, gconstpointer data) {
        g_autofree char *path = g_build_filename(fixture->directory, "sys/module/kvm/parameters/halt_poll_ns", NULL);

        g_assert_true(g_file_set_contents_full(path, "1000\n", -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", 0);
        assert_outcome(result, "applied");
        fixture_assert_value(fixture, "kvm", "halt_poll_ns", "1000");
}

static bool reads_back(Fixture *fixture, const char *printed, bool asked, GError **error) {
        g_autoptr(Plan) plan = plan_new_empty();
        PlanValue *value = g_new(PlanValue, 1);

        *value = (PlanValue) {
                        .module = g_strdup("kvm_intel"),
                        .name = g_strdup("vmentry_l1d_flush"),
                        .before = g_strdup("never"),
                        .after = g_strdup("never"),
                        .writable = true,
                        .asked = asked,
        };
        g_ptr_array_add(plan->values, value);
        plan->release = g_strdup("7.2.13");
        fake_host_write(fixture->directory, "sys/module/kvm_intel/parameters/vmentry_l1d_flush", printed);
        return reload_verify(fixture->root, plan, true, error);
}

/* Seen with Linux 7.2: ept=0 turns "never" into words that say that it no longer matters. */
static void test_moot_value_is_no_failure(Fixture *fixture, gconstpointer data) {
        g_autoptr(GError) error = NULL;

        g_assert_true(reads_back(fixture, "never\n", false, NULL));
        g_assert_true(reads_back(fixture, "EPT disabled\n", false, NULL));
        g_assert_false(reads_back(fixture, "cond\n", false, NULL));
        g_assert_false(reads_back(fixture, "EPT disabled\n", true, &error));
        g_assert_error(error, CONDITION, CONDITION_RELOAD_FAILED);
}

static void test_dry_run(Fixture *fixture, gconstpointer data) {
        g_autofree char *before = fixture_dump(fixture);
        g_autoptr(GPtrArray) holders = g_ptr_array_new();
        const Users nobody = {.holders = holders};
        g_autoptr(Plan) plan = fixture_plan(fixture, "kvm_amd.nested=0", REQUEST_DRY_RUN, NULL);
        g_autoptr(ChangeResult) result = change_preview(plan, fixture->root, &nobody, &(Passing) {});

        assert_outcome(result, "planned");
        g_assert_cmpuint(result->steps->len, ==, 5);
        g_assert_cmpstr(fixture->loader->calls->str, ==, "");
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);
}

static void test_conflict(Fixture *fixture, gconstpointer data) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Plan) plan = fixture_plan(fixture, "kvm_amd.nested=0", 0, &error);

        g_assert_no_error(error);
        fake_host_write(fixture->directory, KEPT_FILE, "options kvm_amd npt=0\n");
        g_autoptr(ChangeResult) result = change_run(plan, fixture->root, &fixture->loader->parent);
        g_assert_error(result->error, CONDITION, CONDITION_CONFLICT);
        fixture_assert_line(fixture, KEPT_FILE, "options kvm_amd npt=0");
        g_assert_cmpstr(fixture->loader->calls->str, ==, "");
}

int main(int argc, char **argv) {
        static const struct {
                const char *name;
                void (*run)(Fixture *fixture, gconstpointer data);
        } tests[] = {
                        {"set-and-reset", test_set_and_reset},
                        {"two-modules-at-once", test_two_modules_at_once},
                        {"failure-is-undone", test_failure_is_undone},
                        {"refused-value-is-undone", test_refused_value_is_undone},
                        {"failed-undo-is-told-and-healed", test_failed_undo_is_told_and_healed},
                        {"race-is-noticed", test_race_is_noticed},
                        {"busy", test_busy},
                        {"kvm-busy-but-needed", test_kvm_busy_but_needed},
                        {"kvm-kept-is-remembered", test_kvm_kept_is_remembered},
                        {"kvm-keeps-what-lives-in-it", test_kvm_keeps_what_lives_in_it},
                        {"kvm-kept-ends-when-it-is-loaded-by-hand", test_kvm_kept_ends_when_it_is_loaded_by_hand},
                        {"when-idle", test_when_idle},
                        {"when-idle-and-idle", test_when_idle_and_idle},
                        {"when-idle-fails", test_when_idle_fails},
                        {"a-load-that-is-forbidden", test_a_load_that_is_forbidden},
                        {"when-idle-is-settled", test_when_idle_is_settled},
                        {"next-boot", test_next_boot},
                        {"runtime", test_runtime},
                        {"writable-needs-no-reload", test_writable_needs_no_reload},
                        {"hand-written-value-is-kept", test_hand_written_value_is_kept},
                        {"moot-value-is-no-failure", test_moot_value_is_no_failure},
                        {"dry-run", test_dry_run},
                        {"conflict", test_conflict},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strconcat("/change/", tests[i].name, NULL);
                g_test_add(path, Fixture, NULL, fixture_set_up, tests[i].run, fixture_tear_down);
        }
        return g_test_run();
}
