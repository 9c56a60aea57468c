/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files in, facts out. It judges nothing. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cleanup.h"
#include "error.h"
#include "files-facts.h"
#include "guest-xml.h"
#include "hypervisor.h"

/* A definition has at most 4 MiB (cpu-xml.h), and the state of a running guest some more. */
#define FILE_MAX ((size_t) 8 * 1024 * 1024)
/* As of libvirt-facts.c. */
#define SNAPSHOTS_MAX 64U

#define STATE_FOLDER HYPERVISOR_FOLDER "/qemu"
#define SAVE_FOLDER "var/lib/libvirt/qemu/save"
#define SNAPSHOT_FOLDER "var/lib/libvirt/qemu/snapshot"

static bool fail(const Root *root, const char *path, const char *why, GError **error) {
        g_autofree char *absolute = root_absolute(root, path);

        g_set_error(error, CONDITION, CONDITION_LIBVIRT_UNAVAILABLE,
                    "The guests are not known, as %s can't be read: %s", absolute, why);
        return false;
}

/* A folder that may not be looked into is not an empty one. */
static bool list_folder(const Root *root, const char *path, GStrv *ret, GError **error) {
        int fd AUTO_CLOSE = root_open(root, path, O_RDONLY | O_DIRECTORY);

        if (fd < 0 && fd != -ENOENT)
                return fail(root, path, g_strerror(-fd), error);
        *ret = root_list(root, path);
        return true;
}

/* True and NULL when there is no such file. */
static bool read_file(const Root *root, const char *folder, const char *name, char **ret, GError **error) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autoptr(GError) problem = NULL;
        size_t size;

        return root_read_any(root, path, FILE_MAX, ret, &size, &problem) || fail(root, path, problem->message, error);
}

static void read_saved(const Root *root, GuestFacts *facts) {
        g_autofree char *path = g_strdup_printf(SAVE_FOLDER "/%s.save", facts->name);

        facts->managed_save = root_exists(root, path);
}

static bool read_snapshots(const Root *root, const char *vendor, GuestFacts *facts, GError **error) {
        g_autofree char *folder = g_build_filename(SNAPSHOT_FOLDER, facts->name, NULL);
        g_auto(GStrv) names = NULL;
        unsigned n = 0;

        if (!list_folder(root, folder, &names, error))
                return false;
        for (char **name = names; *name && n < SNAPSHOTS_MAX; name++) {
                g_autofree char *text = NULL;
                if (!g_str_has_suffix(*name, ".xml"))
                        continue;
                if (!read_file(root, folder, *name, &text, error))
                        return false;
                g_autofree char *snapshot = g_strndup(*name, strlen(*name) - strlen(".xml"));
                guest_xml_add_snapshot(snapshot, text, vendor, facts);
                n++;
        }
        return true;
}

/* What libvirt would compare with the host it is not asked. */
static void leave_open(GuestFacts *facts) {
        if (!facts->question)
                return;
        facts->comparison = comparison_new(g_steal_pointer(&facts->question));
        facts->comparison->result = COMPARISON_UNKNOWN;
        facts->comparison->detail = g_strdup("of files no libvirt can be asked");
}

/* NULL: libvirt would not take it for a guest. */
static GuestFacts *facts_from(const CpuXml *xml, const char *vendor, bool persistent) {
        GuestFacts *facts;
        g_autofree char *uuid = xml ? g_ascii_strdown(xml->uuid, -1) : NULL;

        /* With a slash it can't be that of a file, and is none for libvirt either
         * (src/conf/domain_conf.c). */
        if (!xml || !*xml->name || strchr(xml->name, '/') || !hypervisor_is_uuid(uuid))
                return NULL;
        facts = guest_facts_new();
        facts->name = g_strdup(xml->name);
        facts->uuid = g_steal_pointer(&uuid);
        facts->persistent = persistent;
        (void) guest_xml_define(xml, vendor, facts);
        leave_open(facts);
        return facts;
}

/* @state: the text in which libvirt keeps what runs; NULL: it does not. */
static bool complete(const Root *root, const char *state, const char *vendor, GuestFacts *facts, GError **error) {
        facts->active = state != NULL;
        if (state)
                facts->live = guest_xml_inner_cpu(state, vendor, facts);
        read_saved(root, facts);
        return read_snapshots(root, vendor, facts, error);
}

typedef struct Reading {
        const Root *root;
        const char *vendor;
        GPtrArray *guests;
        GHashTable *seen; /* the names of their files */
} Reading;

static bool add_defined(const Reading *reading, const char *name, GError **error) {
        g_autofree char *text = NULL, *state = NULL;

        if (!read_file(reading->root, HYPERVISOR_DEFINITIONS, name, &text, error) ||
            !read_file(reading->root, STATE_FOLDER, name, &state, error))
                return false;
        g_autoptr(CpuXml) xml = text ? cpu_xml_read(text, reading->vendor, NULL) : NULL;
        g_autoptr(GuestFacts) facts = facts_from(xml, reading->vendor, true);
        (void) g_hash_table_add(reading->seen, g_strdup(name));
        if (!facts)
                return true;
        if (!complete(reading->root, state, reading->vendor, facts, error))
                return false;
        g_ptr_array_add(reading->guests, g_steal_pointer(&facts));
        return true;
}

static bool add_transient(const Reading *reading, const char *name, GError **error) {
        g_autofree char *state = NULL, *text = NULL;

        if (g_hash_table_contains(reading->seen, name))
                return true;
        if (!read_file(reading->root, STATE_FOLDER, name, &state, error))
                return false;
        text = guest_xml_inner(state);
        g_autoptr(CpuXml) xml = text ? cpu_xml_read(text, reading->vendor, NULL) : NULL;
        g_autoptr(GuestFacts) facts = facts_from(xml, reading->vendor, false);
        if (!facts)
                return true;
        if (!complete(reading->root, state, reading->vendor, facts, error))
                return false;
        g_ptr_array_add(reading->guests, g_steal_pointer(&facts));
        return true;
}

static bool add_all(const Reading *reading, const char *folder,
                    bool (*add)(const Reading *reading, const char *name, GError **error), GError **error) {
        g_auto(GStrv) names = NULL;

        if (!list_folder(reading->root, folder, &names, error))
                return false;
        for (char **name = names; *name; name++)
                if (g_str_has_suffix(*name, ".xml") && !add(reading, *name, error))
                        return false;
        return true;
}

GPtrArray *files_facts_list(const Root *root, const char *vendor, GError **error) {
        g_autoptr(GPtrArray) guests = g_ptr_array_new_with_free_func((GDestroyNotify) guest_facts_free);
        g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        const Reading reading = {.root = root, .vendor = vendor, .guests = guests, .seen = seen};

        if (!add_all(&reading, HYPERVISOR_DEFINITIONS, add_defined, error) ||
            !add_all(&reading, STATE_FOLDER, add_transient, error))
                return NULL;
        return g_steal_pointer(&guests);
}
