/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks for the image, for what puts KVM into it, and for who is older. It must not open the image:
 * it is large, compressed in many ways, and holds whatever its maker put there. */

#include <string.h>

#include "dropin.h"
#include "initramfs.h"
#include "syntax.h"

#define FILES_MAX 256U /* of one folder */
#define FILE_BYTES_MAX ((size_t) 64 * 1024)

typedef struct Place {
        const char *format; /* of the image's path, with the release */
        bool dracut;        /* whose name for it this is */
} Place;

typedef enum Form {
        FORM_MODULES, /* a module a line, and what it gets */
        FORM_DRACUT,  /* shell assignments */
} Form;

void initramfs_free(Initramfs *initramfs) {
        if (!initramfs)
                return;
        g_free(initramfs->image);
        g_free(initramfs->puts_kvm);
        g_free(initramfs->rebuild);
        g_free(initramfs->left_out);
        g_hash_table_unref(initramfs->changed);
        g_free(initramfs);
}

/* Of this host: the other vendor's module, listed for the initramfs, does not load there. */
static bool is_kvm(const char *word, const char *vendor) {
        g_autofree char *name = g_strdelimit(g_strdup(word), "-", '_');

        return g_str_equal(name, "kvm") || g_strcmp0(name, vendor) == 0;
}

/* The first word of a line of modules; of dracut's, any word of a list of drivers. */
static bool line_puts_kvm(const char *vendor, Form form, char *line) {
        const char *words = line;

        line[strcspn(line, "#")] = '\0';
        g_strstrip(line);
        if (form == FORM_DRACUT) {
                if (!g_str_has_prefix(line, "add_drivers") && !g_str_has_prefix(line, "force_drivers") &&
                    !g_str_has_prefix(line, "drivers"))
                        return false;
                words = strchr(line, '=');
        }

        g_auto(GStrv) all = g_strsplit_set(words ?: "", "=\"' \t", -1);
        for (char **word = all; *word; word++)
                if (is_kvm(*word, vendor))
                        return true;
                else if (form == FORM_MODULES && **word)
                        return false;
        return false;
}

static char *file_puts_kvm(const Root *root, const char *vendor, const char *path, Form form) {
        g_autofree char *text = NULL;
        size_t size;

        if (!root_read(root, path, FILE_BYTES_MAX, &text, &size, NULL))
                return NULL;
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        for (unsigned i = 0; lines[i]; i++)
                if (line_puts_kvm(vendor, form, lines[i]))
                        return g_strdup_printf("/%s:%u", path, i + 1);
        return NULL;
}

static char *folder_puts_kvm(const Root *root, const char *vendor, const char *folder, Form form) {
        g_auto(GStrv) names = root_list(root, folder);
        char *found = NULL;

        for (unsigned i = 0; names[i] && i < FILES_MAX && !found; i++) {
                g_autofree char *path = g_build_filename(folder, names[i], NULL);
                /* initramfs-tools takes any name there. */
                if (*names[i] != '.' && (form == FORM_DRACUT || g_str_has_prefix(folder, "usr/share/") ||
                                         g_str_has_suffix(names[i], ".conf")))
                        found = file_puts_kvm(root, vendor, path, form);
        }
        return found;
}

/* dracut also takes along what systemd-modules-load is told to load (its module of that name). */
static char *find_what_puts_kvm(const Root *root, const char *vendor, bool dracut) {
        static const struct {
                const char *path;
                bool folder, dracut;
                Form form;
        } places[] = {
                        {"etc/initramfs-tools/modules", false, false, FORM_MODULES},
                        {"usr/share/initramfs-tools/modules", false, false, FORM_MODULES},
                        {"usr/share/initramfs-tools/modules.d", true, false, FORM_MODULES},
                        {"etc/dracut.conf", false, true, FORM_DRACUT},
                        {"etc/dracut.conf.d", true, true, FORM_DRACUT},
                        {"usr/lib/dracut/dracut.conf.d", true, true, FORM_DRACUT},
                        {"etc/modules-load.d", true, true, FORM_MODULES},
                        {"usr/lib/modules-load.d", true, true, FORM_MODULES},
        };
        char *found = NULL;

        for (gsize i = 0; i < G_N_ELEMENTS(places) && !found; i++)
                if (places[i].dracut == dracut)
                        found = places[i].folder ? folder_puts_kvm(root, vendor, places[i].path, places[i].form)
                                                 : file_puts_kvm(root, vendor, places[i].path, places[i].form);
        return found;
}

static bool find_image(Initramfs *initramfs, const Root *root, const char *release, bool *ret_dracut) {
        static const Place places[] = {
                        {"boot/initrd.img-%s", false},
                        {"boot/initramfs-%s.img", true},
                        {"boot/initrd-%s", true},
                        {"lib/modules/%s/initrd", true},
        };
        struct stat st;

        for (gsize i = 0; i < G_N_ELEMENTS(places) && *release; i++) {
                g_auto(GStrv) around = g_strsplit(places[i].format, "%s", 2);
                g_autofree char *path = g_strconcat(around[0], release, around[1], NULL);
                if (root_stat(root, path, &st) < 0 || !S_ISREG(st.st_mode))
                        continue;
                initramfs->image = g_strconcat("/", path, NULL);
                initramfs->built = st.st_mtime;
                *ret_dracut = places[i].dracut;
                return true;
        }
        return false;
}

/* Both can be installed; then the name of the image tells. */
static char *find_tool(const Root *root, const char *release, bool *dracut) {
        const bool has_dracut = root_exists(root, "usr/bin/dracut") || root_exists(root, "usr/sbin/dracut");
        const bool has_tools = root_exists(root, "usr/sbin/update-initramfs");

        if (has_tools && !(*dracut && has_dracut))
                return g_strdup_printf("update-initramfs -u -k %s", release);
        *dracut = has_dracut;
        return g_strdup(has_dracut ? "dracut -f" : "");
}

/* The kernel's "btime" (fs/proc/stat.c). */
static gint64 read_boot_time(const Root *root) {
        g_autofree char *text = NULL;
        size_t size;

        if (!root_read(root, "proc/stat", ROOT_FILE_MAX, &text, &size, NULL))
                return 0;
        const char *found = strstr(text, "\nbtime ");
        return found ? g_ascii_strtoll(found + strlen("\nbtime "), NULL, 10) : 0;
}

/* No image has a copy of what is there (initramfs-tools 0.151, dracut 112: they take the
 * administrator's and the distribution's folder). */
static bool is_never_in_an_image(const char *path) {
        return g_str_has_prefix(path, "/run/") || g_str_has_prefix(path, "/usr/local/");
}

static void read_changes(Initramfs *initramfs, const Root *root, const char *vendor, const Options *options) {
        struct stat st;

        if (root_stat(root, options_folders[0], &st) >= 0)
                initramfs->folder_changed = st.st_mtime;
        for (unsigned i = 0; i < options->options->len; i++) {
                const Option *option = g_ptr_array_index(options->options, i);
                if (!option->path || !is_kvm(option->module, vendor) || dropin_is_ours(option->path, true))
                        continue;
                if (is_never_in_an_image(option->path)) {
                        initramfs->left_out = initramfs->left_out ?: g_strdup(option->path);
                        continue;
                }
                if (g_hash_table_contains(initramfs->changed, option->path) ||
                    root_stat(root, option->path + 1, &st) < 0)
                        continue;
                gint64 *time = g_new(gint64, 1);
                *time = st.st_mtime;
                g_hash_table_insert(initramfs->changed, g_strdup(option->path), time);
        }
}

Initramfs *initramfs_read(const Root *root, const char *release, const char *vendor, const Options *options) {
        Initramfs *initramfs = g_new0(Initramfs, 1);
        bool dracut = false;

        initramfs->changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        if (find_image(initramfs, root, release, &dracut)) {
                initramfs->rebuild = find_tool(root, release, &dracut);
                initramfs->puts_kvm = find_what_puts_kvm(root, vendor, dracut);
                initramfs->booted = read_boot_time(root);
                read_changes(initramfs, root, vendor, options);
        }
        return initramfs;
}

static gint64 changed(const Initramfs *initramfs, const char *path) {
        const gint64 *time = g_hash_table_lookup(initramfs->changed, path);

        return time ? *time : G_MININT64;
}

bool initramfs_folder_is_newer(const Initramfs *initramfs) {
        return initramfs->folder_changed > initramfs->built;
}

const char *initramfs_newer_file(const Initramfs *initramfs) {
        const char *newest = NULL;
        GHashTableIter iter;
        gpointer path;

        g_hash_table_iter_init(&iter, initramfs->changed);
        while (g_hash_table_iter_next(&iter, &path, NULL))
                if (changed(initramfs, path) > initramfs->built &&
                    (!newest || changed(initramfs, path) > changed(initramfs, newest)))
                        newest = path;
        return newest;
}

bool initramfs_missed(const Initramfs *initramfs, const char *path) {
        const gint64 time = changed(initramfs, path);

        return time > initramfs->built && time < initramfs->booted;
}
