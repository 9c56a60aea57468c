/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists the files of modprobe.d by the rules of libkmod: which folder comes first, which file hides
 * which, in which order they are read. It must not open them. */

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "conf.h"

/* Far beyond any configuration that a person wrote. */
#define FILES_MAX 4096U
#define BAD_MAX 256U

/* kmod 30 lacks the fourth, which on most systems is the same directory as the fifth. */
const char *const options_folders[] = {
                "etc/modprobe.d",     "run/modprobe.d", "usr/local/lib/modprobe.d",
                "usr/lib/modprobe.d", "lib/modprobe.d", NULL,
};

typedef struct Listing {
        const Root *root;
        GHashTable *instead;
        GHashTable *names; /* which ones are taken */
        GPtrArray *files;
        GPtrArray *masked;
        GPtrArray *bad;
        Stamps *stamps;
} Listing;

/* Of the process, as the library is. */
static ConfManner manner = CONF_SINCE_33;

void conf_follow(ConfManner new_manner) {
        manner = new_manner;
}

void conf_file_free(ConfFile *file) {
        g_free(file->name);
        g_free(file->path);
        g_free(file);
}

void bad_line_free(BadLine *bad) {
        g_free(bad->path);
        g_free(bad->why);
        g_free(bad);
}

char *conf_shown_path(const char *path) {
        g_autofree char *absolute = g_strconcat("/", path, NULL);

        return g_utf8_make_valid(absolute, -1);
}

void bad_line_add(GPtrArray *list, const char *path, unsigned line, const char *format, ...) {
        BadLine *bad;
        va_list arguments;

        if (list->len >= BAD_MAX)
                return;
        bad = g_new0(BadLine, 1);
        bad->path = conf_shown_path(path);
        bad->line = line;
        va_start(arguments, format);
        bad->why = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        g_ptr_array_add(list, bad);
}

/* Whether libkmod takes this entry of a folder for a file of its own: with what it does not take it
 * also hides nothing. */
static bool classify(const Listing *listing, const char *path, bool *ret_empty) {
        const Root *root = listing->root;
        GPtrArray *bad = listing->bad;
        g_autofree char *link = NULL;
        struct stat st;
        int result = stamps_stat(listing->stamps, root, path, &st);

        *ret_empty = false;
        if (result < 0) {
                /* A link to /dev/null masks also where the root has no /dev. */
                link = root_read_link(root, path);
                *ret_empty = g_strcmp0(link, "/dev/null") == 0;
                if (!*ret_empty)
                        bad_line_add(bad, path, 0, "the link is not looked at%s: %s",
                                     manner == CONF_BEFORE_33 ? ", and hides files of its name in other folders" : "",
                                     g_strerror(-result));
                *ret_empty |= manner == CONF_BEFORE_33;
                return *ret_empty;
        }
        if (S_ISDIR(st.st_mode)) {
                bad_line_add(bad, path, 0, "it is a directory: modprobe ignores it");
                return false;
        }
        *ret_empty = !S_ISREG(st.st_mode);
        if (*ret_empty && !(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
                bad_line_add(bad, path, 0,
                             "it is no regular file: it is not looked at, and modprobe may wait for it forever");
        return true;
}

/* Those on disk, and those that are to be there. */
static GStrv list_names(const Listing *listing, const char *folder) {
        g_autoptr(GStrvBuilder) names = g_strv_builder_new();
        g_auto(GStrv) there = root_list(listing->root, folder);
        GHashTableIter i;
        gpointer path;

        g_strv_builder_addv(names, (const char **) there);
        g_hash_table_iter_init(&i, listing->instead);
        while (g_hash_table_iter_next(&i, &path, NULL)) {
                g_autofree char *parent = g_path_get_dirname(path), *name = g_path_get_basename(path);
                if (g_str_equal(parent, folder) && !g_strv_contains((const char *const *) there, name))
                        g_strv_builder_add(names, name);
        }
        return g_strv_builder_end(names);
}

/* *@ret_text: what it is to say, NULL for what is on disk. */
static bool is_file(const Listing *listing, const char *path, bool *ret_empty, const char **ret_text) {
        gpointer text = NULL;

        *ret_text = NULL;
        if (!g_hash_table_lookup_extended(listing->instead, path, NULL, &text))
                return classify(listing, path, ret_empty);
        *ret_empty = false;
        *ret_text = text;
        return text;
}

bool conf_is_read(const char *name) {
        return *name != '.' &&
               (g_str_has_suffix(name, ".conf") || (manner == CONF_BEFORE_33 && g_str_has_suffix(name, ".alias")));
}

static void list_folder(const Listing *listing, const char *folder) {
        g_auto(GStrv) names = list_names(listing, folder);

        for (char **name = names; *name; name++) {
                g_autofree char *path = g_build_filename(folder, *name, NULL);
                const char *text;
                bool empty;
                ConfFile *file;

                if (!conf_is_read(*name) || !is_file(listing, path, &empty, &text))
                        continue;
                if (g_hash_table_contains(listing->names, *name)) {
                        g_ptr_array_add(listing->masked, conf_shown_path(path));
                        continue;
                }
                if (listing->files->len >= FILES_MAX) {
                        bad_line_add(listing->bad, path, 0, "the file is not looked at: there are more than %u",
                                     FILES_MAX);
                        break;
                }
                file = g_new0(ConfFile, 1);
                file->name = g_strdup(*name);
                file->path = g_steal_pointer(&path);
                file->empty = empty;
                file->text = text;
                g_ptr_array_add(listing->files, file);
                g_hash_table_add(listing->names, file->name);
        }
}

bool conf_is_same_folder(const Root *root, const char *const *folder) {
        struct stat st, other;

        if (root_stat(root, *folder, &st) < 0)
                return false;
        for (const char *const *f = options_folders; f < folder; f++)
                if (root_stat(root, *f, &other) >= 0 && other.st_dev == st.st_dev && other.st_ino == st.st_ino)
                        return true;
        return false;
}

static int compare_files(const void *a, const void *b) {
        return strcmp((*(ConfFile *const *) a)->name, (*(ConfFile *const *) b)->name);
}

GPtrArray *conf_list(const Root *root, GHashTable *instead, GPtrArray *masked, GPtrArray *bad, Stamps *stamps) {
        g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
        g_autoptr(GHashTable) nothing = g_hash_table_new(g_str_hash, g_str_equal);
        GPtrArray *files = g_ptr_array_new_with_free_func((GDestroyNotify) conf_file_free);
        const Listing listing = {.root = root,
                                 .instead = instead ?: nothing,
                                 .names = names,
                                 .files = files,
                                 .masked = masked,
                                 .bad = bad,
                                 .stamps = stamps};

        for (const char *const *folder = options_folders; *folder; folder++) {
                /* Before it is read. */
                (void) stamps_stat(stamps, root, *folder, &(struct stat) {});
                if (!conf_is_same_folder(root, folder))
                        list_folder(&listing, *folder);
        }
        g_ptr_array_sort(files, compare_files);
        return files;
}
