/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writes the files of a made host. It must not shape what the daemon reads in any other way than by
 * files and a loader's answers. */

#include <glib/gstdio.h>
#include <string.h>
#include <utime.h>

#include "dropin.h"
#include "journal.h"
#include "made-host.h"
#include "pending.h"
#include "plan.h"

typedef struct MadeLoader {
        Loader parent;
        const char *loadable;
} MadeLoader;

static char *made_locate(const Loader *parent, const char *module) {
        const MadeLoader *loader = (const MadeLoader *) parent;
        g_autofree char *prefix = g_strconcat(module, ".", NULL);

        return loader->loadable && strstr(loader->loadable, prefix) ? g_strconcat("/lib/", module, ".ko", NULL) : NULL;
}

static GHashTable *made_parameters(const Loader *parent, const char *module) {
        const MadeLoader *loader = (const MadeLoader *) parent;
        GHashTable *types = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        g_auto(GStrv) words = g_strsplit(loader->loadable ?: "", " ", -1);
        g_autofree char *prefix = g_strconcat(module, ".", NULL);

        for (char **word = words; *word; word++)
                if (g_str_has_prefix(*word, prefix) && (*word)[strlen(prefix)])
                        g_hash_table_insert(types, g_strdup(*word + strlen(prefix)), g_strdup("bool"));
        return types;
}

static void write_cpuinfo(const MadeHost *made, const Tree *tree) {
        const char *vendor = made->vendor ?: "AuthenticAMD";
        g_autofree char *vmx = made->vmx_flags ? g_strdup_printf("vmx flags\t: %s\n", made->vmx_flags) : g_strdup("");
        g_autofree char *text = g_strdup_printf("processor\t: 0\nvendor_id\t: %s\nmodel name\t: Made CPU\n"
                                                "flags\t\t: fpu lm %s\n%s\n%s",
                                                vendor, made->flags ?: "svm npt nrip_save", vmx, made->others ?: "");

        if (*vendor)
                tree_write(tree, "proc/cpuinfo", text);
}

static void write_facts(const MadeHost *made, const Tree *tree) {
        const struct {
                const char *path, *text;
        } files[] = {
                        {"facts/cpuid", made->cpuid},
                        {"facts/msr", made->msr},
                        {"facts/kvm-cpuid", made->kvm_cpuid},
                        {"facts/kvm-msr", made->kvm_msr},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
                if (files[i].text)
                        tree_write(tree, files[i].path, files[i].text);
}

static void write_parameter(const Tree *tree, const char *module, const char *assignment) {
        const char *equal = strchr(assignment, '=');
        const bool writable = equal > assignment && equal[-1] == '+';
        g_autofree char *name = g_strndup(assignment, (gsize) (equal - assignment - writable));
        g_autofree char *path = g_build_filename("sys/module", module, "parameters", name, NULL);
        g_autofree char *line = g_strconcat(equal + 1, "\n", NULL);
        g_autofree char *full = tree_path(tree, path);

        g_strdelimit(line, "~", ' ');
        tree_write(tree, path, line);
        g_assert_cmpint(g_chmod(full, writable ? 0755 : 0644), ==, 0);
}

static void write_modules(const Tree *tree, const char *words, bool loaded) {
        g_auto(GStrv) all = g_strsplit(words ?: "", " ", -1);

        for (char **word = all; *word && **word; word++) {
                char *dot = strchr(*word, '.');
                *dot = '\0';
                g_autofree char *folder = g_build_filename("sys/module", *word, NULL);
                g_autofree char *state = g_build_filename(folder, "initstate", NULL);
                tree_folder(tree, folder);
                if (loaded)
                        tree_write(tree, state, "live\n");
                if (loaded && !g_str_equal(*word, "kvm")) {
                        g_autofree char *holder = g_build_filename("sys/module/kvm/holders", *word, NULL);
                        tree_write(tree, holder, "");
                        tree_write(tree, "sys/module/kvm/initstate", "live\n");
                }
                if (dot[1])
                        write_parameter(tree, *word, dot + 1);
        }
}

static void write_pending(const MadeHost *made, const Tree *tree) {
        g_autoptr(Pending) pending = pending_read(tree->root);
        g_auto(GStrv) parts = g_strsplit_set(made->pending, ".=", 3);

        pending_set(pending, parts[0], parts[1], parts[2]);
        g_assert_true(pending_write(pending, tree->root, NULL));
}

static void write_kvm_kept(const Tree *tree) {
        tree_folder(tree, "sys/module/kvm/parameters");
        g_autofree char *number = host_kvm_number(tree->root), *line = g_strconcat(number, "\n", NULL);

        tree_write(tree, KVM_KEPT_PATH, line);
}

static void write_state(const MadeHost *made, const Tree *tree) {
        if (made->pending)
                write_pending(made, tree);
        if (made->kvm_kept)
                write_kvm_kept(tree);
        if (made->modules_disabled)
                tree_write(tree, "proc/sys/kernel/modules_disabled", "1\n");
        if (made->bad_journal)
                tree_write(tree, JOURNAL_PATH, "nonsense");
        if (made->degraded) {
                g_autoptr(Plan) plan = plan_new_empty();
                plan->title = g_strdup("kvm_amd.nested=0");
                plan->boot_id = g_strdup("");
                plan->release = g_strdup("");
                g_assert_true(journal_write(tree->root, plan, JOURNAL_DEGRADED, NULL));
        }
}

static void write_others(const MadeHost *made, const Tree *tree) {
        for (const char *const *pair = made->files; pair && *pair; pair += 2)
                tree_write(tree, pair[0], pair[1]);
        for (const char *const *pair = made->times; pair && *pair; pair += 2) {
                const time_t time = (time_t) g_ascii_strtoll(pair[1], NULL, 10);
                g_autofree char *full = tree_path(tree, pair[0]);
                g_assert_cmpint(utime(full, &(struct utimbuf) {.actime = time, .modtime = time}), ==, 0);
        }
}

Host *made_host_read(const MadeHost *made, const Tree *tree) {
        const char *release = made->release ?: "6.1.0-38-amd64";
        g_autofree char *dep = g_build_filename("lib/modules", release, "modules.dep", NULL);
        MadeLoader loader = {
                        .parent = {.locate = made_locate, .parameters = made_parameters},
                        .loadable = made->loadable,
        };

        write_cpuinfo(made, tree);
        write_facts(made, tree);
        tree_write(tree, "proc/sys/kernel/osrelease", release);
        tree_write(tree, "proc/cmdline", made->cmdline ?: "root=/dev/vda");
        if (!made->no_module_files)
                tree_write(tree, dep, "");
        write_modules(tree, made->loaded, true);
        write_modules(tree, made->builtin, false);
        if (made->modprobe)
                tree_write(tree, "etc/modprobe.d/admin.conf", made->modprobe);
        if (made->late)
                tree_write(tree, "usr/lib/modprobe.d/zzzz-late.conf", made->late);
        if (made->ours)
                tree_write(tree, DROPIN_PATH, made->ours);
        write_state(made, tree);
        write_others(made, tree);
        return host_read(tree->root, &loader.parent);
}

Host *made_host_around(const MadeHost *made, CheckFacts **ret_facts) {
        Tree tree = {};

        tree_set_up(&tree, NULL);
        Host *host = made_host_read(made, &tree);
        if (ret_facts)
                *ret_facts = check_facts_read(host);
        tree_tear_down(&tree, NULL);
        root_unref(host->root);
        host->root = root_new("/", NULL, NULL);
        return host;
}

Host *made_host(const MadeHost *made) {
        return made_host_around(made, NULL);
}
