/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of conditions against the contract: each D-Bus name once, each exit status as
 * documented. */

#include "error.h"

typedef struct Row {
        const char *name;
        int exit_status;
} Row;

/* clang-format off */
/* Written out again on purpose: these names and numbers are an interface. */
static const Row contract[] = {
        { "org.nestvirt1.Error.ReloadFailed", 1 },
        { "org.nestvirt1.Error.Conflict", 1 },
        { "org.nestvirt1.Error.Overridden", 1 },
        { "org.nestvirt1.Error.NoSuchGuest", 1 },
        { "org.nestvirt1.Error.TransientGuest", 1 },
        { "org.nestvirt1.Error.LibvirtUnavailable", 1 },
        { "org.nestvirt1.Error.TimedOut", 1 },
        { "org.nestvirt1.Error.Internal", 1 },
        { "org.nestvirt1.Error.InvalidArgs", 2 },
        { "org.nestvirt1.Error.NoSuchParameter", 2 },
        { "org.nestvirt1.Error.InvalidValue", 2 },
        { "org.freedesktop.DBus.Error.AccessDenied", 4 },
        { "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", 4 },
        { "org.nestvirt1.Error.Busy", 5 },
        { "org.nestvirt1.Error.Unsupported", 6 },
        { "org.nestvirt1.Error.Builtin", 6 },
        { "org.nestvirt1.Error.NotPermitted", 6 },
        { "org.nestvirt1.Error.HostDegraded", 7 },
        { "org.freedesktop.DBus.Error.LimitsExceeded", 1 },
};

static const Row of_the_bus[] = {
        { "org.freedesktop.DBus.Error.InvalidArgs", 2 },
        { "org.freedesktop.DBus.Error.ServiceUnknown", 8 },
        { "org.freedesktop.DBus.Error.NameHasNoOwner", 8 },
        { "org.freedesktop.DBus.Error.NoReply", 8 },
        { "org.freedesktop.DBus.Error.NoServer", 8 },
        { "org.freedesktop.DBus.Error.Disconnected", 8 },
        { "org.freedesktop.DBus.Error.Timeout", 8 },
        { "org.freedesktop.DBus.Error.Spawn.ChildExited", 8 },
        { "org.freedesktop.systemd1.UnitMasked", 8 },
        { "org.freedesktop.DBus.Error.UnknownMethod", 1 },
        { "org.freedesktop.DBus.Error.UnknownObject", 1 },
        { "org.freedesktop.DBus.Error.Failed", 1 },
        { "org.nestvirt1.Error", 1 },
        { "org.nestvirt1.Error.busy", 1 },
        { "", 1 },
        { NULL, 1 },
};
/* clang-format on */

static void test_every_condition_is_in_the_contract(void) {
        g_assert_cmpuint(G_N_ELEMENTS(contract), ==, CONDITION_MAX);
        for (unsigned c = 0; c < CONDITION_MAX; c++) {
                unsigned found = 0;
                for (gsize i = 0; i < G_N_ELEMENTS(contract); i++)
                        found += g_str_equal(contract[i].name, condition_to_name(c));
                g_test_message("%s", condition_to_name(c));
                g_assert_cmpuint(found, ==, 1);
                for (unsigned other = 0; other < c; other++)
                        g_assert_cmpstr(condition_to_name(c), !=, condition_to_name(other));
        }
}

static void test_exit_statuses(void) {
        for (gsize i = 0; i < G_N_ELEMENTS(contract); i++)
                g_assert_cmpint(condition_exit_status(contract[i].name), ==, contract[i].exit_status);
        for (gsize i = 0; i < G_N_ELEMENTS(of_the_bus); i++) {
                g_test_message("%s", of_the_bus[i].name ? of_the_bus[i].name : "no name");
                g_assert_cmpint(condition_exit_status(of_the_bus[i].name), ==, of_the_bus[i].exit_status);
        }
}

static void test_condition_of(void) {
        g_autoptr(GError) ours = g_error_new(CONDITION, CONDITION_BUSY, "somebody holds it");
        g_autoptr(GError) theirs = g_error_new(G_FILE_ERROR, G_FILE_ERROR_NOENT, "no such file");
        g_autoptr(GError) wild = g_error_new(CONDITION, CONDITION_MAX, "no such condition");

        g_assert_cmpint(condition_of(ours), ==, CONDITION_BUSY);
        g_assert_cmpint(condition_of(theirs), ==, CONDITION_INTERNAL);
        g_assert_cmpint(condition_of(wild), ==, CONDITION_INTERNAL);
        g_assert_cmpint(condition_of(NULL), ==, CONDITION_INTERNAL);
        g_assert_cmpstr(condition_to_name(CONDITION_MAX), ==, "org.nestvirt1.Error.Internal");
}

static void test_make_valid(void) {
        g_autoptr(GError) error = g_error_new_literal(CONDITION, CONDITION_INTERNAL, "no \xa4 line"), none = NULL;

        error_make_valid(&error);
        g_assert_cmpstr(error->message, ==, "no \xef\xbf\xbd line");
        error_make_valid(&none);
        error_make_valid(NULL);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/error/every-condition-is-in-the-contract", test_every_condition_is_in_the_contract);
        g_test_add_func("/error/exit-statuses", test_exit_statuses);
        g_test_add_func("/error/condition-of", test_condition_of);
        g_test_add_func("/error/make-valid", test_make_valid);
        return g_test_run();
}
