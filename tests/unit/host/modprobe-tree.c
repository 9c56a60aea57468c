/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes files of whole lines, whose values tell them apart, and files of pieces of lines. */

#include <string.h>

#include "modprobe-tree.h"
#include "options.h"

#define PICK(random, array) ((array)[g_rand_int_range((random), 0, G_N_ELEMENTS(array))])

typedef struct Maker {
        const Tree *tree;
        GRand *random;
        GHashTable *places;
        GHashTable *paths; /* those that are taken */
        unsigned tag;
        bool links; /* some lead nowhere; else some entries are folders */
} Maker;

static const char *const modules[] = {"kvm",       "kvm_amd", "kvm-amd",    "kvm_intel",
                                      "kvm-intel", "kvm_*",   "kvm_[a-i]*", "x[-_]y-z"};

/* A value that is said nowhere else. */
static char *make_tag(Maker *maker, const char *path, unsigned line) {
        char *tag = g_strdup_printf("%u", 1000 + maker->tag++);

        g_hash_table_insert(maker->places, g_strdup(tag),
                            path ? g_strdup_printf("/%s:%u", path, line) : g_strdup("kernel command line"));
        return tag;
}

/* @line: the number of the first; the next one is returned. */
static unsigned add_line(Maker *maker, GString *text, const char *path, unsigned line) {
        static const char *const others[] = {
                        "# options kvm_amd nested=1\n",
                        "\n",
                        "options kvm_amd a=\"x y\" \"b=z\" c\n",
                        "weakdep kvm_amd tun\n",
                        "alias kvm_a kvm_amd\n",
                        "bogus\n",
                        "options kvm_amd\n",
                        "options kvm-amd nested = 0 # off\n",
        };
        static const char *const formats[] = {
                        "blacklist %s\n",          "install %s /bin/true\n", "install %s /sbin/x -i kvm; y \n",
                        "remove %s /sbin/y\n",     "softdep %s pre: tun\n",  "alias %s off\n",
                        "softdep %s post: a b \n", "\tblacklist\t%s \n"};
        g_autofree char *first = make_tag(maker, path, line), *second = make_tag(maker, path, line);
        const char *module = PICK(maker->random, modules);

        switch (g_rand_int_range(maker->random, 0, 10)) {
        case 0:
                g_string_append_printf(text, "options %s \\\n nested=%s\\\n npt=%s\n", module, first, second);
                return line + 3;
        case 1:
        case 2:
                g_string_append(text, PICK(maker->random, others));
                return line + 1;
        case 3:
        case 4:
        case 5:
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                g_string_append_printf(text, PICK(maker->random, formats), module);
#pragma GCC diagnostic pop
                return line + 1;
        default:
                g_string_append_printf(text, "options %s nested=%s npt=\"%s\"\n", module, first, second);
                return line + 1;
        }
}

static char *make_lines(Maker *maker, const char *path) {
        GString *text = g_string_new(NULL);
        unsigned line = 1;

        for (int n = g_rand_int_range(maker->random, 0, 8); n > 0; n--)
                line = add_line(maker, text, path, line);
        return g_string_free(text, FALSE);
}

static char *make_pieces(Maker *maker) {
        static const char *const pieces[] = {
                        "options ",  "options ",    "options ",  "kvm-amd ",
                        "kvm_amd ",  "kvm ",        "a[b-c]-d ", "nested=0 ",
                        "npt=\"1\"", " x=\"y z\" ", "--",        "\n",
                        "\n",        "\n",          "\\\n",      "\\",
                        "\"",        "#",           "\t",        " ",
                        "=",         "install ",    "remove ",   "blacklist ",
                        "alias ",    "softdep ",    "]",         "[",
                        "-",         "\r",          "bogus",     "options kvm-amd nested=0\n",
        };
        GString *text = g_string_new(NULL);

        for (int n = g_rand_int_range(maker->random, 0, 60); n > 0; n--)
                g_string_append(text, PICK(maker->random, pieces));
        /* kmod 30 and 34 differ in what a backslash at the very end is. */
        g_string_append(text, " \n");
        return g_string_free(text, FALSE);
}

static void make_link(Maker *maker, const char *path) {
        g_autofree char *other = g_strdup_printf("etc/other-%u", maker->tag++), *text = make_lines(maker, path);
        g_autofree char *target =
                        g_strdup_printf("%s/%s",
                                        strchr(path, '/') && g_str_has_prefix(path, "usr/local") ? "../../../.."
                                        : g_str_has_prefix(path, "usr/")                         ? "../../.."
                                                                                                 : "../..",
                                        other);

        tree_write(maker->tree, other, text);
        tree_link(maker->tree, path, target);
}

static void make_entry(Maker *maker, const char *path) {
        const int kind = g_rand_int_range(maker->random, 0, 100);
        g_autofree char *text = kind < 70 ? make_lines(maker, path) : kind < 85 ? make_pieces(maker) : g_strdup("");

        if (kind < 88)
                tree_write(maker->tree, path, text);
        else if (kind < 92)
                tree_link(maker->tree, path, "/dev/null");
        else if (kind < 96)
                make_link(maker, path);
        else if (maker->links)
                tree_link(maker->tree, path, "../nowhere");
        else
                tree_folder(maker->tree, path);
}

static void make_folder(Maker *maker, const char *folder) {
        static const char *const names[] = {"a.conf",   "b.conf",    "B.conf",          "10-x.conf",  "9-x.conf",
                                            ".d.conf",  "kvm.alias", "x.alias",         "x.conf.bak", "-.conf",
                                            "kvm.conf", "modprobe",  "zz-nestvirt.conf"};

        tree_folder(maker->tree, folder);
        for (int n = g_rand_int_range(maker->random, 0, 5); n > 0; n--) {
                char *path = g_build_filename(folder, PICK(maker->random, names), NULL);
                if (g_hash_table_add(maker->paths, path))
                        make_entry(maker, path);
        }
}

static char *make_kernel_line(Maker *maker) {
        static const char *const words[] = {
                        "quiet",
                        "root=/dev/vda1",
                        "kvm_amd.nested",
                        "kvm.x=\"a b\"",
                        "\"kvm-amd.y=c d\"",
                        "modprobe.blacklist=kvm-amd,kvm",
                        "module_blacklist=kvm",
                        "a.b.c=1",
                        "kvm..x=1",
                        "kvm.=1",
                        "--",
                        ".kvm=1",
                        "modprobe.x=1",
                        "kvm_[a.x=1",
                        "kvm_intel.ept=",
                        "modprobe.blacklist=x",
                        "kvm_amd.z=\"",
                        "kvm-intel.a-b=c.d",
        };
        static const char *const blanks[] = {" ", " ", " ", "  ", "\t", "\n"};
        GString *text = g_string_new(NULL);

        for (int n = g_rand_int_range(maker->random, 0, 9); n > 0; n--) {
                g_autofree char *tag = make_tag(maker, NULL, 0);
                if (g_rand_int_range(maker->random, 0, 3) == 0)
                        g_string_append_printf(text, "%s.nested=%s", modules[g_rand_int_range(maker->random, 0, 5)],
                                               tag);
                else
                        g_string_append(text, PICK(maker->random, words));
                g_string_append(text, PICK(maker->random, blanks));
        }
        return g_string_free(text, FALSE);
}

void modprobe_tree_make(const Tree *tree, guint32 seed, GHashTable *places) {
        g_autoptr(GRand) random = g_rand_new_with_seed(seed);
        g_autoptr(GHashTable) paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        Maker maker = {.tree = tree, .random = random, .places = places, .paths = paths};
        g_autofree char *line = make_kernel_line(&maker);
        const bool merged = g_rand_boolean(random);

        maker.links = g_rand_boolean(random);
        tree_write(tree, MODPROBE_TREE_CMDLINE, line);
        tree_folder(tree, "usr/lib");
        if (merged)
                tree_link(tree, "lib", "usr/lib");
        for (const char *const *folder = options_folders; *folder; folder++)
                if (!merged || !g_str_has_prefix(*folder, "lib/"))
                        make_folder(&maker, *folder);
}
