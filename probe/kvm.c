/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What can be known without a VM. Three things tell what KVM offers: the CPUID bits that it
 * supports for guests, those of the CPU, and the parameter "nested". */

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kvm.h"

/* The one that there has been since 2007 (Documentation/virt/kvm/api.rst, KVM_GET_API_VERSION). */
#define API_VERSION 12
/* KVM_MAX_CPUID_ENTRIES of the kernel (256 as of 6.12). */
#define CPUID_ENTRIES 256U

/* Where the CPU says that it has SVM, that its SVM has nested paging, that it has VMX (AMD's
 * manual, volume 3, appendix E; Intel's, volume 2A, CPUID). */
#define SVM_LEAF 0x80000001U
#define SVM_BIT 2
#define SVM_FEATURES_LEAF 0x8000000aU
#define NPT_BIT 0
#define VMX_LEAF 1U
#define VMX_BIT 5
/* The secondary controls' high word has what may be 1; EPT is bit 1 (Intel's manual, volume 3D,
 * A.3.3). */
#define MSR_VMX_PROCBASED_CTLS2 0x48bU
#define EPT_BIT (32 + 1)

typedef struct Module {
        const char *name;
        const char *parameters[8];
} Module;

static const Module modules[] = {
                [VENDOR_SVM] = {"kvm_amd", {"nested", "npt", "vls", "vgif", "avic", NULL}},
                [VENDOR_VMX] = {"kvm_intel", {"nested", "ept", "enable_shadow_vmcs", "enable_apicv", "vpid", NULL}},
};

static bool fail_open(const char *path, Report *report) {
        switch (errno) {
        case EPERM:
        case EACCES:
                return conclude(report, RESULT_DENIED, "You may not open %s: that is for root and the group kvm", path);
        case ENOENT:
                return conclude(report, RESULT_UNSUPPORTED, "There is no %s: KVM is not loaded", path);
        default:
                return conclude(report, RESULT_UNSUPPORTED, "There is no KVM behind %s: %s", path, strerror(errno));
        }
}

static bool open_device(Kvm *kvm, const char *path, Report *report) {
        kvm->fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (kvm->fd < 0)
                return fail_open(path, report);
        const int version = ioctl(kvm->fd, KVM_GET_API_VERSION, 0);
        if (version != API_VERSION)
                return conclude(report, RESULT_UNSUPPORTED, "%s does not answer as KVM does (version %d)", path,
                                version);
        kvm->run_size = ioctl(kvm->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
        if (kvm->run_size < (int) sizeof(struct kvm_run))
                return conclude(report, RESULT_BROKEN, "Cannot ask KVM for the size of a vCPU: %s", strerror(errno));
        return true;
}

static bool read_cpuid(Kvm *kvm, Report *report) {
        kvm->cpuid = calloc(1, sizeof *kvm->cpuid + CPUID_ENTRIES * sizeof kvm->cpuid->entries[0]);
        if (!kvm->cpuid)
                return conclude(report, RESULT_BROKEN, "Out of memory");
        kvm->cpuid->nent = CPUID_ENTRIES;
        if (ioctl(kvm->fd, KVM_GET_SUPPORTED_CPUID, kvm->cpuid) < 0)
                return conclude(report, RESULT_BROKEN, "Cannot ask KVM what it offers: %s", strerror(errno));
        return true;
}

static struct kvm_cpuid_entry2 *find_leaf(const Kvm *kvm, uint32_t leaf) {
        for (uint32_t i = 0; i < kvm->cpuid->nent; i++)
                if (kvm->cpuid->entries[i].function == leaf)
                        return &kvm->cpuid->entries[i];
        return NULL;
}

static uint32_t *find_feature_word(const Kvm *kvm, VendorId vendor) {
        struct kvm_cpuid_entry2 *entry = find_leaf(kvm, vendor == VENDOR_SVM ? SVM_LEAF : VMX_LEAF);

        return entry ? &entry->ecx : NULL;
}

static uint32_t feature_bit(VendorId vendor) {
        return 1U << (vendor == VENDOR_SVM ? SVM_BIT : VMX_BIT);
}

static bool is_offered(const Kvm *kvm, VendorId vendor) {
        const uint32_t *word = find_feature_word(kvm, vendor);

        return word && *word & feature_bit(vendor);
}

static bool cpu_has(VendorId vendor) {
        unsigned a, b, c, d;

        return __get_cpuid(vendor == VENDOR_SVM ? SVM_LEAF : VMX_LEAF, &a, &b, &c, &d) && c & feature_bit(vendor);
}

/* The value without its newline; false when there is no such parameter. */
static bool read_parameter(const char *module, const char *name, char ret[static VALUE_SIZE]) {
        char path[128];

        (void) snprintf(path, sizeof path, "/sys/module/%s/parameters/%s", module, name);
        FILE *file = fopen(path, "re");
        if (!file)
                return false;
        const bool read = fgets(ret, VALUE_SIZE, file);
        (void) fclose(file);
        if (read)
                ret[strcspn(ret, "\n")] = '\0';
        return read;
}

static void report_parameters(const char *module, const char *const *names, Report *report) {
        char value[VALUE_SIZE];

        for (; *names; names++)
                if (read_parameter(module, *names, value))
                        report_parameter(report, module, *names, value);
}

static bool has_ept(const Kvm *kvm) {
        OneMsr msr = {.msrs.nmsrs = 1};

        msr.msrs.entries[0].index = MSR_VMX_PROCBASED_CTLS2;
        return ioctl(kvm->fd, KVM_GET_MSRS, &msr) == 1 && msr.msrs.entries[0].data >> EPT_BIT & 1;
}

static bool has_npt(const Kvm *kvm) {
        const struct kvm_cpuid_entry2 *entry = find_leaf(kvm, SVM_FEATURES_LEAF);

        return entry && entry->edx >> NPT_BIT & 1;
}

static bool choose_vendor(Kvm *kvm, Report *report) {
        char nested[VALUE_SIZE] = "";

        kvm->vendor = is_offered(kvm, VENDOR_SVM) || cpu_has(VENDOR_SVM) ? VENDOR_SVM : VENDOR_VMX;
        kvm->module = modules[kvm->vendor].name;
        if (is_offered(kvm, kvm->vendor))
                return true;
        /* A module that can nest has the parameter; KVM of another kind, on whatever CPU, has
         * not. */
        if (!cpu_has(kvm->vendor))
                return conclude(report, RESULT_UNSUPPORTED,
                                "KVM works here, but has no nesting to offer: this CPU has neither VMX nor SVM");
        uint32_t *word = find_feature_word(kvm, kvm->vendor);
        if (!word || !read_parameter(kvm->module, "nested", nested))
                return conclude(report, RESULT_UNSUPPORTED,
                                "KVM works here, but has no nesting to offer: it is not %s that is loaded",
                                kvm->module);
        *word |= feature_bit(kvm->vendor);
        kvm->forced = true;
        return true;
}

bool kvm_open(Kvm *kvm, const char *path, Report *report) {
        static const char *const common[] = {"tdp_mmu", "nx_huge_pages", NULL};

        *kvm = (Kvm) {.fd = -1};
        if (!open_device(kvm, path, report) || !read_cpuid(kvm, report) || !choose_vendor(kvm, report))
                return false;
        kvm->paging = kvm->vendor == VENDOR_SVM ? has_npt(kvm) : has_ept(kvm);
        report_parameters("kvm", common, report);
        report_parameters(kvm->module, modules[kvm->vendor].parameters, report);
        return true;
}

void kvm_close(Kvm *kvm) {
        free(kvm->cpuid);
        kvm->cpuid = NULL;
        if (kvm->fd >= 0)
                (void) close(kvm->fd);
        kvm->fd = -1;
}
