/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How often a change waits for the disk, and when. */

#include "change-fixture.h"
#include "fault-injector.h"

#define SYNCS_MAX 6U

static unsigned at_unload, at_load;

static void on_call(FakeLoader *loader, const char *call) {
        if (g_str_has_prefix(call, "unload ") && at_unload == 0)
                at_unload = fault_syncs();
        if (g_str_has_prefix(call, "load "))
                at_load = fault_syncs();
}

static void test_a_toggle(Fixture *fixture, gconstpointer data) {
        /* Makes the folders. */
        g_autoptr(ChangeResult) first = fixture_change(fixture, "kvm_amd.nested=0", 0);
        assert_outcome(first, "applied");
        const unsigned before = fault_syncs();
        fixture->loader->hook = on_call;
        g_autoptr(ChangeResult) second = fixture_change(fixture, "kvm_amd.nested=1", 0);
        assert_outcome(second, "applied");
        g_test_message("%u syncs", fault_syncs() - before);
        g_assert_cmpuint(fault_syncs() - before, <=, SYNCS_MAX);
        g_assert_cmpuint(at_unload, >, before);
        /* None while KVM is away. */
        g_assert_cmpuint(at_load, ==, at_unload);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add("/syncs/a-toggle", Fixture, NULL, fixture_set_up, test_a_toggle, fixture_tear_down);
        return g_test_run();
}
