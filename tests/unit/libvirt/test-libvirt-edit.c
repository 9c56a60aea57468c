/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A change of a definition, by the questions that libvirt is asked, and which events are taken for
 * our own. The functions at the top take the place of libvirt's: one guest that is off. */

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

#include "error.h"
#include "libvirt-edit.h"

#define UUID "3b5b08e4-3dca-4ff9-9a1d-40389758d081"
#define XML                                                                                                  \
        "<domain type='qemu'>\n  <name>one</name>\n  <os><type arch='x86_64' machine='pc'>hvm</type></os>\n" \
        "  <cpu mode='custom'>\n    <model>EPYC</model>\n    <feature policy='require' name='svm'/>\n  "     \
        "</cpu>\n</domain>\n"

static struct {
        GString *asked; /* a word for each question */
        char *text;
        bool refuses, saved;
} libvirt;

static virDomainPtr the_guest(void) {
        static gpointer guest = &libvirt;

        return guest;
}

static void note(const char *word) {
        g_string_append_printf(libvirt.asked, "%s%s", libvirt.asked->len > 0 ? " " : "", word);
}

virErrorPtr virGetLastError(void) {
        static virError error = {.code = VIR_ERR_XML_ERROR, .domain = VIR_FROM_DOMAIN, .message = (char *) "no"};

        return &error;
}

virConnectPtr virDomainGetConnect(virDomainPtr domain) {
        return NULL;
}

const char *virDomainGetName(virDomainPtr domain) {
        return "one";
}

int virDomainGetUUIDString(virDomainPtr domain, char *ret) {
        (void) g_strlcpy(ret, UUID, VIR_UUID_STRING_BUFLEN);
        return 0;
}

unsigned virDomainGetID(virDomainPtr domain) {
        return (unsigned) -1;
}

int virDomainFree(virDomainPtr domain) {
        return 0;
}

char *virDomainGetXMLDesc(virDomainPtr domain, unsigned flags) {
        g_assert_cmpuint(flags, ==, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
        note("read");
        return strdup(libvirt.text);
}

virDomainPtr virDomainDefineXML(virConnectPtr connection, const char *xml) {
        note("define");
        if (libvirt.refuses)
                return NULL;
        g_free(libvirt.text);
        libvirt.text = g_strdup(xml);
        return the_guest();
}

int virDomainHasManagedSaveImage(virDomainPtr domain, unsigned flags) {
        note("saved");
        return libvirt.saved;
}

char *virDomainManagedSaveGetXMLDesc(virDomainPtr domain, unsigned flags) {
        note("read-saved");
        return NULL;
}

int virDomainSnapshotNum(virDomainPtr domain, unsigned flags) {
        note("snapshots");
        return 0;
}

static bool may_begin(gpointer may, GError **error) {
        if (!may)
                g_set_error_literal(error, CONDITION, CONDITION_TIMED_OUT, "late");
        return may;
}

typedef struct Row {
        const char *what;
        bool bare, planned_only, forbidden, refuses, saved, nested;
        int condition; /* -1: it succeeds */
        const char *asked;
        unsigned swallowed; /* of three events that it was defined */
} Row;

/* clang-format off */
static const Row rows[] = {
        { "surveyed", .bare = true, .condition = -1, .asked = "read define read", .swallowed = 1 },
        { "not surveyed", .condition = -1, .asked = "read saved snapshots define read", .swallowed = 1 },
        { "only planned", .bare = true, .planned_only = true, .condition = -1, .asked = "read" },
        { "so already", .bare = true, .nested = true, .condition = -1, .asked = "read" },
        { "nobody waits any more", .bare = true, .forbidden = true, .condition = CONDITION_TIMED_OUT, .asked = "read" },
        { "it has a managed save", .saved = true, .condition = CONDITION_CONFLICT, .asked = "read saved snapshots read-saved" },
        { "libvirt does not take it", .bare = true, .refuses = true, .condition = CONDITION_UNSUPPORTED, .asked = "read define" },
};
/* clang-format on */

static void set_up(const Row *row) {
        libvirt.asked = g_string_new(NULL);
        libvirt.text = g_strdup(XML);
        libvirt.refuses = row->refuses;
        libvirt.saved = row->saved;
}

static void take_down(LibvirtOwn *own, GuestOrder *order) {
        guest_plan_free(order->plan);
        guest_facts_free(order->facts);
        libvirt_own_free(own);
        g_string_free(libvirt.asked, TRUE);
        g_free(libvirt.text);
}

static void test_row(gconstpointer data) {
        const Row *row = data;
        g_autoptr(GuestEdit) edit = guest_edit_new();
        g_autoptr(GError) error = NULL;
        LibvirtOwn *own = libvirt_own_new();
        GuestOrder order = {.uuid = UUID,
                            .edit = edit,
                            .vendor = "amd",
                            .bare = row->bare,
                            .begin = row->planned_only ? NULL : may_begin,
                            .userdata = row->forbidden ? NULL : (gpointer) row};
        unsigned swallowed = 0;

        set_up(row);
        edit->nested = row->nested;
        g_assert_true(libvirt_edit(the_guest(), own, &order, &error) == (row->condition < 0));
        if (row->condition >= 0)
                g_assert_error(error, CONDITION, row->condition);
        g_assert_cmpstr(libvirt.asked->str, ==, row->asked);
        /* The first may be ours; all others are somebody else's. */
        for (unsigned i = 0; i < 3; i++) {
                const bool taken = libvirt_own_take(own, UUID);
                g_assert_true(!taken || i == 0);
                swallowed += taken;
        }
        g_assert_cmpuint(swallowed, ==, row->swallowed);
        /* What the event would bring. */
        g_assert_true((order.facts != NULL) == (row->swallowed > 0));
        if (order.facts) {
                g_assert_cmpstr(order.facts->defined.policy, ==, "disable");
                g_assert_cmpstr(order.facts->name, ==, "one");
                g_assert_cmpstr(order.facts->machine, ==, "pc");
                g_assert_nonnull(strstr(libvirt.text, "policy='disable' name='svm'"));
        }
        take_down(own, &order);
}

/* Planned before, and carried out after somebody was asked: it is looked at again. */
static void test_define(void) {
        static const Row row = {.bare = true, .planned_only = true};
        g_autoptr(GuestEdit) edit = guest_edit_new();
        g_autoptr(GError) error = NULL;
        LibvirtOwn *own = libvirt_own_new();
        GuestOrder order = {.uuid = UUID, .edit = edit, .vendor = "amd", .bare = true};

        set_up(&row);
        edit->nested = 0;
        g_assert_true(libvirt_edit(the_guest(), own, &order, &error));
        g_string_truncate(libvirt.asked, 0);
        order.facts = libvirt_edit_define(the_guest(), own, order.plan, "amd", &error);
        g_assert_no_error(error);
        g_assert_cmpstr(order.facts->defined.policy, ==, "disable");
        g_assert_cmpstr(libvirt.asked->str, ==, "saved read define read snapshots");
        /* By now it is another one. */
        g_assert_null(libvirt_edit_define(the_guest(), own, order.plan, "amd", &error));
        g_assert_error(error, CONDITION, CONDITION_CONFLICT);
        g_assert_false(libvirt_own_take(own, UUID));
        take_down(own, &order);
}

/* Each guest and each definition by itself. */
static void test_own(void) {
        LibvirtOwn *own = libvirt_own_new();

        libvirt_own_expect(own, "a");
        libvirt_own_expect(own, "a");
        libvirt_own_expect(own, "b");
        g_assert_false(libvirt_own_take(own, "c"));
        g_assert_true(libvirt_own_take(own, "a"));
        libvirt_own_forget(own, "b");
        g_assert_false(libvirt_own_take(own, "b"));
        g_assert_true(libvirt_own_take(own, "a"));
        g_assert_false(libvirt_own_take(own, "a"));
        libvirt_own_free(own);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strconcat("/libvirt-edit/", rows[i].what, NULL);
                g_test_add_data_func(path, &rows[i], test_row);
        }
        g_test_add_func("/libvirt-edit/define", test_define);
        g_test_add_func("/libvirt-edit/own", test_own);
        return g_test_run();
}
