/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The seam for files: nothing happens there, and nothing is changed. What the files say is
 * files-facts.c's. */

#include <string.h>

#include "error.h"
#include "files-facts.h"
#include "hypervisor.h"

static gpointer files_open(const char *uri, HypervisorEvent event, gpointer userdata, GError **error) {
        g_autoptr(GError) problem = NULL;
        Root *root = root_new(uri + strlen(HYPERVISOR_FILES_PREFIX), NULL, &problem);

        if (!root)
                g_set_error_literal(error, CONDITION, CONDITION_LIBVIRT_UNAVAILABLE, problem->message);
        return root;
}

static gpointer files_second(gpointer connection) {
        return root_ref(connection);
}

static void files_close(gpointer connection) {
        root_unref(connection);
}

static GPtrArray *files_list(gpointer connection, const char *vendor, GError **error) {
        return files_facts_list(connection, vendor, error);
}

static GPtrArray *files_survey(gpointer connection, GError **error) {
        return files_facts_list(connection, "", error);
}

static GuestFacts *files_find(gpointer connection, const char *name, const char *vendor, GError **error) {
        g_autoptr(GPtrArray) guests = files_facts_list(connection, vendor, error);

        for (unsigned i = 0; guests && i < guests->len; i++) {
                const GuestFacts *facts = g_ptr_array_index(guests, i);
                if (g_str_equal(facts->name, name) || g_str_equal(facts->uuid, name))
                        return g_ptr_array_steal_index_fast(guests, i);
        }
        if (guests)
                g_set_error(error, CONDITION, CONDITION_NO_SUCH_GUEST, "No guest is called \"%s\"", name);
        return NULL;
}

static GPtrArray *files_statistics(gpointer connection, const GPtrArray *uuids) {
        return g_ptr_array_new_with_free_func((GDestroyNotify) guest_facts_free);
}

static GHashTable *files_count(gpointer connection, const char *uuid, GError **error) {
        return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static void refuse(GError **error) {
        g_set_error_literal(error, CONDITION, CONDITION_UNSUPPORTED, "Guests of a tree of files are only looked at");
}

static bool files_edit(gpointer connection, GuestOrder *order, GError **error) {
        refuse(error);
        return false;
}

static GuestFacts *files_define(gpointer connection, const GuestPlan *plan, const char *vendor, GError **error) {
        refuse(error);
        return NULL;
}

static Capabilities *files_capabilities(gpointer connection, GError **error) {
        refuse(error);
        return NULL;
}

static GHashTable *files_compare(gpointer connection) {
        return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) comparison_unref);
}

static unsigned files_peer(gpointer connection) {
        return 0;
}

/* The symbol that the daemon looks for. */
extern const Hypervisor hypervisor_files;
const Hypervisor hypervisor_files = {
                .open = files_open,
                .second = files_second,
                .list = files_list,
                .survey = files_survey,
                .find = files_find,
                .statistics = files_statistics,
                .count = files_count,
                .edit = files_edit,
                .define = files_define,
                .capabilities = files_capabilities,
                .compare = files_compare,
                .peer = files_peer,
                .close = files_close,
};
