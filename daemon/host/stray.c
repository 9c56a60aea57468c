/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the files that modprobe passes over, the folders of systemd-modules-load, and the comments
 * of our own file. What modprobe reads is options.c's. */

#include <string.h>

#include "conf.h"
#include "dropin.h"
#include "stray.h"
#include "syntax.h"

#define FILES_MAX 256U /* of one folder */
#define FILE_BYTES_MAX ((size_t) 64 * 1024)
#define STRAYS_MAX 64U

typedef struct Search {
        const Root *root;
        const char *vendor;
        GPtrArray *found;
} Search;

/* True, and @stray's module and rest filled in, when a line is one that is looked for. */
typedef bool (*LineTest)(const Search *search, char *line, Stray *stray);

void stray_free(Stray *stray) {
        g_free(stray->path);
        g_free(stray->text);
        g_free(stray->module);
        g_free(stray->rest);
        g_free(stray);
}

static bool is_kvm(const Search *search, const char *module) {
        return g_str_equal(module, "kvm") || g_strcmp0(module, search->vendor) == 0;
}

/* A word that names a module of this host's KVM. */
static bool take_module(const Search *search, char **rest, Stray *stray) {
        char *word = syntax_take_word(rest);

        if (!word || !syntax_underscores(word) || !is_kvm(search, word))
                return false;
        stray->module = g_strdup(word);
        return true;
}

static bool is_of_modprobe(const Search *search, char *line, Stray *stray) {
        static const char *const verbs[] = {"options", "install", "remove", "softdep", "blacklist", NULL};
        char *rest = line, *verb = *line == '#' ? NULL : syntax_take_word(&rest);

        if (!verb || !g_strv_contains(verbs, verb) || !take_module(search, &rest, stray))
                return false;
        stray->rest = g_strdup(g_str_equal(verb, "options") ? rest : "");
        return true;
}

/* modules-load.d(5): a name each line; what begins with "#" or ";" is none. systemd looks for a
 * module of the whole line's name (src/modules-load/modules-load.c, src/shared/module-util.c,
 * systemd 252 to 257). */
static bool is_of_modules_load(const Search *search, char *line, Stray *stray) {
        char *rest = g_strstrip(line);

        if (strchr("#;", *rest))
                return false;
        if (g_str_has_prefix(rest, "options ") || g_str_has_prefix(rest, "options\t"))
                rest += strlen("options");
        if (!take_module(search, &rest, stray) || !rest[strspn(rest, " \t")])
                return false;
        stray->rest = g_strdup(rest);
        return true;
}

/* "#options kvm_amd nested=0", as it is left by who comments a line out: community.general.modprobe
 * (disable_old_params()) puts a "#" before it. */
static bool is_commented(const Search *search, char *line, Stray *stray) {
        if (*line != '#')
                return false;
        line += strspn(line, "# \t");
        return g_str_has_prefix(line, "options") && is_of_modprobe(search, line, stray);
}

static void read_file(const Search *search, const char *path, StrayKind kind, LineTest test) {
        g_autofree char *text = NULL;
        size_t size;
        SyntaxCursor cursor = {};

        if (!root_read(search->root, path, FILE_BYTES_MAX, &text, &size, NULL))
                return;
        cursor = (SyntaxCursor) {.at = text, .end = text + size};
        while (search->found->len < STRAYS_MAX) {
                Stray stray = {.kind = kind};
                g_autofree char *line = syntax_next_line(&cursor), *whole = g_strdup(line);

                if (!line)
                        return;
                if (!test(search, line, &stray)) {
                        g_free(stray.module);
                        continue;
                }
                stray.path = conf_shown_path(path);
                stray.line = cursor.line;
                stray.text = g_strstrip(g_utf8_make_valid(whole, -1));
                g_ptr_array_add(search->found, g_memdup2(&stray, sizeof(stray)));
                if (kind != STRAY_COMMENTED)
                        return;
        }
}

/* What was put aside on purpose, by a person or by a package manager, is not meant to be read. */
static bool is_put_aside(const char *name) {
        static const char *const ends[] = {"~", ".bak", ".old", ".orig", ".save", ".disabled", ".off", ".swp", NULL};

        for (const char *const *end = ends; *end; end++)
                if (g_str_has_suffix(name, *end))
                        return true;
        return *name == '.' || strstr(name, ".conf") || strstr(name, ".dpkg-") || strstr(name, ".ucf-") ||
               strstr(name, ".rpm");
}

static void read_unread_files(const Search *search) {
        for (const char *const *folder = options_folders; *folder; folder++) {
                g_auto(GStrv) names =
                                conf_is_same_folder(search->root, folder) ? NULL : root_list(search->root, *folder);

                for (unsigned i = 0; names && names[i] && i < FILES_MAX; i++) {
                        g_autofree char *path = g_build_filename(*folder, names[i], NULL);
                        if (!conf_is_read(names[i]) && !is_put_aside(names[i]))
                                read_file(search, path, STRAY_NAME, is_of_modprobe);
                }
        }
}

static void read_modules_load(const Search *search) {
        static const char *const folders[] = {"etc/modules-load.d", "run/modules-load.d",
                                              "usr/local/lib/modules-load.d", "usr/lib/modules-load.d",
                                              "lib/modules-load.d"};
        g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

        for (gsize f = 0; f < G_N_ELEMENTS(folders); f++) {
                g_auto(GStrv) names = root_list(search->root, folders[f]);

                for (unsigned i = 0; names[i] && i < FILES_MAX; i++) {
                        g_autofree char *path = g_build_filename(folders[f], names[i], NULL);
                        /* A file of the same name in an earlier folder hides it. */
                        if (*names[i] != '.' && g_str_has_suffix(names[i], ".conf") &&
                            g_hash_table_add(taken, g_strdup(names[i])))
                                read_file(search, path, STRAY_LOAD, is_of_modules_load);
                }
        }
}

GPtrArray *stray_read(const Root *root, const char *vendor) {
        GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify) stray_free);
        const Search search = {.root = root, .vendor = vendor, .found = found};

        read_unread_files(&search);
        read_modules_load(&search);
        read_file(&search, DROPIN_PATH, STRAY_COMMENTED, is_commented);
        return found;
}
