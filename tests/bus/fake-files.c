/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where the fake hypervisor's files are, and what it does before each answer. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "fake-files.h"

static const char *home;

void fake_files_begin(const char *directory) {
        home = directory;
}

char *fake_file(const char *name) {
        return g_build_filename(home, "fake", name, NULL);
}

void fake_hang(const char *name) {
        g_autofree char *path = fake_file(name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        char byte;

        if (fd < 0)
                return;
        while (read(fd, &byte, 1) > 0)
                continue;
        (void) close(fd);
}

bool fake_reachable(GError **error) {
        g_autofree char *path = fake_file("libvirt");

        if (g_file_test(path, G_FILE_TEST_EXISTS))
                return true;
        g_set_error(error, CONDITION, CONDITION_LIBVIRT_UNAVAILABLE, "libvirt can't be reached: %s is not there", path);
        return false;
}

/* Not while the test takes the daemon's descriptors away. */
void fake_append(const char *name, const char *word) {
        g_autofree char *path = fake_file(name), *line = g_strdup_printf("%s\n", word);
        int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

        if (fd < 0 && errno == EMFILE)
                return;
        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(write(fd, line, strlen(line)), ==, (ssize_t) strlen(line));
        (void) close(fd);
}

bool fake_answers(const char *question, GError **error) {
        fake_append("questions", question);
        fake_hang("hang");
        return fake_reachable(error);
}

static char *read_definition(gpointer uuid, GError **error) {
        g_autofree char *folder = fake_file("xml"), *path = g_build_filename(folder, uuid, NULL);
        char *text = NULL;

        return fake_reachable(error) && g_file_get_contents(path, &text, NULL, error) ? text : NULL;
}

static bool write_definition(gpointer uuid, const char *xml, GError **error) {
        g_autofree char *folder = fake_file("xml"), *path = g_build_filename(folder, uuid, NULL);
        g_autofree char *refused = fake_file("refuse"), *spoilt = fake_file("spoil"), *vanishes = fake_file("vanish");
        g_autofree char *there = fake_file("libvirt"), *other = NULL;

        if (g_file_get_contents(spoilt, &other, NULL, NULL))
                (void) unlink(spoilt);
        else if (g_file_test(refused, G_FILE_TEST_EXISTS)) {
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED, "libvirt does not take the new definition: no");
                return false;
        }
        if (unlink(vanishes) >= 0)
                (void) unlink(there);
        return g_file_set_contents(path, other ?: xml, -1, error);
}

const GuestStore fake_definitions = {.read = read_definition, .write = write_definition};
