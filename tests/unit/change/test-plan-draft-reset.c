/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a reset comes to: which lines go, what is loaded anew for it, and what it does not touch. */

#include "change-fixture.h"
#include "error.h"

/* A reset is about what is ours; a value that somebody has loaded by hand is not. */
static void test_of_what_is_not_ours(Fixture *fixture, gconstpointer data) {
        static const uint64_t flags[] = {0, REQUEST_RUNTIME, REQUEST_NEXT_BOOT, REQUEST_WHEN_IDLE};

        fake_loader_insert(fixture->loader, "kvm_amd", "nested=0");
        for (unsigned i = 0; i < G_N_ELEMENTS(flags); i++) {
                g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested", flags[i]);
                assert_outcome(result, "unchanged");
                g_assert_cmpstr(fixture->loader->calls->str, ==, "");
        }
        fake_host_write(fixture->directory, KEPT_FILE, "options kvm_amd nested=1\n");
        g_autoptr(ChangeResult) runtime = fixture_change(fixture, "kvm_amd.nested", REQUEST_RUNTIME);
        assert_outcome(runtime, "unchanged");
        g_autoptr(ChangeResult) kept = fixture_change(fixture, "kvm_amd.nested", 0);
        assert_outcome(kept, "applied");
        fixture_assert_value(fixture, "kvm_amd", "nested", "1");
}

/* Another kernel's, and another machine's: what we wrote then goes all the same, and no load is
 * told of it. */
static void test_of_what_this_host_lacks(Fixture *fixture, gconstpointer data) {
        fake_host_write(fixture->directory, KEPT_FILE, "options kvm_amd vls=0\noptions kvm_intel nested=0 ept=0\n");
        g_autoptr(ChangeResult) kernel = fixture_change(fixture, "kvm_amd.vls", 0);
        assert_outcome(kernel, "configured");
        g_autoptr(ChangeResult) vendor = fixture_change(fixture, "kvm_intel.nested", REQUEST_WHEN_IDLE);
        assert_outcome(vendor, "configured");
        g_assert_cmpstr(fixture->loader->calls->str, ==, "");
        fixture_assert_line(fixture, KEPT_FILE, "options kvm_intel ept=0");
        g_autoptr(ChangeResult) again = fixture_change(fixture, "kvm_intel.nested", 0);
        g_assert_error(again->error, CONDITION, CONDITION_UNSUPPORTED);
        g_autoptr(ChangeResult) kept = fixture_change(fixture, "kvm_intel.ept", REQUEST_RUNTIME);
        g_assert_error(kept->error, CONDITION, CONDITION_UNSUPPORTED);

        fake_host_write(fixture->directory, KEPT_FILE,
                        "options kvm_amd nested=0 vls=0\noptions kvm_intel ept=0\noptions nvidia x=1\n");
        fake_loader_insert(fixture->loader, "kvm_amd", "nested=0");
        g_autoptr(ChangeResult) all = fixture_change(fixture, "", 0);
        assert_outcome(all, "applied");
        assert_text_has(fixture->loader->calls->str, "load kvm_amd nested=1; ");
        fixture_assert_line(fixture, KEPT_FILE, "options nvidia x=1");
        fixture_assert_no_line(fixture, KEPT_FILE, "options kvm_intel ept=0");
}

static void test_of_a_builtin(Fixture *fixture, gconstpointer data) {
        fake_host_write(fixture->directory, KEPT_FILE, "options kvm enable_pmu=0\n");
        fake_host_write(fixture->directory, "proc/cmdline", "kvm.enable_pmu=1\n");
        fake_host_write(fixture->directory, "sys/module/kvm/initstate", NULL);
        fixture->loader->gone = true;
        g_autoptr(ChangeResult) reset = fixture_change(fixture, "kvm.enable_pmu", 0);
        assert_outcome(reset, "configured");
        fixture_assert_line(fixture, KEPT_FILE, NULL);
        g_autoptr(ChangeResult) again = fixture_change(fixture, "kvm.enable_pmu", 0);
        g_assert_error(again->error, CONDITION, CONDITION_BUILTIN);
}

/* The CPU lacks it, so the default would be switched off again: only the line goes, and nothing
 * else is asked of a reload. */
static void test_of_what_the_cpu_lacks(Fixture *fixture, gconstpointer data) {
        g_autoptr(ChangeResult) set = fixture_change(fixture, "kvm_amd.vgif=0", 0);
        assert_outcome(set, "configured");
        fixture->loader->busy = "kvm_amd";
        g_autoptr(ChangeResult) reset = fixture_change(fixture, "kvm_amd.vgif", REQUEST_WHEN_IDLE);
        assert_outcome(reset, "configured");
        g_assert_cmpstr(fixture->loader->calls->str, ==, "");
        fixture_assert_line(fixture, KEPT_FILE, NULL);

        fixture->loader->busy = NULL;
        g_autoptr(ChangeResult) both = fixture_change(fixture, "kvm_amd.vgif=0 kvm_amd.nested=0", 0);
        assert_outcome(both, "applied");
        g_autoptr(ChangeResult) all = fixture_change(fixture, "", 0);
        assert_outcome(all, "applied");
        fixture_assert_value(fixture, "kvm_amd", "nested", "1");
        fixture_assert_value(fixture, "kvm_amd", "vgif", "0");
        fixture_assert_line(fixture, KEPT_FILE, NULL);
}

/* A reset that waits is ours to bring about at once. */
static void test_that_waits(Fixture *fixture, gconstpointer data) {
        g_autoptr(ChangeResult) off = fixture_change(fixture, "kvm_amd.nested=0", 0);
        assert_outcome(off, "applied");
        fixture->loader->busy = "kvm_amd";
        g_autoptr(ChangeResult) deferred = fixture_change(fixture, "kvm_amd.nested", REQUEST_WHEN_IDLE);
        assert_outcome(deferred, "deferred");
        fixture->loader->busy = NULL;
        g_autoptr(ChangeResult) now = fixture_change(fixture, "kvm_amd.nested", 0);
        assert_outcome(now, "applied");
        fixture_assert_value(fixture, "kvm_amd", "nested", "1");
        fixture_assert_line(fixture, PENDING_FILE, NULL);
}

/* Somebody has commented out what was ours. */
static void test_of_what_is_commented_out(Fixture *fixture, gconstpointer data) {
        static const char *const whats[] = {"", "kvm_amd.nested"};

        for (unsigned i = 0; i < G_N_ELEMENTS(whats); i++) {
                fake_host_write(fixture->directory, KEPT_FILE, "# Mine.\n#options kvm_amd nested=0\n");
                g_autoptr(ChangeResult) set = fixture_change(fixture, "kvm_amd.nested=1", REQUEST_NEXT_BOOT);
                g_assert_no_error(set->error);
                fixture_assert_line(fixture, KEPT_FILE, "#options kvm_amd nested=0");
                g_autoptr(ChangeResult) runtime = fixture_change(fixture, whats[i], REQUEST_RUNTIME);
                g_assert_no_error(runtime->error);
                fixture_assert_line(fixture, KEPT_FILE, "#options kvm_amd nested=0");
                g_autoptr(ChangeResult) reset = fixture_change(fixture, whats[i], 0);
                g_assert_no_error(reset->error);
                fixture_assert_line(fixture, KEPT_FILE, NULL);
                fake_host_write(fixture->directory, KEPT_FILE, "# Mine.\n#options kvm_amd nested=0\n");
                g_autoptr(ChangeResult) again = fixture_change(fixture, whats[i], 0);
                assert_outcome(again, "configured");
                fixture_assert_line(fixture, KEPT_FILE, NULL);
        }
}

/* What we have written is kept, and what somebody else has is no part of it. */
static void test_what_is_written_is_kept(Fixture *fixture, gconstpointer data) {
        g_autoptr(ChangeResult) off = fixture_change(fixture, "kvm_amd.nested=0", 0);
        assert_outcome(off, "applied");
        fixture_assert_line(fixture, WRITTEN_FILE, "options kvm_amd nested=0");
        fake_host_write(fixture->directory, KEPT_FILE, "options kvm_amd nested=1 avic=0\n");
        g_autoptr(ChangeResult) npt = fixture_change(fixture, "kvm_amd.npt=0", REQUEST_NEXT_BOOT);
        assert_outcome(npt, "configured");
        fixture_assert_line(fixture, KEPT_FILE, "options kvm_amd avic=0 nested=1 npt=0");
        fixture_assert_line(fixture, WRITTEN_FILE, "options kvm_amd nested=0 npt=0");
        g_autoptr(ChangeResult) nested = fixture_change(fixture, "kvm_amd.nested", REQUEST_NEXT_BOOT);
        assert_outcome(nested, "configured");
        fixture_assert_line(fixture, WRITTEN_FILE, "options kvm_amd npt=0");
        g_autoptr(ChangeResult) all = fixture_change(fixture, "", 0);
        g_assert_no_error(all->error);
        fixture_assert_line(fixture, KEPT_FILE, NULL);
        fixture_assert_line(fixture, WRITTEN_FILE, NULL);
}

/* A wait that fails gives back what was, of that as well. */
static void test_what_is_written_of_a_wait(Fixture *fixture, gconstpointer data) {
        g_autoptr(ChangeResult) off = fixture_change(fixture, "kvm_amd.npt=0", 0);
        assert_outcome(off, "applied");
        fixture->loader->busy = "kvm_amd";
        g_autoptr(ChangeResult) deferred = fixture_change(fixture, "kvm_amd.nested=0", REQUEST_WHEN_IDLE);
        assert_outcome(deferred, "deferred");
        fixture_assert_line(fixture, WRITTEN_FILE, "options kvm_amd nested=0 npt=0");
        fixture->loader->busy = NULL;
        fixture->loader->fail_at = "load kvm_amd";
        fixture->loader->fail_times = 1;
        g_autoptr(ChangeResult) failed = fixture_attempt(fixture);
        g_assert_nonnull(failed->error);
        fixture_assert_line(fixture, KEPT_FILE, "options kvm_amd npt=0");
        fixture_assert_line(fixture, WRITTEN_FILE, "options kvm_amd npt=0");
}

int main(int argc, char **argv) {
        static const struct {
                const char *name;
                void (*run)(Fixture *fixture, gconstpointer data);
        } tests[] = {
                        {"of-what-is-not-ours", test_of_what_is_not_ours},
                        {"of-what-this-host-lacks", test_of_what_this_host_lacks},
                        {"of-a-builtin", test_of_a_builtin},
                        {"of-what-the-cpu-lacks", test_of_what_the_cpu_lacks},
                        {"of-what-is-commented-out", test_of_what_is_commented_out},
                        {"what-is-written-is-kept", test_what_is_written_is_kept},
                        {"what-is-written-of-a-wait", test_what_is_written_of_a_wait},
                        {"that-waits", test_that_waits},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strconcat("/plan-reset/", tests[i].name, NULL);
                g_test_add(path, Fixture, NULL, fixture_set_up, tests[i].run, fixture_tear_down);
        }
        return g_test_run();
}
