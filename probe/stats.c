/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finds the counters by their names and reads them. It must not judge what they say. */

#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "stats.h"

/* As of 6.12 a vCPU has some 70 counters, and names of 48 bytes: far above, to bound what is
 * believed. */
#define DESCRIPTORS_MAX 4096U
#define NAME_MAX_SIZE 256U

static const char *const names[STAT_MAX] = {
                [STAT_EXITS] = "exits",
                [STAT_IRQ_EXITS] = "irq_exits",
                [STAT_NESTED_RUN] = "nested_run",
                [STAT_INSN_EMULATION] = "insn_emulation",
};

/* Returns 0 or -errno; less than was asked for is an error. */
static int read_at(int fd, void *buffer, size_t size, off_t offset) {
        const ssize_t n = pread(fd, buffer, size, offset);

        if (n < 0)
                return -errno;
        return (size_t) n == size ? 0 : -EIO;
}

static int find(Stats *stats) {
        struct kvm_stats_header header;
        union {
                struct kvm_stats_desc desc;
                char bytes[sizeof(struct kvm_stats_desc) + NAME_MAX_SIZE];
        } entry = {};

        int r = read_at(stats->fd, &header, sizeof header, 0);
        if (r < 0)
                return r;
        if (header.num_desc > DESCRIPTORS_MAX || header.name_size > NAME_MAX_SIZE)
                return -EPROTO;
        const size_t size = sizeof(struct kvm_stats_desc) + header.name_size;
        for (uint32_t i = 0; i < header.num_desc; i++) {
                r = read_at(stats->fd, &entry, size, (off_t) (header.desc_offset + i * size));
                if (r < 0)
                        return r;
                const char *name = entry.bytes + sizeof(struct kvm_stats_desc);
                for (int stat = 0; stat < STAT_MAX; stat++)
                        if (strncmp(name, names[stat], header.name_size) == 0)
                                stats->offsets[stat] = (off_t) header.data_offset + (off_t) entry.desc.offset;
        }
        return 0;
}

int stats_open(Stats *stats, int vcpu) {
        *stats = (Stats) {.fd = ioctl(vcpu, KVM_GET_STATS_FD, NULL)};
        for (int stat = 0; stat < STAT_MAX; stat++)
                stats->offsets[stat] = -1;
        if (stats->fd < 0)
                return errno == ENOTTY || errno == EINVAL ? 0 : -errno;
        return find(stats);
}

void stats_close(Stats *stats) {
        if (stats->fd >= 0)
                (void) close(stats->fd);
        stats->fd = -1;
}

bool stats_has(const Stats *stats, Stat stat) {
        return stats->offsets[stat] >= 0;
}

int stats_read(const Stats *stats, StatsSample *ret) {
        *ret = (StatsSample) {};
        for (int stat = 0; stat < STAT_MAX; stat++) {
                if (!stats_has(stats, stat))
                        continue;
                const int r = read_at(stats->fd, &ret->values[stat], sizeof ret->values[stat], stats->offsets[stat]);
                if (r < 0)
                        return r;
        }
        return 0;
}

uint64_t stats_exits(const StatsSample *before, const StatsSample *after) {
        return after->values[STAT_EXITS] - before->values[STAT_EXITS] -
               (after->values[STAT_IRQ_EXITS] - before->values[STAT_IRQ_EXITS]);
}
