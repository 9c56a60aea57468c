/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a change says that it alters: a dry run says what the run itself then says, for every kind
 * of request, and when it has been done nothing is left of it to do. */

#include <string.h>

#include "alteration.h"
#include "change-fixture.h"
#include "plan-draft.h"

/* "kvm_amd.nested:,on,, > 0,off,,zz-nestvirt.conf:3", a line each: configured, effective, pending,
 * source. */
static void append_state(GString *text, const ParameterState *state) {
        g_autofree char *source = *state->source ? g_path_get_basename(state->source) : g_strdup("");

        g_string_append_printf(text, "%s,%s,%s,%s", state->configured, state->effective, state->pending, source);
}

static char *say(const ChangeResult *result) {
        GString *text = g_string_new(result->changed ? "" : "unchanged\n");

        for (unsigned i = 0; i < result->changes->len; i++) {
                const Alteration *one = g_ptr_array_index(result->changes, i);
                g_string_append_printf(text, "%s.%s:", one->after->module, one->after->name);
                append_state(text, one->before);
                g_string_append(text, " > ");
                append_state(text, one->after);
                g_string_append_c(text, '\n');
        }
        return g_string_free(text, FALSE);
}

/* As the daemon does it. */
static char *run(Fixture *fixture, const char *words, uint64_t flags) {
        Loader *loader = &fixture->loader->parent;
        g_autoptr(GError) error = NULL;
        g_autoptr(Host) before = host_read(fixture->root, loader);
        g_autoptr(Request) request = fixture_request(before, words, flags, &error);
        g_assert_no_error(error);
        g_autoptr(Plan) plan = plan_new(before, loader, request, &error);
        g_assert_no_error(error);
        g_autoptr(Alterations) alterations = alterations_begin(before, request, plan, &error);
        g_assert_no_error(error);
        g_autoptr(ChangeResult) result = flags & REQUEST_DRY_RUN ? change_preview(plan, fixture->root, NULL, NULL)
                                                                 : change_run(plan, fixture->root, loader);
        g_assert_no_error(result->error);
        g_autoptr(Host) after = host_read(fixture->root, loader);
        alterations_end(alterations, plan, after, result);
        return say(result);
}

typedef struct Row {
        const char *name;
        const char *path, *text; /* a file of the host; @path NULL: none */
        const char *first;       /* has been done before; NULL: nothing */
        uint64_t first_flags;
        bool busy; /* somebody holds kvm_amd by then */
        const char *words;
        uint64_t flags;
        const char *says;
} Row;

#define KEPT "zz-nestvirt.conf:3\n"
#define RUNTIME "zzz-nestvirt-runtime.conf:3\n"

static const Row rows[] = {
                {.name = "set", .words = "kvm_amd.nested=0", .says = "kvm_amd.nested:,on,, > 0,off,," KEPT},
                {.name = "set-two",
                 .words = "kvm_amd.nested=0 kvm.ignore_msrs=1",
                 .says = "kvm_amd.nested:,on,, > 0,off,,zz-nestvirt.conf:4\n"
                         "kvm.ignore_msrs:,off,, > 1,on,," KEPT},
                {.name = "set-number",
                 .words = "kvm.halt_poll_ns=1000",
                 .says = "kvm.halt_poll_ns:,200000,, > 1000,1000,," KEPT},
                {.name = "what-is-so-already",
                 .words = "kvm_amd.nested=1",
                 .says = "kvm_amd.nested:,on,, > 1,on,," KEPT},
                {.name = "line-that-moves",
                 .first = "kvm_amd.nested=0",
                 .words = "kvm.ignore_msrs=1",
                 .says = "kvm.ignore_msrs:,off,, > 1,on,," KEPT},
                {.name = "reset",
                 .first = "kvm_amd.nested=0",
                 .words = "kvm_amd.nested",
                 .says = "kvm_amd.nested:0,off,,zz-nestvirt.conf:3 > ,on,,\n"},
                {.name = "reset-to-what-others-say",
                 .path = "etc/modprobe.d/a.conf",
                 .text = "options kvm_amd nested=0\n",
                 .first = "kvm_amd.nested=1",
                 .words = "",
                 .says = "kvm_amd.nested:1,on,,zz-nestvirt.conf:3 > 0,off,,a.conf:1\n"},
                {.name = "runtime",
                 .words = "kvm_amd.nested=0",
                 .flags = REQUEST_RUNTIME,
                 .says = "kvm_amd.nested:,on,, > 0,off,," RUNTIME},
                {.name = "runtime-over-kept",
                 .first = "kvm_amd.nested=0",
                 .words = "kvm_amd.nested=1",
                 .flags = REQUEST_RUNTIME,
                 .says = "kvm_amd.nested:0,off,,zz-nestvirt.conf:3 > 1,on,," RUNTIME},
                {.name = "reset-runtime",
                 .first = "kvm_amd.nested=0",
                 .first_flags = REQUEST_RUNTIME,
                 .words = "kvm_amd.nested",
                 .flags = REQUEST_RUNTIME,
                 .says = "kvm_amd.nested:0,off,,zzz-nestvirt-runtime.conf:3 > ,on,,\n"},
                {.name = "next-boot",
                 .words = "kvm_amd.nested=0",
                 .flags = REQUEST_NEXT_BOOT,
                 .says = "kvm_amd.nested:,on,, > 0,on,," KEPT},
                {.name = "next-boot-written-value",
                 .words = "kvm.ignore_msrs=1",
                 .flags = REQUEST_NEXT_BOOT,
                 .says = "kvm.ignore_msrs:,off,, > 1,off,," KEPT},
                {.name = "now-after-next-boot",
                 .first = "kvm_amd.nested=0",
                 .first_flags = REQUEST_NEXT_BOOT,
                 .words = "kvm_amd.nested=0",
                 .says = "kvm_amd.nested:0,on,,zz-nestvirt.conf:3 > 0,off,," KEPT},
                {.name = "what-else-is-configured-comes-along",
                 .first = "kvm_amd.npt=0",
                 .first_flags = REQUEST_NEXT_BOOT,
                 .words = "kvm_amd.nested=0",
                 .says = "kvm_amd.nested:,on,, > 0,off,,zz-nestvirt.conf:3\n"
                         "kvm_amd.npt:0,on,,zz-nestvirt.conf:3 > 0,off,," KEPT},
                {.name = "when-idle-and-it-is",
                 .words = "kvm_amd.nested=0",
                 .flags = REQUEST_WHEN_IDLE,
                 .says = "kvm_amd.nested:,on,, > 0,off,," KEPT},
                {.name = "when-idle-and-it-waits",
                 .busy = true,
                 .words = "kvm_amd.nested=0",
                 .flags = REQUEST_WHEN_IDLE,
                 .says = "kvm_amd.nested:,on,, > 0,on,0," KEPT},
                {.name = "another-one-waits-as-well",
                 .first = "kvm_amd.nested=0",
                 .first_flags = REQUEST_WHEN_IDLE,
                 .busy = true,
                 .words = "kvm_amd.nested=0 kvm_amd.npt=0",
                 .flags = REQUEST_WHEN_IDLE,
                 .says = "kvm_amd.npt:,on,, > 0,on,0," KEPT},
                {.name = "given-up-for-next-boot",
                 .first = "kvm_amd.nested=0",
                 .first_flags = REQUEST_WHEN_IDLE,
                 .busy = true,
                 .words = "kvm_amd.nested=0",
                 .flags = REQUEST_NEXT_BOOT,
                 .says = "kvm_amd.nested:0,on,0,zz-nestvirt.conf:3 > 0,on,," KEPT},
                {.name = "not-loaded",
                 .path = "sys/module/kvm_amd",
                 .words = "kvm_amd.nested=0",
                 .says = "kvm_amd.nested:,,, > 0,,," KEPT},
};

static void test_agreement(Fixture *fixture, gconstpointer data) {
        const Row *row = data;

        if (row->path && row->text)
                fake_host_write(fixture->directory, row->path, row->text);
        else if (row->path) {
                g_autofree char *full = g_build_filename(fixture->directory, row->path, NULL);
                fake_host_remove(full);
        }
        if (row->busy) {
                fixture->loader->busy = "kvm_amd";
                fake_host_write(fixture->directory, "sys/module/kvm_amd/refcnt", "1\n");
        }
        if (row->first)
                g_free(run(fixture, row->first, row->first_flags));

        g_autofree char *dry = run(fixture, row->words, row->flags | REQUEST_DRY_RUN);
        g_assert_cmpstr(dry, ==, row->says);
        g_autofree char *done = run(fixture, row->words, row->flags);
        g_assert_cmpstr(done, ==, row->says);

        g_autofree char *dry_again = run(fixture, row->words, row->flags | REQUEST_DRY_RUN);
        g_assert_cmpstr(dry_again, ==, "unchanged\n");
        g_autofree char *again = run(fixture, row->words, row->flags);
        g_assert_cmpstr(again, ==, "unchanged\n");
}

/* It is asked for as such, and is a change every time. */
static void test_reload(Fixture *fixture, gconstpointer data) {
        for (unsigned i = 0; i < 2; i++) {
                g_autofree char *dry = run(fixture, "reload:kvm_amd", REQUEST_DRY_RUN);
                g_autofree char *done = run(fixture, "reload:kvm_amd", 0);
                g_assert_cmpstr(dry, ==, "");
                g_assert_cmpstr(done, ==, "");
        }
}

/* What somebody has edited comes into effect, what somebody has loaded by hand goes. */
static void test_reload_settles(Fixture *fixture, gconstpointer data) {
        static const char says[] = "kvm_amd.nested:,off,, > ,on,,\n"
                                   "kvm_amd.npt:0,on,,a.conf:1 > 0,off,,a.conf:1\n";

        fake_host_write(fixture->directory, "sys/module/kvm_amd/parameters/nested", "0\n");
        fake_host_write(fixture->directory, "etc/modprobe.d/a.conf", "options kvm_amd npt=0\n");
        g_autofree char *dry = run(fixture, "reload:kvm_amd", REQUEST_DRY_RUN);
        g_autofree char *done = run(fixture, "reload:kvm_amd", 0);
        g_assert_cmpstr(dry, ==, says);
        g_assert_cmpstr(done, ==, says);
}

/* A file of ours that goes is a change, though no parameter was any different by it. */
static void test_file_alone(Fixture *fixture, gconstpointer data) {
        fake_host_write(fixture->directory, KEPT_FILE, "# nothing\n");
        g_autofree char *dry = run(fixture, "kvm_amd.nested", REQUEST_DRY_RUN);
        g_autofree char *done = run(fixture, "kvm_amd.nested", 0);
        g_autofree char *again = run(fixture, "kvm_amd.nested", 0);
        g_assert_cmpstr(dry, ==, "");
        g_assert_cmpstr(done, ==, "");
        g_assert_cmpstr(again, ==, "unchanged\n");
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strconcat("/alteration/agreement/", rows[i].name, NULL);
                g_test_add(path, Fixture, &rows[i], fixture_set_up, test_agreement, fixture_tear_down);
        }
        g_test_add("/alteration/reload", Fixture, NULL, fixture_set_up, test_reload, fixture_tear_down);
        g_test_add("/alteration/reload/settles", Fixture, NULL, fixture_set_up, test_reload_settles, fixture_tear_down);
        g_test_add("/alteration/file-alone", Fixture, NULL, fixture_set_up, test_file_alone, fixture_tear_down);
        return g_test_run();
}
