/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What KVM counts of one vCPU, by its binary statistics (Documentation/virt/kvm/api.rst,
 * KVM_GET_STATS_FD; in 6.1, not in 5.10). */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum Stat {
        STAT_EXITS,
        STAT_IRQ_EXITS,      /* those for the host's own interrupts: how many is chance */
        STAT_NESTED_RUN,     /* entries into L2 that L1 made */
        STAT_INSN_EMULATION, /* instructions that KVM executed in software */
        STAT_MAX
} Stat;

typedef struct Stats {
        int fd;                  /* -1: this kernel has none */
        off_t offsets[STAT_MAX]; /* -1: this kernel does not count that */
} Stats;

typedef struct StatsSample {
        uint64_t values[STAT_MAX];
} StatsSample;

/* That the kernel has none is no error. Returns 0 or -errno. */
int stats_open(Stats *stats, int vcpu);
void stats_close(Stats *stats);

bool stats_has(const Stats *stats, Stat stat);

/* What is not counted is 0. Returns 0 or -errno. */
int stats_read(const Stats *stats, StatsSample *ret);

/* Exits but for the host's interrupts, so that the number is no chance. */
uint64_t stats_exits(const StatsSample *before, const StatsSample *after);
