/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks into the folder of modules with libkmod, and notes where libkmod could not. It must not
 * load anything. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "library.h"
#include "module-folder.h"

/* For faults of which libkmod does not say at which file. */
#define MODULES_PATH "lib/modules"

void library_clear(Library *library) {
        if (library->ctx)
                kmod_unref(library->ctx);
        if (library->fd >= 0)
                close(library->fd);
        g_free(library->directory);
        g_free(library->folder);
}

/* libkmod opens files by their paths, and a link in the tree may lead out of it there, though never
 * for the root: both must come to the same file. One that is not there is fine. */
static bool stays_inside(const Library *library, const Root *root, const char *name) {
        g_autofree char *path = g_build_filename(library->directory, name, NULL);
        g_autofree char *beneath = g_build_filename(library->folder, name, NULL);
        struct stat theirs, ours;

        if (stat(path, &theirs) < 0) {
                root_note(root, beneath, -errno);
                return true;
        }
        return root_stat(root, beneath, &ours) >= 0 && theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/* The indices that it may open: modules.dep.bin and its like. */
static bool indices_stay_inside(const Library *library, const Root *root) {
        g_auto(GStrv) names = root_list(root, library->folder);

        for (char **name = names; *name; name++)
                if (g_str_has_prefix(*name, "modules.") && !stays_inside(library, root, *name))
                        return false;
        return true;
}

static bool open_folder(Library *library, const Root *root) {
        g_autofree char *release = root_read_line(root, "proc/sys/kernel/osrelease");

        if (!release || !*release)
                return false;
        for (const char *const *parent = module_folders; *parent && library->fd < 0; parent++) {
                g_free(library->folder);
                library->folder = g_build_filename(*parent, release, NULL);
                library->fd = root_open(root, library->folder, O_PATH | O_DIRECTORY);
        }
        if (library->fd < 0)
                return false;
        library->directory = g_strdup_printf("/proc/self/fd/%d", library->fd);
        return indices_stay_inside(library, root);
}

/* On the machine libkmod finds them by itself, unless they are where its maker did not expect
 * them. */
static char *find_elsewhere(const Root *root) {
        g_autofree char *release = root_read_line(root, "proc/sys/kernel/osrelease");
        g_autofree char *folder = release ? module_folder_find(root, release) : NULL;

        return folder && !g_str_has_prefix(folder, "lib/") ? g_strconcat("/", folder, NULL) : NULL;
}

/* What libkmod has to say is in the errors that it returns, and a host without modules is no error
 * at all. */
G_GNUC_PRINTF(6, 0)
static void say_nothing(void *data, int priority, const char *file, int line, const char *function, const char *format,
                        va_list arguments) {
}

bool library_open(Library *library, const Root *root, bool configured) {
        static const char *const nothing[] = {NULL};

        *library = (Library) {.fd = -1};
        if (root_is_machine(root))
                library->directory = find_elsewhere(root);
        else if (!open_folder(library, root))
                return false;
        library->ctx = kmod_new(library->directory, configured ? NULL : nothing);
        if (!library->ctx) {
                root_note(root, MODULES_PATH, -errno);
                return false;
        }
        kmod_set_log_fn(library->ctx, say_nothing, NULL);
        return true;
}

/* libkmod takes an index that it can't open for an empty one, and says nothing; what opening it
 * came to is then all that there is to go by. */
static void note_nothing_found(const Root *root, int errnum) {
        /* Others are left behind by what succeeds. */
        static const int faults[] = {EMFILE, ENFILE, ENOMEM, EIO, ETIMEDOUT, ESTALE};

        for (unsigned i = 0; i < G_N_ELEMENTS(faults); i++)
                if (errnum == faults[i])
                        root_note(root, MODULES_PATH, -errnum);
}

struct kmod_module *library_find(const Library *library, const Root *root, const char *name) {
        struct kmod_list *list = NULL, *item;
        struct kmod_module *found = NULL;

        errno = 0;
        const int result = kmod_module_new_from_lookup(library->ctx, name, &list);
        if (result < 0)
                root_note(root, MODULES_PATH, result);
        else if (!list)
                note_nothing_found(root, errno);
        if (result < 0)
                return NULL;
        kmod_list_foreach(item, list) {
                struct kmod_module *module = kmod_module_get_module(item);

                if (!found && g_str_equal(kmod_module_get_name(module), name))
                        found = module;
                else
                        kmod_module_unref(module);
        }
        kmod_module_unref_list(list);
        return found;
}

char *library_file(const Library *library, const Root *root, const struct kmod_module *module) {
        g_autofree char *file = NULL;

        errno = 0;
        const char *path = kmod_module_get_path(module);
        if (!path)
                note_nothing_found(root, errno);
        if (!path)
                return g_strdup("");
        if (library->fd < 0)
                file = g_strdup(path);
        else if (g_str_has_prefix(path, library->directory) &&
                 stays_inside(library, root, path + strlen(library->directory)))
                file = g_strconcat(library->folder, path + strlen(library->directory), NULL);
        return file && root_exists(root, file) ? g_steal_pointer(&file) : NULL;
}
