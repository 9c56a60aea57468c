/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What QEMU's command lines say, read from trees that look like /proc. */

#include <string.h>

#include "qemu.h"
#include "tree.h"

/* One of QEMU's command lines, and what it says on a host with svm, and with vmx. */
typedef struct Claimed {
        const char *line; /* a newline stands for the zero byte */
        const char *svm, *vmx;
} Claimed;

static const Claimed claimed[] = {
                {"/usr/bin/qemu-system-x86_64\n-cpu\nhost\n", "yes", "yes"},
                {"/usr/bin/qemu-system-x86_64\n-enable-kvm\n", "unknown", "unknown"},
                {"qemu-system-x86_64\n-cpu\nhost,-svm\n", "no", "yes"},
                {"qemu-system-x86_64\n-cpu\nhost,vmx=off,migratable=on\n", "yes", "no"},
                {"qemu-system-x86_64\n--cpu\nmax,svm=false\n", "no", "yes"},
                {"kvm\n-cpu\nEPYC-Rome,+svm\n", "yes", "no"},
                {"kvm\n-cpu\nEPYC,svm=on\n", "yes", "no"},
                {"kvm\n-cpu\nEPYC,svm\n", "yes", "no"},
                {"kvm\n-cpu\nEPYC\n", "no", "no"},
                {"kvm\n-cpu\nqemu64\n-machine\npc-i440fx-2.1,accel=kvm\n", "unknown", "unknown"},
                {"kvm\n-cpu\nqemu64\n-M\npc-q35-9.2\n", "no", "no"},
                {"kvm\n-cpu\nSkylake-Server,vmx=on,vmx-ept=off\n", "no", "yes"},
                {"kvm\n-cpu\nEPYC,vmx-ept=on,svme-addr-chk=on\n", "no", "no"},
                /* The last one, in QEMU's order. */
                {"kvm\n-cpu\nhost\n-cpu\nhost,svm=off,vmx=off\n", "no", "no"},
                {"kvm\n-cpu\nhost,-svm\n-cpu\nhost\n", "yes", "yes"},
                {"kvm\n-cpu\nhost,svm=off,svm=on\n", "yes", "yes"},
                {"kvm\n-cpu\nhost,-svm,svm=on\n", "no", "yes"},
                {"kvm\n-cpu\nhost,-vmx,+vmx\n", "yes", "no"},
                {"kvm\n-cpu\nhost\n-global\nhost-x86_64-cpu.svm=off\n", "unknown", "yes"},
                /* No value; no QEMU; nothing at all. */
                {"kvm\n-cpu", "unknown", "unknown"},
                {"kvm\n-cpu\n\n", "unknown", "unknown"},
                {"/usr/bin/find\n-cpu\nhost\n", "", ""},
                {"", "", ""},
};

static void write_line(const Tree *tree, const char *words, gsize size) {
        g_autofree char *line = g_memdup2(words, size + 1);

        for (gsize i = 0; i < size; i++)
                if (line[i] == '\n')
                        line[i] = '\0';
        tree_write_bytes(tree, "proc/7/cmdline", line, size);
}

static const char *claim(const Tree *tree, const char *feature) {
        g_auto(QemuClaims) claims = {};

        qemu_read_claims(tree->root, "7", feature, &claims);
        return claims.nested;
}

static void test_claims(Tree *tree, gconstpointer data) {
        for (unsigned i = 0; i < G_N_ELEMENTS(claimed); i++) {
                g_test_message("%s", claimed[i].line);
                write_line(tree, claimed[i].line, strlen(claimed[i].line));
                g_assert_cmpstr(claim(tree, "svm"), ==, claimed[i].svm);
                g_assert_cmpstr(claim(tree, "vmx"), ==, claimed[i].vmx);
                g_assert_cmpstr(claim(tree, NULL), ==, "");
        }
}

/* No answer is one that can't be read, as it is too long or gone. */
static void test_unread(Tree *tree, gconstpointer data) {
        g_autoptr(GString) line = g_string_new("qemu\n-cpu\nhost\n");

        g_assert_cmpstr(claim(tree, "svm"), ==, "unknown");
        while (line->len <= 256 * 1024)
                g_string_append(line, "x\n");
        write_line(tree, line->str, line->len);
        g_assert_cmpstr(claim(tree, "svm"), ==, "unknown");
}

static void test_names(Tree *tree, gconstpointer data) {
        static const char words[] = "qemu\n-uuid\nABC\n-name\nguest=a,,b,debug-threads=on\n";
        g_auto(QemuClaims) claims = {};

        write_line(tree, words, strlen(words));
        qemu_read_claims(tree->root, "7", "svm", &claims);
        g_autofree char *uuid = qemu_read_uuid(tree->root, "7"), *none = qemu_read_uuid(tree->root, "8");
        g_assert_cmpstr(claims.name, ==, "a,b");
        g_assert_cmpstr(uuid, ==, "abc");
        g_assert_cmpstr(none, ==, "");
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add("/qemu/claims", Tree, NULL, tree_set_up, test_claims, tree_tear_down);
        g_test_add("/qemu/unread", Tree, NULL, tree_set_up, test_unread, tree_tear_down);
        g_test_add("/qemu/names", Tree, NULL, tree_set_up, test_names, tree_tear_down);
        return g_test_run();
}
