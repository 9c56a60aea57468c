/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How changes end that do not go as planned: what is undone, what is put back and what stays, what
 * the next change and the next start make of it. */

#include <glib/gstdio.h>
#include <string.h>

#include "change-fixture.h"
#include "error.h"
#include "journal.h"
#include "plan-draft.h"
#include "recover.h"

static ChangeResult *recover(Fixture *fixture) {
        ChangeResult *result = recover_run(fixture->root, &fixture->loader->parent);

        g_assert_nonnull(result);
        return result;
}

/* Nothing is left of a change whose files do not become visible: not even that it waits. */
static void test_failed_publish(Fixture *fixture, gconstpointer data) {
        static const char *const names[] = {"zz-nestvirt.conf", "kvm-kept", "change"};
        g_autofree char *before = fixture_dump(fixture);

        fixture->loader->busy = "kvm";
        for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
                fixture_fail_rename(names[i]);
                g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", 0);
                fixture_fail_rename(NULL);
                g_assert_nonnull(result->error);
                g_autofree char *after = fixture_dump(fixture);
                g_assert_cmpstr(before, ==, after);
        }
}

static void test_failed_deferral(Fixture *fixture, gconstpointer data) {
        static const char *const names[] = {"zz-nestvirt.conf", "pending", "change"};

        fixture_defer(fixture, "kvm_amd.npt=0");
        g_autofree char *before = fixture_dump(fixture);
        fixture->loader->busy = "kvm_amd";
        for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
                fixture_fail_rename(names[i]);
                g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", REQUEST_WHEN_IDLE);
                fixture_fail_rename(NULL);
                g_assert_nonnull(result->error);
                g_autofree char *after = fixture_dump(fixture);
                g_assert_cmpstr(before, ==, after);
        }
}

/* Undoing says so in the journal, so that a kill while it is at it does not have the change
 * finished. */
static void test_undoing_is_not_finished(Fixture *fixture, gconstpointer data) {
        g_autofree char *before = fixture_dump(fixture);
        g_autoptr(Plan) plan = fixture_plan(fixture, "kvm_amd.nested=0", 0, NULL);

        fake_loader_insert(fixture->loader, "kvm_amd", "nested=0");
        fake_host_write(fixture->directory, KEPT_FILE, ((PlanFile *) g_ptr_array_index(plan->files, 0))->after);
        g_assert_true(journal_write(fixture->root, plan, JOURNAL_UNDOING, NULL));
        g_autoptr(ChangeResult) recovered = recover(fixture);
        assert_outcome(recovered, "applied");
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);
}

#define EDITED "options kvm ignore_msrs=0\noptions kvm_amd npt=1 # by hand\n"

static void edit(FakeLoader *loader, const char *call) {
        if (g_str_equal(call, "unload kvm_amd"))
                fake_host_write(loader->directory, KEPT_FILE, EDITED);
}

/* What somebody writes into our file during the reload is neither overwritten by the new text nor
 * by the old one. */
static void test_edit_during_the_reload(Fixture *fixture, gconstpointer data) {
        for (unsigned fails = 0; fails < 2; fails++) {
                fake_host_write(fixture->directory, KEPT_FILE, "options kvm ignore_msrs=0\n");
                fixture->loader->hook = edit;
                fixture->loader->fail_at = "load kvm_amd";
                fixture->loader->fail_times = fails;
                g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", 0);
                g_assert_cmpint(condition_of(result->error), ==, fails ? CONDITION_RELOAD_FAILED : CONDITION_CONFLICT);
                g_autofree char *text = fake_host_read(fixture->directory, KEPT_FILE);
                g_assert_cmpstr(text, ==, EDITED);
                fixture_assert_value(fixture, "kvm_amd", "nested", "1");
                fixture_assert_whole(fixture);
        }
}

static void hold_after_race(FakeLoader *loader, const char *call) {
        if (g_str_equal(call, "unload kvm_amd"))
                loader->busy = loader->race ? NULL : "kvm_amd";
}

/* Somebody else's load wins the race, and then the module is held: half of the change is there, and
 * that is told. */
static void test_race_and_then_busy(Fixture *fixture, gconstpointer data) {
        static const char *const loaded[] = {"nested=1 npt=0", ""};

        for (unsigned i = 0; i < G_N_ELEMENTS(loaded); i++) {
                fake_loader_insert(fixture->loader, "kvm_amd", loaded[i]);
                fixture->loader->race = true;
                fixture->loader->hook = hold_after_race;
                g_autoptr(ChangeResult) result = fixture_change(
                                fixture, i == 0 ? "kvm_amd.nested=0" : "kvm_amd.nested=0 kvm.enable_pmu=0", 0);
                g_assert_error(result->error, CONDITION, CONDITION_HOST_DEGRADED);
                /* It is there already, so that modprobe would do nothing. */
                assert_text_has(result->error->message, "systemctl restart nestvirtd.service");

                fixture->loader->hook = NULL;
                fixture->loader->busy = NULL;
                g_autoptr(ChangeResult) recovered = recover(fixture);
                assert_outcome(recovered, "applied");
                fixture_assert_value(fixture, "kvm_amd", "nested", "1");
                fixture_assert_value(fixture, "kvm_amd", "npt", i == 0 ? "N" : "Y");
                fixture_assert_value(fixture, "kvm", "enable_pmu", "Y");
                fixture_assert_whole(fixture);
        }
}

/* What the other one has loaded is just what was there before. */
static void test_race_that_undoes(Fixture *fixture, gconstpointer data) {
        g_autofree char *before = fixture_dump(fixture);

        fixture->loader->race = true;
        fixture->loader->hook = hold_after_race;
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", 0);
        g_assert_error(result->error, CONDITION, CONDITION_RELOAD_FAILED);
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);
}

static unsigned unloads;

/* The module with the wrong value is held once by somebody who only looks. */
static void hold_for_a_moment(FakeLoader *loader, const char *call) {
        if (g_str_equal(call, "unload kvm_amd"))
                loader->busy = ++unloads == 2 ? "kvm_amd" : NULL;
}

static void test_undo_waits_a_moment(Fixture *fixture, gconstpointer data) {
        /* A value that the kernel takes and does not keep. */
        fake_host_write(fixture->directory, "etc/modprobe.d/x.conf", "options kvm_amd avic=0\n");
        g_autofree char *before = fixture_dump(fixture);
        g_autoptr(Plan) plan = fixture_plan(fixture, "kvm_amd.nested=0", 0, NULL);
        PlanModule *vendor = g_ptr_array_index(plan->modules, 1);

        g_free(vendor->after);
        vendor->after = g_strdup("nested=1 npt=0");
        unloads = 0;
        fixture->loader->hook = hold_for_a_moment;
        g_autoptr(ChangeResult) result = change_run(plan, fixture->root, &fixture->loader->parent);
        g_assert_error(result->error, CONDITION, CONDITION_RELOAD_FAILED);
        g_assert_cmpuint(unloads, ==, 3);
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);
}

/* A kvm that need not go and does not go, for whatever reason, is kept. */
static void test_kvm_that_does_not_go(Fixture *fixture, gconstpointer data) {
        fixture->loader->fail_at = "unload kvm";
        fixture->loader->fail_times = 99;
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", 0);

        assert_outcome(result, "applied");
        fixture_assert_value(fixture, "kvm_amd", "nested", "0");
        fixture_assert_kvm_kept(fixture, true);
        fixture_assert_whole(fixture);
}

/* What somebody loaded by hand comes back, though the change is not about it. */
static void test_values_by_hand_come_back(Fixture *fixture, gconstpointer data) {
        fake_loader_insert(fixture->loader, "kvm_amd", "nested=1 npt=0 nrips=0");
        g_autofree char *before = fixture_dump(fixture);

        fixture->loader->fail_at = "load kvm_amd";
        fixture->loader->fail_times = 1;
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", 0);
        g_assert_error(result->error, CONDITION, CONDITION_RELOAD_FAILED);
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);
}

/* A load that waited fails: only what has waited is configured as before. */
static void test_failed_wait_keeps_the_rest(Fixture *fixture, gconstpointer data) {
        g_autoptr(ChangeResult) early = fixture_change(fixture, "kvm_amd.nested=1", 0);
        assert_outcome(early, "configured");
        fixture_defer(fixture, "kvm_amd.nested=0");
        g_autoptr(ChangeResult) later = fixture_change(fixture, "kvm.enable_pmu=0 kvm_amd.nrips=0", REQUEST_NEXT_BOOT);
        assert_outcome(later, "configured");
        fixture_defer(fixture, "kvm_amd.nrips=1 kvm_amd.npt=0");

        fixture->loader->fail_at = "load kvm_amd";
        fixture->loader->fail_times = 1;
        g_autoptr(ChangeResult) failed = fixture_attempt(fixture);
        g_assert_error(failed->error, CONDITION, CONDITION_RELOAD_FAILED);
        fixture_assert_line(fixture, KEPT_FILE, "options kvm enable_pmu=0");
        fixture_assert_line(fixture, KEPT_FILE, "options kvm_amd nested=1 nrips=0");
        fixture_assert_line(fixture, PENDING_FILE, NULL);
        fixture_assert_whole(fixture);
}

/* Neither the load that waited nor its undoing works: the value that was refused is not left for
 * the next boot all the same. */
static void test_failed_wait_and_undo(Fixture *fixture, gconstpointer data) {
        g_autofree char *before = fixture_dump(fixture);

        fixture_defer(fixture, "kvm_amd.nested=0");
        fixture->loader->fail_at = "load kvm_amd";
        fixture->loader->fail_times = 2;
        g_autoptr(ChangeResult) failed = fixture_attempt(fixture);
        g_assert_error(failed->error, CONDITION, CONDITION_HOST_DEGRADED);
        assert_text_has(failed->error->message, "modprobe kvm_amd");
        fixture_assert_line(fixture, KEPT_FILE, NULL);
        fixture_assert_line(fixture, PENDING_FILE, NULL);

        g_autoptr(ChangeResult) recovered = recover(fixture);
        assert_outcome(recovered, "applied");
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);
}

static void hide_what_waits(FakeLoader *loader, const char *call) {
        g_autofree char *path = g_build_filename(loader->directory, PENDING_FILE, NULL);

        if (!g_str_equal(call, "load kvm_amd") || g_file_test(path, G_FILE_TEST_IS_DIR))
                return;
        g_assert_cmpint(g_unlink(path), ==, 0);
        g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
}

/* What has waited can't be read when it has failed: the modules are back, but who is told to have
 * the rest put in order by a restart is helped by one. */
static void test_failed_wait_that_cannot_be_read(Fixture *fixture, gconstpointer data) {
        fixture_defer(fixture, "kvm_amd.nested=0");
        g_autofree char *waiting = fixture_dump(fixture), *pending = fake_host_read(fixture->directory, PENDING_FILE);
        g_autofree char *path = g_build_filename(fixture->directory, PENDING_FILE, NULL);
        fixture->loader->hook = hide_what_waits;
        fixture->loader->fail_at = "load kvm_amd";
        fixture->loader->fail_times = 1;
        g_autoptr(ChangeResult) failed = fixture_attempt(fixture);
        g_assert_error(failed->error, CONDITION, CONDITION_HOST_DEGRADED);
        assert_text_has(failed->error->message, "systemctl restart nestvirtd.service");
        assert_text_has(failed->error->message, PENDING_FILE);
        fixture_assert_line(fixture, JOURNAL_FILE, "phase=degraded");
        fixture_assert_value(fixture, "kvm_amd", "nested", "1");

        fixture->loader->hook = NULL;
        g_assert_cmpint(g_rmdir(path), ==, 0);
        fake_host_write(fixture->directory, PENDING_FILE, pending);
        g_autoptr(ChangeResult) recovered = recover(fixture);
        g_assert_no_error(recovered->error);
        g_autofree char *again = fixture_dump(fixture);
        g_assert_cmpstr(again, ==, waiting);
}

/* A record of a change that could not be undone outlives the next change, which mends it first when
 * it can. */
static void test_degraded_record_is_kept(Fixture *fixture, gconstpointer data) {
        g_autofree char *before = fixture_dump(fixture);

        fixture->loader->fail_at = "load kvm_amd";
        fixture->loader->fail_times = 3;
        g_autoptr(ChangeResult) failed = fixture_change(fixture, "kvm_amd.nested=0", 0);
        g_assert_error(failed->error, CONDITION, CONDITION_HOST_DEGRADED);
        g_autoptr(ChangeResult) refused = fixture_change(fixture, "kvm.enable_pmu=0", REQUEST_NEXT_BOOT);
        g_assert_error(refused->error, CONDITION, CONDITION_HOST_DEGRADED);
        fixture_assert_line(fixture, JOURNAL_FILE, "phase=degraded");
        fixture_assert_line(fixture, KEPT_FILE, NULL);

        g_autoptr(ChangeResult) mended = fixture_change(fixture, "kvm.enable_pmu=0", REQUEST_NEXT_BOOT);
        g_assert_error(mended->error, CONDITION, CONDITION_CONFLICT);
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);
        g_autoptr(ChangeResult) again = fixture_change(fixture, "kvm.enable_pmu=0", REQUEST_NEXT_BOOT);
        assert_outcome(again, "configured");
}

/* What waits for idle is not lost by it: the next look is for the host as it is then. */
static void test_wait_outlives_mending(Fixture *fixture, gconstpointer data) {
        fixture_defer(fixture, "kvm_amd.npt=0");
        g_autofree char *waiting = fixture_dump(fixture);
        g_autoptr(Plan) attempt = fixture_plan_attempt(fixture, NULL);
        g_autoptr(Plan) plan = fixture_plan(fixture, "kvm_amd.nested=0", 0, NULL);

        fake_loader_insert(fixture->loader, "kvm_amd", "nested=0");
        g_assert_true(journal_write(fixture->root, plan, JOURNAL_BEGUN, NULL));
        g_autoptr(ChangeResult) mended = change_run(attempt, fixture->root, &fixture->loader->parent);
        g_assert_error(mended->error, CONDITION, CONDITION_BUSY);
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(waiting, ==, after);
        g_autoptr(ChangeResult) applied = fixture_attempt(fixture);
        assert_outcome(applied, "applied");
}

/* Somebody has put everything in order by hand: only the record has to go, and the change goes
 * on. */
static void test_degraded_and_mended_by_hand(Fixture *fixture, gconstpointer data) {
        fixture->loader->fail_at = "load kvm_amd";
        fixture->loader->fail_times = 2;
        g_autoptr(ChangeResult) failed = fixture_change(fixture, "kvm_amd.nested=0", 0);
        g_assert_error(failed->error, CONDITION, CONDITION_HOST_DEGRADED);
        fake_loader_insert(fixture->loader, "kvm_amd", "");

        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", 0);
        assert_outcome(result, "applied");
        fixture_assert_whole(fixture);
}

/* A reload of what was not loaded, cut short at its last load or after it: nobody has asked for
 * options that were never proven. */
static void test_not_loaded_before(Fixture *fixture, gconstpointer data) {
        Loader *loader = &fixture->loader->parent;
        g_autoptr(Request) request = request_new(0);
        bool busy;

        request->reload = g_strdup("kvm_amd");
        g_assert_true(loader->unload(loader, "kvm_amd", &busy, NULL));
        g_assert_true(loader->unload(loader, "kvm", &busy, NULL));
        g_autofree char *before = fixture_dump(fixture);
        g_autoptr(Host) host = host_read(fixture->root, loader);
        g_autoptr(Plan) plan = plan_new(host, loader, request, NULL);
        g_assert_true(plan && plan_reloads(plan));

        for (unsigned loaded = 1; loaded <= 2; loaded++) {
                g_assert_true(journal_write(fixture->root, plan, JOURNAL_BEGUN, NULL));
                fake_loader_insert(fixture->loader, "kvm", "");
                if (loaded == 2)
                        fake_loader_insert(fixture->loader, "kvm_amd", "");
                g_autoptr(ChangeResult) recovered = recover(fixture);
                assert_outcome(recovered, "applied");
                g_autofree char *after = fixture_dump(fixture);
                g_assert_cmpstr(before, ==, after);
        }
}

static void test_damaged_record_is_kept(Fixture *fixture, gconstpointer data) {
        fake_host_write(fixture->directory, JOURNAL_FILE, "not a key file");
        g_autoptr(ChangeResult) refused = fixture_change(fixture, "kvm_amd.nested=0", 0);

        g_assert_error(refused->error, CONDITION, CONDITION_HOST_DEGRADED);
        g_assert_cmpstr(fixture->loader->calls->str, ==, "");
        fixture_assert_line(fixture, JOURNAL_FILE, NULL);
        fixture_assert_line(fixture, JOURNAL_FILE ".damaged", "not a key file");
}

/* The largest files of ours, each byte of which takes five to be written down, and what waits
 * remembers them as well. */
static void test_large_files(Fixture *fixture, gconstpointer data) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autoptr(GError) error = NULL;

        while (text->len < PLAN_FILE_MAX - 1024)
                g_string_append(text, "#\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\n");
        fake_host_write(fixture->directory, KEPT_FILE, text->str);
        fake_host_write(fixture->directory, RUNTIME_FILE, text->str);
        fixture_defer(fixture, "kvm_amd.nested=0");
        fixture->loader->fail_at = "load kvm_amd";
        fixture->loader->fail_times = 2;
        g_autoptr(ChangeResult) failed = fixture_attempt(fixture);
        g_assert_error(failed->error, CONDITION, CONDITION_HOST_DEGRADED);
        g_autoptr(ChangeResult) recovered = recover(fixture);
        assert_outcome(recovered, "applied");
        g_autofree char *kept = fake_host_read(fixture->directory, KEPT_FILE);
        g_assert_cmpstr(kept, ==, text->str);

        while (text->len <= PLAN_FILE_MAX)
                g_string_append(text, "# more\n");
        fake_host_write(fixture->directory, KEPT_FILE, text->str);
        g_autoptr(Plan) plan = fixture_plan(fixture, "kvm_amd.nested=0", 0, &error);
        g_assert_null(plan);
        g_assert_error(error, CONDITION, CONDITION_UNSUPPORTED);
        assert_text_has(error->message, KEPT_FILE);
}

int main(int argc, char **argv) {
        static const struct {
                const char *name;
                void (*run)(Fixture *fixture, gconstpointer data);
        } tests[] = {
                        {"failed-publish", test_failed_publish},
                        {"failed-deferral", test_failed_deferral},
                        {"undoing-is-not-finished", test_undoing_is_not_finished},
                        {"edit-during-the-reload", test_edit_during_the_reload},
                        {"race-and-then-busy", test_race_and_then_busy},
                        {"race-that-undoes", test_race_that_undoes},
                        {"undo-waits-a-moment", test_undo_waits_a_moment},
                        {"kvm-that-does-not-go", test_kvm_that_does_not_go},
                        {"values-by-hand-come-back", test_values_by_hand_come_back},
                        {"failed-wait-keeps-the-rest", test_failed_wait_keeps_the_rest},
                        {"failed-wait-and-undo", test_failed_wait_and_undo},
                        {"failed-wait-that-cannot-be-read", test_failed_wait_that_cannot_be_read},
                        {"degraded-record-is-kept", test_degraded_record_is_kept},
                        {"degraded-and-mended-by-hand", test_degraded_and_mended_by_hand},
                        {"wait-outlives-mending", test_wait_outlives_mending},
                        {"not-loaded-before", test_not_loaded_before},
                        {"damaged-record-is-kept", test_damaged_record_is_kept},
                        {"large-files", test_large_files},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strconcat("/rollback/", tests[i].name, NULL);
                g_test_add(path, Fixture, NULL, fixture_set_up, tests[i].run, fixture_tear_down);
        }
        return g_test_run();
}
