/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Puts together what the sources say of the CPU, and finds out what is below it. The CPUID
 * instruction tells of the machine alone, so it must not be used when the root is another one. */

#include <string.h>
#include <sys/utsname.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "confidential.h"
#include "cpu-spread.h"
#include "cpu.h"
#include "cpuinfo.h"

typedef struct Name {
        const char *said;
        const char *name;
} Name;

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

static char *find_architecture(const Root *root, const Cpuinfo *info) {
        g_autofree char *said = NULL;
        struct utsname uts;

        if (root_is_machine(root) && uname(&uts) >= 0)
                return g_strdup(uts.machine);
        said = root_read_line(root, "proc/sys/kernel/arch");
        if (said && *said)
                return g_steal_pointer(&said);
        if (info->flags)
                return g_strdup(cpuinfo_has_word(info->flags, "lm") ? "x86_64" : "i686");
        if (g_strcmp0(info->vendor, "IBM/S390") == 0)
                return g_strdup("s390x");
        if (info->implementer && g_strcmp0(info->architecture, "8") == 0)
                return g_strdup("aarch64");
        if (info->isa && g_str_has_prefix(info->isa, "rv64"))
                return g_strdup("riscv64");
        return g_strdup("unknown");
}

/* A leaf of the hypervisor: from the instruction, or from the tree. */
static bool read_leaf(const Root *root, const CpuFacts *facts, guint32 leaf, guint32 registers[4]) {
        const CpuidLeaf *found = cpuid_find(facts->cpuid, leaf);

#if defined(__x86_64__) || defined(__i386__)
        if (root_is_machine(root)) {
                __cpuid(leaf, registers[CPU_EAX], registers[CPU_EBX], registers[CPU_ECX], registers[CPU_EDX]);
                return true;
        }
#endif
        if (found)
                memcpy(registers, found->registers, sizeof(found->registers));
        return found;
}

/* Hypervisors answer at 0x40000000; one that offers Hyper-V's interface beside its own answers as
 * Microsoft there and with its own name at one of the next steps of 0x100
 * (arch/x86/include/asm/processor.h, hypervisor_cpuid_base()). */
static const char *ask_cpu(const Root *root, const CpuFacts *facts) {
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
                guint32 registers[4] = {};
                char signature[3 * sizeof(guint32) + 1] = "";
                const char *name;

                if (!read_leaf(root, facts, leaf, registers))
                        break;
                memcpy(signature, &registers[CPU_EBX], sizeof(signature) - 1);
                name = lookup(names, signature);
                if (name && !g_str_equal(name, "microsoft"))
                        return name;
                first = first ?: name;
        }
        return first;
}

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

static bool is_xen_control(const Root *root) {
        g_autofree char *can = root_read_line(root, "proc/xen/capabilities");

        return can && strstr(can, "control_d");
}

static void find_hypervisor(Cpu *cpu, const Root *root, const Cpuinfo *info) {
        const char *said = NULL;

        cpu->xen_control = is_xen_control(root);
        if (cpu->xen_control) {
                cpu->hypervisor = g_strdup("");
                return;
        }
        /* On x86 the flag decides; there the firmware of a real machine may well be made by "Xen"
         * or "VMware". */
        if (info->flags && !cpuinfo_has_word(info->flags, "hypervisor")) {
                cpu->hypervisor = g_strdup("");
                return;
        }
        if (info->flags)
                said = ask_cpu(root, cpu->facts);
        cpu->hypervisor = said ? g_strdup(said) : ask_files(root);
        cpu->level = info->flags || cpu->hypervisor ? 1 : 0;
        if (!cpu->hypervisor)
                cpu->hypervisor = g_strdup(cpu->level > 0 ? "unknown" : "");
        if (g_str_equal(cpu->hypervisor, "xen")) {
                g_autofree char *type = root_read_line(root, "sys/hypervisor/guest_type");
                cpu->xen_pv = g_strcmp0(type, "PV") == 0;
        }
}

static bool read_flags_cleared(const Root *root) {
        g_autofree char *cmdline = root_read_line(root, "proc/cmdline");

        return cmdline && strstr(cmdline, "clearcpuid=");
}

/* Takes over @info. */
static Cpu *read_with(const Root *root, Cpuinfo *info) {
        Cpu *cpu = g_new0(Cpu, 1);

        cpu->info = info;
        cpu->architecture = find_architecture(root, info);
        cpu->vendor = g_strdup(find_vendor(info->vendor));
        cpu->model = g_strdup(info->model ?: "");
        cpu->features = g_strdupv(info->virtualization);
        cpu->has_vmx_flags = info->vmx_flags != NULL;
        cpu->flags_cleared = read_flags_cleared(root);
        cpu->processors = info->processors;
        cpu->spread = g_ptr_array_ref(info->spread);
        cpu->facts = cpu_facts_read(root);
        cpu->confidential = confidential_read(root, info, cpu->facts);
        find_hypervisor(cpu, root, info);
        return cpu;
}

Cpu *cpu_read(const Root *root) {
        return read_with(root, cpuinfo_read(root));
}

Cpu *cpu_read_since(const Root *root, const Cpu *before) {
        return read_with(root, before->info ? cpuinfo_read_since(root, before->info) : cpuinfo_read(root));
}

Cpu *cpu_new_unknown(void) {
        Cpu *cpu = g_new0(Cpu, 1);

        cpu->architecture = g_strdup("unknown");
        cpu->vendor = g_strdup("");
        cpu->model = g_strdup("");
        cpu->features = g_new0(char *, 1);
        cpu->hypervisor = g_strdup("unknown");
        cpu->confidential = "";
        cpu->spread = cpu_spread_new();
        cpu->facts = cpu_facts_new();
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
        g_clear_pointer(&cpu->spread, g_ptr_array_unref);
        g_clear_pointer(&cpu->facts, cpu_facts_free);
        g_clear_pointer(&cpu->info, cpuinfo_free);
        g_free(cpu);
}

bool cpu_has(const Cpu *cpu, const char *feature) {
        return g_strv_contains((const char *const *) cpu->features, feature);
}
