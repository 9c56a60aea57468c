/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is refused before anything is touched, with which condition, and what the message tells people to do; and what is not refused. */

#include <string.h>

#include "change-fixture.h"
#include "error.h"

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
        g_assert_cmpstr(vendor->before, ==, "avic=0 dump_invalid_vmcb=0 nested=1 npt=1 nrips=1 vgif=0");
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
                        {"ways-around", test_ways_around},
                        {"auto-asks-nothing-of-the-cpu", test_auto_asks_nothing_of_the_cpu},
                        {"gone-module-file", test_gone_module_file},
                        {"tree-of-files", test_tree_of_files},
                        {"others-say-so", test_others_say_so},
                        {"limits", test_limits},
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
