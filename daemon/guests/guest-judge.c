/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The judge's desk: it gives no verdict but on the kind of the guest. */

#include "guest-judge.h"
#include "guest-model.h"

const char *judge_because(Judge *judge, const char *verdict, const char *format, ...) {
        va_list args;

        if (judge->why->len > 0)
                g_string_append_c(judge->why, ' ');
        va_start(args, format);
        g_string_append_vprintf(judge->why, format, args);
        va_end(args);
        return verdict;
}

bool judge_leaves_svm_out(const Judge *judge, const GuestCpu *cpu) {
        return !*cpu->policy && !guest_machine_keeps_svm(judge->facts->machine);
}

/* The CPU that QEMU gives decides, which may well have svm or vmx. */
static void say_32_bit(Judge *judge) {
        if (guest_is_32_bit(judge->facts->arch, judge->facts->emulator))
                (void) judge_because(judge, "",
                                     "It is a 32-bit guest: QEMU gives it no long mode, and the hypervisors of "
                                     "today are 64-bit programs.");
        else
                (void) judge_because(judge, "",
                                     "Its definition says i686, but its QEMU is that for x86_64, and gives it a 64-bit "
                                     "CPU.");
}

const char *judge_kind(Judge *judge) {
        const GuestFacts *f = judge->facts;

        if (f->untold && !*f->type)
                return judge_because(judge, "unknown",
                                     "Its QEMU does not answer, and until it does libvirt tells nothing of it.");
        if (g_strcmp0(f->type, "kvm") != 0)
                return judge_because(judge, "no", "It is a guest of type %s, which KVM does not run.", f->type);
        if ((g_strcmp0(f->arch, "i686") != 0 && g_strcmp0(f->arch, "x86_64") != 0) || !judge->feature)
                return judge_because(judge, "unknown", "Only what x86 guests can do is known.");
        if (g_str_equal(f->arch, "i686"))
                say_32_bit(judge);
        return NULL;
}
