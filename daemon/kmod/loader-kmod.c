/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel's module loader behind libkmod. Modules are inserted one by one, never by modprobe's
 * own way, which would add what modprobe.d says to the options that were asked for and would run
 * install lines through a shell. Beneath another root it reads that tree's module files and touches
 * no module. */

#include <dlfcn.h>
#include <errno.h>
#include <libkmod.h>
#include <string.h>

#include "error.h"
#include "library.h"
#include "loader.h"

typedef struct KmodLoader {
        Loader loader;
        Root *root;
        /* Between prepare and release: libkmod, which keeps what it has found out of a module as
         * long as somebody refers to it. */
        bool ready;
        Library library;
        GPtrArray *modules;
} KmodLoader;

/* How often an answer is asked for again that may have come of a fault. */
#define ASK_AGAIN_MAX 3U

static const Root *root_of(const Loader *loader) {
        return ((const KmodLoader *) loader)->root;
}

/* What is ready, or one that is opened in @own. NULL, and @own is to be cleared all the same, when
 * libkmod does not start. */
static Library *borrow(Loader *loader, Library *own, bool configured) {
        KmodLoader *kmod = (KmodLoader *) loader;

        *own = (Library) {.fd = -1};
        if (kmod->ready)
                return &kmod->library;
        return library_open(own, kmod->root, configured) ? own : NULL;
}

/* As library_file(), with a libkmod of its own. */
static char *locate_once(const Root *root, const char *name) {
        struct kmod_module *module = NULL;
        char *file = NULL;
        Library library;

        if (library_open(&library, root, false))
                module = library_find(&library, root, name);
        if (module) {
                file = library_file(&library, root, module);
                kmod_module_unref(module);
        }
        library_clear(&library);
        return file;
}

/* Where an index could not be read, a module is not there, or built in, to libkmod: that is
 * believed when it says so again. */
static char *loader_locate(const Loader *loader, const char *name) {
        const Root *root = root_of(loader);
        g_autofree char *file = locate_once(root, name);

        for (unsigned i = 0; i < ASK_AGAIN_MAX && !(file && *file); i++) {
                g_autofree char *again = locate_once(root, name);
                const bool same = g_strcmp0(file, again) == 0;
                g_free(file);
                file = g_steal_pointer(&again);
                if (same)
                        break;
        }
        return file && *file ? root_absolute(root, file) : g_steal_pointer(&file);
}

/* "parmtype" has "name:type", "parm" has "name:description"; a few parameters have only the
 * latter. */
static void add_parameter(GHashTable *parameters, const char *key, const char *value) {
        const char *colon = strchr(value, ':');
        bool typed = g_str_equal(key, "parmtype");
        g_autofree char *name = NULL;

        if (!colon || (!typed && !g_str_equal(key, "parm")))
                return;
        name = g_strndup(value, (gsize) (colon - value));
        if (typed)
                g_hash_table_insert(parameters, g_steal_pointer(&name), g_strdup(colon + 1));
        else if (!g_hash_table_contains(parameters, name))
                g_hash_table_insert(parameters, g_steal_pointer(&name), g_strdup(""));
}

static GHashTable *read_parameters(const struct kmod_module *module, const Root *root, const char *file) {
        g_autoptr(GHashTable) parameters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        struct kmod_list *list = NULL, *item;
        const int result = kmod_module_get_info(module, &list);

        if (result < 0)
                root_note(root, file, result);
        if (result < 0)
                return NULL;
        kmod_list_foreach(item, list)
                        add_parameter(parameters, kmod_module_info_get_key(item), kmod_module_info_get_value(item));
        kmod_module_info_free_list(list);
        return g_steal_pointer(&parameters);
}

static GHashTable *parameters_once(const Root *root, const char *name) {
        GHashTable *parameters = NULL;
        struct kmod_module *module = NULL;
        Library library;

        if (library_open(&library, root, false))
                module = library_find(&library, root, name);
        if (module) {
                g_autofree char *file = library_file(&library, root, module);

                if (file)
                        parameters = read_parameters(module, root, file);
                kmod_module_unref(module);
        }
        library_clear(&library);
        return parameters;
}

/* None is believed when it is said again: see loader_locate(). */
static GHashTable *loader_parameters(const Loader *loader, const char *name) {
        const Root *root = root_of(loader);

        return parameters_once(root, name) ?: parameters_once(root, name);
}

static const char *explain_load(int errnum) {
        switch (errnum) {
        case EINVAL:
                return "the kernel refuses one of the values";
        case EPERM:
                return "this kernel lets nobody load modules now (kernel.modules_disabled, or lockdown)";
        case EKEYREJECTED:
        case ENOKEY:
                return "the kernel does not accept its signature";
        case ENOEXEC:
                return "its file does not belong to this kernel";
        case ENOENT:
                return "its file, or something of another module that it needs, is not there";
        case EOPNOTSUPP:
                return "the CPU has no VMX or SVM, or the firmware has switched it off";
        case EIO:
                return "KVM could not take the CPU's virtualization: another hypervisor has it, or the CPUs differ";
        default:
                return "the kernel refuses it";
        }
}

static bool fail_load(const char *name, const char *options, int errnum, GError **error) {
        bool forbidden = errnum == EPERM || errnum == EKEYREJECTED || errnum == ENOKEY;

        g_set_error(error, CONDITION, forbidden ? CONDITION_NOT_PERMITTED : CONDITION_INTERNAL,
                    "Can't load %s%s%s: %s (%s). The kernel's own words: journalctl -k -n 20", name,
                    *options ? " with " : "", options, explain_load(errnum), g_strerror(errnum));
        return false;
}

/* What @module needs and is not there, in the order in which it has to come, with the options that
 * modprobe.d gives it. */
static bool insert_dependencies(struct kmod_module *module, GError **error) {
        struct kmod_list *list = kmod_module_get_dependencies(module), *item;
        bool done = true;

        kmod_list_foreach(item, list) {
                struct kmod_module *dependency = kmod_module_get_module(item);
                int state = kmod_module_get_initstate(dependency);
                const char *options = kmod_module_get_options(dependency) ?: "";
                int result = 0;

                if (state != KMOD_MODULE_LIVE && state != KMOD_MODULE_BUILTIN)
                        result = kmod_module_insert_module(dependency, 0, options);
                if (result < 0 && result != -EEXIST)
                        done = fail_load(kmod_module_get_name(dependency), options, -result, error);
                kmod_module_unref(dependency);
                if (!done)
                        break;
        }
        kmod_module_unref_list(list);
        return done;
}

static bool insert(struct kmod_module *module, const char *options, bool *ret_existed, GError **error) {
        int result = kmod_module_insert_module(module, 0, options);

        *ret_existed = result == -EEXIST;
        return result >= 0 || *ret_existed || fail_load(kmod_module_get_name(module), options, -result, error);
}

static bool refuse(const Loader *loader, const char *what, const char *name, GError **error) {
        g_autofree char *path = root_absolute(root_of(loader), "");

        if (loader->inert)
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                            "%s can't be %s: %s is a directory, not the running machine. Ask for the next boot: "
                            "nestvirtctl set --next-boot",
                            name, what, path);
        return loader->inert;
}

/* Without @with_dependencies the module is live and this only tries its file. */
static bool try_insert(Loader *loader, const char *name, const char *options, bool with_dependencies, bool *ret_existed,
                       GError **error) {
        struct kmod_module *module = NULL;
        bool done = false;
        Library own;

        *ret_existed = false;
        if (refuse(loader, "loaded", name, error))
                return false;
        const Library *library = borrow(loader, &own, true);
        if (!library || kmod_module_new_from_name(library->ctx, name, &module) < 0)
                g_set_error(error, CONDITION, CONDITION_INTERNAL, "Can't load %s: libkmod does not start", name);
        else if (!kmod_module_get_path(module))
                fail_load(name, options, ENOENT, error);
        else
                done = (!with_dependencies || insert_dependencies(module, error)) &&
                       insert(module, options, ret_existed, error);
        if (module)
                kmod_module_unref(module);
        library_clear(&own);
        return done;
}

static bool loader_load(Loader *loader, const char *name, const char *options, bool *ret_existed, GError **error) {
        return try_insert(loader, name, options, true, ret_existed, error);
}

/* Nobody has touched the file since the machine was started. */
static bool is_older_than_boot(const char *file) {
        struct timespec now, up;
        struct stat st;

        if (!file || !*file || stat(file, &st) < 0 || clock_gettime(CLOCK_REALTIME, &now) < 0 ||
            clock_gettime(CLOCK_BOOTTIME, &up) < 0)
                return false;
        return st.st_ctim.tv_sec < now.tv_sec - up.tv_sec;
}

/* Signatures may have become a must since the module was loaded, by sig_enforce or lockdown, which
 * can be switched on at any time and never off: without a good one it could be unloaded and not
 * loaded again. That of a module with no "E" among its taints was found good. */
static bool is_let_in(const Root *root, const char *name) {
        g_autofree char *path = g_strdup_printf("sys/module/%s/taint", name);
        g_autofree char *taint = root_read_line(root, path);
        g_autofree char *enforce = root_read_line(root, "sys/module/module/parameters/sig_enforce");
        g_autofree char *lockdown = root_read_line(root, "sys/kernel/security/lockdown");

        if (taint && !strchr(taint, 'E'))
                return true;
        return g_strcmp0(enforce, "N") == 0 && lockdown && strstr(lockdown, "[none]");
}

/* libkmod finds the file and the dependencies out once, and each one's options. */
static void look_up(struct kmod_module *module) {
        struct kmod_list *dependencies = kmod_module_get_dependencies(module), *item;

        (void) kmod_module_get_path(module);
        kmod_list_foreach(item, dependencies) {
                struct kmod_module *dependency = kmod_module_get_module(item);

                (void) kmod_module_get_options(dependency);
                kmod_module_unref(dependency);
        }
        kmod_module_unref_list(dependencies);
}

/* Where that fails, load does it all. */
static void keep_ready(Loader *loader, const char *name) {
        KmodLoader *kmod = (KmodLoader *) loader;
        struct kmod_module *module = NULL;

        if (!kmod->ready) {
                kmod->ready = library_open(&kmod->library, kmod->root, true);
                if (!kmod->ready)
                        library_clear(&kmod->library);
        }
        if (!kmod->ready || kmod_module_new_from_name(kmod->library.ctx, name, &module) < 0)
                return;
        look_up(module);
        g_ptr_array_add(kmod->modules, module);
}

static void loader_release(Loader *loader) {
        KmodLoader *kmod = (KmodLoader *) loader;

        g_ptr_array_set_size(kmod->modules, 0);
        if (kmod->ready)
                library_clear(&kmod->library);
        kmod->ready = false;
}

/* Trying the file costs as much as loading it, so it is done only where the answer is open. */
static bool loader_prepare(Loader *loader, const char *name, GError **error) {
        g_autofree char *file = loader_locate(loader, name);
        bool existed;

        if (!loader->inert)
                keep_ready(loader, name);
        return (is_older_than_boot(file) && is_let_in(root_of(loader), name)) ||
               try_insert(loader, name, "", false, &existed, error);
}

static bool fail_unload(const char *name, int errnum, bool *ret_busy, GError **error) {
        *ret_busy = errnum == EAGAIN || errnum == EBUSY;
        g_set_error(error, CONDITION,
                    *ret_busy         ? CONDITION_BUSY
                    : errnum == EPERM ? CONDITION_NOT_PERMITTED
                                      : CONDITION_INTERNAL,
                    "Can't unload %s: %s", name,
                    *ret_busy         ? "it is in use. To see by whom: nestvirtctl users"
                    : errnum == EPERM ? "this kernel lets nobody unload modules now (kernel.modules_disabled)"
                                      : g_strerror(errnum));
        return false;
}

static bool loader_unload(Loader *loader, const char *name, bool *ret_busy, GError **error) {
        g_autofree char *directory = g_build_filename("sys/module", name, NULL);
        struct kmod_module *module = NULL;
        int result = -ENOMEM;
        Library own;

        *ret_busy = false;
        if (refuse(loader, "unloaded", name, error))
                return false;
        const Library *library = borrow(loader, &own, false);
        if (library && kmod_module_new_from_name(library->ctx, name, &module) >= 0)
                /* libkmod adds O_NONBLOCK itself; without force. */
                result = kmod_module_remove_module(module, 0);
        if (module)
                kmod_module_unref(module);
        library_clear(&own);
        /* Somebody else was faster. */
        if (result == -ENOENT && !root_exists(root_of(loader), directory))
                return true;
        return result >= 0 || fail_unload(name, -result, ret_busy, error);
}

static void unref_module(gpointer module) {
        kmod_module_unref(module);
}

static void loader_free(Loader *loader) {
        loader_release(loader);
        g_ptr_array_unref(((KmodLoader *) loader)->modules);
        root_unref(((KmodLoader *) loader)->root);
        g_free(loader);
}

/* It came with 33 (libkmod/libkmod.sym). */
bool loader_kmod_is_before_33(void) {
        return !dlsym(RTLD_DEFAULT, "kmod_config_get_weakdeps");
}

Loader *loader_kmod_new(const Root *root, GError **error) {
        KmodLoader *loader = g_new0(KmodLoader, 1);

        loader->root = root_ref((Root *) root);
        loader->modules = g_ptr_array_new_with_free_func(unref_module);
        loader->loader = (Loader) {
                        .inert = !root_is_machine(root),
                        .load = loader_load,
                        .prepare = loader_prepare,
                        .release = loader_release,
                        .unload = loader_unload,
                        .locate = loader_locate,
                        .parameters = loader_parameters,
                        .free = loader_free,
        };
        return &loader->loader;
}
