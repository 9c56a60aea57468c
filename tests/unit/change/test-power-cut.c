/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the start of another boot makes of a change that the power has cut short. */

#include "applied.h"
#include "change-fixture.h"
#include "dropin.h"
#include "error.h"
#include "journal.h"
#include "plan-files.h"
#include "records.h"
#include "recover.h"

#define OTHER_BOOT "0e3f5a52-0000-4000-8000-000000000002\n"
#define APPLIED "[kvm_amd]\nnested=0\n"

static void boot_again(Fixture *fixture) {
        fake_host_write(fixture->directory, "proc/sys/kernel/random/boot_id", OTHER_BOOT);
        g_string_truncate(fixture->loader->calls, 0);
        g_autoptr(ChangeResult) healed = recover_run(fixture->root, &fixture->loader->parent);
        g_assert_no_error(healed->error);
        g_assert_cmpstr(fixture->loader->calls->str, ==, "");
        fixture_assert_whole(fixture);
}

/* The modules are what the boot made them, and a file that was staged was never seen. */
static void test_degraded(Fixture *fixture, gconstpointer data) {
        fixture->loader->fail_at = "load kvm_amd";
        fixture->loader->fail_times = 2;
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", 0);
        g_assert_error(result->error, CONDITION, CONDITION_HOST_DEGRADED);

        fake_host_write(fixture->directory, "etc/modprobe.d/.zz-nestvirt.conf.new", "options kvm_amd nested=0\n");
        fake_loader_insert(fixture->loader, "kvm_amd", "");
        boot_again(fixture);
        fixture_assert_line(fixture, KEPT_FILE, NULL);
}

/* Proven; the power fails before the file is the new one (@published false), or before our own
 * records are. */
static void cut(Fixture *fixture, bool published) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Plan) plan = fixture_plan(fixture, "kvm_amd.nested=0", 0, &error);

        g_assert_no_error(error);
        plan->applies = true;
        plan->applied = g_strdup(APPLIED);
        g_assert_true(plan_files_stage(plan->files, fixture->root, &error) &&
                      records_done(plan, fixture->root, false, &error) &&
                      journal_write(fixture->root, plan, JOURNAL_PROVEN, &error));
        if (published)
                g_assert_true(plan_files_publish(plan->files, fixture->root, NULL, &error));
}

static char *read_text(const Fixture *fixture, const char *path) {
        g_autoptr(GError) error = NULL;
        char *text;

        g_assert_true(plan_files_read(fixture->root, path, &text, &error));
        return text;
}

static void test_records_follow_the_file(Fixture *fixture, gconstpointer data) {
        cut(fixture, true);
        boot_again(fixture);
        g_autofree char *applied = read_text(fixture, APPLIED_PATH), *written = read_text(fixture, DROPIN_WRITTEN_PATH);

        fixture_assert_line(fixture, KEPT_FILE, "options kvm_amd nested=0");
        g_assert_cmpstr(applied, ==, APPLIED);
        g_assert_nonnull(written);
}

static void test_records_stay_with_the_file(Fixture *fixture, gconstpointer data) {
        cut(fixture, false);
        boot_again(fixture);
        g_autofree char *applied = read_text(fixture, APPLIED_PATH), *written = read_text(fixture, DROPIN_WRITTEN_PATH);

        fixture_assert_line(fixture, KEPT_FILE, NULL);
        g_assert_null(applied);
        g_assert_null(written);
}

/* Somebody has applied something else since. */
static void test_a_newer_record_stays(Fixture *fixture, gconstpointer data) {
        cut(fixture, true);
        fake_host_write(fixture->directory, APPLIED_PATH, "[kvm_amd]\nnpt=0\n");
        boot_again(fixture);
        g_autofree char *applied = read_text(fixture, APPLIED_PATH);
        g_assert_cmpstr(applied, ==, "[kvm_amd]\nnpt=0\n");
}

int main(int argc, char **argv) {
        static const struct {
                const char *name;
                void (*run)(Fixture *fixture, gconstpointer data);
        } tests[] = {
                        {"degraded", test_degraded},
                        {"records-follow-the-file", test_records_follow_the_file},
                        {"records-stay-with-the-file", test_records_stay_with_the_file},
                        {"a-newer-record-stays", test_a_newer_record_stays},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strconcat("/power-cut/", tests[i].name, NULL);
                g_test_add(path, Fixture, NULL, fixture_set_up, tests[i].run, fixture_tear_down);
        }
        return g_test_run();
}
