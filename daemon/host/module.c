/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads one module from sys/module, and where it is not loaded asks the loader what it would be. It
 * must not load anything, and must not know what a parameter means. */

#include <string.h>

#include "collection.h"
#include "module-folder.h"
#include "module.h"

/* The kernel's own bounds: a page per file of sysfs, MODULE_NAME_LEN; the number is far above that
 * of any module. */
#define PARAMETERS_MAX 1024U

static void module_value_free(ModuleValue *value) {
        g_free(value->value);
        g_free(value);
}

static char *module_path(const char *name, const char *entry) {
        return g_build_filename("sys/module", name, entry, NULL);
}

static char *read_entry(const Root *root, const char *name, const char *entry) {
        g_autofree char *path = module_path(name, entry);

        return root_read_line(root, path);
}

/* "kvm 1142784 1 kvm_amd, Live 0x…", or "-" in the fourth place (kernel/module/procfs.c,
 * m_show()). */
static GStrv find_holders(const char *text, const char *name) {
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

        for (char **line = lines; *line; line++) {
                g_auto(GStrv) words = g_strsplit(*line, " ", 5);
                if (g_strv_length(words) < 4 || !g_str_equal(words[0], name) || g_str_equal(words[3], "-"))
                        continue;
                if (g_str_has_suffix(words[3], ","))
                        words[3][strlen(words[3]) - 1] = '\0';
                return g_strsplit(words[3], ",", -1);
        }
        return g_new0(char *, 1);
}

/* A collection is without the folder of links. */
static GStrv read_holders(const Root *root, const char *name) {
        g_autofree char *folder = module_path(name, "holders"), *text = NULL;
        size_t size;

        if (!collection_is(root) || root_exists(root, folder) ||
            !root_read(root, "proc/modules", ROOT_FILE_MAX, &text, &size, NULL))
                return root_list(root, folder);
        return find_holders(text, name);
}

static int read_refcnt(const Root *root, const char *name) {
        g_autofree char *text = read_entry(root, name, "refcnt");
        char *end = NULL;
        gint64 value = text ? g_ascii_strtoll(text, &end, 10) : -1;

        return text && end > text && *end == 0 ? (int) CLAMP(value, -1, G_MAXINT) : -1;
}

/* The list of a distribution's modules has less than one megabyte. */
#define MODULES_DEP_MAX ((size_t) 8 * 1024 * 1024)

/* Of a collection's files only the list is there, and that may have been left out. */
static ModuleState read_collected_state(const Root *root, const char *name) {
        g_autofree char *release = collection_release(root), *folder = module_folder_find(root, release);
        g_autofree char *path = folder ? g_build_filename(folder, "modules.dep", NULL) : NULL, *text = NULL;
        g_autofree char *file = g_strdelimit(g_strconcat("/", name, ".ko", NULL), "_", '-');
        size_t size;

        if (!path || !root_read(root, path, MODULES_DEP_MAX, &text, &size, NULL))
                return MODULE_UNKNOWN;
        return strstr(text, file) ? MODULE_LOADABLE : MODULE_MISSING;
}

/* A directory without initstate is a module that is part of the kernel, or for a moment one that is
 * being loaded. */
static ModuleState read_state(const Root *root, const Loader *loader, const char *name) {
        g_autofree char *directory = module_path(name, NULL), *state = read_entry(root, name, "initstate");
        g_autofree char *file = NULL;

        if (g_strcmp0(state, "live") == 0)
                return MODULE_LIVE;
        file = loader ? loader->locate(loader, name) : NULL;
        if (file && !*file)
                return MODULE_BUILTIN;
        if (file)
                return MODULE_LOADABLE;
        /* Coming or going, and its file is gone: it can't be had again. */
        if (!state && root_exists(root, directory))
                return MODULE_BUILTIN;
        return collection_is(root) ? read_collected_state(root, name) : MODULE_MISSING;
}

/* @mode is 0 for what nobody may read. */
static bool is_writable(const Root *root, const char *path, mode_t mode) {
        struct stat st;

        if (mode == 0 && root_stat(root, path, &st) >= 0)
                mode = st.st_mode;
        return mode & (root_is_machine(root) || collection_is(root) ? S_IWUSR : S_IXUSR);
}

static void read_values(Module *module, const Root *root) {
        g_autofree char *directory = module_path(module->name, "parameters");
        g_auto(GStrv) names = root_list(root, directory);

        for (char **name = names; *name; name++) {
                g_autofree char *path = g_build_filename(directory, *name, NULL);
                ModuleValue *value;
                mode_t mode;

                if (!g_utf8_validate(*name, -1, NULL) || g_hash_table_size(module->values) >= PARAMETERS_MAX)
                        continue;
                value = g_new0(ModuleValue, 1);
                value->value = root_read_line_mode(root, path, &mode) ?: g_strdup("");
                value->writable = is_writable(root, path, mode);
                g_hash_table_insert(module->values, g_strdup(*name), value);
        }
}

/* What the module would have, for one that is not there. */
static void read_names(Module *module, const Loader *loader) {
        g_autoptr(GHashTable) parameters = loader ? loader->parameters(loader, module->name) : NULL;
        GHashTableIter iter;
        gpointer name;

        if (!parameters)
                return;
        g_hash_table_iter_init(&iter, parameters);
        while (g_hash_table_iter_next(&iter, &name, NULL)) {
                ModuleValue *value;

                if (!g_utf8_validate(name, -1, NULL) || g_hash_table_size(module->values) >= PARAMETERS_MAX)
                        continue;
                value = g_new0(ModuleValue, 1);
                value->value = g_strdup("");
                g_hash_table_insert(module->values, g_strdup(name), value);
        }
}

bool module_load_number(const Root *root, const char *name, guint64 *ret) {
        g_autofree char *path = g_strdup_printf("sys/module/%s/parameters", name);
        struct stat st;

        if (root_stat(root, path, &st) < 0)
                return false;
        *ret = st.st_ino;
        return true;
}

static GHashTable *values_new(void) {
        return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) module_value_free);
}

Module *module_new_unknown(const char *name) {
        Module *module = g_new(Module, 1);

        *module = (Module) {
                        .name = g_strdup(name),
                        .state = MODULE_UNKNOWN,
                        .refcnt = -1,
                        .holders = g_new0(char *, 1),
                        .values = values_new(),
        };
        return module;
}

Module *module_read(const Root *root, const Loader *loader, const char *name) {
        Module *module = g_new0(Module, 1);

        module->name = g_strdelimit(g_strdup(name), "-", '_');
        module->state = read_state(root, loader, module->name);
        module->refcnt = read_refcnt(root, module->name);
        module->holders = read_holders(root, module->name);
        module->values = values_new();
        if (module_is_present(module))
                read_values(module, root);
        else
                read_names(module, loader);
        return module;
}

void module_free(Module *module) {
        if (!module)
                return;
        g_free(module->name);
        g_strfreev(module->holders);
        g_hash_table_unref(module->values);
        g_free(module);
}

const char *module_state_to_string(ModuleState state) {
        static const char *const names[] = {
                        [MODULE_LIVE] = "live",       [MODULE_LOADABLE] = "loadable", [MODULE_BUILTIN] = "builtin",
                        [MODULE_MISSING] = "missing", [MODULE_UNKNOWN] = "unknown",
        };

        return names[state];
}

bool module_is_present(const Module *module) {
        return module->state == MODULE_LIVE || (module->state == MODULE_BUILTIN && !module->dead);
}

/* kernel/module/main.c: each module that uses this one counts once, /dev/kvm and VMs on top of
 * that. */
static bool is_more(int refcnt, GStrv holders) {
        return refcnt > 0 && (unsigned) refcnt > g_strv_length(holders);
}

bool module_in_use(const Module *module) {
        return is_more(module->refcnt, module->holders);
}

ModuleUse module_read_use(const Root *root, const char *name) {
        g_auto(GStrv) holders = read_holders(root, name);
        const int refcnt = read_refcnt(root, name);

        if (refcnt < 0)
                return MODULE_UNTOLD;
        return is_more(refcnt, holders) ? MODULE_USED : MODULE_FREE;
}

const ModuleValue *module_value(const Module *module, const char *parameter) {
        return g_hash_table_lookup(module->values, parameter);
}
