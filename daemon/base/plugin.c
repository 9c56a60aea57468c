/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The way to a shared object of our own. It must not know what is in one. */

#include <dlfcn.h>

#include "error.h"
#include "plugin.h"

/* Their runtime ends the process when symbols are bound past its own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif

static void *open_plugin(const char *file) {
        g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
        g_autofree char *folder = program ? g_path_get_dirname(program) : g_strdup(LIBEXECDIR);
        g_autofree char *beside = g_build_filename(folder, file, NULL);
        g_autofree char *installed = g_build_filename(LIBEXECDIR, file, NULL);

        /* One that is there and lacks something is the one to speak of: our own objects say
         * themselves that all of their symbols are to be found at once (-z now). The libraries that
         * come with them have thousands, of which few are ever called. */
        return dlopen(g_file_test(beside, G_FILE_TEST_EXISTS) ? beside : installed, RTLD_LAZY | RTLD_LOCAL);
}

gpointer plugin_symbol(const char *file, const char *symbol, GError **error) {
        void *object = open_plugin(file);
        void *found = object ? dlsym(object, symbol) : NULL;

        if (!found)
                g_set_error(error, CONDITION, CONDITION_INTERNAL, "A part of nestvirtd can't be loaded: %s", dlerror());
        return found;
}

void plugin_library_apart(const char *library) {
#ifndef SANITIZED
        (void) dlopen(library, RTLD_LAZY | RTLD_LOCAL | RTLD_DEEPBIND);
#endif
}
