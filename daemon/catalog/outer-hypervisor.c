/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tables of what a hypervisor gives to its guests, and the words for it. It must not claim to
 * know how the host below is set: from within, a parameter that is off, a CPU that can't and a
 * masked feature look the same. */

#include <string.h>

#include "outer-hypervisor.h"

typedef struct Given {
        const char *module;
        const char *feature;
        const char *parameter; /* NULL: given whatever the parameters are */
        bool never;
} Given;

/* What is in neither table follows the CPU of the host below. */
static const Given table[] = {
                {"kvm_intel", "vmx", "kvm_intel.nested", false},
                {"kvm_intel", "ept", "kvm_intel.ept", false},
                {"kvm_intel", "ept_ad", "kvm_intel.eptad", false},
                {"kvm_intel", "pml", "kvm_intel.eptad", false},
                {"kvm_intel", "ept_mode_based_exec", "kvm_intel.mbec", false},
                {"kvm_intel", "vpid", "kvm_intel.vpid", false},
                {"kvm_intel", "invvpid", "kvm_intel.vpid", false},
                {"kvm_intel", "unrestricted_guest", "kvm_intel.unrestricted_guest", false},
                {"kvm_intel", "flexpriority", "kvm_intel.flexpriority", false},
                {"kvm_intel", "posted_intr", "kvm_intel.enable_apicv", false},
                {"kvm_intel", "shadow_vmcs", NULL, false},
                {"kvm_intel", "preemption_timer", NULL, false},
                {"kvm_intel", "ple", NULL, true},
                {"kvm_intel", "ipi_virt", NULL, true},
                {"kvm_amd", "svm", "kvm_amd.nested", false},
                {"kvm_amd", "npt", "kvm_amd.npt", false},
                {"kvm_amd", "nrip_save", "kvm_amd.nrips", false},
                {"kvm_amd", "vgif", "kvm_amd.vgif", false},
                {"kvm_amd", "v_vmsave_vmload", "kvm_amd.vls", false},
                {"kvm_amd", "tsc_scale", "kvm_amd.tsc_scaling", false},
                {"kvm_amd", "lbrv", "kvm_amd.lbrv", false},
                {"kvm_amd", "vnmi", "kvm_amd.vnmi", false},
                {"kvm_amd", "avic", NULL, true},
                {"kvm_amd", "x2avic", NULL, true},
};

static const Given *find(const char *module, const char *feature) {
        for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
                if (g_str_equal(table[i].module, module) && g_str_equal(table[i].feature, feature))
                        return &table[i];
        return NULL;
}

const char *outer_hypervisor_parameter(const char *module, const char *feature) {
        const Given *given = find(module, feature);

        return given ? given->parameter : NULL;
}

bool outer_hypervisor_is_never_given(const char *module, const char *feature) {
        const Given *given = find(module, feature);

        return given && given->never;
}

bool outer_hypervisor_is_always_given(const char *module, const char *feature) {
        const Given *given = find(module, feature);

        return given && !given->parameter && !given->never;
}

static bool is_kvm(const Cpu *cpu) {
        return g_str_equal(cpu->hypervisor, "kvm");
}

const char *outer_hypervisor_name(const Cpu *cpu) {
        static const char *const names[][2] = {
                        {"kvm", "KVM"},
                        {"microsoft", "Hyper-V"},
                        {"vmware", "VMware"},
                        {"oracle", "VirtualBox"},
                        {"xen", "Xen"},
                        {"qemu", "QEMU"},
                        {"unknown", "unknown hypervisor"},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
                if (g_str_equal(names[i][0], cpu->hypervisor))
                        return names[i][1];
        return cpu->hypervisor;
}

/* Each parameter once: vpid and invvpid have the same. */
static void add_once(GPtrArray *names, const char *name) {
        for (unsigned i = 0; i < names->len; i++)
                if (g_str_equal(g_ptr_array_index(names, i), name))
                        return;
        g_ptr_array_add(names, (gpointer) name);
}

char *outer_hypervisor_reason(const Cpu *cpu, const char *module, const char *missing) {
        g_auto(GStrv) features = g_strsplit(missing, ", ", -1);
        g_autoptr(GPtrArray) parameters = g_ptr_array_new();
        unsigned never = 0, always = 0, n = 0;

        if (cpu->level == 0 || strchr(missing, '('))
                return NULL;
        if (!is_kvm(cpu))
                return g_strdup_printf("the host below (%s) does not give it to this virtual machine",
                                       outer_hypervisor_name(cpu));
        for (; features[n]; n++) {
                const Given *given = find(module, features[n]);
                never += outer_hypervisor_is_never_given(module, features[n]);
                always += outer_hypervisor_is_always_given(module, features[n]);
                if (given && given->parameter)
                        add_once(parameters, given->parameter);
        }
        if (never > 0 && never == n)
                return g_strdup("no KVM gives it to a virtual machine");
        if (always > 0 && always == n)
                return g_strdup("KVM gives it always, so it is masked in this machine's <cpu>");
        if (parameters->len == 0)
                return g_strdup("the CPU of the host below lacks it, or it is masked in this machine's <cpu>");

        g_ptr_array_add(parameters, NULL);
        g_autofree char *names = g_strjoinv(" or ", (char **) parameters->pdata);
        return g_strdup_printf("on the host below %s is off, or it is masked in this machine's <cpu>", names);
}

/* What gives a machine the feature where users know no <cpu>, by the platform's name. Each is the
 * maker's documentation as of 2026: Windows' .wslconfig; Google's advancedMachineFeatures; EC2's
 * CpuOptions, since February 2026; KubeVirt's VirtualMachine; nova.conf(5). */
static const char *const platforms[][2] = {
                {"WSL",
                 "On Windows 11, put nestedVirtualization=true into the section [wsl2] of %UserProfile%\\.wslconfig "
                 "and run wsl --shutdown; Windows 10 can't"},
                {"Google Cloud",
                 "It is a machine of Google Cloud: that takes a machine type that can nest, and its "
                 "option enableNestedVirtualization (advancedMachineFeatures); a bare metal type needs no "
                 "option"},
                {"Amazon EC2",
                 "It is an instance of Amazon EC2: that takes an instance type that can nest, and its CPU "
                 "option NestedVirtualization=enabled; a metal type needs no option"},
                {"KubeVirt",
                 "It is a machine of KubeVirt or Harvester: there it takes spec.template.spec.domain.cpu.model: "
                 "host-passthrough in the VirtualMachine, and nesting on the node"},
                {"OpenStack", "It is a server of OpenStack: there it takes cpu_mode = host-passthrough in the section "
                              "[libvirt] of the compute node's nova.conf, and nesting on that node"},
};

static const char *find_platform(const char *platform) {
        for (gsize i = 0; platform && i < G_N_ELEMENTS(platforms); i++)
                if (g_str_equal(platforms[i][0], platform))
                        return platforms[i][1];
        return NULL;
}

char *outer_hypervisor_how_to_nest(const Cpu *cpu, const char *feature, const char *platform) {
        static const char *const settings[][2] = {
                        {"microsoft", "On the host below, with this machine off: Set-VMProcessor -VMName NAME "
                                      "-ExposeVirtualizationExtensions $true"},
                        {"vmware", "On the host below, with this machine off, tick \"Expose hardware assisted "
                                   "virtualization to the guest OS\" in its CPU settings (vhv.enable = \"TRUE\")"},
                        {"oracle", "On the host below, with this machine off: VBoxManage modifyvm NAME "
                                   "--nested-hw-virt on"},
                        {"xen", "On the host below, put nestedhvm=1 in this machine's configuration"},
        };

        if (cpu->xen_pv)
                return g_strdup("A paravirtualized guest of Xen can't be given it: it takes one of the type hvm, with "
                                "nestedhvm=1 in its configuration");
        if (find_platform(platform))
                return g_strdup(find_platform(platform));
        if (platform)
                return g_strdup_printf("It is a machine in a cloud (%s), where its type decides, not a setting within: "
                                       "take a type for which nested virtualization is offered",
                                       platform);
        for (gsize i = 0; i < G_N_ELEMENTS(settings); i++)
                if (g_str_equal(settings[i][0], cpu->hypervisor))
                        return g_strdup(settings[i][1]);
        if (!is_kvm(cpu))
                return g_strdup_printf("It is for the host below to give it %s", feature);
        return g_strdup_printf("On the host below, nested is off (there: nestvirtctl set nested=on), or this machine's "
                               "CPU is one without %s (libvirt's <cpu mode='host-passthrough'/> and Proxmox's qm set "
                               "VMID --cpu host have it)",
                               feature);
}

bool outer_hypervisor_is_wsl(const char *release) {
        return strstr(release, "microsoft") && strstr(release, "WSL");
}

const char *outer_hypervisor_platform(const char *vendor, const char *asset_tag) {
        /* What the makers of clouds write there themselves; those who leave their hypervisor's name
         * in are not told apart. */
        static const char *const names[][2] = {
                        {"Amazon EC2", "Amazon EC2"},
                        {"Google", "Google Cloud"},
                        {"Alibaba Cloud", "Alibaba Cloud"},
                        {"Tencent Cloud", "Tencent Cloud"},
                        {"DigitalOcean", "DigitalOcean"},
                        {"Hetzner", "Hetzner"},
                        {"Vultr", "Vultr"},
                        {"Scaleway", "Scaleway"},
                        {"UpCloud", "UpCloud"},
                        {"Akamai", "Akamai"},
                        {"Linode", "Linode"},
                        {"KubeVirt", "KubeVirt"},
                        {"OpenStack Foundation", "OpenStack"},
        };

        if (g_strcmp0(asset_tag, "7783-7084-3265-9085-8269-3286-77") == 0)
                return "Microsoft Azure";
        for (gsize i = 0; vendor && i < G_N_ELEMENTS(names); i++)
                if (g_str_equal(vendor, names[i][0]))
                        return names[i][1];
        return NULL;
}
