/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads what the first CPU of proc/cpuinfo can do, and what is below it. The CPUID instruction tells of the machine alone, so it must
 * not be used when the root is another one. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "cpu.h"

/* The block of one CPU takes two or three kilobytes; with thousands of CPUs the whole file takes megabytes. */
#define CPUINFO_MAX ((size_t) 64 * 1024)
#define FEATURES_MAX 256U
#define FEATURE_LENGTH_MAX 63U

/* Of the "flags" line (arch/x86/include/asm/cpufeatures.h, 5.10 to 7.3), and of s390's "features". Those of Intel are copies that are kept
 * for old readers; the "vmx flags" line has them all. */
static const char *const virtualization_flags[] = {
                "avic",         "decodeassists",
                "ept",          "ept_ad",
                "flexpriority", "flushbyasid",
                "lbrv",         "npt",
                "nrip_save",    "pausefilter",
                "pfthreshold",  "sev",
                "sev_es",       "sev_snp",
                "sie",          "sme",
                "svm",          "svm_lock",
                "tpr_shadow",   "tsc_scale",
                "v_spec_ctrl",  "v_vmsave_vmload",
                "vgif",         "vmcb_clean",
                "vmx",          "vnmi",
                "vpid",         "x2avic",
                NULL,
};

typedef struct Name {
        const char *said;
        const char *name;
} Name;

/* What cpuinfo says, as far as it concerns us; all NULL when it does not. */
typedef struct Info {
        char *vendor, *model, *flags, *vmx_flags, *features, *implementer, *architecture, *isa;
} Info;

static void info_clear(Info *info) {
        g_free(info->vendor);
        g_free(info->model);
        g_free(info->flags);
        g_free(info->vmx_flags);
        g_free(info->features);
        g_free(info->implementer);
        g_free(info->architecture);
        g_free(info->isa);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Info, info_clear)

/* The beginning of cpuinfo, up to the end of the first block. NUL bytes become spaces. */
static char *read_first_block(const Root *root) {
        g_autofree char *text = g_malloc0(CPUINFO_MAX + 1);
        int fd = root_open(root, "proc/cpuinfo", O_RDONLY | O_NONBLOCK | O_NOCTTY);
        size_t size = 0;

        while (fd >= 0 && size < CPUINFO_MAX && !memmem(text, size, "\n\n", 2)) {
                ssize_t n = read(fd, text + size, CPUINFO_MAX - size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        break;
                size += (size_t) n;
        }
        if (fd >= 0)
                close(fd);
        for (size_t i = 0; i < size; i++)
                if (text[i] == 0)
                        text[i] = ' ';
        return g_steal_pointer(&text);
}

static void info_read(Info *info, const Root *root) {
        const struct {
                const char *key;
                char **value;
        } wanted[] = {
                        {"vendor_id", &info->vendor},
                        {"model name", &info->model},
                        {"flags", &info->flags},
                        {"vmx flags", &info->vmx_flags},
                        {"features", &info->features},
                        {"CPU implementer", &info->implementer},
                        {"CPU architecture", &info->architecture},
                        {"isa", &info->isa},
        };
        g_autofree char *text = read_first_block(root);
        char *end = strstr(text, "\n\n");
        g_auto(GStrv) lines = NULL;

        if (end)
                *end = 0;
        lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line; line++) {
                char *value = strchr(*line, ':');

                if (!value)
                        continue;
                *value++ = 0;
                g_strchomp(*line);
                for (unsigned i = 0; i < G_N_ELEMENTS(wanted); i++)
                        if (g_str_equal(*line, wanted[i].key) && !*wanted[i].value)
                                *wanted[i].value = g_strstrip(g_utf8_make_valid(value, -1));
        }
}

static bool has_word(const char *words, const char *word) {
        size_t size = strlen(word);

        for (const char *found = words; found && (found = strstr(found, word)); found += size)
                if ((found == words || found[-1] == ' ') && (found[size] == ' ' || found[size] == 0))
                        return true;
        return false;
}

static bool is_feature(const char *word) {
        size_t size = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_");

        return size > 0 && size <= FEATURE_LENGTH_MAX && word[size] == 0;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static GStrv find_features(const Info *info) {
        g_autoptr(GHashTable) found = g_hash_table_new(g_str_hash, g_str_equal);
        g_auto(GStrv) vmx = g_strsplit(info->vmx_flags ?: "", " ", -1);
        g_autofree char **names = NULL;
        GStrv features;
        guint n;

        for (const char *const *flag = virtualization_flags; *flag; flag++)
                if (has_word(info->flags, *flag) || has_word(info->features, *flag))
                        g_hash_table_add(found, (gpointer) *flag);
        for (char **word = vmx; *word && g_hash_table_size(found) < FEATURES_MAX; word++)
                if (is_feature(*word))
                        g_hash_table_add(found, *word);
        names = (char **) g_hash_table_get_keys_as_array(found, &n);
        qsort(names, n, sizeof(*names), compare_names);
        features = g_new0(char *, n + 1);
        for (guint i = 0; i < n; i++)
                features[i] = g_strdup(names[i]);
        return features;
}

static const char *lookup(const Name *names, const char *said) {
        for (; said && names->said; names++)
                if (g_str_has_prefix(said, names->said))
                        return names->name;
        return NULL;
}

static const char *find_vendor(const char *id) {
        static const Name vendors[] = {
                        {"GenuineIntel", "intel"}, {"CentaurHauls", "intel"}, {"Shanghai", "intel"},
                        {"AuthenticAMD", "amd"},   {"HygonGenuine", "amd"},   {NULL, NULL},
        };

        return lookup(vendors, id) ?: "";
}

static char *find_architecture(const Root *root, const Info *info) {
        g_autofree char *said = NULL;
        struct utsname uts;

        if (root_is_machine(root) && uname(&uts) >= 0)
                return g_strdup(uts.machine);
        said = root_read_line(root, "proc/sys/kernel/arch");
        if (said && *said)
                return g_steal_pointer(&said);
        if (info->flags)
                return g_strdup(has_word(info->flags, "lm") ? "x86_64" : "i686");
        if (g_strcmp0(info->vendor, "IBM/S390") == 0)
                return g_strdup("s390x");
        if (info->implementer && g_strcmp0(info->architecture, "8") == 0)
                return g_strdup("aarch64");
        if (info->isa && g_str_has_prefix(info->isa, "rv64"))
                return g_strdup("riscv64");
        return g_strdup("unknown");
}

#if defined(__x86_64__) || defined(__i386__)
/* Hypervisors answer at 0x40000000; one that offers Hyper-V's interface beside its own answers as Microsoft there and with its own
 * name at one of the next steps of 0x100 (arch/x86/include/asm/processor.h, hypervisor_cpuid_base()). */
static const char *ask_cpu(void) {
        static const Name names[] = {
                        {"KVMKVMKVM", "kvm"},          {"Linux KVM Hv", "kvm"},
                        {"XenVMMXenVMM", "xen"},       {"TCGTCGTCGTCG", "qemu"},
                        {"VMwareVMware", "vmware"},    {"Microsoft Hv", "microsoft"},
                        {"bhyve bhyve ", "bhyve"},     {"VBoxVBoxVBox", "oracle"},
                        {"QNXQVMBSQG", "qnx"},         {"ACRNACRNACRN", "acrn"},
                        {"SRESRESRESRE", "sre"},       {"Apple VZ", "apple"},
                        {" prl hyperv ", "parallels"}, {NULL, NULL},
        };
        const char *first = NULL;

        for (unsigned leaf = 0x40000000; leaf < 0x40010000; leaf += 0x100) {
                unsigned eax, words[3];
                char signature[sizeof(words) + 1] = "";
                const char *name;

                __cpuid(leaf, eax, words[0], words[1], words[2]);
                memcpy(signature, words, sizeof(words));
                name = lookup(names, signature);
                if (name && !g_str_equal(name, "microsoft"))
                        return name;
                first = first ?: name;
        }
        return first;
}
#else
static const char *ask_cpu(void) {
        return NULL;
}
#endif

static const char *ask_firmware(const Root *root) {
        static const Name products[] = {
                        {"KVM", "kvm"},
                        {"OpenStack", "kvm"},
                        {"KubeVirt", "kvm"},
                        {"Amazon EC2", "amazon"},
                        {"QEMU", "qemu"},
                        {"VMware", "vmware"},
                        {"VMW", "vmware"},
                        {"innotek GmbH", "oracle"},
                        {"VirtualBox", "oracle"},
                        {"Xen", "xen"},
                        {"Bochs", "bochs"},
                        {"Parallels", "parallels"},
                        {"BHYVE", "bhyve"},
                        {"Hyper-V", "microsoft"},
                        {"Virtual Machine", "microsoft"},
                        {"Apple Virtualization", "apple"},
                        {"Google Compute Engine", "google"},
                        {NULL, NULL},
        };
        static const char *const files[] = {"product_name", "sys_vendor",      "board_vendor",
                                            "bios_vendor",  "product_version", NULL};

        for (const char *const *file = files; *file; file++) {
                g_autofree char *path = g_strconcat("sys/class/dmi/id/", *file, NULL);
                g_autofree char *said = root_read_line(root, path);
                const char *name = lookup(products, said);

                if (name)
                        return name;
        }
        return NULL;
}

/* What is below, as the files tell it; NULL when they do not. */
static char *ask_files(const Root *root) {
        g_autofree char *type = root_read_line(root, "sys/hypervisor/type");
        g_autofree char *tree = NULL;

        if (type && *type)
                return g_steal_pointer(&type);
        tree = root_read_line(root, "proc/device-tree/hypervisor/compatible");
        if (tree && g_str_has_prefix(tree, "linux,kvm"))
                return g_strdup("kvm");
        return g_strdup(ask_firmware(root));
}

static void find_hypervisor(Cpu *cpu, const Root *root, const Info *info) {
        const char *said = NULL;

        /* On x86 the flag decides; there the firmware of a real machine may well be made by "Xen" or "VMware". */
        if (info->flags && !has_word(info->flags, "hypervisor")) {
                cpu->hypervisor = g_strdup("");
                return;
        }
        if (info->flags && root_is_machine(root))
                said = ask_cpu();
        cpu->hypervisor = said ? g_strdup(said) : ask_files(root);
        cpu->level = info->flags || cpu->hypervisor ? 1 : 0;
        if (!cpu->hypervisor)
                cpu->hypervisor = g_strdup(cpu->level > 0 ? "unknown" : "");
}

Cpu *cpu_read(const Root *root) {
        Cpu *cpu = g_new0(Cpu, 1);
        g_auto(Info) info = {};

        info_read(&info, root);
        cpu->architecture = find_architecture(root, &info);
        cpu->vendor = g_strdup(find_vendor(info.vendor));
        cpu->model = g_strdup(info.model ?: "");
        cpu->features = find_features(&info);
        cpu->has_vmx_flags = info.vmx_flags != NULL;
        find_hypervisor(cpu, root, &info);
        return cpu;
}

void cpu_free(Cpu *cpu) {
        if (!cpu)
                return;
        g_free(cpu->architecture);
        g_free(cpu->vendor);
        g_free(cpu->model);
        g_strfreev(cpu->features);
        g_free(cpu->hypervisor);
        g_free(cpu);
}

bool cpu_has(const Cpu *cpu, const char *feature) {
        return g_strv_contains((const char *const *) cpu->features, feature);
}
