/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found about the host below, and where others than KVM's modules decide. */

#include "check-row.h"

#define BELOW(hypervisor, ...) .files = PAIRS("sys/hypervisor/type", hypervisor, ##__VA_ARGS__)
#define BELOW_AMD .flags = "hypervisor svm npt nrip_save", .loaded = "kvm_amd.nested=1 kvm_amd.npt=Y kvm_amd.nrips=1"
#define BELOW_INTEL .vendor = "GenuineIntel", .flags = "hypervisor vmx"
#define BELOW_ALL "ept ept_ad vpid invvpid shadow_vmcs vapic_reg vid"
#define INTEL_LOADED                                                                                      \
        "kvm_intel.nested=Y kvm_intel.ept=Y kvm_intel.eptad=Y kvm_intel.vpid=Y kvm_intel.enable_apicv=Y " \
        "kvm_intel.enable_shadow_vmcs=Y kvm_intel.ple_gap=0"

#define ENCRYPTION(eax) "   0x8000001f 0x00: eax=" eax " ebx=0x00000173 ecx=0x00000000 edx=0x00000000\n"
#define MSHV BELOW("microsoft", "sys/class/misc/mshv/dev", "10:1\n")
#define ARM(word, ...)                                                       \
        .vendor = "", .builtin = "kvm.halt_poll_ns=200000", .cmdline = word, \
        .files = PAIRS("proc/sys/kernel/arch", "aarch64\n", ##__VA_ARGS__)

/* clang-format off */
static const CheckRow rows[] = {
        { "on the hardware nothing is below", { AMD_LOADED }, .id = "below" },
        { "an architecture that can't", { .vendor = "", BELOW("kvm") }, .id = "below" },
        { "KVM gives no svm", { .flags = "hypervisor", BELOW("kvm") }, .id = "below", "info",
          "The host below (KVM) gives this virtual machine no svm, without which kvm_amd does not load. On the host below, nested is "
          "off (there: nestvirtctl set nested=on), or this machine's CPU is one without svm (libvirt's <cpu mode='host-passthrough'/> and Proxmox's qm set VMID --cpu host", NULL },
        { "Hyper-V gives no vmx", { .vendor = "GenuineIntel", .flags = "hypervisor", BELOW("microsoft") }, .id = "below", "info",
          "The host below (Hyper-V) gives this virtual machine no vmx, without which kvm_intel does not load. On the host below, with this "
          "machine off: Set-VMProcessor -VMName NAME -ExposeVirtualizationExtensions $true", NULL },
        { "VMware gives no vmx", { .vendor = "GenuineIntel", .flags = "hypervisor", BELOW("vmware") }, .id = "below", "info",
          "vhv.enable", NULL },
        { "VirtualBox gives no svm", { .flags = "hypervisor", BELOW("oracle") }, .id = "below", "info", "--nested-hw-virt on", NULL },
        { "Xen gives no svm", { .flags = "hypervisor", BELOW("xen") }, .id = "below", "info", "nestedhvm=1", NULL },
        { "something gives no svm", { .flags = "hypervisor" }, .id = "below", "info",
          "The host below (unknown hypervisor) gives this virtual machine no svm", NULL },
        { "a cloud gives no vmx", { .vendor = "GenuineIntel", .flags = "hypervisor",
          BELOW("kvm", "sys/class/dmi/id/sys_vendor", "Amazon EC2") }, .id = "below", "info",
          "Amazon EC2: that takes an instance type that can nest, and its CPU option NestedVirtualization=enabled", NULL },
        { "Google gives no vmx", { .vendor = "GenuineIntel", .flags = "hypervisor",
          BELOW("kvm", "sys/class/dmi/id/sys_vendor", "Google") }, .id = "below", "info", "its option enableNestedVirtualization", NULL },
        { "another cloud gives no vmx", { .vendor = "GenuineIntel", .flags = "hypervisor",
          BELOW("kvm", "sys/class/dmi/id/sys_vendor", "Vultr") }, .id = "below", "info",
          "a cloud (Vultr), where its type decides", NULL },
        { "KubeVirt gives no svm", { .flags = "hypervisor", BELOW("kvm", "sys/class/dmi/id/sys_vendor", "KubeVirt") }, .id = "below",
          "info", "cpu.model: host-passthrough in the VirtualMachine", NULL },
        { "OpenStack gives no svm", { .flags = "hypervisor", BELOW("kvm", "sys/class/dmi/id/sys_vendor", "OpenStack Foundation") },
          .id = "below", "info", "cpu_mode = host-passthrough", NULL },
        { "Windows 10 gives WSL no vmx", { .release = "5.15.150-microsoft-standard-WSL2", .vendor = "GenuineIntel",
          .flags = "hypervisor", BELOW("microsoft") }, .id = "below", "info", "nestedVirtualization=true into the section [wsl2]", NULL },
        { "Hyper-V without WSL", { .release = "6.1.0-microsoft", .vendor = "GenuineIntel", .flags = "hypervisor", BELOW("microsoft") },
          .id = "below", "info", "Set-VMProcessor", NULL },
        { "a paravirtualized guest of Xen", { .flags = "hypervisor", BELOW("xen", "sys/hypervisor/guest_type", "PV") }, .id = "below",
          "info", "paravirtualized guest of Xen can't be given it", NULL },
        { "Xen's control domain has nobody below", { .flags = "hypervisor", BELOW("xen", "sys/hypervisor/guest_type", "PV",
          "proc/xen/capabilities", "control_d") }, .id = "below" },
        { "Xen's control domain", { .flags = "hypervisor", BELOW("xen", "proc/xen/capabilities", "control_d") }, .id = "level",
          "info", "is the control domain of Xen", NULL },
        { "Xen's control domain has no svm", { .flags = "hypervisor", BELOW("xen", "proc/xen/capabilities", "control_d") }, .id = "cpu",
          "info", "whose control domain this is, keeps it", NULL },
        { "a guest of Xen is no control domain", { .flags = "hypervisor", BELOW("xen", "proc/xen/capabilities", "") }, .id = "below",
          "info", "nestedhvm=1", NULL },
        { "Azure gives no vmx", { .vendor = "GenuineIntel", .flags = "hypervisor",
          BELOW("microsoft", "sys/class/dmi/id/chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77") }, .id = "below", "info",
          "a cloud (Microsoft Azure)", NULL },
        { "a guest of SEV-SNP, by its kernel", { .flags = "svm hypervisor", AMD_LOADABLE, BELOW("kvm", "sys/devices/system/cpu/sev/vmpl", "0\n") }, .id = "below",
          "info", "as a confidential virtual machine (SEV-SNP)", NULL },
        { "a guest of SEV-SNP has no command that loads its module", { .flags = "svm hypervisor", AMD_LOADABLE, BELOW("kvm", "sys/class/misc/sev-guest/dev", "10:1\n") },
          .id = "vendor-module", "info", "kvm_amd does not load in a confidential virtual machine (SEV-SNP)", NULL },
        { "a guest of SEV-SNP can't nest", { .flags = "svm hypervisor", AMD_LOADABLE, BELOW("kvm", "sys/class/misc/sev-guest/dev", "10:1\n") }, .id = "nested", "info",
          "Guests of this host can't be hypervisors: this is a confidential virtual machine (SEV-SNP), in which kvm_amd does not load", NULL },
        { "a guest of SEV, by CPUID", { .flags = "svm hypervisor", AMD_LOADABLE, .cpuid = ENCRYPTION("0x00000002"), BELOW("kvm") }, .id = "below", "info", "(SEV)", NULL },
        { "a guest of SEV-ES, by CPUID", { .flags = "svm hypervisor", AMD_LOADABLE, .cpuid = ENCRYPTION("0x0000000a"), BELOW("kvm") }, .id = "below", "info", "(SEV-ES)", NULL },
        { "a guest of SEV-ES, by its register", { .flags = "svm hypervisor", AMD_LOADABLE, .msr = "0xc0010131 0x3\n", BELOW("kvm") }, .id = "below", "info", "(SEV-ES)", NULL },
        { "a CPU with SEV whose register says that it is not used", { .flags = "svm hypervisor", AMD_LOADABLE, .cpuid = ENCRYPTION("0x0000001a"), .msr = "0xc0010131 0x0\n",
          BELOW("kvm") }, .id = "vendor-module", "fail", "kvm_amd is not loaded", "modprobe kvm_amd" },
        { "a CPU with SEV where KVM is", { .flags = "svm npt hypervisor", .loaded = "kvm_amd.nested=1 kvm_amd.npt=Y", .cpuid = ENCRYPTION("0x0000001a"), BELOW("kvm") },
          .id = "nested", "pass", "nested is on", NULL },
        { "a host of SEV", { .flags = "svm npt", AMD_LOADABLE, .cpuid = ENCRYPTION("0x0000001f") }, .id = "vendor-module", "fail", "kvm_amd is not loaded", "modprobe kvm_amd" },
        { "a guest of TDX", { .vendor = "GenuineIntel", .flags = "hypervisor tdx_guest", BELOW("kvm") }, .id = "below", "info", "(TDX)", NULL },
        { "a guest of TDX can't nest", { .vendor = "GenuineIntel", .flags = "hypervisor tdx_guest", BELOW("kvm") }, .id = "nested", "info", "to which TDX gives no VMX", NULL },

        { "a guest of TDX with kvm_pvm", { .vendor = "GenuineIntel", .flags = "hypervisor tdx_guest", .loaded = "kvm_pvm.", BELOW("kvm") }, .id = "nested", "info", "kvm_pvm has no nesting", NULL },

        { "beside guests of Microsoft's", { .vendor = "GenuineIntel", .flags = "hypervisor", MSHV }, .id = "nested", "info",
          "Nesting is not KVM's here: guests of this host run on Microsoft's hypervisor (/dev/mshv), where nesting is asked for per guest", NULL },
        { "beside guests of Microsoft's it is no guest like others", { .vendor = "GenuineIntel", .flags = "hypervisor", MSHV },
          .id = "level", "info", "it is the root partition, or a virtual machine that may do so (L1VH)", NULL },
        { "beside guests of Microsoft's nothing is asked of below", { .vendor = "GenuineIntel", .flags = "hypervisor", MSHV },
          .id = "below" },
        { "beside guests of Microsoft's KVM nests all the same", { .vendor = "GenuineIntel", .flags = "vmx hypervisor", .vmx_flags = VMX_FLAGS, .loaded = "kvm_intel.nested=Y", MSHV },
          .id = "nested", "pass", "nested is on", NULL },

        { "Arm without the word", { ARM("quiet") }, .id = "nested", "info", "Guests of this host can't be hypervisors: on Arm the kernel command line decides: it takes kvm-arm.mode=nested", NULL },
        { "Arm with another mode", { ARM("kvm-arm.mode=nested kvm-arm.mode=protected") }, .id = "nested", "info", "it takes kvm-arm.mode=nested there", NULL },
        { "Arm with the word for somebody else", { ARM("quiet -- kvm-arm.mode=nested") }, .id = "nested", "info", "it takes kvm-arm.mode=nested there", NULL },
        { "Arm with the word", { ARM("quiet kvm_arm.mode=nested") }, .id = "nested", "info", "can't be told yet: kvm-arm.mode=nested is on the kernel command line; whether KVM offers EL2", NULL },
        { "Arm that nests", { ARM("kvm-arm.mode=nested", "facts/kvm-cap", "0x000000f0 0x1\n") }, .id = "nested", "pass", "KVM offers EL2 to guests (KVM_CAP_ARM_EL2)", NULL },
        { "Arm whose CPU can't", { ARM("kvm-arm.mode=nested", "facts/kvm-cap", "0x000000f0 0x0\n") }, .id = "nested", "info", "but KVM offers no EL2 to guests (KVM_CAP_ARM_EL2): the CPU has no FEAT_NV2", NULL },
        { "Arm without KVM", { .vendor = "", .files = PAIRS("proc/sys/kernel/arch", "aarch64\n") }, .id = "nested", "info", "Nesting is not known on this architecture (aarch64)", NULL },

        { "KVM gives all that it has", { BELOW_AMD, BELOW("kvm") }, .id = "below", "pass", "(KVM) gives this virtual machine all",
          NULL },
        { "no KVM gives avic", { .flags = "hypervisor svm npt", .loaded = "kvm_amd.nested=1 kvm_amd.npt=Y kvm_amd.avic=N",
          BELOW("kvm") }, .id = "below", "pass", "gives this virtual machine all", NULL },
        { "KVM holds something of AMD's back", { .flags = "hypervisor svm npt", .loaded = "kvm_amd.nested=1 kvm_amd.npt=Y kvm_amd.vgif=0 "
          "kvm_amd.vls=0 kvm_amd.nrips=0 kvm_amd.pause_filter_count=0", BELOW("kvm") }, .id = "below", "info",
          "all that its KVM could use: vgif (kvm_amd.vgif), v_vmsave_vmload (kvm_amd.vls), nrip_save (kvm_amd.nrips), pausefilter. A parameter in "
          "brackets is off there", NULL },
        { "Hyper-V holds something back", { .flags = "hypervisor svm npt", .loaded = "kvm_amd.nested=1 kvm_amd.vgif=0",
          BELOW("microsoft") }, .id = "below", "info", "The host below (Hyper-V) does not give this virtual machine all that its KVM could use: vgif",
          NULL },
        { "KVM gives no npt", { .flags = "hypervisor svm", .loaded = "kvm_amd.nested=1 kvm_amd.npt=N kvm_amd.vls=0", BELOW("kvm") },
          .id = "below", "warn", "gives this virtual machine no npt, so its own guests are slow: on the host below kvm_amd.npt is off, or",
          NULL },
        { "KVM gives no ept and what is part of it", { BELOW_INTEL, .vmx_flags = "vpid invvpid shadow_vmcs",
          .loaded = "kvm_intel.nested=Y kvm_intel.ept=N kvm_intel.eptad=N kvm_intel.unrestricted_guest=N", BELOW("kvm") },
          .id = "below", "warn", "on the host below kvm_intel.ept is off, or it is masked in this machine's <cpu>", NULL },
        { "KVM without APICv", { BELOW_INTEL, .vmx_flags = BELOW_ALL, .loaded = INTEL_LOADED, BELOW("kvm") }, .id = "below", "info",
          "all that its KVM could use: posted_intr (kvm_intel.enable_apicv). ", NULL },
        { "KVM with all of Intel's", { BELOW_INTEL, .vmx_flags = BELOW_ALL " posted_intr", .loaded = INTEL_LOADED, BELOW("kvm") },
          .id = "below", "pass", "gives this virtual machine all that its KVM could use", NULL },
        { "a mask over shadow_vmcs", { BELOW_INTEL, .vmx_flags = "ept vpid invvpid vapic_reg vid posted_intr", .loaded = INTEL_LOADED,
          BELOW("kvm") }, .id = "below", "info", "shadow_vmcs (which KVM gives unless it is masked), "
          "ept_ad (kvm_intel.eptad)", NULL },
        { "an old kernel does not tell", { BELOW_INTEL, .loaded = INTEL_LOADED, BELOW("kvm") }, .id = "below" },
};
/* clang-format on */

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        check_rows_add(rows, G_N_ELEMENTS(rows));
        return g_test_run();
}
