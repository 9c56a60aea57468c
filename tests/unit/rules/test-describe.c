/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The dictionaries of the two interfaces: names and signatures as the contract has them, and what
 * differs between two hosts. */

#include <string.h>

#include "describe.h"
#include "made-host.h"
#include "pending.h"
#include "unpacked.h"

typedef struct Member {
        const char *name, *type;
} Member;

/* clang-format off */
/* Written out again on purpose: these names and types are an interface. */
static const Member manager[] = {
        { "Version", "s" }, { "Vendor", "s" }, { "CpuModel", "s" }, { "Features", "as" }, { "Firmware", "s" }, { "Level", "u" },
        { "Hypervisor", "s" }, { "Nested", "s" }, { "NestedReason", "s" }, { "Mmu", "s" }, { "Device", "s" }, { "ProbeResult", "a{sv}" },
        { "Desired", "a{ss}" }, { "Drift", "as" }, { "DesiredError", "s" },
};

static const Member module[] = {
        { "Name", "s" }, { "State", "s" }, { "InUse", "b" }, { "Parameters", "a{sa{sv}}" }, { "Pending", "a{ss}" },
};

static const Member parameter[] = {
        { "Module", "s" }, { "Kind", "s" }, { "Choices", "as" }, { "Value", "s" }, { "Effective", "s" }, { "Configured", "s" },
        { "Default", "s" }, { "Source", "s" }, { "Overridden", "as" }, { "Pending", "s" }, { "Supported", "b" },
        { "Reason", "s" }, { "Writable", "b" }, { "Description", "s" },
};
/* clang-format on */

static void assert_members(GVariant *dictionary, const Member *members, gsize n) {
        g_assert_cmpstr(g_variant_get_type_string(dictionary), ==, "a{sv}");
        g_assert_cmpuint(g_variant_n_children(dictionary), ==, n);
        for (gsize i = 0; i < n; i++) {
                g_autoptr(GVariant) value = g_variant_lookup_value(dictionary, members[i].name, NULL);
                g_test_message("%s", members[i].name);
                g_assert_nonnull(value);
                g_assert_cmpstr(g_variant_get_type_string(value), ==, members[i].type);
        }
}

static GVariant *describe_vendor(const Host *host) {
        return unpacked(describe_module(host, host_vendor_module(host)));
}

static GVariant *describe(const MadeHost *made) {
        g_autoptr(Host) host = made_host(made);

        return describe_vendor(host);
}

static void test_members(void) {
        const MadeHost made = {.loaded = "kvm_amd.nested=1 kvm_amd.npt=Y"};
        g_autoptr(Host) host = made_host(&made);
        g_autoptr(GVariant) m = unpacked(describe_manager(host)), v = describe_vendor(host);

        assert_members(m, manager, G_N_ELEMENTS(manager));
        assert_members(v, module, G_N_ELEMENTS(module));
        g_autoptr(GVariant) all = g_variant_lookup_value(v, "Parameters", NULL);
        g_autoptr(GVariant) nested = g_variant_lookup_value(all, "nested", NULL);
        g_assert_cmpuint(g_variant_n_children(all), ==, 2);
        assert_members(nested, parameter, G_N_ELEMENTS(parameter));
}

static void assert_text(GVariant *dictionary, const char *name, const char *expected) {
        const char *text = NULL;

        g_test_message("%s", name);
        g_assert_true(g_variant_lookup(dictionary, name, "&s", &text));
        g_assert_cmpstr(text, ==, expected);
}

static void test_manager(void) {
        const MadeHost made = {.flags = "svm npt avic hypervisor", .loaded = "kvm_amd.nested=0 kvm_amd.npt=Y"};
        g_autoptr(Host) host = made_host(&made);
        g_autoptr(GVariant) m = unpacked(describe_manager(host));
        g_autofree const char **features = NULL;
        guint32 level;

        assert_text(m, "Version", VERSION);
        assert_text(m, "Vendor", "amd");
        assert_text(m, "CpuModel", "Made CPU");
        assert_text(m, "Hypervisor", "unknown");
        assert_text(m, "Nested", "off");
        assert_text(m, "Mmu", "tdp");
        assert_text(m, "Device", "missing");
        g_assert_true(g_variant_lookup(m, "Level", "u", &level));
        g_assert_cmpuint(level, ==, 1);
        g_assert_true(g_variant_lookup(m, "Features", "^a&s", &features));
        g_autofree char *joined = g_strjoinv(" ", (char **) features);
        g_assert_cmpstr(joined, ==, "avic npt svm");
}

static void test_parameter(void) {
        const MadeHost made = {
                        .loaded = "kvm_amd.nested=1 kvm_amd.npt=Y",
                        .modprobe = "options kvm_amd nested=1\n",
                        .ours = "options kvm_amd nested=0\n",
                        .pending = "kvm_amd.nested=0",
        };
        g_autoptr(GVariant) v = describe(&made);
        g_autoptr(GVariant) all = g_variant_lookup_value(v, "Parameters", NULL);
        g_autoptr(GVariant) nested = g_variant_lookup_value(all, "nested", NULL);
        g_autoptr(GVariant) pending = g_variant_lookup_value(v, "Pending", NULL);
        g_autofree const char **overridden = NULL;
        gboolean supported, writable, used;

        assert_text(v, "Name", "kvm_amd");
        assert_text(v, "State", "live");
        g_assert_true(g_variant_lookup(v, "InUse", "b", &used));
        g_assert_false(used);
        assert_text(pending, "nested", "0");
        assert_text(nested, "Module", "kvm_amd");
        assert_text(nested, "Kind", "bool");
        assert_text(nested, "Value", "1");
        assert_text(nested, "Effective", "on");
        assert_text(nested, "Configured", "0");
        assert_text(nested, "Default", "1");
        assert_text(nested, "Source", "/etc/modprobe.d/zz-nestvirt.conf:1");
        assert_text(nested, "Pending", "0");
        g_assert_true(g_variant_lookup(nested, "Supported", "b", &supported));
        g_assert_true(supported);
        g_assert_true(g_variant_lookup(nested, "Writable", "b", &writable));
        g_assert_false(writable);
        g_assert_true(g_variant_lookup(nested, "Overridden", "^a&s", &overridden));
        g_assert_cmpstr(overridden[0], ==, "/etc/modprobe.d/admin.conf:1");
        g_assert_null(overridden[1]);
}

static void test_all_that_waits(Tree *tree, gconstpointer data) {
        const MadeHost made = {.loaded = "kvm_amd.nested=1 kvm_amd.npt=Y kvm_amd.avic=N",
                               .pending = "kvm_amd.nested=0"};
        g_autoptr(Pending) pending = pending_read(tree->root);

        pending_set(pending, "kvm_amd", "npt", "0");
        pending_set(pending, "kvm_amd", "avic", "1");
        pending_set(pending, "kvm", "ignore_msrs", "1");
        g_assert_true(pending_write(pending, tree->root, NULL));
        g_autoptr(Host) host = made_host_read(&made, tree);
        g_autoptr(GVariant) v = describe_vendor(host);
        g_autoptr(GVariant) waits = g_variant_lookup_value(v, "Pending", NULL);
        g_autofree char *text = g_variant_print(waits, FALSE);
        g_assert_cmpstr(text, ==, "{'avic': '1', 'nested': '0', 'npt': '0'}");
}

static void test_choices(void) {
        const MadeHost made = {.release = "7.2.0", .loaded = "kvm_amd.avic=Y"};
        g_autoptr(GVariant) v = describe(&made);
        g_autoptr(GVariant) all = g_variant_lookup_value(v, "Parameters", NULL);
        g_autoptr(GVariant) avic = g_variant_lookup_value(all, "avic", NULL);
        g_autofree const char **choices = NULL;

        assert_text(avic, "Kind", "choice");
        assert_text(avic, "Effective", "on");
        g_assert_true(g_variant_lookup(avic, "Choices", "^a&s", &choices));
        g_autofree char *joined = g_strjoinv(" ", (char **) choices);
        g_assert_cmpstr(joined, ==, "auto 1 0");
}

/* The catalogue's entries that this kernel has: no more, no less. */
static void test_only_what_is_known_and_there(void) {
        const MadeHost made = {.loaded = "kvm_pvm.secret=1 kvm.ignore_msrs=N kvm.vector_hashing=Y"};
        g_autoptr(Host) host = made_host(&made);
        g_autoptr(GVariant) pvm = describe_vendor(host);
        g_autoptr(GVariant) kvm = unpacked(describe_module(host, host_module(host, "kvm")));
        g_autoptr(GVariant) none = g_variant_lookup_value(pvm, "Parameters", NULL);
        g_autoptr(GVariant) one = g_variant_lookup_value(kvm, "Parameters", NULL);
        g_autoptr(GVariant) ignore_msrs = g_variant_lookup_value(one, "ignore_msrs", NULL);

        g_assert_cmpuint(g_variant_n_children(none), ==, 0);
        g_assert_cmpuint(g_variant_n_children(one), ==, 1);
        g_assert_nonnull(ignore_msrs);
}

static void test_keys_are_sorted(void) {
        const MadeHost made = {.loaded = "kvm_amd.nested=1 kvm_amd.npt=Y kvm_amd.avic=N kvm_amd.vgif=0 kvm_amd.lbrv=0"};
        g_autoptr(GVariant) v = describe(&made);
        g_autoptr(GVariant) all = g_variant_lookup_value(v, "Parameters", NULL);
        g_autofree char *last = g_strdup("");
        GVariantIter iter;
        const char *name;

        g_variant_iter_init(&iter, all);
        while (g_variant_iter_next(&iter, "{&s@a{sv}}", &name, NULL)) {
                g_assert_cmpint(strcmp(last, name), <, 0);
                g_free(last);
                last = g_strdup(name);
        }
        g_assert_cmpstr(last, ==, "vgif");
}

/* What comes from files need not be text. */
static void test_garbage_becomes_text(Tree *tree, gconstpointer data) {
        static const char cpuinfo[] = "vendor_id\t: AuthenticAMD\nmodel name\t: \xff\xfe CPU\nflags\t\t: svm\n\n";
        const MadeHost made = {.loaded = "kvm_amd.npt=\xff", .modprobe = "options kvm_amd npt=\xfe\n"};
        host_free(made_host_read(&made, tree));
        tree_write_bytes(tree, "proc/cpuinfo", cpuinfo, sizeof(cpuinfo) - 1);
        g_autoptr(Host) host = host_read(tree->root, NULL);
        g_autoptr(GVariant) m = unpacked(describe_manager(host)), v = describe_vendor(host);
        g_autofree char *text = g_variant_print(v, TRUE);
        g_assert_true(g_variant_is_normal_form(m));
        g_assert_true(g_variant_is_normal_form(v));
        g_assert_nonnull(strstr(text, "'Effective': <'unknown'>"));
}

static void assert_diff(const Packed *before, const Packed *after, const char *expected) {
        g_auto(GStrv) names = packed_diff(before, after);
        g_autofree char *joined = g_strjoinv(" ", names);

        g_assert_cmpstr(joined, ==, expected);
}

static void test_diff_of_a_host(void) {
        const MadeHost on = {.loaded = "kvm_amd.nested=1 kvm_amd.npt=Y"};
        const MadeHost off = {.loaded = "kvm_amd.nested=0 kvm_amd.npt=Y"};
        const MadeHost gone = {.loadable = "kvm. kvm_amd.nested kvm_amd.npt"};
        g_autoptr(Host) a = made_host(&on), b = made_host(&off), c = made_host(&gone), d = made_host(&on);
        g_autoptr(Packed) ma = describe_manager(a), mb = describe_manager(b), mc = describe_manager(c),
                          md = describe_manager(d), va = describe_module(a, host_vendor_module(a)),
                          vb = describe_module(b, host_vendor_module(b)),
                          vc = describe_module(c, host_vendor_module(c));

        assert_diff(ma, md, "");
        assert_diff(ma, mb, "Nested");
        assert_diff(ma, mc, "Mmu Nested");
        assert_diff(va, vb, "Parameters");
        assert_diff(va, vc, "Parameters State");
        assert_diff(vc, va, "Parameters State");
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/describe/members", test_members);
        g_test_add_func("/describe/manager", test_manager);
        g_test_add_func("/describe/parameter", test_parameter);
        g_test_add("/describe/all-that-waits", Tree, NULL, tree_set_up, test_all_that_waits, tree_tear_down);
        g_test_add_func("/describe/choices", test_choices);
        g_test_add_func("/describe/only-what-is-known-and-there", test_only_what_is_known_and_there);
        g_test_add_func("/describe/keys-are-sorted", test_keys_are_sorted);
        g_test_add("/describe/garbage-becomes-text", Tree, NULL, tree_set_up, test_garbage_becomes_text,
                   tree_tear_down);
        g_test_add_func("/describe/diff-of-a-host", test_diff_of_a_host);
        return g_test_run();
}
