/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The two tables. It must not know what a verb does. */

#include <getopt.h>

#include "command.h"
#include "verbs.h"

/* clang-format off */
static const Verb verbs[] = {
        { "status",        NULL,               0, 0,        ROOT,       "The host, modules, parameters, guests on one screen (default)",  verb_status },
        { "check",         NULL,               0, 0,        ROOT,       "What is wrong, or may surprise, and how to mend it",            verb_check },
        { "show",          "[PARAMETER…]",     0, G_MAXINT, ALL | ROOT, "A line for each parameter; all that is known of those named",   verb_show },
        { "set",           "PARAMETER=VALUE…", 1, G_MAXINT, SETTING, "Set parameters, all of them or none",                           verb_set },
        { "reset",         "[PARAMETER…]",     0, G_MAXINT, SETTING, "Take back what was set, all of it if nothing is named",         verb_reset },
        { "apply",         "[FILE…]",          0, G_MAXINT, APPLYING | ROOT, "Bring about the desired state: that of /etc/nestvirt, or of files", verb_apply },
        { "reload",        NULL,               0, 0,        DRY_RUN, "Load KVM anew, with what is configured",                        verb_reload },
        { "cancel",        NULL,               0, 0,        0,       "Stop waiting for idle; what is configured stays",               verb_cancel },
        { "users",         NULL,               0, 0,        0,       "Who uses KVM now",                                              verb_users },
        { "guests",        NULL,               0, 0,        ROOT,       "Which guests can run guests of their own, a line each",         verb_guests },
        { "guest",         "NAME",             1, 1,        ROOT,       "All that is known of one guest, by name or UUID",               verb_guest },
        { "set-cpu",       "NAME…",            0, G_MAXINT, CPU | ALL | EXCEPT, "Change the CPU that guests are defined with, by name or pattern", verb_set_cpu },
        { "prepare",       "NAME RECIPE",      2, 2,        DRY_RUN | RELEASE, "Make a guest fit to run guests: kvm, proxmox, hyperv, esxi", verb_prepare },
        { "probe",         NULL,               0, 0,        TIMES,   "Run a guest in a guest, and count what it costs",               verb_probe },
        { "fingerprint",   NULL,               0, 0,        0,       "What guests that are to have guests are offered here",         verb_fingerprint },
        { "compare",       "FILE [FILE]",      1, 2,        0,       "Whether such guests of one host can run on another",            verb_compare },
        { "stat",          "[GUEST…]",         0, G_MAXINT, REPEATING, "What KVM counts of the guests that run: exits and more",        verb_stat },
        { "exits",         "[GUEST]",          0, 1,        REPEATING, "Why guests exit to the host, counted as they do (root)",        verb_exits },
        { "ensure-device", NULL,               0, 0,        DRY_RUN, "Make or mend /dev/kvm",                                         verb_ensure_device },
        { "metrics",       NULL,               0, 0,        0,       "The state as numbers, for Prometheus' node_exporter",            verb_metrics },
        { "labels",        NULL,               0, 0,        0,       "The same in a few words, for Kubernetes' Node Feature Discovery", verb_labels },
        { "monitor",       NULL,               0, 0,        0,       "Tell what changes, as it changes",                              verb_monitor },
        { "patch-xml",     "[FILE]",           0, 1,        PATCHING,"Edit the CPU in the XML of a guest, without libvirt",           verb_patch_xml },
        { "help",          NULL,               0, 0,        0,       "This text",                                                     NULL },
};

static const Option options[] = {
        { "all",             OPTION_ALL,             no_argument,       NULL,                 ALL,       "All that is known, of every parameter; every guest" },
        { "except",          OPTION_EXCEPT,          required_argument, "PATTERN",            EXCEPT,    "But for the guests that are called so" },
        { "dry-run",         OPTION_DRY_RUN,         no_argument,       NULL,                 DRY_RUN,   "Say what would be done, and do nothing" },
        { "check",           OPTION_CHECK,           optional_argument, "effective",          CHECK,     "Say only in what the host differs, and exit with 3 if it does" },
        { "when",            OPTION_WHEN,            required_argument, "idle|now|boot",      WHEN,      "Instead of what the files say" },
        { "only",            OPTION_ONLY,            required_argument, "parameters|guests",  ONLY,      "One of both alone" },
        { "runtime",         OPTION_RUNTIME,         no_argument,       NULL,                 RUNTIME,   "In effect now, and gone with the next boot" },
        { "next-boot",       OPTION_NEXT_BOOT,       no_argument,       NULL,                 NEXT_BOOT, "Kept, but not in effect now" },
        { "when-idle",       OPTION_WHEN_IDLE,       no_argument,       NULL,                 WHEN_IDLE, "Kept, and in effect as soon as nobody uses KVM" },
        { "wait",            OPTION_WAIT,            no_argument,       NULL,                 WAIT,      "With --when-idle: until it is in effect" },
        { "verify",          OPTION_VERIFY,          no_argument,       NULL,                 VERIFY,    "Then run the probe, to prove that it is on or off" },
        { "nested",          OPTION_NESTED,          required_argument, "yes|no",             NESTED,    "The guest may run guests, or may not" },
        { "mode",            OPTION_MODE,            required_argument, "MODE",               MODE,      "host-model, host-passthrough, maximum or custom" },
        { "model",           OPTION_MODEL,           required_argument, "MODEL",              MODEL,     "The CPU model, for the mode custom" },
        { "recipe",          OPTION_RECIPE,          required_argument, "RECIPE",             RECIPE,    "What the guest is to be: kvm, proxmox, hyperv, esxi" },
        { "release",         OPTION_RELEASE,         required_argument, "RELEASE",            RELEASE,   "Which release of it, for esxi" },
        { "vendor",          OPTION_VENDOR,          required_argument, "VENDOR",             VENDOR,    "Of the CPU that the guest will run on: intel, amd, hygon, zhaoxin" },
        { "times",           OPTION_TIMES,           no_argument,       NULL,                 TIMES,     "Measure times as well, which takes some seconds" },
        { "interval",        OPTION_INTERVAL,        required_argument, "SECONDS",            INTERVAL,  "Again and again, with the rates between" },
        { "count",           OPTION_COUNT,           required_argument, "NUMBER",             COUNT,     "So often" },
        { "json",            OPTION_JSON,            optional_argument, "short|pretty|off",   ANY,       "Results and errors as JSON" },
        { NULL,              'j',                    no_argument,       NULL,                 ANY,       "--json=pretty on a terminal, else --json=short" },
        { "quiet",           'q',                    no_argument,       NULL,                 ANY,       "No results: errors and the exit status say it" },
        { "host",            'H',                    required_argument, "[USER@]HOST",        ANY,       "Do it on another host, by ssh" },
        { "root",            OPTION_ROOT,            required_argument, "DIR",                ROOT,      "Look at the host whose files are in DIR: an image, a disk, a sosreport" },
        { "no-ask-password", OPTION_NO_ASK_PASSWORD, no_argument,       NULL,                 ANY,       "Fail where polkit would have to ask" },
        { "no-pager",        OPTION_NO_PAGER,        no_argument,       NULL,                 ANY,       "Long output without a pager" },
        { "help",            'h',                    no_argument,       NULL,                 ANY,       "This text" },
        { "version",         OPTION_VERSION,         no_argument,       NULL,                 ANY,       "The version of this program" },
};
/* clang-format on */

const Verb *command_verb(const char *name) {
        for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
                if (g_str_equal(verbs[i].name, name))
                        return &verbs[i];
        return NULL;
}

const Option *command_option(int value) {
        for (gsize i = 0; i < G_N_ELEMENTS(options); i++)
                if (options[i].value == value)
                        return &options[i];
        return NULL;
}

const Verb *command_verbs(gsize *ret_n) {
        *ret_n = G_N_ELEMENTS(verbs);
        return verbs;
}

const Option *command_options(gsize *ret_n) {
        *ret_n = G_N_ELEMENTS(options);
        return options;
}
