/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A small kernel made of files: it knows a few parameters of kvm and kvm_amd of Linux 6.1, their
 * kinds, and which of them this CPU lacks. */

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "fake-loader.h"

typedef struct FakeParameter {
        const char *module, *name, *initial;
        bool is_int;   /* prints 0 and 1, and refuses Y */
        bool missing;  /* the CPU can't: reads as off after every load */
        bool writable; /* the executable bit stands for it, see module.h */
        bool number;
} FakeParameter;

static const FakeParameter parameters[] = {
                {"kvm", "ignore_msrs", "N", .writable = true},
                {"kvm", "halt_poll_ns", "200000", .writable = true, .number = true},
                {"kvm", "enable_pmu", "Y"},
                {"kvm", "mystery", "1", .number = true},
                {"kvm_amd", "nested", "1", .is_int = true},
                {"kvm_amd", "npt", "Y"},
                {"kvm_amd", "avic", "N", .missing = true},
                {"kvm_amd", "vgif", "0", .is_int = true, .missing = true},
                {"kvm_amd", "nrips", "1", .is_int = true},
                {"kvm_amd", "pause_filter_count_max", "65535", .number = true},
                {"kvm_amd", "dump_invalid_vmcb", "N", .writable = true},
};

void fake_host_write(const char *directory, const char *path, const char *text) {
        g_autofree char *full = g_build_filename(directory, path, NULL);
        g_autofree char *parent = g_path_get_dirname(full);

        /* GLib does not cut off what is longer. */
        (void) g_remove(full);
        if (!text)
                return;
        g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
        /* In one go, as a kernel's files have no others beside them for a while. */
        g_assert_true(g_file_set_contents_full(full, text, -1, G_FILE_SET_CONTENTS_NONE, 0644, NULL));
}

char *fake_host_read(const char *directory, const char *path) {
        g_autofree char *full = g_build_filename(directory, path, NULL);
        char *text = NULL;

        (void) g_file_get_contents(full, &text, NULL, NULL);
        return text;
}

static void remove_tree(const char *path) {
        g_autoptr(GDir) dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
        const char *name;

        while (dir && (name = g_dir_read_name(dir))) {
                g_autofree char *child = g_build_filename(path, name, NULL);
                remove_tree(child);
        }
        (void) g_remove(path);
}

void fake_host_remove(const char *directory) {
        remove_tree(directory);
}

/* The text that sysfs would show for @value, or NULL when the kernel refuses it. */
static char *parse(const FakeParameter *p, const char *value) {
        if (p->number)
                return *value && strspn(value, "0123456789") == strlen(value) ? g_strdup(value) : NULL;
        if (p->missing)
                return g_strdup(p->is_int ? "0" : "N");
        if (p->is_int)
                return g_str_equal(value, "0") || g_str_equal(value, "1") ? g_strdup(value) : NULL;
        if (strchr("yY1", *value) && *value)
                return g_strdup("Y");
        return strchr("nN0", *value) && *value ? g_strdup("N") : NULL;
}

static void write_parameter(const char *directory, const FakeParameter *p, const char *text) {
        g_autofree char *path = g_strdup_printf("sys/module/%s/parameters/%s", p->module, p->name);
        g_autofree char *full = g_build_filename(directory, path, NULL);
        g_autofree char *line = g_strconcat(text, "\n", NULL);

        fake_host_write(directory, path, line);
        g_assert_cmpint(g_chmod(full, p->writable ? 0755 : 0444), ==, 0);
}

static const char *option(char **words, const char *name) {
        const char *found = NULL;

        for (char **word = words; *word; word++)
                if (g_str_has_prefix(*word, name) && (*word)[strlen(name)] == '=')
                        found = *word + strlen(name) + 1;
        return found;
}

static bool set_parameters(const char *directory, const char *module, const char *options, GError **error) {
        g_auto(GStrv) words = g_strsplit(options, " ", -1);

        for (unsigned i = 0; i < G_N_ELEMENTS(parameters); i++) {
                const FakeParameter *p = &parameters[i];
                if (!g_str_equal(p->module, module))
                        continue;
                const char *value = option(words, p->name);
                g_autofree char *text = parse(p, value ?: p->initial);
                if (!text) {
                        g_set_error(error, CONDITION, CONDITION_INTERNAL, "Cannot load %s: Invalid argument", module);
                        return false;
                }
                write_parameter(directory, p, text);
        }
        return true;
}

static bool is_loaded(const char *directory, const char *module) {
        g_autofree char *path = g_build_filename(directory, "sys/module", module, NULL);

        return g_file_test(path, G_FILE_TEST_IS_DIR);
}

static bool insert(const char *directory, const char *module, const char *options, GError **error) {
        g_autofree char *folder = g_strconcat("sys/module/", module, NULL);
        g_autofree char *state = g_strconcat(folder, "/initstate", NULL);
        g_autofree char *refcnt = g_strconcat(folder, "/refcnt", NULL);

        if (!set_parameters(directory, module, options, error)) {
                g_autofree char *full = g_build_filename(directory, folder, NULL);
                remove_tree(full);
                return false;
        }
        fake_host_write(directory, refcnt, g_str_equal(module, "kvm") ? "1\n" : "0\n");
        if (!g_str_equal(module, "kvm")) {
                g_autofree char *holder = g_strconcat("sys/module/kvm/holders/", module, NULL);
                fake_host_write(directory, holder, "");
        }
        fake_host_write(directory, state, "live\n");
        return true;
}

void fake_host_make(const char *directory) {
        g_autofree char *devices = g_build_filename(directory, "dev", NULL);

        fake_host_write(directory, "proc/cpuinfo",
                        "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC Processor\n"
                        "flags\t\t: fpu lm svm hypervisor npt nrip_save\n\n");
        fake_host_write(directory, "proc/sys/kernel/osrelease", "6.1.0-fake-amd64\n");
        fake_host_write(directory, "proc/sys/kernel/random/boot_id", "0e3f5a52-0000-4000-8000-000000000001\n");
        fake_host_write(directory, "proc/sys/kernel/modules_disabled", "0\n");
        fake_host_write(directory, "proc/cmdline", "root=/dev/vda\n");
        fake_host_write(directory, "etc/modprobe.d/README", "");
        fake_host_write(directory, "lib/modules/6.1.0-fake-amd64/modules.dep",
                        "kernel/arch/x86/kvm/kvm.ko:\nkernel/arch/x86/kvm/kvm-amd.ko: kernel/arch/x86/kvm/kvm.ko\n");
        fake_host_write(directory, "lib/modules/6.1.0-fake-amd64/kernel/arch/x86/kvm/kvm.ko", "");
        fake_host_write(directory, "lib/modules/6.1.0-fake-amd64/kernel/arch/x86/kvm/kvm-amd.ko", "");
        g_assert_cmpint(g_mkdir_with_parents(devices, 0755), ==, 0);
        g_assert_true(insert(directory, "kvm", "", NULL));
        g_assert_true(insert(directory, "kvm_amd", "", NULL));
}

static bool fails(FakeLoader *loader, const char *call, const char *module) {
        g_autofree char *now = g_strdup_printf("%s %s", call, module);

        if (loader->hook)
                loader->hook(loader, now);
        if (g_strcmp0(now, loader->fail_at) != 0 || loader->fail_times == 0)
                return false;
        loader->fail_times--;
        return true;
}

static bool fake_load(Loader *parent, const char *module, const char *options, bool *ret_existed, GError **error) {
        FakeLoader *loader = (FakeLoader *) parent;

        g_string_append_printf(loader->calls, "load %s %s; ", module, options);
        *ret_existed = false;
        if (fails(loader, "load", module)) {
                g_set_error(error, CONDITION, loader->forbidden ? CONDITION_NOT_PERMITTED : CONDITION_INTERNAL,
                            "Cannot load %s: Exec format error", module);
                return false;
        }
        if (loader->race && !g_str_equal(module, "kvm")) {
                loader->race = false;
                *ret_existed = true;
                return insert(loader->directory, module, "", error);
        }
        return insert(loader->directory, module, options, error);
}

static bool fake_prepare(Loader *parent, const char *module, GError **error) {
        FakeLoader *loader = (FakeLoader *) parent;

        loader->ready = true;
        if (!fails(loader, "prepare", module))
                return true;
        g_set_error(error, CONDITION, CONDITION_INTERNAL, "Cannot load %s: Exec format error", module);
        return false;
}

static void fake_release(Loader *parent) {
        ((FakeLoader *) parent)->ready = false;
}

static bool fake_unload(Loader *parent, const char *module, bool *ret_busy, GError **error) {
        FakeLoader *loader = (FakeLoader *) parent;
        g_autofree char *folder = g_build_filename(loader->directory, "sys/module", module, NULL);
        g_autofree char *holder = g_build_filename(loader->directory, "sys/module/kvm/holders", module, NULL);

        g_string_append_printf(loader->calls, "unload %s; ", module);
        const bool failed = fails(loader, "unload", module);
        *ret_busy = g_strcmp0(loader->busy, module) == 0;
        if (*ret_busy || failed) {
                g_set_error(error, CONDITION, CONDITION_INTERNAL, "Cannot unload %s: %s", module,
                            *ret_busy ? "Resource temporarily unavailable" : "Operation not permitted");
                return false;
        }
        remove_tree(folder);
        (void) g_remove(holder);
        return true;
}

static char *fake_locate(const Loader *parent, const char *module) {
        const FakeLoader *loader = (const FakeLoader *) parent;

        return loader->gone ? NULL : g_strdup_printf("/lib/modules/6.1.0-fake-amd64/%s.ko", module);
}

static GHashTable *fake_parameters(const Loader *parent, const char *module) {
        GHashTable *types = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

        for (unsigned i = 0; i < G_N_ELEMENTS(parameters); i++)
                if (g_str_equal(parameters[i].module, module))
                        g_hash_table_insert(types, g_strdup(parameters[i].name),
                                            g_strdup(parameters[i].is_int ? "int" : "bool"));
        return types;
}

static void fake_free(Loader *parent) {
        FakeLoader *loader = (FakeLoader *) parent;

        g_assert_false(loader->ready); /* every change lets go of what it prepared */
        g_free(loader->directory);
        g_string_free(loader->calls, TRUE);
        g_free(loader);
}

FakeLoader *fake_loader_new(const char *directory) {
        FakeLoader *loader = g_new0(FakeLoader, 1);
        loader->parent = (Loader) {
                        .load = fake_load,
                        .prepare = fake_prepare,
                        .release = fake_release,
                        .unload = fake_unload,
                        .locate = fake_locate,
                        .parameters = fake_parameters,
                        .free = fake_free,
        };
        loader->directory = g_strdup(directory);
        loader->calls = g_string_new(NULL);
        return loader;
}

void fake_loader_insert(FakeLoader *loader, const char *module, const char *options) {
        if (is_loaded(loader->directory, module)) {
                g_autofree char *folder = g_build_filename(loader->directory, "sys/module", module, NULL);
                remove_tree(folder);
        }
        g_assert_true(insert(loader->directory, module, options, NULL));
}

void fake_host_print(const char *directory) {
        for (unsigned i = 0; i < G_N_ELEMENTS(parameters); i++) {
                const FakeParameter *p = &parameters[i];
                g_autofree char *path = g_strdup_printf("sys/module/%s/parameters/%s", p->module, p->name);
                g_autofree char *written = p->writable ? fake_host_read(directory, path) : NULL;
                g_autofree char *text = written ? parse(p, g_strchomp(written)) : NULL;
                if (text)
                        write_parameter(directory, p, text);
        }
}
