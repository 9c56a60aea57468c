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

typedef enum Form { FORM_TEXT, FORM_JSON, FORM_VARIANT } Form;

typedef struct Options {
        Form form;
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
        report_add(report, "%s.", why);
}

/* VMCS shadowing can't be asked for; it can be counted. */
static void judge(Report *report) {
        uint64_t round_trip, access;

        (void) conclude(report, RESULT_ON, "Nested virtualization works: a guest of a guest ran.");
        if (!report_get_count(report, NULL, "round_trip", &round_trip))
                report_add(report, "This kernel does not count exits, so that it is not known what it costs.");
        else if (report_get_count(report, NULL, "vmcs_access", &access))
                report_add(report,
                           access == 0 ? "VMCS shadowing is in use."
                                       : "VMCS shadowing is not in use: each time that a guest hypervisor looks at its "
                                         "VMCS it exits to the host.");
}

static void probe(const Options *options, Report *report) {
        Kvm kvm;

        if (kvm_open(&kvm, options->device, report)) {
                const bool proven = proof_run(&kvm, NULL, report);
                if (kvm.forced)
                        judge_forced(&kvm, proven, report);
                else if (proven && table_run(&kvm, options->times, NULL, report))
                        judge(report);
        }
        kvm_close(&kvm);
}

static void usage(FILE *stream) {
        (void) fprintf(stream, "Usage: nestvirt-probe [OPTION…]\n"
                               "\n"
                               "Runs a guest in a guest for a moment, says whether it could, and counts what it cost.\n"
                               "\n"
                               "  -j, --json                  print JSON\n"
                               "      --variant               print a dictionary in GLib's text format\n"
                               "      --measure=counts|times  times take some seconds more\n"
                               "      --device=PATH           the device of KVM, if not /dev/kvm\n");
}

static bool parse_measure(const char *word, Options *ret) {
        ret->times = strcmp(word, "times") == 0;
        return ret->times || strcmp(word, "counts") == 0;
}

enum { OPTION_VARIANT = 0x100, OPTION_MEASURE, OPTION_DEVICE, OPTION_VERSION };

/* Returns an exit status, or -1 to go on. */
static int take_option(int option, Options *ret) {
        switch (option) {
        case 'j':
                ret->form = FORM_JSON;
                return -1;
        case OPTION_VARIANT:
                ret->form = FORM_VARIANT;
                return -1;
        case OPTION_MEASURE:
                if (parse_measure(optarg, ret))
                        return -1;
                break;
        case OPTION_DEVICE:
                ret->device = optarg;
                return -1;
        case 'h':
                usage(stdout);
                return 0;
        case OPTION_VERSION:
                (void) puts("nestvirt-probe " VERSION);
                return 0;
        default:
                break;
        }
        usage(stderr);
        return EXIT_USAGE;
}

static int parse(int argc, char **argv, Options *ret) {
        static const struct option long_options[] = {
                        {"json", no_argument, NULL, 'j'},
                        {"variant", no_argument, NULL, OPTION_VARIANT},
                        {"measure", required_argument, NULL, OPTION_MEASURE},
                        {"device", required_argument, NULL, OPTION_DEVICE},
                        {"output", required_argument, NULL},
                        {"help", no_argument, NULL, 'h'},
                        {"version", no_argument, NULL, OPTION_VERSION},
                        {},
        };
        int option;

        while ((option = getopt_long(argc, argv, "jh", long_options, NULL)) >= 0) {
                const int r = take_option(option, ret);
                if (r >= 0)
                        return r;
        }
        if (optind == argc)
                return -1;
        usage(stderr);
        return EXIT_USAGE;
}

static int print(const Options *options, const Report *report) {
        switch (options->form) {
        case FORM_JSON:
                return print_report(PRINT_JSON, report);
        case FORM_VARIANT:
                return print_report(PRINT_VARIANT, report);
        default:
                return print_text(report);
        }
}

int main(int argc, char **argv) {
        Options options = {.device = "/dev/kvm"};
        static Report report;

        int r = parse(argc, argv, &options);
        if (r >= 0)
                return r;
        probe(&options, &report);
        r = print(&options, &report);
        if (r < 0) {
                (void) fprintf(stderr, "nestvirt-probe: Cannot print: %s\n", strerror(-r));
                return 1;
        }
        return report_exit_status(&report);
}
