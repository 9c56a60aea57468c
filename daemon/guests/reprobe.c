/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ask, touch, ask again, compare. It writes the record, and nothing of libvirt's. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "file.h"
#include "fixed-values.h"
#include "reprobe.h"

/* Where libvirt was built to look for QEMU's modules. */
static const char folder[] = QEMU_MODDIR;
static const char cache[] = "/var/cache/libvirt/qemu/capabilities";
#define RECORD_MAX ((size_t) 256 * 1024)

static bool is_system(const char *uri) {
        return g_str_equal(uri, HYPERVISOR_URI);
}

/* What an administrator has to do: libvirt without its files looks again, and guests go on while it
 * is restarted. */
static char *remedy(const Root *root, const char *uri) {
        if (!is_system(uri))
                return g_strdup_printf("restart the libvirt of %s without the files in its cache of capabilities", uri);
        return g_strdup_printf("rm -f %s/*.xml && systemctl restart %s", cache,
                               root_exists(root, hypervisor_sockets[1]) ? "virtqemud" : "libvirtd");
}

/* Another second than before, whatever the clock says. */
static int touch(const Root *root) {
        struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
        struct stat st;
        int r = 0, fd = root_open(root, folder + 1, O_RDONLY | O_DIRECTORY);

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0 || clock_gettime(CLOCK_REALTIME, &times[1]) < 0)
                r = -errno;
        if (r >= 0 && times[1].tv_sec == st.st_mtim.tv_sec)
                times[1].tv_sec++;
        if (r >= 0 && futimens(fd, times) < 0)
                r = -errno;
        (void) close(fd);
        return r;
}

static bool touch_folder(const Root *root, const char *uri, GError **error) {
        const int r = touch(root);
        g_autofree char *command = remedy(root, uri);

        if (r == -ENOENT)
                g_set_error(error, CONDITION, CONDITION_INTERNAL,
                            "%s, at whose modification time libvirt would look, is not there. Run: %s", folder,
                            command);
        else if (r == -EROFS)
                g_set_error(error, CONDITION, CONDITION_INTERNAL,
                            "the modification time of %s, at which libvirt looks, can't be changed, as it is read-only "
                            "(Read-only file system). Run: %s",
                            folder, command);
        else if (r < 0)
                g_set_error(error, CONDITION, CONDITION_INTERNAL,
                            "the modification time of %s, at which libvirt looks, can't be changed: %s. Run: touch %s",
                            folder, g_strerror(-r), folder);
        return r >= 0;
}

/* When libvirt has last written what it keeps of this emulator; false when that is not known. */
static bool read_stamp(const Root *root, const char *uri, const char *emulator, struct timespec *ret) {
        g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, emulator, -1),
                        *path = g_strdup_printf("%s/%s.xml", cache + 1, sum);
        struct stat st;

        if (!is_system(uri) || root_stat(root, path, &st) < 0)
                return false;
        *ret = st.st_mtim;
        return true;
}

/* One that was built to look at another folder has noticed nothing. */
static bool has_looked(const Root *root, const char *uri, const Capabilities *before, const Capabilities *after,
                       const struct timespec *stamp, GError **error) {
        struct timespec now;

        if (!read_stamp(root, uri, after->emulator, &now) || !g_str_equal(before->emulator, after->emulator) ||
            now.tv_sec != stamp->tv_sec || now.tv_nsec != stamp->tv_nsec)
                return true;
        g_autofree char *command = remedy(root, uri);
        g_set_error(error, CONDITION, CONDITION_INTERNAL,
                    "it has not noticed the new modification time of %s, and may have been built to look elsewhere. "
                    "Run: %s",
                    folder, command);
        return false;
}

static Capabilities *ask(const Hypervisor *hypervisor, gpointer connection, const Root *root, const char *uri,
                         GError **error) {
        g_autoptr(GError) problem = NULL;
        Capabilities *capabilities = hypervisor->capabilities(connection, &problem);

        if (!capabilities) {
                g_autofree char *command = remedy(root, uri);
                g_set_error(error, CONDITION, condition_of(problem), "%s. Run: %s", problem->message, command);
        }
        return capabilities;
}

static bool may_touch(const int *cancelled, GError **error) {
        if (!g_atomic_int_get(cancelled))
                return true;
        g_set_error_literal(error, CONDITION, CONDITION_TIMED_OUT, "it has answered too late");
        return false;
}

/* False with an error: Unsupported when there is nothing to be done, LibvirtUnavailable when it is
 * worth another try, as is TimedOut. */
static bool carry_out(Reprobe *reprobe, const Hypervisor *hypervisor, gpointer connection, const Root *root,
                      const char *uri, const char *reason, const int *cancelled, GError **error) {
        g_autoptr(Capabilities) before = ask(hypervisor, connection, root, uri, error), after = NULL;
        g_autofree char *difference = NULL;
        struct timespec stamp = {};

        if (!before)
                return false;
        const bool known = read_stamp(root, uri, before->emulator, &stamp);
        if (!may_touch(cancelled, error) || !touch_folder(root, uri, error))
                return false;
        after = ask(hypervisor, connection, root, uri, error);
        if (!after || (known && !has_looked(root, uri, before, after, &stamp, error)))
                return false;
        difference = capabilities_compare(before, after);
        reprobe->gained = capabilities_gained(before, after);
        reprobe->lost = capabilities_gained(after, before);
        reprobe->message =
                        g_strdup_printf("%s, so libvirt was made to look again at what KVM offers to guests, by a new "
                                        "modification time of %s: host-model %s",
                                        reason, folder, difference);
        return true;
}

static Reprobe *attempt(const Hypervisor *hypervisor, gpointer connection, const Root *root, const char *uri,
                        const char *reason, const int *cancelled) {
        g_autoptr(Reprobe) reprobe = g_new0(Reprobe, 1);
        g_autoptr(GError) problem = NULL;

        if (carry_out(reprobe, hypervisor, connection, root, uri, reason, cancelled, &problem))
                return g_steal_pointer(&reprobe);
        if (condition_of(problem) == CONDITION_UNSUPPORTED)
                return NULL;
        reprobe->message = g_strdup_printf("%s, but libvirt still goes by what KVM offered to guests before: %s",
                                           reason, problem->message);
        g_set_error_literal(&reprobe->error, CONDITION, condition_of(problem), reprobe->message);
        return g_steal_pointer(&reprobe);
}

static char *read_record(const Root *root) {
        char *text = NULL;
        size_t size;

        return root_read(root, REPROBE_RECORD_PATH, RECORD_MAX, &text, &size, NULL) ? text : NULL;
}

/* What an administrator has been told of is not said again at each connection; what libvirt had no
 * answer to is asked again at the next. */
static bool is_to_be_recorded(const Reprobe *reprobe) {
        return !reprobe || (condition_of(reprobe->error) != CONDITION_LIBVIRT_UNAVAILABLE &&
                            condition_of(reprobe->error) != CONDITION_TIMED_OUT);
}

Reprobe *reprobe_run(const Hypervisor *hypervisor, gpointer connection, const Root *root, const char *uri,
                     const char *before, const char *now, const int *cancelled) {
        g_autofree char *record = read_record(root), *reason = NULL;
        const char *was = record ?: before;
        g_autoptr(Reprobe) reprobe = NULL;
        g_autoptr(GError) problem = NULL;

        if (!g_str_equal(was, now)) {
                reason = fixed_values_compare(was, now);
                reprobe = attempt(hypervisor, connection, root, uri, reason, cancelled);
        }
        if (g_strcmp0(record, now) != 0 && is_to_be_recorded(reprobe) &&
            !file_write(root, REPROBE_RECORD_PATH, now, &problem)) {
                reprobe = reprobe ?: g_new0(Reprobe, 1);
                if (!reprobe->error) {
                        g_free(reprobe->message);
                        reprobe->message = g_strdup(problem->message);
                        reprobe->error = g_steal_pointer(&problem);
                }
        }
        return g_steal_pointer(&reprobe);
}

void reprobe_free(Reprobe *reprobe) {
        if (!reprobe)
                return;
        g_free(reprobe->message);
        g_strfreev(reprobe->gained);
        g_strfreev(reprobe->lost);
        g_clear_error(&reprobe->error);
        g_free(reprobe);
}
