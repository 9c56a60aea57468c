/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The command line, and the words of the verdict. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "kvm.h"
#include "print.h"
#include "proof.h"
#include "table.h"

#define EXIT_USAGE 2

typedef struct Options {
        bool json;
        bool times;
        const char *device;
} Options;

/* Nothing must run with nesting off, whatever the CPUID of the guest says. */
static void judge_forced(const Kvm *kvm, bool proven, Report *report) {
        char why[MESSAGE_SIZE];

        if (proven) {
                (void) conclude(report, RESULT_ON,
                                "Nested virtualization is on, although %s.nested says off: a guest whose virtual CPU "
                                "is "
                                "forced to have it ran a guest of its own. Unload kvm as well, not only %s",
                                kvm->module, kvm->module);
                return;
        }
        (void) snprintf(why, sizeof why, "%s", report->message);
        (void) conclude(report, report->result == RESULT_HANG ? RESULT_HANG : RESULT_OFF,
                        "Nested virtualization is off, and it is so even for a guest whose virtual CPU is forced to "
                        "have it.");
        report_add(report, "%s", why);
}

/* VMCS shadowing can't be asked for; it can be counted. */
static void judge(const Kvm *kvm, Report *report) {
        uint64_t access;

        (void) conclude(report, RESULT_ON, "Nested virtualization works: a guest of a guest ran.");
        if (kvm->vendor != VENDOR_VMX)
                return;
        if (!report_get_count(report, NULL, "vmcs_access", &access))
                report_add(report, "This kernel does not count exits, so that it is not known whether VMCS shadowing "
                                   "is in use.");
        else if (access == 0)
                report_add(report, "VMCS shadowing is in use.");
        else
                report_add(report, "VMCS shadowing is not in use: each time that a guest hypervisor looks at its VMCS "
                                   "it exits to the host.");
}

static void probe(const Options *options, Report *report) {
        Kvm kvm;

        if (kvm_open(&kvm, options->device, report)) {
                const bool proven = proof_run(&kvm, NULL, report);
                if (kvm.forced)
                        judge_forced(&kvm, proven, report);
                else if (proven && table_run(&kvm, options->times, NULL, report))
                        judge(&kvm, report);
        }
        kvm_close(&kvm);
}

static void usage(FILE *stream) {
        (void) fprintf(stream, "Usage: nestvirt-probe [--json] [--times] [--device=PATH]\n"
                               "\n"
                               "Runs a guest in a guest for a moment, says whether it could, and counts what it cost.\n"
                               "\n"
                               "  -j, --json         print JSON\n"
                               "  -t, --times        measure times, too, which takes some seconds\n"
                               "      --device=PATH  where the device of KVM is, if not at /dev/kvm\n");
}

/* Returns an exit status, or -1 to go on. */
static int parse(int argc, char **argv, Options *ret) {
        static const struct option long_options[] = {
                        {"json", no_argument, NULL, 'j'},         {"times", no_argument, NULL, 't'},
                        {"device", required_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'},
                        {"version", no_argument, NULL, 'v'},      {},
        };
        int c;

        while ((c = getopt_long(argc, argv, "jth", long_options, NULL)) >= 0)
                switch (c) {
                case 'j':
                        ret->json = true;
                        break;
                case 't':
                        ret->times = true;
                        break;
                case 'd':
                        ret->device = optarg;
                        break;
                case 'h':
                        usage(stdout);
                        return 0;
                case 'v':
                        (void) puts("nestvirt-probe " VERSION);
                        return 0;
                default:
                        usage(stderr);
                        return EXIT_USAGE;
                }
        if (optind == argc)
                return -1;
        usage(stderr);
        return EXIT_USAGE;
}

int main(int argc, char **argv) {
        Options options = {.device = "/dev/kvm"};
        static Report report;

        int r = parse(argc, argv, &options);
        if (r >= 0)
                return r;
        probe(&options, &report);
        r = options.json ? print_json(&report) : print_text(&report);
        if (r < 0) {
                (void) fprintf(stderr, "nestvirt-probe: Cannot print: %s\n", strerror(-r));
                return 1;
        }
        return report_exit_status(&report);
}
