/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is refused before anything is touched, with which condition, and what the message tells
 * people to do; and what is not refused. */

#include <string.h>

#include "change-fixture.h"
#include "error.h"
#include "plan-draft.h"

typedef struct Refusal {
        const char *name;
        const char *path, *text; /* a file of the host; @text NULL: none */
        const char *words;
        uint64_t flags;
        Condition condition;
        const char *says[3];
} Refusal;

static const Refusal refusals[] = {
                {"cpu-lacks-avic", NULL, NULL, "kvm_amd.avic=1", 0, CONDITION_UNSUPPORTED, {"avic", "CPU"}},
                {"cpu-lacks-vgif", NULL, NULL, "kvm_amd.vgif=on", REQUEST_DRY_RUN, CONDITION_UNSUPPORTED, {"vgif"}},
                {"the-host-below-lacks-vgif",
                 "sys/hypervisor/type",
                 "kvm\n",
                 "kvm_amd.vgif=on",
                 REQUEST_DRY_RUN,
                 CONDITION_UNSUPPORTED,
                 {"it lacks vgif (on the host below kvm_amd.vgif is off"}},
                {"ept-on-amd", NULL, NULL, "kvm_intel.ept=0", 0, CONDITION_UNSUPPORTED, {"npt"}},
                {"ept-given-to-amd", NULL, NULL, "kvm_amd.ept=0", 0, CONDITION_UNSUPPORTED, {"npt"}},
                {"kernel-lacks-it",
                 NULL,
                 NULL,
                 "kvm_amd.vnmi=0",
                 0,
                 CONDITION_UNSUPPORTED,
                 {"vnmi", "6.1.0-fake-amd64"}},
                {"nobody-knows-it", NULL, NULL, "kvm_amd.nestde=0", 0, CONDITION_NO_SUCH_PARAMETER, {"nestde"}},
                {"odd-name", NULL, NULL, "kvm_amd.../x\n=0", 0, CONDITION_NO_SUCH_PARAMETER, {"../x\\n"}},
                {"no-value", NULL, NULL, "kvm_amd.nested=banana", 0, CONDITION_INVALID_VALUE, {"banana"}},
                {"twice", NULL, NULL, "kvm_amd.nested=0 kvm_amd.nested=1", 0, CONDITION_INVALID_ARGS, {"twice"}},
                {"later-file",
                 "etc/modprobe.d/zzzz.conf",
                 "\noptions kvm-amd nested=1\n",
                 "kvm_amd.nested=0",
                 0,
                 CONDITION_OVERRIDDEN,
                 {"line 2 of /etc/modprobe.d/zzzz.conf", "--runtime"}},
                {"kernel-command-line",
                 "proc/cmdline",
                 "quiet kvm_amd.nested=1\n",
                 "kvm_amd.nested=0",
                 REQUEST_NEXT_BOOT,
                 CONDITION_OVERRIDDEN,
                 {"kernel command line", "--runtime"}},
                {"install-line",
                 "etc/modprobe.d/a.conf",
                 "install kvm_amd /bin/true\n",
                 "kvm_amd.nested=0",
                 0,
                 CONDITION_UNSUPPORTED,
                 {"/etc/modprobe.d/a.conf:1", "install"}},
                {"remove-line",
                 "etc/modprobe.d/a.conf",
                 "#\nremove kvm /bin/true\n",
                 "kvm_amd.nested=0",
                 REQUEST_WHEN_IDLE,
                 CONDITION_UNSUPPORTED,
                 {"/etc/modprobe.d/a.conf:2", "remove"}},
                {"refused-value",
                 "etc/modprobe.d/a.conf",
                 "options kvm_amd nested=Y\n",
                 "kvm_amd.npt=0",
                 0,
                 CONDITION_UNSUPPORTED,
                 {"nested=Y", "/etc/modprobe.d/a.conf:1"}},
                {"open-quote",
                 "etc/modprobe.d/a.conf",
                 "#\noptions kvm_amd x=\"a b\n",
                 "kvm_amd.nested=0",
                 REQUEST_NEXT_BOOT,
                 CONDITION_UNSUPPORTED,
                 {"nested=0", "open in /etc/modprobe.d/a.conf:2"}},
                {"double-dash",
                 "etc/modprobe.d/a.conf",
                 "options kvm_amd npt=1\noptions kvm_amd y=1 -- z=2\n",
                 "kvm_amd.nested=0",
                 0,
                 CONDITION_UNSUPPORTED,
                 {"\"--\" in /etc/modprobe.d/a.conf:2"}},
                {"double-dash-for-a-while",
                 "usr/lib/modprobe.d/a.conf",
                 "options kvm_amd --\n",
                 "kvm_amd.nested=0",
                 REQUEST_RUNTIME,
                 CONDITION_UNSUPPORTED,
                 {"\"--\" in /usr/lib/modprobe.d/a.conf:1", "zzz-nestvirt-runtime.conf"}},
                {"mask",
                 "etc/modprobe.d/zzz-nestvirt-runtime.conf",
                 "",
                 "kvm_amd.nested=0",
                 REQUEST_RUNTIME,
                 CONDITION_UNSUPPORTED,
                 {"/etc/modprobe.d/zzz-nestvirt-runtime.conf hides it"}},
                {"mask-with-a-value",
                 "etc/modprobe.d/zzz-nestvirt-runtime.conf",
                 "options kvm_amd npt=0\n",
                 "kvm_amd.nested=0 kvm_amd.npt=1",
                 REQUEST_RUNTIME,
                 CONDITION_UNSUPPORTED,
                 {"/etc/modprobe.d/zzz-nestvirt-runtime.conf hides it"}},
                {"modules-disabled",
                 "proc/sys/kernel/modules_disabled",
                 "1\n",
                 "kvm_amd.nested=0",
                 0,
                 CONDITION_NOT_PERMITTED,
                 {"modules_disabled", "--next-boot"}},
};

static void test_refusal(Fixture *fixture, gconstpointer data) {
        const Refusal *refusal = data;
        g_autoptr(GError) error = NULL;

        if (refusal->text)
                fake_host_write(fixture->directory, refusal->path, refusal->text);
        g_autofree char *before = fixture_dump(fixture);
        g_autoptr(Plan) plan = fixture_plan(fixture, refusal->words, refusal->flags, &error);
        g_assert_null(plan);
        g_assert_error(error, CONDITION, (int) refusal->condition);
        for (const char *const *part = refusal->says; *part; part++)
                if (!strstr(error->message, *part))
                        g_error("\"%s\" does not say \"%s\"", error->message, *part);
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);
}

static void assert_planned(Fixture *fixture, const char *words, uint64_t flags, bool reloads) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Plan) plan = fixture_plan(fixture, words, flags, &error);

        g_assert_no_error(error);
        g_assert_false(plan->unchanged);
        g_assert_cmpint(plan_reloads(plan), ==, reloads);
}

/* What stands in the way of a load, and what can be said of the file of a module. */
static const struct {
        const char *path, *text;
        bool gone;
} obstacles[] = {
                {"etc/modprobe.d/a.conf", "install kvm_amd /bin/true\n", false},
                {"proc/sys/kernel/modules_disabled", "1\n", false},
                {"etc/modprobe.d/a.conf", "", true},
};

static void assert_ways(Fixture *fixture, const char *words, uint64_t flags, bool next_boot, bool runtime) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Plan) plan = fixture_plan(fixture, words, flags, &error);

        g_assert_null(plan);
        g_assert_nonnull(error);
        g_test_message("%s", error->message);
        g_assert_cmpint(strstr(error->message, "--next-boot") != NULL, ==, next_boot);
        g_assert_cmpint(strstr(error->message, "--runtime") != NULL, ==, runtime);
}

/* Each call is told only what it takes. */
static void test_ways_are_those_of_the_call(Fixture *fixture, gconstpointer data) {
        for (unsigned i = 0; i < G_N_ELEMENTS(obstacles); i++) {
                g_autofree char *before = fake_host_read(fixture->directory, obstacles[i].path);
                fake_host_write(fixture->directory, obstacles[i].path, obstacles[i].text);
                fixture->loader->gone = obstacles[i].gone;
                assert_ways(fixture, "kvm_amd.nested=0", 0, true, false);
                assert_ways(fixture, "kvm_amd.nested=0", REQUEST_RUNTIME, true, true);
                assert_ways(fixture, "reload:kvm_amd", 0, false, false);
                fake_host_write(fixture->directory, obstacles[i].path, before);
        }
        fixture->loader->gone = false;
        fixture->loader->parent.inert = true;
        assert_ways(fixture, "kvm_amd.nested=0", 0, true, false);
        assert_ways(fixture, "reload:kvm_amd", 0, false, false);
}

static void assert_busy(Fixture *fixture, const char *words, uint64_t flags, bool others, bool runtime) {
        g_autoptr(ChangeResult) result = fixture_change(fixture, words, flags);

        g_assert_error(result->error, CONDITION, CONDITION_BUSY);
        g_test_message("%s", result->error->message);
        assert_text_has(result->error->message, "Stop that");
        g_assert_cmpint(strstr(result->error->message, "--when-idle") != NULL, ==, others);
        g_assert_cmpint(strstr(result->error->message, "--next-boot") != NULL, ==, others);
        g_assert_cmpint(strstr(result->error->message, "--runtime") != NULL, ==, runtime);
}

static void test_ways_when_it_is_in_use(Fixture *fixture, gconstpointer data) {
        fixture->loader->busy = "kvm_amd";
        assert_busy(fixture, "kvm_amd.nested=0", 0, true, false);
        assert_busy(fixture, "kvm_amd.nested=0", REQUEST_RUNTIME, true, true);
        assert_busy(fixture, "reload:kvm_amd", 0, false, false);
}

/* The same obstacles, and a way around each. */
static void test_ways_around(Fixture *fixture, gconstpointer data) {
        fake_host_write(fixture->directory, "proc/cmdline", "kvm_amd.nested=1\n");
        assert_planned(fixture, "kvm_amd.nested=0", REQUEST_RUNTIME, true);
        fake_host_write(fixture->directory, "proc/cmdline", "\n");

        fake_host_write(fixture->directory, "etc/modprobe.d/a.conf", "install kvm_amd /bin/true\n");
        assert_planned(fixture, "kvm_amd.nested=0", REQUEST_NEXT_BOOT, false);
        fake_host_write(fixture->directory, "etc/modprobe.d/a.conf", NULL);

        fake_host_write(fixture->directory, "proc/sys/kernel/modules_disabled", "1\n");
        assert_planned(fixture, "kvm_amd.nested=0", REQUEST_NEXT_BOOT, false);
        assert_planned(fixture, "kvm.ignore_msrs=1", 0, false);
}

/* What the CPU lacks may be left to the kernel, where the kernel has a word for that. */
static void test_auto_asks_nothing_of_the_cpu(Fixture *fixture, gconstpointer data) {
        fake_host_write(fixture->directory, "proc/sys/kernel/osrelease", "7.2.0-fake-amd64\n");
        assert_planned(fixture, "kvm_amd.avic=auto", 0, false);
}

static void test_gone_module_file(Fixture *fixture, gconstpointer data) {
        g_autoptr(GError) error = NULL;

        fixture->loader->gone = true;
        g_autoptr(Plan) plan = fixture_plan(fixture, "kvm_amd.nested=0", 0, &error);
        g_assert_null(plan);
        g_assert_error(error, CONDITION, CONDITION_UNSUPPORTED);
        g_assert_nonnull(strstr(error->message, "6.1.0-fake-amd64"));
        assert_planned(fixture, "kvm_amd.nested=0", REQUEST_NEXT_BOOT, false);
}

static void test_tree_of_files(Fixture *fixture, gconstpointer data) {
        g_autoptr(GError) error = NULL;

        fixture->loader->parent.inert = true;
        g_autoptr(Plan) plan = fixture_plan(fixture, "kvm_amd.nested=0", 0, &error);
        g_assert_null(plan);
        g_assert_error(error, CONDITION, CONDITION_UNSUPPORTED);
        assert_planned(fixture, "kvm_amd.nested=0", REQUEST_NEXT_BOOT, false);
        assert_planned(fixture, "kvm_amd.nested=0", REQUEST_DRY_RUN, true);
}

/* An earlier file or the distribution's says the same: nothing of ours is needed. */
static void test_others_say_so(Fixture *fixture, gconstpointer data) {
        g_autoptr(GError) error = NULL;

        fake_host_write(fixture->directory, "etc/modprobe.d/kvm.conf", "options kvm-amd nested=1\n");
        g_autoptr(Plan) plan = fixture_plan(fixture, "kvm_amd.nested=on", 0, &error);
        g_assert_no_error(error);
        g_assert_true(plan->unchanged);
}

static void test_options_of_the_load(Fixture *fixture, gconstpointer data) {
        g_autoptr(GError) error = NULL;

        fake_host_write(fixture->directory, "etc/modprobe.d/kvm.conf", "options kvm_amd nrips=0 nested=0x1\n");
        g_autoptr(Plan) plan = fixture_plan(fixture, "kvm_amd.npt=0", 0, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(plan->modules->len, ==, 2);
        const PlanModule *kvm = g_ptr_array_index(plan->modules, 0), *vendor = g_ptr_array_index(plan->modules, 1);
        g_assert_cmpstr(kvm->name, ==, "kvm");
        g_assert_false(kvm->required);
        g_assert_cmpstr(vendor->name, ==, "kvm_amd");
        g_assert_cmpstr(vendor->after, ==, "nested=1 npt=0 nrips=0");
        g_assert_cmpstr(vendor->before, ==,
                        "avic=0 dump_invalid_vmcb=0 nested=1 npt=1 nrips=1 pause_filter_count_max=65535 vgif=0");
}

/* Until the next boot, whatever the kernel command line or a later file says, and whatever else is
 * changed. */
static void test_runtime_outlives_reloads(Fixture *fixture, gconstpointer data) {
        fake_host_write(fixture->directory, "proc/cmdline", "root=/dev/vda kvm_amd.nested=1\n");
        g_autoptr(ChangeResult) off = fixture_change(fixture, "kvm_amd.nested=0", REQUEST_RUNTIME);
        assert_outcome(off, "applied");
        g_autoptr(ChangeResult) other = fixture_change(fixture, "kvm_amd.npt=0", 0);
        assert_outcome(other, "applied");
        fixture_assert_value(fixture, "kvm_amd", "nested", "0");
}

static void test_runtime_where_ours_is_beaten(Fixture *fixture, gconstpointer data) {
        fake_host_write(fixture->directory, KEPT_FILE, "options kvm_amd nested=0\n");
        fake_host_write(fixture->directory, "etc/modprobe.d/zzy.conf", "options kvm_amd nested=1\n");
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", REQUEST_RUNTIME);

        assert_outcome(result, "applied");
        fixture_assert_line(fixture, RUNTIME_FILE, "options kvm_amd nested=0");
}

/* The reload for something else switches nested off, too. */
static void test_nested_goes_off_unasked(Fixture *fixture, gconstpointer data) {
        fixture->loader->busy = "kvm";
        g_autoptr(ChangeResult) before = fixture_change(fixture, "kvm_amd.npt=0", 0);
        assert_outcome(before, "applied");
        fixture_assert_kvm_kept(fixture, false);
        fixture_assert_line(fixture, KVM_KEPT_PATH, NULL);

        fake_host_write(fixture->directory, "etc/modprobe.d/x.conf", "options kvm_amd nested=0\n");
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.npt=1", 0);
        assert_outcome(result, "applied");
        fixture_assert_value(fixture, "kvm_amd", "nested", "0");
        fixture_assert_kvm_kept(fixture, true);
}

/* A line of ours that the kernel refuses goes with the request that is about it, and stands in the
 * way of all others. */
static void test_own_refused_line(Fixture *fixture, gconstpointer data) {
        fake_host_write(fixture->directory, KEPT_FILE, "options kvm_amd nested=Y\n");
        g_autoptr(ChangeResult) other = fixture_change(fixture, "kvm_amd.npt=0", 0);
        g_assert_error(other->error, CONDITION, CONDITION_UNSUPPORTED);
        g_autoptr(ChangeResult) runtime = fixture_change(fixture, "kvm_amd.nested=0", REQUEST_RUNTIME);
        g_assert_error(runtime->error, CONDITION, CONDITION_UNSUPPORTED);
        g_autoptr(ChangeResult) set = fixture_change(fixture, "kvm_amd.nested=0", 0);
        assert_outcome(set, "applied");
        fixture_assert_line(fixture, KEPT_FILE, "options kvm_amd nested=0");

        fake_host_write(fixture->directory, KEPT_FILE, "options kvm_amd nested=Y\n");
        g_autoptr(ChangeResult) reset = fixture_change(fixture, "", 0);
        assert_outcome(reset, "applied");
        fixture_assert_line(fixture, KEPT_FILE, NULL);
}

static void test_next_boot_twice(Fixture *fixture, gconstpointer data) {
        for (unsigned i = 0; i < 2; i++) {
                g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", REQUEST_NEXT_BOOT);
                assert_outcome(result, "configured");
        }
        fake_loader_insert(fixture->loader, "kvm_amd", "nested=0");
        g_autoptr(ChangeResult) result = fixture_change(fixture, "kvm_amd.nested=0", REQUEST_NEXT_BOOT);
        assert_outcome(result, "unchanged");
}

static void test_reload_of_a_builtin_alone(Fixture *fixture, gconstpointer data) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Request) request = request_new(0);
        bool busy;

        g_assert_true(fixture->loader->parent.unload(&fixture->loader->parent, "kvm_amd", &busy, NULL));
        fake_host_write(fixture->directory, "sys/module/kvm/initstate", NULL);
        fixture->loader->gone = true;
        g_autoptr(Host) host = host_read(fixture->root, &fixture->loader->parent);
        request->reload = g_strdup("kvm");
        g_autoptr(Plan) plan = plan_new(host, &fixture->loader->parent, request, &error);
        g_assert_null(plan);
        g_assert_error(error, CONDITION, CONDITION_BUILTIN);
}

static void test_limits(Fixture *fixture, gconstpointer data) {
        g_autoptr(GError) error = NULL;

        g_assert_true(request_check_flags(REQUEST_RUNTIME | REQUEST_DRY_RUN, 15, &error));
        g_assert_false(request_check_flags(16, 15, &error));
        g_assert_error(error, CONDITION, CONDITION_INVALID_ARGS);
        g_clear_error(&error);
        g_assert_false(request_check_flags(REQUEST_RUNTIME | REQUEST_WHEN_IDLE, 15, &error));
        g_assert_error(error, CONDITION, CONDITION_INVALID_ARGS);
}

int main(int argc, char **argv) {
        static const struct {
                const char *name;
                void (*run)(Fixture *fixture, gconstpointer data);
        } tests[] = {
                        {"ways-are-those-of-the-call", test_ways_are_those_of_the_call},
                        {"ways-when-it-is-in-use", test_ways_when_it_is_in_use},
                        {"ways-around", test_ways_around},
                        {"auto-asks-nothing-of-the-cpu", test_auto_asks_nothing_of_the_cpu},
                        {"gone-module-file", test_gone_module_file},
                        {"tree-of-files", test_tree_of_files},
                        {"others-say-so", test_others_say_so},
                        {"limits", test_limits},
                        {"runtime-outlives-reloads", test_runtime_outlives_reloads},
                        {"runtime-where-ours-is-beaten", test_runtime_where_ours_is_beaten},
                        {"nested-goes-off-unasked", test_nested_goes_off_unasked},
                        {"own-refused-line", test_own_refused_line},
                        {"next-boot-twice", test_next_boot_twice},
                        {"reload-of-a-builtin-alone", test_reload_of_a_builtin_alone},
                        {"options-of-the-load", test_options_of_the_load},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(refusals); i++) {
                g_autofree char *path = g_strconcat("/plan/refused/", refusals[i].name, NULL);
                g_test_add(path, Fixture, &refusals[i], fixture_set_up, test_refusal, fixture_tear_down);
        }
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strconcat("/plan/", tests[i].name, NULL);
                g_test_add(path, Fixture, NULL, fixture_set_up, tests[i].run, fixture_tear_down);
        }
        return g_test_run();
}
