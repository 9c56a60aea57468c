/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Prints the facts: cpu/N/msr (arch/x86/kernel/msr.c: the offset is the register, and one that the
 * CPU has not is EIO), and the lists that /dev/kvm answers without a virtual machine. It opens for
 * reading only, and writes no register. */

#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <linux/kvm.h>
#include <linux/major.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device-facts.h"
#include "device-node.h"

/* NR_CPUS_RANGE_END on x86. */
#define PROCESSORS_MAX 8192U
#define ENTRIES_MAX 512U

/* IA32_FEAT_CTL; the capabilities of VMX; VM_CR and SEV_STATUS of AMD. */
static const uint32_t registers[] = {
                0x3a,  0x480, 0x481, 0x482, 0x483, 0x484, 0x485, 0x486, 0x487, 0x488,      0x489,
                0x48a, 0x48b, 0x48c, 0x48d, 0x48e, 0x48f, 0x490, 0x491, 0x492, 0xc0010114, 0xc0010131,
};
#define N_REGISTERS (sizeof registers / sizeof *registers)

typedef struct Values {
        bool known[N_REGISTERS];
        uint64_t value[N_REGISTERS];
} Values;

static void read_registers(int fd, Values *ret) {
        for (size_t i = 0; i < N_REGISTERS; i++)
                ret->known[i] = pread(fd, &ret->value[i], sizeof ret->value[i], registers[i]) ==
                                (ssize_t) sizeof ret->value[i];
}

/* Of all but the first only what is not the first one's. */
static bool print_processor(unsigned processor, const Values *values, const Values *first) {
        bool headed = false;

        for (size_t i = 0; i < N_REGISTERS; i++) {
                if (!values->known[i] || (first && first->known[i] && first->value[i] == values->value[i]))
                        continue;
                if (!headed && printf("CPU %u:\n", processor) < 0)
                        return false;
                headed = true;
                if (printf("0x%08" PRIx32 " 0x%016" PRIx64 "\n", registers[i], values->value[i]) < 0)
                        return false;
        }
        return true;
}

/* The nodes are there only while the module msr is. */
static int open_processor(int folder, unsigned processor) {
        char name[sizeof "/msr" + 10];
        struct stat st;

        (void) snprintf(name, sizeof name, "%u/msr", processor);
        const int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
        if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || major(st.st_rdev) != MSR_MAJOR)) {
                (void) close(fd);
                return -1;
        }
        return fd;
}

static bool print_registers(const char *node) {
        char *copy = strdup(node);
        char *path = NULL;
        bool has_first = false, printed = true;
        Values first = {};

        if (!copy || asprintf(&path, "%s/cpu", dirname(copy)) < 0) {
                free(copy);
                return false;
        }
        const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (unsigned n = 0; folder >= 0 && printed && n < PROCESSORS_MAX; n++) {
                const int fd = open_processor(folder, n);
                Values values = {};
                if (fd < 0)
                        continue;
                read_registers(fd, &values);
                (void) close(fd);
                if (!has_first)
                        printed = puts("msr:") >= 0;
                printed = printed && print_processor(n, &values, has_first ? &first : NULL);
                if (!has_first)
                        first = values;
                has_first = true;
        }
        if (folder >= 0)
                (void) close(folder);
        free(path);
        free(copy);
        return printed;
}

static bool print_kvm_cpuid(int fd) {
        struct kvm_cpuid2 *list = calloc(1, sizeof *list + ENTRIES_MAX * sizeof *list->entries);
        bool printed = list;

        if (list)
                list->nent = ENTRIES_MAX;
        if (!list || ioctl(fd, KVM_GET_SUPPORTED_CPUID, list) < 0) {
                free(list);
                return printed;
        }
        printed = puts("kvm-cpuid:") >= 0;
        for (unsigned i = 0; printed && i < list->nent && i < ENTRIES_MAX; i++) {
                const struct kvm_cpuid_entry2 *e = &list->entries[i];
                if (e->function != 1 && e->function != 0x80000001 && e->function != 0x8000000a)
                        continue;
                printed = printf("   0x%08x 0x%02x: eax=0x%08x ebx=0x%08x ecx=0x%08x edx=0x%08x\n", e->function,
                                 e->index, e->eax, e->ebx, e->ecx, e->edx) >= 0;
        }
        free(list);
        return printed;
}

/* One at a time, as one that can't be read ends the answer for all that follow. */
static bool print_kvm_register(int fd, uint32_t address) {
        struct kvm_msrs *ask = calloc(1, sizeof *ask + sizeof *ask->entries);
        bool printed = ask;

        if (ask) {
                ask->nmsrs = 1;
                ask->entries[0].index = address;
                if (ioctl(fd, KVM_GET_MSRS, ask) == 1)
                        printed = printf("0x%08" PRIx32 " 0x%016" PRIx64 "\n", address,
                                         (uint64_t) ask->entries[0].data) >= 0;
        }
        free(ask);
        return printed;
}

static bool print_kvm_registers(int fd) {
        struct kvm_msr_list *list = calloc(1, sizeof *list + ENTRIES_MAX * sizeof *list->indices);
        bool printed = list;

        if (list)
                list->nmsrs = ENTRIES_MAX;
        if (!list || ioctl(fd, KVM_GET_MSR_FEATURE_INDEX_LIST, list) < 0) {
                free(list);
                return printed;
        }
        printed = puts("kvm-msr:") >= 0;
        for (unsigned i = 0; printed && i < list->nmsrs && i < ENTRIES_MAX; i++)
                printed = print_kvm_register(fd, list->indices[i]);
        free(list);
        return printed;
}

/* Of linux/kvm.h since 6.16, which may be newer than the one here. */
#define CAP_ARM_EL2 240U
#ifdef __aarch64__
#define EXTENSION CAP_ARM_EL2
#elif defined(__x86_64__) || defined(__i386__)
#define EXTENSION KVM_CAP_NESTED_STATE
#else
#define EXTENSION 0U
#endif

/* What no list tells: of Arm whether there is nesting, of x86 how large the state of a guest with a
 * guest may be (Documentation/virt/kvm/api.rst, KVM_GET_NESTED_STATE). */
static bool print_kvm_extensions(int fd) {
        const int answer = EXTENSION > 0 ? ioctl(fd, KVM_CHECK_EXTENSION, EXTENSION) : -1;

        return answer < 0 || printf("kvm-cap:\n0x%08x 0x%016x\n", EXTENSION, (unsigned) answer) >= 0;
}

static bool print_kvm(const char *node) {
        struct stat st;

        if (lstat(node, &st) < 0 || node_is_wrong(&st))
                return true;
        const int fd = open(node, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
        if (fd < 0)
                return true;
        const bool printed = print_kvm_cpuid(fd) && print_kvm_registers(fd) && print_kvm_extensions(fd);
        (void) close(fd);
        return printed;
}

bool facts_print(const char *node) {
        return print_registers(node) && print_kvm(node) && fflush(stdout) == 0;
}
