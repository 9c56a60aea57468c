/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rules over the answer alone, which is comparison.h's: what it says is not doubted, and where it
 * says nothing, nothing is made of it. */

#include "guest-compared.h"

/* It is about the definition. */
const Comparison *guest_compared(const Judge *judge) {
        const Comparison *comparison = judge->facts->comparison;

        return judge->cpu == &judge->facts->defined && comparison && comparison->result != COMPARISON_NONE ? comparison
                                                                                                           : NULL;
}

const char *guest_compared_refuses(Judge *judge) {
        const Comparison *comparison = guest_compared(judge);

        switch (comparison ? comparison->result : COMPARISON_NONE) {
        case COMPARISON_LACKS:
                return judge_because(judge, "fails",
                                     "libvirt does not start it, as its CPU needs what this host lacks: %s.",
                                     comparison->detail);
        case COMPARISON_FORBIDDEN:
                return judge_because(judge, "fails",
                                     "It forbids %s (policy='forbid'), and libvirt does not start it on a CPU that has "
                                     "it; policy='disable' takes it away without that.",
                                     comparison->detail);
        case COMPARISON_EXTRA:
                return judge_because(
                                judge, "fails",
                                "It wants a CPU without anything else (match='strict'), and libvirt does not start "
                                "it, as this host has more.");
        case COMPARISON_VENDOR:
                return judge_because(judge, "fails",
                                     "It wants a CPU of the vendor %s, and libvirt does not start it on another one.",
                                     comparison->detail);
        case COMPARISON_NONE:
        case COMPARISON_UNKNOWN:
        case COMPARISON_FITS:
        default:
                return NULL;
        }
}

/* What QEMU adds to a model, or leaves out of it, differs between its versions, and so does what
 * libvirt makes of that: x2apic, hypervisor, topoext and nrip-save were seen. Of the host's own CPU
 * only what is named is looked at. */
static bool ends_by_full_check(const Judge *judge) {
        return g_strcmp0(judge->cpu->check, "full") == 0 && !judge->started && !guest_cpu_passes_through(judge->cpu) &&
               *judge->cpu->mode;
}

const char *guest_compared_doubts(Judge *judge, const char *verdict) {
        const Comparison *comparison = guest_compared(judge);

        if (!g_str_equal(verdict, "yes") && !g_str_equal(verdict, "no"))
                return verdict;
        if (comparison && comparison->result == COMPARISON_UNKNOWN)
                return judge_because(judge, "unknown", "But whether libvirt starts it at all can't be told (%s).",
                                     comparison->detail);
        if (ends_by_full_check(judge))
                return judge_because(judge, "unknown",
                                     "But with check='full' libvirt ends a guest whose CPU QEMU has given more or less "
                                     "than is named, which only a start tells.");
        return verdict;
}
