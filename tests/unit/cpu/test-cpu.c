/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the CPU offers, from the cpuinfo of several hosts, from garbage, and on the machine
 * itself. */

#include <string.h>
#include <sys/utsname.h>

#include "cpu-spread.h"
#include "cpu.h"
#include "tree.h"

static void assert_features(const Cpu *cpu, const char *expected) {
        g_autofree char *found = g_strjoinv(" ", cpu->features);

        g_assert_cmpstr(found, ==, expected);
}

static void assert_nothing(const Cpu *cpu) {
        assert_features(cpu, "");
        g_assert_cmpstr(cpu->vendor, ==, "");
        g_assert_cmpuint(cpu->level, ==, 0);
        g_assert_cmpstr(cpu->hypervisor, ==, "");
        g_assert_false(cpu->has_vmx_flags);
}

static void test_amd(Tree *tree, gconstpointer data) {
        g_autoptr(Cpu) cpu = cpu_read(tree->root);

        g_assert_cmpstr(cpu->vendor, ==, "amd");
        g_assert_cmpstr(cpu->model, ==, "AMD EPYC Processor");
        g_assert_cmpstr(cpu->architecture, ==, "x86_64");
        assert_features(cpu, "npt svm");
        g_assert_true(cpu_has(cpu, "svm"));
        g_assert_false(cpu_has(cpu, "avic"));
        g_assert_false(cpu->has_vmx_flags);
        g_assert_cmpuint(cpu->level, ==, 1);
        g_assert_cmpstr(cpu->hypervisor, ==, "qemu");
}

static void test_skylake(Tree *tree, gconstpointer data) {
        g_autoptr(Cpu) cpu = cpu_read(tree->root);

        g_assert_cmpstr(cpu->vendor, ==, "intel");
        g_assert_cmpstr(cpu->model, ==, "Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz");
        assert_features(cpu, "apicv ept ept_1gb ept_ad ept_mode_based_exec ept_violation_ve ept_x_only flexpriority "
                             "invvpid mtf "
                             "ple pml posted_intr preemption_timer shadow_vmcs tpr_shadow tsc_offset tsc_scaling "
                             "unrestricted_guest vapic vapic_reg vid vmx vnmi vpid vtpr");
        g_assert_true(cpu->has_vmx_flags);
        g_assert_cmpuint(cpu->level, ==, 0);
        g_assert_cmpstr(cpu->hypervisor, ==, "");
}

static void test_haswell(Tree *tree, gconstpointer data) {
        g_autoptr(Cpu) cpu = cpu_read(tree->root);

        g_assert_cmpstr(cpu->vendor, ==, "intel");
        g_assert_true(cpu_has(cpu, "shadow_vmcs"));
        g_assert_false(cpu_has(cpu, "apicv"));
        g_assert_false(cpu_has(cpu, "posted_intr"));
        g_assert_false(cpu_has(cpu, "pml"));
}

static void test_no_kvm(Tree *tree, gconstpointer data) {
        g_autoptr(Cpu) cpu = cpu_read(tree->root);

        g_assert_cmpstr(cpu->vendor, ==, "intel");
        assert_features(cpu, "");
        g_assert_cmpuint(cpu->level, ==, 1);
        g_assert_false(cpu->has_vmx_flags);
}

static void test_pvm(Tree *tree, gconstpointer data) {
        g_autoptr(Cpu) cpu = cpu_read(tree->root);

        g_assert_cmpstr(cpu->vendor, ==, "amd");
        assert_features(cpu, "");
        g_assert_cmpuint(cpu->level, ==, 1);
        g_assert_cmpstr(cpu->hypervisor, ==, "unknown");
}

/* Words of the flags are whole words, each line counts once, and only the first CPU. */
static void test_lines(Tree *tree, gconstpointer data) {
        g_autoptr(Cpu) cpu = NULL;

        tree_write(tree, "proc/cpuinfo",
                   "processor\t: 0\nvendor_id\t:   Shanghai  \nmodel name:  A  B \nflags\t\t: lm nptx xnpt svm vmx "
                   "svm\n"
                   "vmx flags\t: ept ept BAD! x-y shadow_vmcs\nflags : npt\nnoise\n: \n\nprocessor\t: 1\nmodel name: "
                   "C\nflags\t: avic\n");
        cpu = cpu_read(tree->root);
        g_assert_cmpstr(cpu->vendor, ==, "intel");
        g_assert_cmpstr(cpu->model, ==, "A  B");
        assert_features(cpu, "ept shadow_vmcs svm vmx");
        g_assert_true(cpu->has_vmx_flags);
}

static void test_vendors(Tree *tree, gconstpointer data) {
        static const char *const ids[][2] = {
                        {"GenuineIntel", "intel"}, {"CentaurHauls", "intel"}, {"AuthenticAMD", "amd"},
                        {"HygonGenuine", "amd"},   {"IBM/S390", ""},          {"", ""},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++) {
                g_autofree char *text = g_strdup_printf("vendor_id : %s\nflags : fpu\n", ids[i][0]);
                g_autoptr(Cpu) cpu = NULL;

                tree_write(tree, "proc/cpuinfo", text);
                cpu = cpu_read(tree->root);
                g_assert_cmpstr(cpu->vendor, ==, ids[i][1]);
        }
}

static void test_architectures(Tree *tree, gconstpointer data) {
        static const char *const cases[][2] = {
                        {"flags : fpu lm\n", "x86_64"},
                        {"flags : fpu\n", "i686"},
                        {"vendor_id : IBM/S390\nfeatures : esan3 zarch sie\n", "s390x"},
                        {"processor : 0\nFeatures : fp\nCPU implementer : 0x41\nCPU architecture: 8\n", "aarch64"},
                        {"CPU implementer : 0x41\nCPU architecture: 7\n", "unknown"},
                        {"processor : 0\nhart : 0\nisa : rv64imafdc\n", "riscv64"},
                        {"cpu : POWER9\n", "unknown"},
                        {"", "unknown"},
        };
        g_autoptr(Cpu) said = NULL;

        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autoptr(Cpu) cpu = NULL;

                tree_write(tree, "proc/cpuinfo", cases[i][0]);
                cpu = cpu_read(tree->root);
                g_assert_cmpstr(cpu->architecture, ==, cases[i][1]);
                g_assert_true(cpu_has(cpu, "sie") == g_str_equal(cases[i][1], "s390x"));
        }
        tree_write(tree, "proc/sys/kernel/arch", "ppc64le\n");
        said = cpu_read(tree->root);
        g_assert_cmpstr(said->architecture, ==, "ppc64le");
}

static void test_hypervisors(Tree *tree, gconstpointer data) {
        static const char *const cases[][3] = {
                        {"KVM", "QEMU", "kvm"},
                        {"Standard PC (Q35 + ICH9, 2009)", "QEMU", "qemu"},
                        {"VMware Virtual Platform", "VMware, Inc.", "vmware"},
                        {"Virtual Machine", "Microsoft Corporation", "microsoft"},
                        {"VirtualBox", "innotek GmbH", "oracle"},
                        {"HVM domU", "Xen", "xen"},
                        {"Google Compute Engine", "Google", "google"},
                        {"c5.large", "Amazon EC2", "amazon"},
                        {"PowerEdge R640", "Dell Inc.", "unknown"},
        };
        g_autoptr(Cpu) xen = NULL, bare = NULL;

        tree_write(tree, "proc/cpuinfo", "vendor_id : GenuineIntel\nflags : lm hypervisor vmx\n");
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autoptr(Cpu) cpu = NULL;

                tree_write(tree, "sys/class/dmi/id/product_name", cases[i][0]);
                tree_write(tree, "sys/class/dmi/id/sys_vendor", cases[i][1]);
                cpu = cpu_read(tree->root);
                g_assert_cmpuint(cpu->level, ==, 1);
                g_assert_cmpstr(cpu->hypervisor, ==, cases[i][2]);
        }
        tree_write(tree, "sys/hypervisor/type", "xen\n");
        xen = cpu_read(tree->root);
        g_assert_cmpstr(xen->hypervisor, ==, "xen");
        tree_write(tree, "proc/cpuinfo", "vendor_id : GenuineIntel\nflags : lm vmx\n");
        bare = cpu_read(tree->root);
        g_assert_cmpuint(bare->level, ==, 0);
        g_assert_cmpstr(bare->hypervisor, ==, "");
}

static void test_other_architectures_below(Tree *tree, gconstpointer data) {
        g_autoptr(Cpu) bare = NULL, below = NULL;

        tree_write(tree, "proc/cpuinfo", "processor : 0\nCPU implementer : 0x41\nCPU architecture: 8\n");
        bare = cpu_read(tree->root);
        g_assert_cmpuint(bare->level, ==, 0);
        tree_write_bytes(tree, "proc/device-tree/hypervisor/compatible", "linux,kvm", 10);
        below = cpu_read(tree->root);
        g_assert_cmpuint(below->level, ==, 1);
        g_assert_cmpstr(below->hypervisor, ==, "kvm");
}

static void test_garbage(Tree *tree, gconstpointer data) {
        g_autofree guint8 *noise = g_malloc(300000);
        g_autoptr(Cpu) missing = cpu_read(tree->root), empty = NULL, folder = NULL;

        assert_nothing(missing);
        g_assert_cmpstr(missing->model, ==, "");
        tree_write(tree, "proc/cpuinfo", "");
        empty = cpu_read(tree->root);
        assert_nothing(empty);
        for (unsigned round = 0; round < 20; round++) {
                g_autoptr(Cpu) cpu = NULL;

                for (unsigned i = 0; i < 300000; i++)
                        noise[i] = (guint8) g_test_rand_int();
                tree_write_bytes(tree, "proc/cpuinfo", noise, (size_t) g_test_rand_int_range(1, 300000));
                cpu = cpu_read(tree->root);
                assert_nothing(cpu);
        }
        tree_write_bytes(tree, "proc/cpuinfo",
                         "vendor_id : Auth\0enticAMD\nmodel name : \xff\nflags : svm\0npt\xc3 avic\n", 62);
        folder = cpu_read(tree->root);
        g_assert_cmpstr(folder->vendor, ==, "");
        g_assert_true(g_utf8_validate(folder->model, -1, NULL));
        assert_features(folder, "avic svm");
}

static const CpuOdd *find_odd(const Cpu *cpu, const char *what) {
        for (unsigned i = 0; i < cpu->spread->len; i++)
                if (g_str_equal(((const CpuOdd *) g_ptr_array_index(cpu->spread, i))->what, what))
                        return g_ptr_array_index(cpu->spread, i);
        return NULL;
}

/* The first CPU is read, however many follow, and however far a flags line goes. */
static void test_huge(Tree *tree, gconstpointer data) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autoptr(Cpu) many = NULL, wide = NULL;

        for (unsigned i = 0; i < 4096; i++) {
                g_string_append_printf(text, "processor\t: %u\nvendor_id\t: AuthenticAMD\nflags\t\t: %s npt", i,
                                       i > 0 ? "avic" : "svm");
                for (unsigned n = 0; n < 200; n++)
                        g_string_append(text, " filler");
                g_string_append(text, "\n\n");
        }
        g_assert_cmpuint(text->len, >, 5 * 1000 * 1000);
        tree_write_bytes(tree, "proc/cpuinfo", text->str, text->len);
        many = cpu_read(tree->root);
        assert_features(many, "npt svm");
        g_assert_cmpuint(many->processors, ==, 4096);
        g_assert_cmpuint(many->spread->len, ==, 2);
        g_autofree char *without = cpu_odd_processors(find_odd(many, "svm"));
        g_autofree char *with = cpu_odd_processors(find_odd(many, "avic"));
        g_assert_cmpstr(without, ==, "1-4095");
        g_assert_cmpstr(with, ==, "1-4095");
        g_string_assign(text, "vendor_id : GenuineIntel\nflags : vmx\nvmx flags :");
        for (unsigned n = 0; n < 1000 * 1000; n++)
                g_string_append_printf(text, " f%u", n);
        tree_write_bytes(tree, "proc/cpuinfo", text->str, text->len);
        wide = cpu_read(tree->root);
        g_assert_cmpuint(g_strv_length(wide->features), <=, 256);
        g_assert_true(cpu_has(wide, "vmx"));
        /* The rest of a line that was cut off is no line of its own. */
        g_string_set_size(text, 64 * 1024);
        memset(text->str, 'x', text->len);
        g_string_append(text, "vendor_id : GenuineIntel\nmodel name : A\n");
        tree_write_bytes(tree, "proc/cpuinfo", text->str, text->len);
        g_autoptr(Cpu) rest = cpu_read(tree->root);
        g_assert_cmpstr(rest->vendor, ==, "");
        g_assert_cmpstr(rest->model, ==, "A");
}

/* Which processors differ in what concerns virtualization; a line that is missing, too. */
static void test_spread(Tree *tree, gconstpointer data) {
        tree_write(tree, "proc/cpuinfo",
                   "processor : 0\nvendor_id : GenuineIntel\nflags : lm vmx ept\nvmx flags : ept vpid\n\n"
                   "processor : 1\nflags : vmx ept sse2\nvmx flags : vpid ept\n\n"
                   "processor : 2\nflags : lm vmx ept\nvmx flags : ept vpid pml\n\n"
                   "processor : 3\nflags : lm vmx ept\nvmx flags : ept\n\n\n"
                   "processor : 5\nflags : lm\n\n"
                   "processor : 6\nflags : lm vmx ept\n");
        g_autoptr(Cpu) cpu = cpu_read(tree->root);
        const struct {
                const char *what, *processors;
                bool first_has;
        } odds[] = {{"pml", "2", false}, {"vpid", "3, 5-6", true}, {"ept", "5", true}, {"vmx", "5", true}};

        assert_features(cpu, "ept vmx vpid");
        g_assert_cmpuint(cpu->processors, ==, 6);
        g_assert_cmpuint(cpu->spread->len, ==, G_N_ELEMENTS(odds));
        for (unsigned i = 0; i < G_N_ELEMENTS(odds); i++) {
                const CpuOdd *odd = find_odd(cpu, odds[i].what);
                g_assert_nonnull(odd);
                g_autofree char *processors = cpu_odd_processors(odd);
                g_assert_cmpstr(processors, ==, odds[i].processors);
                g_assert_true(odd->first_has == odds[i].first_has);
        }
}

/* A hypervisor's signature among the facts of a tree counts more than the words of its firmware. */
/* A line of flags that all share makes no difference, whichever it is. */
static void test_spread_of_equals(Tree *tree, gconstpointer data) {
        tree_write(tree, "proc/cpuinfo",
                   "flags: svm\nfeatures: sie\n\nflags: svm  npt\nfeatures: sie\n\nflags: svm\nfeatures: sie\n");
        g_autoptr(Cpu) cpu = cpu_read(tree->root);

        g_assert_cmpuint(cpu->spread->len, ==, 1);
        g_assert_cmpstr(((const CpuOdd *) g_ptr_array_index(cpu->spread, 0))->what, ==, "npt");
}

static void test_hypervisor_by_cpuid(Tree *tree, gconstpointer data) {
        tree_write(tree, "proc/cpuinfo", "vendor_id : GenuineIntel\nflags : lm hypervisor\n");
        tree_write(tree, "sys/class/dmi/id/product_name", "KVM");
        tree_write(tree, "facts/cpuid",
                   "CPU:\n   0x40000000 0x00: eax=0x40000005 ebx=0x7263694d ecx=0x666f736f edx=0x76482074\n");
        g_autoptr(Cpu) cpu = cpu_read(tree->root);
        g_assert_cmpstr(cpu->hypervisor, ==, "microsoft");

        tree_write(tree, "facts/cpuid",
                   "CPU:\n   0x40000000 0x00: eax=0x40000005 ebx=0x7263694d ecx=0x666f736f edx=0x76482074\n"
                   "   0x40000100 0x00: eax=0x40000101 ebx=0x4b4d564b ecx=0x564b4d56 edx=0x0000004d\n");
        g_autoptr(Cpu) both = cpu_read(tree->root);
        g_assert_cmpstr(both->hypervisor, ==, "kvm");
}

static void test_machine(void) {
        g_autoptr(Root) root = root_new("/", NULL, NULL);
        g_autoptr(Cpu) cpu = cpu_read(root);
        g_autofree char *text = NULL;
        struct utsname uts;

        g_assert_cmpint(uname(&uts), ==, 0);
        g_assert_cmpstr(cpu->architecture, ==, uts.machine);
        g_assert_true(g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL));
        if (strstr(text, "\nflags")) {
                g_assert_cmpuint(cpu->level, ==, strstr(text, " hypervisor ") != NULL);
                g_assert_true(cpu_has(cpu, "svm") == (strstr(text, " svm ") != NULL));
                g_assert_true(cpu_has(cpu, "vmx") == (strstr(text, " vmx ") != NULL));
        }
        g_assert_true((cpu->level > 0) == (*cpu->hypervisor != 0));
}

int main(int argc, char *argv[]) {
        static const struct {
                const char *name, *fixture;
                void (*run)(Tree *tree, gconstpointer data);
        } tests[] = {
                        {"amd", "amd-epyc-6.1", test_amd},
                        {"skylake", "intel-skylake-server", test_skylake},
                        {"haswell", "intel-haswell-desktop", test_haswell},
                        {"no-kvm", "no-kvm", test_no_kvm},
                        {"pvm", "builtin-kvm-pvm", test_pvm},
                        {"lines", NULL, test_lines},
                        {"vendors", NULL, test_vendors},
                        {"architectures", NULL, test_architectures},
                        {"hypervisors", NULL, test_hypervisors},
                        {"other-architectures-below", NULL, test_other_architectures_below},
                        {"garbage", NULL, test_garbage},
                        {"huge", NULL, test_huge},
                        {"spread", NULL, test_spread},
                        {"spread-of-equals", NULL, test_spread_of_equals},
                        {"hypervisor-by-cpuid", NULL, test_hypervisor_by_cpuid},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strconcat("/cpu/", tests[i].name, NULL);

                g_test_add(path, Tree, tests[i].fixture, tree_set_up, tests[i].run, tree_tear_down);
        }
        g_test_add_func("/cpu/machine", test_machine);
        return g_test_run();
}
