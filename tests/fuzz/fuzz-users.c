/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A process that has /dev/kvm open: its files status, cgroup, cmdline, comm and fdinfo in /proc are
 * the parts of the input. It is a holder unless its descriptor only names the node, or it has gone
 * meanwhile; its user is the number that is there; its unit is a name in its cgroup; and what is
 * shown of it is UTF-8 and stands in these files. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "users.h"

static const char *const paths[] = {"proc/7/status", "proc/7/cgroup", "proc/7/cmdline", "proc/7/comm",
                                    "proc/7/fdinfo/5"};

enum { STATUS, CGROUP, CMDLINE, COMM, FDINFO };

static void open_kvm(void) {
        static bool done;
        g_autofree char *folder = root_absolute(fuzz_root(), "proc/7/fd"), *link = g_build_filename(folder, "5", NULL);

        if (done)
                return;
        g_assert_no_errno(g_mkdir_with_parents(folder, 0755));
        g_assert_no_errno(symlink("/dev/kvm", link));
        /* So that command lines are asked for svm. */
        fuzz_write("sys/module/kvm_amd/refcnt", "1\n", 2);
        done = true;
}

/* A name that is shown is whole or the beginning of what is there. */
static void assert_from(const char *shown, const char *text, size_t size) {
        g_autoptr(GString) all = g_string_new_len(text, (gssize) size);
        g_autofree char *start =
                        g_str_has_suffix(shown, "…") ? g_strndup(shown, strlen(shown) - strlen("…")) : g_strdup(shown);

        for (size_t i = 0; i < all->len; i++)
                if (all->str[i] == 0)
                        all->str[i] = '\n';
        g_autofree char *valid = g_utf8_make_valid(all->str, -1);
        fuzz_assert_utf8(shown);
        g_assert_nonnull(strstr(valid, start));
}

/* Of those units that have processes, or cut. */
static bool has_kind(const char *unit) {
        static const char *const ends[] = {".service", ".scope", ".mount", ".swap", ".socket", "…"};

        for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
                if (g_str_has_suffix(unit, ends[i]))
                        return true;
        return false;
}

static void check_user(const User *user, char *const *texts, const size_t *sizes) {
        const char *uid = strstr(texts[STATUS], "\nUid:");

        g_assert_cmpuint(user->pid, ==, 7);
        g_assert_nonnull(uid);
        g_assert_cmpuint(user->uid, ==, (unsigned) g_ascii_strtoull(uid + strlen("\nUid:"), NULL, 10));
        assert_from(user->command, texts[COMM], sizes[COMM]);
        assert_from(user->unit, texts[CGROUP], sizes[CGROUP]);
        g_assert_null(strchr(user->unit, '/'));
        g_assert_true(!*user->unit || has_kind(user->unit));
        fuzz_assert_utf8(user->guest);
        g_assert_true(g_strv_contains((const char *const[]) {"", "yes", "no", "unknown", NULL}, user->nested));
        /* A comma that is doubled is one of the name. */
        if (!strchr(user->guest, ','))
                assert_from(user->guest, texts[CMDLINE], sizes[CMDLINE]);
}

static bool is_path_only(const char *fdinfo) {
        const char *flags = strstr(fdinfo, "flags:");

        return flags && (g_ascii_strtoull(flags + strlen("flags:"), NULL, 8) & O_PATH) != 0;
}

static void check(char *const *texts, const size_t *sizes) {
        /* However slow the machine is. */
        static const Bounds bounds = {.first = 128,
                                      .each = 4096,
                                      .all = 4096,
                                      .each_usec = G_USEC_PER_SEC * G_GINT64_CONSTANT(3600),
                                      .all_usec = G_USEC_PER_SEC * G_GINT64_CONSTANT(3600)};
        g_autoptr(Users) users = users_scan_within(fuzz_root(), &bounds, USERS_MAX);
        g_autofree char *words = users_to_string(users, 1);

        fuzz_assert_utf8(words);
        g_assert_cmpuint(users->holders->len, <=, 1);
        if (is_path_only(texts[FDINFO]) || !strstr(texts[STATUS], "\nUid:"))
                g_assert_cmpuint(users->holders->len, ==, 0);
        else {
                g_assert_cmpuint(users->holders->len, ==, 1);
                check_user(g_ptr_array_index(users->holders, 0), texts, sizes);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *texts[G_N_ELEMENTS(paths)];
        size_t sizes[G_N_ELEMENTS(paths)];

        open_kvm();
        for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
                texts[i] = fuzz_take(&data, &size, &sizes[i]);
                fuzz_write(paths[i], texts[i], sizes[i]);
        }
        check(texts, sizes);
        for (gsize i = 0; i < G_N_ELEMENTS(paths); i++)
                g_free(texts[i]);
        return 0;
}
