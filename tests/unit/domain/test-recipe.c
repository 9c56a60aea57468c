/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Recipes, rule by rule: what is raised, what is replaced, what is left alone, and what is for
 * hands. */

#include <string.h>

#include "error.h"
#include "recipe-parts.h"
#include "recipe.h"

/* A guest for @sizes (vCPUs and memory) and @devices; its CPU needs nothing. */
#define GUEST(sizes, devices)                                                                                   \
        "<domain type='kvm'>\n  <name>a</name>\n" sizes "  <os>\n    <type arch='x86_64'>hvm</type>\n  </os>\n" \
        "  <cpu mode='maximum'/>\n  <devices>\n" devices                                                        \
        "    <graphics type='vnc' passwd='p'/>\n  </devices>\n</domain>\n"
#define BIG "  <memory unit='GiB'>64</memory>\n  <vcpu>8</vcpu>\n"

typedef struct Case {
        const char *name;
        RecipeRequest request;
        const char *before, *after; /* @after NULL: the same */
        const char *step;
} Case;

/* One for @cpu, whatever is in <cpu>, that has all that Hyper-V needs. */
#define ENLIGHTENED                                                                                                \
        "    <hyperv mode='custom'>\n      <relaxed state='on'/>\n      <vapic state='on'/>\n"                     \
        "      <spinlocks state='on' retries='8191'/>\n      <vpindex state='on'/>\n      <runtime state='on'/>\n" \
        "      <synic state='on'/>\n      <stimer state='on'>\n        <direct state='on'/>\n      </stimer>\n"    \
        "      <frequencies state='on'/>\n      <tlbflush state='on'/>\n      <ipi state='on'/>\n    </hyperv>\n"
#define WINDOWS(sizes, cpu, devices)                                                                        \
        "<domain type='kvm'>\n" sizes "  <os>\n    <type arch='x86_64'>hvm</type>\n  </os>\n  <features>\n" \
        "    <acpi/>\n" ENLIGHTENED "  </features>\n  <cpu mode='maximum'>\n    <topology/>\n" cpu          \
        "  </cpu>\n  <clock offset='localtime'>\n    <timer name='rtc' tickpolicy='catchup'/>\n"            \
        "    <timer name='hypervclock' present='yes'/>\n  </clock>\n  <devices>\n" devices "  </devices>\n</domain>\n"
#define AS_INSTALLED(cpu)                                                                                              \
        "<domain type='kvm'>\n" BIG "  <os>\n    <type arch='x86_64'>hvm</type>\n  </os>\n  <features>\n    <acpi/>\n" \
        "    <hyperv mode='custom'>\n      <relaxed state='on'/>\n      <vapic state='on'/>\n"                         \
        "      <spinlocks state='on' retries='8191'/>\n    </hyperv>\n  </features>\n  <cpu mode='maximum'>\n"         \
        "    <topology/>\n    " cpu "\n  </cpu>\n  <clock offset='localtime'>\n"                                       \
        "    <timer name='rtc' tickpolicy='catchup'/>\n  </clock>\n  <devices>\n  </devices>\n</domain>\n"
#define SVM "    <feature policy='require' name='svm'/>\n"
#define VMX "    <feature policy='require' name='vmx'/>\n"
#define INTEL(recipe) {.name = (recipe), .vendor = "intel"}

#define R(recipe, number) {.name = (recipe), .vendor = "amd", .release = (number)}
#define NIC(rest)                                                                                  \
        "    <interface type='network'>\n      <mac address='52:54:00:00:00:01'/>\n      <source " \
        "network='default'/>\n" rest "    </interface>\n"
#define DISK(rest) "    <disk type='file' device='disk'>\n" rest "    </disk>\n"

/* clang-format off */
static const Case cases[] = {
        /* Sizes. */
        { "big-enough", R("esxi", NULL), GUEST(BIG, ""), NULL, "brings it" },
        { "kvm-needs-no-size", R("kvm", NULL), GUEST("  <memory>1</memory>\n", ""), NULL, NULL },
        { "proxmox", R("proxmox", NULL), GUEST("  <memory unit='KiB'>1048576</memory>\n  <currentMemory unit='KiB'>1048576</currentMemory>\n  <vcpu placement='static'>1</vcpu>\n", ""),
          GUEST("  <memory unit='KiB'>2097152</memory>\n  <currentMemory unit='KiB'>2097152</currentMemory>\n  <vcpu placement='static'>2</vcpu>\n", ""), "raise the memory to 2048 MiB (was 1024 MiB)" },
        { "hyperv", R("hyperv", NULL), WINDOWS("  <memory unit='GiB'>3</memory>\n  <vcpu>2</vcpu>\n", SVM, ""), WINDOWS("  <memory unit='GiB'>4</memory>\n  <vcpu>2</vcpu>\n", SVM, ""), "4096 MiB" },
        { "esxi-6.7", R("esxi", "6.7"), GUEST("  <memory unit='MiB'>4095</memory>\n  <vcpu>2</vcpu>\n", ""), GUEST("  <memory unit='MiB'>4096</memory>\n  <vcpu>2</vcpu>\n", ""), "4096 MiB" },
        { "esxi-8-short-release", R("esxi", "8"), GUEST("  <memory unit='GiB'>4</memory>\n  <vcpu>2</vcpu>\n", ""), GUEST("  <memory unit='GiB'>8</memory>\n  <vcpu>2</vcpu>\n", ""), "8192 MiB" },
        { "esxi-7-as-vmware-writes-it", R("esxi", "7.0u3"), GUEST("  <memory unit='GiB'>4</memory>\n  <vcpu>2</vcpu>\n", ""), GUEST("  <memory unit='GiB'>8</memory>\n  <vcpu>2</vcpu>\n", ""), "8192 MiB" },
        { "esxi-9", R("esxi", "9.0"), GUEST("  <memory unit='GiB'>4</memory>\n  <vcpu>2</vcpu>\n", ""), GUEST("  <memory unit='GiB'>8</memory>\n  <vcpu>2</vcpu>\n", ""), "8192 MiB" },
        { "esxi-newest", R("esxi", NULL), GUEST("  <memory unit='GiB'>4</memory>\n  <vcpu>2</vcpu>\n", ""), GUEST("  <memory unit='GiB'>8</memory>\n  <vcpu>2</vcpu>\n", ""), "8192 MiB" },
        { "a-unit-that-does-not-come-out-even", R("proxmox", NULL), GUEST("  <memory unit='GB'>1</memory>\n  <vcpu>2</vcpu>\n", ""), GUEST("  <memory unit='KiB'>2097152</memory>\n  <vcpu>2</vcpu>\n", ""), "(was 953 MiB)" },
        { "without-a-unit-it-is-KiB", R("proxmox", NULL), GUEST("  <memory>1024</memory>\n  <vcpu>2</vcpu>\n", ""), GUEST("  <memory>2097152</memory>\n  <vcpu>2</vcpu>\n", ""), "(was 1 MiB)" },
        { "a-balloon-below", R("proxmox", NULL), GUEST("  <memory unit='GiB'>16</memory>\n  <currentMemory unit='GiB'>1</currentMemory>\n  <vcpu>2</vcpu>\n", ""),
          GUEST("  <memory unit='GiB'>16</memory>\n  <currentMemory unit='GiB'>2</currentMemory>\n  <vcpu>2</vcpu>\n", ""), "(was 1024 MiB)" },
        { "a-balloon-that-is-enough", R("proxmox", NULL), GUEST("  <memory unit='GiB'>16</memory>\n  <currentMemory unit='GiB'>3</currentMemory>\n  <vcpu>2</vcpu>\n", ""), NULL, NULL },
        { "no-vcpu-is-one", R("proxmox", NULL), GUEST("  <memory unit='GiB'>16</memory>\n", ""), GUEST("  <memory unit='GiB'>16</memory>\n", ""), "raise the number of vCPUs to 2 (was 1)" },
        { "vcpus-plugged-in-later", R("proxmox", NULL), GUEST("  <memory unit='GiB'>16</memory>\n  <vcpu current='1'>4</vcpu>\n", ""), GUEST("  <memory unit='GiB'>16</memory>\n  <vcpu current='2'>4</vcpu>\n", ""), "(was 1)" },
        { "vcpus-and-current", R("proxmox", NULL), GUEST("  <memory unit='GiB'>16</memory>\n  <vcpu current='1'>1</vcpu>\n", ""), GUEST("  <memory unit='GiB'>16</memory>\n  <vcpu current='2'>2</vcpu>\n", ""), "(was 1)" },

        /* Interfaces. */
        { "nic/virtio-to-e1000", R("esxi", "6.5"), GUEST(BIG, NIC("      <model type='virtio'/>\n      <driver name='vhost' queues='4'/>\n      <address type='pci' bus='1'/>\n")), GUEST(BIG, NIC("      <model type='e1000'/>\n")), "give the interface 52:54:00:00:00:01 the model e1000 (was virtio)" },
        { "nic/virtio-to-vmxnet3", R("esxi", "7.0"), GUEST(BIG, NIC("      <model type='virtio'/>\n")), GUEST(BIG, NIC("      <model type='vmxnet3'/>\n")), "the model vmxnet3" },
        { "nic/e1000-to-vmxnet3", R("esxi", "7.0"), GUEST(BIG, NIC("      <model type='e1000'/>\n")), GUEST(BIG, NIC("      <model type='vmxnet3'/>\n")), "(was e1000)" },
        { "nic/none-gets-one", R("esxi", "7.0"), GUEST(BIG, NIC("")), GUEST(BIG, NIC("      <model type='vmxnet3'/>\n")), "(was libvirt's default)" },
        { "nic/e1000-stays-on-6", R("esxi", "6.0"), GUEST(BIG, NIC("      <model type='e1000'/>\n      <driver/>\n")), NULL, NULL },
        { "nic/82545em-stays-on-6", R("esxi", "6.7"), GUEST(BIG, NIC("      <model type='e1000-82545em'/>\n")), NULL, NULL },
        { "nic/82545em-goes-on-7", R("esxi", "7.0.3"), GUEST(BIG, NIC("      <model type='e1000-82545em'/>\n")), GUEST(BIG, NIC("      <model type='vmxnet3'/>\n")), "(was e1000-82545em)" },
        { "nic/e1000e-stays", R("esxi", "8.0"), GUEST(BIG, NIC("      <model type='e1000e'/>\n")), NULL, NULL },
        { "nic/vmxnet3-stays", R("esxi", "5.5"), GUEST(BIG, NIC("      <model type='vmxnet3'/>\n")), NULL, NULL },
        { "nic/a-real-one-stays", R("esxi", "8.0"), GUEST(BIG, "    <interface type='hostdev'><source/></interface>\n"), NULL, NULL },
        { "nic/proxmox-has-virtio", R("proxmox", NULL), GUEST(BIG, NIC("      <model type='virtio'/>\n")), NULL, NULL },

        /* Disks. */
        { "disk/virtio-to-sata", R("esxi", NULL), GUEST(BIG, DISK("      <driver name='qemu' type='qcow2' iothread='1' queues='2' packed='on' discard='unmap'/>\n      <source file='/a'/>\n      <target dev='vda' bus='virtio'/>\n      <address type='pci' bus='2'/>\n")),
          GUEST(BIG, DISK("      <driver name='qemu' type='qcow2' discard='unmap'/>\n      <source file='/a'/>\n      <target dev='sda' bus='sata'/>\n")), "move the disk vda to SATA, as sda (was virtio)" },
        { "disk/scsi-keeps-its-name", R("esxi", NULL), GUEST(BIG, DISK("      <target dev='sdc' bus='scsi'/>\n      <vendor>V</vendor>\n      <product>P</product>\n      <address type='drive' unit='2'/>\n")), GUEST(BIG, DISK("      <target dev='sdc' bus='sata'/>\n")), "sdc (was scsi)" },
        { "disk/by-its-name-alone", R("esxi", NULL), GUEST(BIG, DISK("      <target dev='vdb'/>\n")), GUEST(BIG, DISK("      <target dev='sdb' bus='sata'/>\n")), "sdb" },
        { "disk/a-name-that-is-taken", R("esxi", NULL), GUEST(BIG, DISK("      <target dev='vda' bus='virtio'/>\n") DISK("      <target dev='sda' bus='sata'/>\n")), GUEST(BIG, DISK("      <target dev='sdb' bus='sata'/>\n") DISK("      <target dev='sda' bus='sata'/>\n")), "sdb" },
        { "disk/a-port-that-is-taken", R("esxi", NULL), GUEST(BIG, DISK("      <target dev='vda' bus='virtio'/>\n") DISK("      <target dev='sdz' bus='sata'/>\n      <address type='drive' unit='0'/>\n") DISK("      <target dev='sdb' bus='usb'/>\n")),
          GUEST(BIG, DISK("      <target dev='sdc' bus='sata'/>\n") DISK("      <target dev='sdz' bus='sata'/>\n      <address type='drive' unit='0'/>\n") DISK("      <target dev='sdb' bus='usb'/>\n")), "sdc" },
        { "disk/two-that-want-the-same", R("esxi", NULL), GUEST(BIG, DISK("      <target dev='vda' bus='virtio'/>\n") DISK("      <target dev='sda' bus='scsi'/>\n")), GUEST(BIG, DISK("      <target dev='sdb' bus='sata'/>\n") DISK("      <target dev='sda' bus='sata'/>\n")), "sdb" },
        { "disk/others-stay", R("esxi", NULL), GUEST(BIG, DISK("      <target dev='hda' bus='ide'/>\n") DISK("      <target dev='sda' bus='usb'/>\n") DISK("      <target dev='hdb'/>\n") "    <disk type='file' device='floppy'><target dev='fda'/></disk>\n"), NULL, NULL },
        { "disk/hyperv-has-drivers", R("hyperv", NULL), WINDOWS(BIG, SVM, DISK("      <target dev='vda' bus='virtio'/>\n")), NULL, NULL },

        /* Hyper-V. */
        { "windows/as-virt-install-makes-it", R("hyperv", NULL), AS_INSTALLED("<feature policy='disable' name='hypervisor'/>"), WINDOWS(BIG, SVM, ""), "switch on the Hyper-V enlightenments vpindex, runtime, synic, stimer, frequencies, tlbflush, ipi, direct timers" },
        { "windows/hidden", R("hyperv", NULL), WINDOWS(BIG, SVM "    <feature policy='disable' name='hypervisor'/>\n    <feature policy='disable' name='x2apic'/>\n", ""), WINDOWS(BIG, SVM "    <feature policy='disable' name='x2apic'/>\n", ""), "stop hiding the hypervisor bit" },
        { "windows/other-recipes-hide-it-on", R("proxmox", NULL), WINDOWS(BIG, SVM "    <feature policy='disable' name='hypervisor'/>\n", ""), NULL, NULL },
        { "windows/tsx-on-intel", INTEL("hyperv"), WINDOWS(BIG, VMX, ""), WINDOWS(BIG, VMX "    <feature policy='disable' name='hle'/>\n    <feature policy='disable' name='rtm'/>\n", ""), "disable rtm" },
        { "windows/tsx-that-is-asked-for", INTEL("hyperv"), WINDOWS(BIG, VMX "    <feature policy='require' name='rtm'/>\n    <feature policy='forbid' name='hle'/>\n", ""),
          WINDOWS(BIG, VMX "    <feature policy='disable' name='rtm'/>\n    <feature policy='forbid' name='hle'/>\n", ""), "disable rtm" },
};
/* clang-format on */

static void assert_same(const char *made, const char *expected) {
        g_autofree char *a = g_strdelimit(g_strdup(made), "\"", '\''),
                        *b = g_strdelimit(g_strdup(expected), "\"", '\'');

        g_assert_cmpstr(a, ==, b);
}

static void test_case(gconstpointer data) {
        const Case *c = data;
        g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free),
                             advice = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GError) error = NULL;
        g_autofree char *made = recipe_apply(c->before, &c->request, steps, advice, &error), *all = NULL, *twice = NULL;

        g_assert_no_error(error);
        if (g_str_equal(c->name, "no-vcpu-is-one"))
                g_assert_nonnull(strstr(made, "  <memory unit='GiB'>16</memory>\n"));
        else if (c->after)
                assert_same(made, c->after);
        else
                g_assert_cmpstr(made, ==, c->before);
        g_ptr_array_add(steps, NULL);
        all = g_strjoinv("\n", (char **) steps->pdata);
        g_test_message("%s", all);
        if (c->step)
                g_assert_nonnull(strstr(all, c->step));
        g_ptr_array_set_size(steps, 0);
        twice = recipe_apply(made, &c->request, steps, advice, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(twice, ==, made);
}

typedef struct Refused {
        const char *name;
        RecipeRequest request;
        const char *xml;
        int condition;
        const char *words;
} Refused;

#define SMALL(rest) GUEST("  <memory unit='GiB'>1</memory>\n  <vcpu>1</vcpu>\n" rest, "")
#define FEW(rest) GUEST("  <memory unit='GiB'>64</memory>\n  <vcpu>1</vcpu>\n" rest, "")
#define LITTLE(rest) GUEST("  <memory unit='GiB'>1</memory>\n  <vcpu>8</vcpu>\n" rest, "")
#define IN_CPU(sizes, rest) \
        "<domain type='kvm'>" sizes "<os><type>hvm</type></os><cpu mode='maximum'>" rest "</cpu></domain>"

/* clang-format off */
static const Refused refused[] = {
        { "name", R("xen", NULL), SMALL(""), CONDITION_INVALID_ARGS, "there are esxi, hyperv, kvm, proxmox" },
        { "no-name", R(NULL, NULL), SMALL(""), CONDITION_INVALID_ARGS, "there are esxi" },
        { "release", R("esxi", "9.9"), SMALL(""), CONDITION_INVALID_ARGS, "it knows 9.0, 8.0, 7.0, 6.7, 6.5, 6.0, 5.5, 5.1, 5.0" },
        { "empty-release", R("esxi", ""), SMALL(""), CONDITION_INVALID_ARGS, "it knows 9.0" },
        { "a-release-of-what-has-none", R("kvm", "1.0"), SMALL(""), CONDITION_INVALID_ARGS, "the same for all releases" },
        { "no-xml", R("kvm", NULL), "frob", CONDITION_INVALID_ARGS, "not XML" },
        { "vendor", { .name = "kvm", .vendor = "" }, SMALL(""), CONDITION_INVALID_ARGS, "intel or amd" },
        { "vcpu-list", R("proxmox", NULL), FEW("  <vcpus><vcpu id='0'/></vcpus>\n"), CONDITION_UNSUPPORTED, "<vcpus>" },
        { "topology", R("proxmox", NULL), IN_CPU("<memory>99999999</memory><vcpu>1</vcpu>", "<topology sockets='1' cores='1' threads='1'/>"), CONDITION_UNSUPPORTED, "<topology>" },
        { "numa-cpus", R("proxmox", NULL), IN_CPU("<memory>99999999</memory><vcpu>1</vcpu>", "<numa><cell cpus='0' memory='99999999'/></numa>"), CONDITION_UNSUPPORTED, "<numa>" },
        { "numa-memory", R("proxmox", NULL), IN_CPU("<memory>9999</memory><vcpu>2</vcpu>", "<numa><cell memory='9999'/></numa>"), CONDITION_UNSUPPORTED, "<numa>" },
        { "numa-memory-alone", R("proxmox", NULL), IN_CPU("<vcpu>2</vcpu>", "<numa><cell memory='9999'/></numa>"), CONDITION_UNSUPPORTED, "<numa>" },
        { "no-memory", R("proxmox", NULL), IN_CPU("<vcpu>2</vcpu>", ""), CONDITION_UNSUPPORTED, "does not say how much" },
        { "max-memory", R("proxmox", NULL), LITTLE("  <maxMemory slots='4' unit='GiB'>16</maxMemory>\n"), CONDITION_UNSUPPORTED, "<maxMemory>" },
        { "hard-limit", R("proxmox", NULL), LITTLE("  <memtune><hard_limit unit='GiB'>1</hard_limit></memtune>\n"), CONDITION_UNSUPPORTED, "<hard_limit>" },
        { "memory-device", R("proxmox", NULL), GUEST("  <memory unit='GiB'>1</memory>\n  <vcpu>8</vcpu>\n", "<memory model='dimm'/>\n"), CONDITION_UNSUPPORTED, "memory devices" },
        { "memory-word", R("proxmox", NULL), GUEST("  <memory>much</memory>\n  <vcpu>8</vcpu>\n", ""), CONDITION_INVALID_ARGS, "<memory>" },
        { "memory-unit", R("proxmox", NULL), GUEST("  <memory unit='frob'>1</memory>\n  <vcpu>8</vcpu>\n", ""), CONDITION_INVALID_ARGS, "<memory>" },
        { "memory-too-large", R("proxmox", NULL), GUEST("  <memory unit='EiB'>99</memory>\n  <vcpu>8</vcpu>\n", ""), CONDITION_INVALID_ARGS, "<memory>" },
        { "current-memory-word", R("proxmox", NULL), LITTLE("  <currentMemory>x</currentMemory>\n"), CONDITION_INVALID_ARGS, "<currentMemory>" },
        { "vcpu-word", R("proxmox", NULL), GUEST("  <vcpu>-1</vcpu>\n", ""), CONDITION_INVALID_ARGS, "<vcpu>" },
        { "vhostuser", R("esxi", NULL), GUEST(BIG, "    <interface type='vhostuser'><model type='virtio'/></interface>\n"), CONDITION_UNSUPPORTED, "only be a virtio device" },
        { "teaming", R("esxi", NULL), GUEST(BIG, NIC("      <model type='virtio'/>\n      <teaming type='persistent'/>\n")), CONDITION_UNSUPPORTED, "52:54:00:00:00:01" },
        { "lun", R("esxi", NULL), GUEST(BIG, "    <disk type='block' device='lun'><target dev='sda' bus='scsi'/></disk>\n"), CONDITION_UNSUPPORTED, "sda" },
        { "vhostuser-disk", R("esxi", NULL), GUEST(BIG, "    <disk type='vhostuser' device='disk'><target dev='vda' bus='virtio'/></disk>\n"), CONDITION_UNSUPPORTED, "vda" },
};
/* clang-format on */

static void test_refused(gconstpointer data) {
        const Refused *r = data;
        g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free),
                             advice = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GError) error = NULL;

        g_assert_null(recipe_apply(r->xml, &r->request, steps, advice, &error));
        g_assert_error(error, CONDITION, r->condition);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, r->words));
        g_assert_cmpuint(advice->len, ==, 0);
}

/* What fixes the sizes does not matter where they are large enough. */
static void test_fixed_sizes_that_are_enough(void) {
        static const char xml[] =
                        IN_CPU("<vcpu>2</vcpu>",
                               "<topology sockets='1' cores='2' threads='1'/>"
                               "<numa><cell cpus='0' memory='1' unit='GiB'/><cell cpus='1' memory='1048576'/></numa>");
        g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free),
                             advice = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *made = recipe_apply(xml, &(RecipeRequest) R("proxmox", NULL), steps, advice, NULL);

        g_assert_cmpstr(made, ==, xml);
}

static char *cpu_of(const char *type, const char *cpu) {
        g_autofree char *xml = g_strdup_printf("<domain type='%s'><os><type>hvm</type></os>%s</domain>", type, cpu);
        g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free),
                             advice = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *made = recipe_apply(xml, &(RecipeRequest) R("kvm", NULL), steps, advice, NULL);

        return g_strdelimit(g_strdup(strstr(made, "<cpu") ?: ""), "\"", '\'');
}

static void test_a_mode_where_there_is_none(void) {
        g_autofree char *kvm = cpu_of("kvm", ""), *tcg = cpu_of("qemu", ""),
                        *model = cpu_of("kvm", "<cpu><model>EPYC</model></cpu>");
        g_autofree char *off = cpu_of("kvm", "<cpu mode='maximum'><feature policy='disable' name='svm'/></cpu>");

        g_assert_cmpstr(kvm, ==, "<cpu mode='host-passthrough'/></domain>");
        g_assert_cmpstr(tcg, ==, "<cpu mode='maximum'/></domain>");
        g_assert_cmpstr(model, ==, "<cpu><model>EPYC</model><feature policy='require' name='svm'/></cpu></domain>");
        g_assert_cmpstr(off, ==, "<cpu mode='maximum'><feature policy='require' name='svm'/></cpu></domain>");
}

static char *made_of(const char *xml, const char *vendor, char **ret_steps) {
        const RecipeRequest request = {.name = "hyperv", .vendor = vendor};
        g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free),
                             advice = g_ptr_array_new_with_free_func(g_free);
        char *made = recipe_apply(xml, &request, steps, advice, NULL);

        g_assert_nonnull(made);
        g_ptr_array_add(steps, NULL);
        *ret_steps = g_strjoinv("\n", (char **) steps->pdata);
        return g_strdelimit(made, "\"", '\'');
}

#define BARE(type, features)                                                                              \
        "<domain type='" type "'>\n" BIG "  <os>\n    <type arch='x86_64'>hvm</type>\n  </os>\n" features \
        "  <devices/>\n</domain>\n"

/* Nobody says whose CPU it is, but the definition does. */
static void test_windows_by_its_own_vendor(void) {
        g_autofree char *steps = NULL,
                        *made = made_of(BARE("kvm", "  <cpu mode='custom'><model>EPYC</model></cpu>\n"), NULL, &steps);

        g_assert_nonnull(strstr(made, "<feature policy='require' name='svm'/>"));
        g_assert_null(strstr(made, "rtm"));
}

static void test_windows_from_nothing(void) {
        g_autofree char *steps = NULL, *made = made_of(BARE("kvm", ""), "amd", &steps);

        g_assert_nonnull(strstr(made, "  <features>\n    <hyperv>\n      <relaxed state='on'/>\n"));
        g_assert_nonnull(strstr(made, "      <stimer state='on'>\n        <direct state='on'/>\n      </stimer>\n"));
        g_assert_nonnull(strstr(made,
                                "  <clock offset='utc'>\n    <timer name='hypervclock' present='yes'/>\n  </clock>\n"));
        g_assert_nonnull(strstr(
                        made, "<cpu mode='host-passthrough'>\n    <feature policy='require' name='svm'/>\n  </cpu>\n"));
        g_assert_null(strstr(made, "rtm"));
        g_assert_nonnull(strstr(steps, "switch on the clock hypervclock"));
}

/* What is on already, by a mode that has all of KVM's; what would keep it from starting; and what
 * QEMU has none of when it emulates. */
static void test_windows_in_other_ways(void) {
        g_autofree char *steps = NULL, *evmcs = NULL, *intel = NULL, *tcg = NULL, *mode = NULL;

        mode = made_of(BARE("kvm", "  <features>\n    <hyperv mode='passthrough'/>\n  </features>\n"), "amd", &steps);
        g_assert_nonnull(strstr(mode, "    <hyperv mode='passthrough'/>\n"));
        g_assert_null(strstr(steps, "enlightenments"));
        g_clear_pointer(&steps, g_free);
        evmcs = made_of(BARE("kvm", "  <features><hyperv><evmcs state='on'/></hyperv></features>\n"), "amd", &steps);
        g_assert_nonnull(strstr(evmcs, "<evmcs state='off'/>"));
        g_assert_nonnull(strstr(steps, "evmcs, which is for Intel only"));
        g_clear_pointer(&steps, g_free);
        intel = made_of(BARE("kvm", "  <features><hyperv><evmcs state='on'/></hyperv></features>\n"), "intel", &steps);
        g_assert_nonnull(strstr(intel, "<evmcs state='on'/>"));
        g_clear_pointer(&steps, g_free);
        tcg = made_of(BARE("qemu", ""), "amd", &steps);
        g_assert_null(strstr(tcg, "hyperv"));
}

/* The memory tells which row was taken: 4 or 8 GiB; "" when none was. */
static const char *memory_for(const char *release) {
        static const char guest[] = GUEST("  <memory unit='GiB'>1</memory>\n  <vcpu>2</vcpu>\n", "");
        g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free),
                             advice = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *made = recipe_apply(guest, &(RecipeRequest) R("esxi", release), steps, advice, NULL);

        g_test_message("%s", release);
        return !made ? "" : strstr(made, "'GiB'>4<") ? "4" : strstr(made, "'GiB'>8<") ? "8" : "?";
}

static void test_releases(void) {
        static const char *const old[] = {"6.7", "6.7u3", "6.7 Update 3", "6.7.0", "6.0U3a", "6", "6u3", "5.5.0"},
                                 *const new[] = {"7.0u3",        "7.0U3c", "7.0 U3", "7.0 Update 3", "7.0 update 3n",
                                                 "7.0.3",        "7",      "7u3",    "8.0.3",        "8.0u3e",
                                                 "8.0 UPDATE 2", "9.0",    "9",      "9.0.1",        "9.0.0"},
                                 *const none[] = {"7.1",        "7.",       "7.0.",         "7.0u", "7.0u3cc",
                                                  "7.0u3.1",    "7.0.u3",   "7.01",         "70",   "7.0 ",
                                                  "7.0 Update", "7.0x",     "u3",           "10.0", "7.0-3",
                                                  "7.0..",      "ESXi 7.0", "7.0 Update c", "9.1",  "7.5u3"};

        for (gsize i = 0; i < G_N_ELEMENTS(old); i++)
                g_assert_cmpstr(memory_for(old[i]), ==, "4");
        for (gsize i = 0; i < G_N_ELEMENTS(new); i++)
                g_assert_cmpstr(memory_for(new[i]), ==, "8");
        for (gsize i = 0; i < G_N_ELEMENTS(none); i++)
                g_assert_cmpstr(memory_for(none[i]), ==, "");
}

static void test_ignore_msrs_is_advice_only(void) {
        static const char *const names[] = {"esxi", "hyperv", "kvm", "proxmox"};

        for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
                g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free);
                g_autoptr(GPtrArray) advice = g_ptr_array_new_with_free_func(g_free);
                g_autofree char *made =
                                recipe_apply(GUEST(BIG, ""), &(RecipeRequest) R(names[i], NULL), steps, advice, NULL);
                g_assert_nonnull(made);
                g_assert_cmpuint(advice->len, ==, i == 0);
                if (i == 0)
                        g_assert_nonnull(strstr(g_ptr_array_index(advice, 0), "nestvirtctl set kvm.ignore_msrs=on"));
        }
}

static void test_sizes(void) {
        static const struct {
                const char *number, *unit;
                uint64_t bytes;
        } sizes[] = {
                        {"1", "", 1024},           {"1", "b", 1},
                        {"1", "bytes", 1},         {"3", "KB", 3000},
                        {"1", "k", 1024},          {"1", "KiB", 1024},
                        {"1", "MB", 1000000},      {"1", "MiB", 1048576},
                        {"2", "G", 2147483648},    {"1", "GB", 1000000000},
                        {"1", "T", 1099511627776}, {"0", "EiB", 0},
        };
        static const char *const wrong[][2] = {{"", ""},      {"x", ""},     {"1", "x"},    {"1", "KiBs"},
                                               {"1", "KK"},   {"99", "EiB"}, {"-1", "KiB"}, {"1 2", "k"},
                                               {"1", " KiB"}, {"0x1", ""},   {"1", "bits"}};
        uint64_t bytes;

        for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
                g_assert_true(recipe_parse_size(sizes[i].number, sizes[i].unit, &bytes));
                g_assert_cmpuint(bytes, ==, sizes[i].bytes);
        }
        for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
                g_assert_false(recipe_parse_size(wrong[i][0], wrong[i][1], &bytes));
}

static void test_names_of_disks(void) {
        for (unsigned place = 0; place < 2000; place++) {
                g_autofree char *name = recipe_disk_name(place);
                g_assert_cmpint(recipe_disk_index(name), ==, (int) place);
        }
        g_assert_cmpint(recipe_disk_index("sdaa"), ==, 26);
        static const char *const none[] = {"", "sd", "sdA", "sda1", "vda", "sdaaaaaaaa"};
        for (gsize i = 0; i < G_N_ELEMENTS(none); i++)
                g_assert_cmpint(recipe_disk_index(none[i]), ==, -1);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autofree char *path = g_strconcat("/recipe/", cases[i].name, NULL);
                g_test_add_data_func(path, &cases[i], test_case);
        }
        for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
                g_autofree char *path = g_strconcat("/recipe/refused/", refused[i].name, NULL);
                g_test_add_data_func(path, &refused[i], test_refused);
        }
        g_test_add_func("/recipe/fixed-sizes-that-are-enough", test_fixed_sizes_that_are_enough);
        g_test_add_func("/recipe/a-mode-where-there-is-none", test_a_mode_where_there_is_none);
        g_test_add_func("/recipe/releases", test_releases);
        g_test_add_func("/recipe/windows-from-nothing", test_windows_from_nothing);
        g_test_add_func("/recipe/windows-by-its-own-vendor", test_windows_by_its_own_vendor);
        g_test_add_func("/recipe/windows-in-other-ways", test_windows_in_other_ways);
        g_test_add_func("/recipe/ignore-msrs-is-advice-only", test_ignore_msrs_is_advice_only);
        g_test_add_func("/recipe/sizes", test_sizes);
        g_test_add_func("/recipe/names-of-disks", test_names_of_disks);
        return g_test_run();
}
