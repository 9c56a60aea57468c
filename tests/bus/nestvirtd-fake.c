/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The daemon with a loader that edits the files of a tree: everything else is what nestvirtd is
 * made of. The tests steer the loader by files in DIR/fake: "fail" holds the one call that fails
 * ("load kvm_amd"), "gate" is a fifo on which the load of kvm_amd waits until somebody has opened
 * and closed it, "busy" holds the name of a module that turns out to be in use when it is unloaded,
 * and "calls" gets a line for each call. A module whose refcnt says so is in use, too.
 *
 *     nestvirtd-fake DIR [--always-ask] [--impatient] [--units] [--helper-dir=DIR]
 *
 * --impatient: what waits for idle is looked at after events alone. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "error.h"
#include "fake-hypervisor.h"
#include "fake-loader.h"

typedef struct SteeredLoader {
        Loader parent;
        FakeLoader *fake;
        char *directory;
} SteeredLoader;

static void record(const SteeredLoader *loader, const char *call, const char *module, const char *options) {
        g_autofree char *path = g_build_filename(loader->directory, "fake/calls", NULL);
        g_autofree char *line = g_strdup_printf("%s %s%s%s\n", call, module, *options ? " " : "", options);
        int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

        if (fd < 0 && errno == EMFILE)
                return; /* the test takes the daemon's descriptors away */
        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(write(fd, line, strlen(line)), ==, (ssize_t) strlen(line));
        (void) close(fd);
}

static bool is_to_fail(const SteeredLoader *loader, const char *call, const char *module, GError **error) {
        g_autofree char *wanted = fake_host_read(loader->directory, "fake/fail");
        g_autofree char *now = g_strdup_printf("%s %s", call, module);

        if (g_strcmp0(wanted, now) != 0)
                return false;
        fake_host_write(loader->directory, "fake/fail", NULL);
        g_set_error(error, CONDITION, CONDITION_INTERNAL, "Cannot %s %s: Exec format error", call, module);
        return true;
}

static void pass_gate(const SteeredLoader *loader) {
        g_autofree char *path = g_build_filename(loader->directory, "fake/gate", NULL);
        char byte;
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return;
        while (read(fd, &byte, 1) > 0)
                continue;
        (void) close(fd);
}

/* What a kernel does needs no descriptors, and a test may have taken the daemon's away: the fake
 * loader works on a thread that has a table of its own, with nothing in it. */
typedef struct Work {
        Loader *loader;
        const char *module;
        const char *options; /* NULL: unload */
        bool *ret;           /* existed, or busy */
        GError **error;
        bool done;
} Work;

static gpointer work(gpointer data) {
        Work *work = data;

        g_assert_cmpint(unshare(CLONE_FILES), ==, 0);
        g_assert_cmpint(close_range(STDERR_FILENO + 1, ~0U, 0), ==, 0);
        work->done = work->options ? work->loader->load(work->loader, work->module, work->options, work->ret,
                                                        work->error)
                                   : work->loader->unload(work->loader, work->module, work->ret, work->error);
        return NULL;
}

static bool work_apart(Work *job) {
        g_thread_join(g_thread_new("kernel", work, job));
        return job->done;
}

static bool steered_load(Loader *parent, const char *module, const char *options, bool *ret_existed, GError **error) {
        SteeredLoader *loader = (SteeredLoader *) parent;

        record(loader, "load", module, options);
        if (!g_str_equal(module, "kvm"))
                pass_gate(loader);
        if (is_to_fail(loader, "load", module, error))
                return false;
        return work_apart(&(Work) {&loader->fake->parent, module, options, ret_existed, error, false});
}

static bool steered_unload(Loader *parent, const char *module, bool *ret_busy, GError **error) {
        SteeredLoader *loader = (SteeredLoader *) parent;
        g_autofree char *path = g_strdup_printf("sys/module/%s/refcnt", module);
        g_autofree char *count = fake_host_read(loader->directory, path);
        g_autofree char *busy = fake_host_read(loader->directory, "fake/busy");

        record(loader, "unload", module, "");
        if (is_to_fail(loader, "unload", module, error)) {
                *ret_busy = false;
                return false;
        }
        /* kvm_amd has gone before, and with it the one reference to kvm that is no use. */
        const int unused = g_str_equal(module, "kvm") ? 1 : 0;
        const bool used = count && g_ascii_strtoll(count, NULL, 10) > unused;
        loader->fake->busy = used || g_strcmp0(busy, module) == 0 ? module : NULL;
        return work_apart(&(Work) {&loader->fake->parent, module, NULL, ret_busy, error, false});
}

static bool steered_prepare(Loader *parent, const char *module, GError **error) {
        Loader *fake = &((SteeredLoader *) parent)->fake->parent;

        return fake->prepare(fake, module, error);
}

static void steered_release(Loader *parent) {
        Loader *fake = &((SteeredLoader *) parent)->fake->parent;

        fake->release(fake);
}

static char *steered_locate(const Loader *parent, const char *module) {
        const Loader *fake = &((const SteeredLoader *) parent)->fake->parent;

        return fake->locate(fake, module);
}

static GHashTable *steered_parameters(const Loader *parent, const char *module) {
        const Loader *fake = &((const SteeredLoader *) parent)->fake->parent;

        return fake->parameters(fake, module);
}

int main(int argc, char **argv) {
        DaemonSettings settings = {.helper_dir = "",
                                   .patience_usec = DAEMON_PATIENCE_USEC,
                                   .guest_patience_usec = DAEMON_GUEST_PATIENCE_USEC,
                                   .log_refill_usec = DAEMON_LOG_REFILL_USEC};
        g_autoptr(GError) error = NULL;

        g_assert_cmpint(argc, >=, 2);
        for (int i = 2; i < argc; i++)
                if (g_str_equal(argv[i], "--always-ask"))
                        settings.always_ask = true;
                else if (g_str_equal(argv[i], "--impatient"))
                        settings.patience_usec = 0;
                else if (g_str_equal(argv[i], "--guests")) {
                        settings.hypervisor = fake_hypervisor(argv[1]);
                        settings.libvirt = HYPERVISOR_URI;
                } else if (g_str_has_prefix(argv[i], "--guest-patience="))
                        settings.guest_patience_usec = g_ascii_strtoull(strchr(argv[i], '=') + 1, NULL, 10);
                else if (g_str_has_prefix(argv[i], "--log-refill="))
                        settings.log_refill_usec = g_ascii_strtoull(strchr(argv[i], '=') + 1, NULL, 10);
                else if (g_str_equal(argv[i], "--units"))
                        settings.units = true;
                else if (g_str_has_prefix(argv[i], "--helper-dir="))
                        settings.helper_dir = strchr(argv[i], '=') + 1;

        g_autofree char *modules = g_build_filename(argv[1], "sys/module", NULL);
        if (!g_file_test(modules, G_FILE_TEST_IS_DIR))
                fake_host_make(argv[1]);
        g_autoptr(Root) root = root_new(argv[1], NULL, &error);
        g_assert_no_error(error);

        SteeredLoader loader = {.fake = fake_loader_new(argv[1]), .directory = argv[1]};
        loader.parent = (Loader) {
                        .load = steered_load,
                        .prepare = steered_prepare,
                        .release = steered_release,
                        .unload = steered_unload,
                        .locate = steered_locate,
                        .parameters = steered_parameters,
        };
        int status = daemon_run(&settings, root, &loader.parent);
        loader.fake->parent.free(&loader.fake->parent);
        return status;
}
