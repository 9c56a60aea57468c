/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What can't be read in the middle of a change, or of what a start does with one: it is neither
 * absent nor another value, and nothing is taken out or loaded for it. */

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "change-fixture.h"
#include "error.h"
#include "journal.h"
#include "recover.h"

#define KVM_STATE "sys/module/kvm/initstate"
#define NESTED_VALUE "sys/module/kvm_amd/parameters/nested"

/* A link to itself: ELOOP. */
static void hide(const char *directory, const char *path) {
        g_autofree char *full = g_build_filename(directory, path, NULL), *name = g_path_get_basename(path);

        g_assert_cmpint(g_unlink(full), ==, 0);
        g_assert_cmpint(symlink(name, full), ==, 0);
}

static const char *waiting; /* the host that can be read again as soon as somebody waits */

/* In the place of GLib's. */
void g_usleep(gulong microseconds) {
        if (waiting)
                fake_host_write(waiting, KVM_STATE, "live\n");
        waiting = NULL;
}

static void hide_kvm(FakeLoader *loader, const char *call) {
        if (!g_str_equal(call, "unload kvm_amd"))
                return;
        hide(loader->directory, KVM_STATE);
        waiting = loader->directory;
        loader->hook = NULL;
}

static void test_module_is_not_gone(Fixture *fixture, gconstpointer data) {
        g_autofree char *before = fixture_dump(fixture);

        fixture->loader->hook = hide_kvm;
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", 0);
        g_assert_error(result->error, CONDITION, CONDITION_RELOAD_FAILED);
        assert_text_has(result->error->message, KVM_STATE);
        g_assert_null(strstr(fixture->loader->calls->str, "load kvm "));
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);
}

static void test_proven_value_is_not_another(Fixture *fixture, gconstpointer data) {
        g_autoptr(Plan) plan = fixture_plan(fixture, "kvm_amd.nested=0", 0, NULL);

        fake_loader_insert(fixture->loader, "kvm_amd", "nested=0");
        g_assert_true(journal_write(fixture->root, plan, JOURNAL_PROVEN, NULL));
        hide(fixture->directory, NESTED_VALUE);
        g_string_truncate(fixture->loader->calls, 0);
        g_autoptr(ChangeResult) recovered = recover_run(fixture->root, &fixture->loader->parent);
        g_assert_error(recovered->error, CONDITION, CONDITION_HOST_DEGRADED);
        assert_text_has(recovered->error->message, NESTED_VALUE);
        g_assert_cmpstr(fixture->loader->calls->str, ==, "");
        fixture_assert_line(fixture, JOURNAL_FILE, "phase=proven");
}

/* Whether there is a record can't be told, and no host is degraded. */
static void test_journal_is_not_gone(Fixture *fixture, gconstpointer data) {
        fake_host_write(fixture->directory, JOURNAL_FILE, "x");
        hide(fixture->directory, JOURNAL_FILE);
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", 0);
        g_assert_error(result->error, CONDITION, CONDITION_INTERNAL);
        assert_text_has(result->error->message, JOURNAL_FILE);
        g_assert_cmpstr(fixture->loader->calls->str, ==, "");
        fixture_assert_value(fixture, "kvm_amd", "nested", "1");
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add("/unread/module-is-not-gone", Fixture, NULL, fixture_set_up, test_module_is_not_gone,
                   fixture_tear_down);
        g_test_add("/unread/proven-value-is-not-another", Fixture, NULL, fixture_set_up,
                   test_proven_value_is_not_another, fixture_tear_down);
        g_test_add("/unread/journal-is-not-gone", Fixture, NULL, fixture_set_up, test_journal_is_not_gone,
                   fixture_tear_down);
        return g_test_run();
}
