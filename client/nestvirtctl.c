/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl: the command line. Two tables say which verbs and options there are; help, completion
 * and manual follow them. It must not know what a verb does. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "names.h"
#include "spelling.h"
#include "verbs.h"

/* Bits of Verb.options and Option.bit. */
enum {
        ANY = 0, /* an option that every verb takes */
        DRY_RUN = 1 << 0,
        RUNTIME = 1 << 1,
        NEXT_BOOT = 1 << 2,
        WHEN_IDLE = 1 << 3,
        WAIT = 1 << 4,
        NESTED = 1 << 5,
        MODE = 1 << 6,
        MODEL = 1 << 7,
        RECIPE = 1 << 8,
        RELEASE = 1 << 9,
        VENDOR = 1 << 10,
        TIMES = 1 << 11,
        VERIFY = 1 << 12,
        INTERVAL = 1 << 13,
        COUNT = 1 << 14,
};
#define EXCLUSIVE (RUNTIME | NEXT_BOOT | WHEN_IDLE)
#define SETTING (DRY_RUN | EXCLUSIVE | WAIT | VERIFY)
#define REPEATING (INTERVAL | COUNT)
#define CPU (DRY_RUN | NESTED | MODE | MODEL)
#define PATCHING (DRY_RUN | NESTED | MODE | MODEL | RECIPE | RELEASE | VENDOR)

typedef struct Verb {
        const char *name;
        const char *words; /* what follows it, for help */
        unsigned min, max; /* number of words */
        unsigned options;
        const char *help;
        int (*run)(Client *client, char **words); /* NULL: help */
} Verb;

/* clang-format off */
static const Verb verbs[] = {
        { "status",        NULL,               0, 0,        0,       "The host, modules, parameters, guests on one screen (default)",  verb_status },
        { "check",         NULL,               0, 0,        0,       "What is wrong, or may surprise, and how to mend it",            verb_check },
        { "show",          "[PARAMETER…]",     0, G_MAXINT, 0,       "All that is known of parameters",                               verb_show },
        { "set",           "PARAMETER=VALUE…", 1, G_MAXINT, SETTING, "Set parameters, all of them or none",                           verb_set },
        { "reset",         "[PARAMETER…]",     0, G_MAXINT, SETTING, "Take back what was set, all of it if nothing is named",         verb_reset },
        { "reload",        NULL,               0, 0,        DRY_RUN, "Load KVM anew, with what is configured",                        verb_reload },
        { "cancel",        NULL,               0, 0,        0,       "Stop waiting for idle; what is configured stays",               verb_cancel },
        { "users",         NULL,               0, 0,        0,       "Who uses KVM now",                                              verb_users },
        { "guests",        NULL,               0, 0,        0,       "Which guests can run guests of their own, a line each",         verb_guests },
        { "guest",         "NAME",             1, 1,        0,       "All that is known of one guest, by name or UUID",               verb_guest },
        { "set-cpu",       "NAME",             1, 1,        CPU,     "Change the CPU that a guest is defined with",                   verb_set_cpu },
        { "prepare",       "NAME RECIPE",      2, 2,        DRY_RUN | RELEASE, "Make a guest fit to run guests: kvm, proxmox, hyperv, esxi", verb_prepare },
        { "probe",         NULL,               0, 0,        TIMES,   "Run a guest in a guest, and count what it costs",               verb_probe },
        { "stat",          "[GUEST…]",         0, G_MAXINT, REPEATING, "What KVM counts of the guests that run: exits and more",        verb_stat },
        { "exits",         "[GUEST]",          0, 1,        REPEATING, "Why guests exit to the host, counted as they do (root)",        verb_exits },
        { "ensure-device", NULL,               0, 0,        DRY_RUN, "Make or mend /dev/kvm",                                         verb_ensure_device },
        { "monitor",       NULL,               0, 0,        0,       "Tell what changes, as it changes",                              verb_monitor },
        { "patch-xml",     "[FILE]",           0, 1,        PATCHING,"Edit the CPU in the XML of a guest, without libvirt",           verb_patch_xml },
        { "help",          NULL,               0, 0,        0,       "This text",                                                     NULL },
};

/* The characters of short options; long ones without have numbers that are no characters. */
enum {
        OPTION_NO_ASK_PASSWORD = 0x100,
        OPTION_NO_PAGER,
        OPTION_DRY_RUN,
        OPTION_RUNTIME,
        OPTION_NEXT_BOOT,
        OPTION_WHEN_IDLE,
        OPTION_WAIT,
        OPTION_VERIFY,
        OPTION_NESTED,
        OPTION_MODE,
        OPTION_MODEL,
        OPTION_RECIPE,
        OPTION_RELEASE,
        OPTION_VENDOR,
        OPTION_TIMES,
        OPTION_INTERVAL,
        OPTION_COUNT,
        OPTION_VERSION,
        OPTION_JSON,
};

typedef struct Option {
        const char *name; /* NULL: only short */
        int value;
        int argument; /* as getopt_long(3) has it */
        const char *argument_name;
        unsigned bit; /* which verbs take it, ANY: all */
        const char *help;
} Option;

static const Option options[] = {
        { "dry-run",         OPTION_DRY_RUN,         no_argument,       NULL,                 DRY_RUN,   "Say what would be done, and do nothing" },
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
        { "vendor",          OPTION_VENDOR,          required_argument, "intel|amd",          VENDOR,    "Of the CPU that the guest will run on" },
        { "times",           OPTION_TIMES,           no_argument,       NULL,                 TIMES,     "Measure times as well, which takes some seconds" },
        { "interval",        OPTION_INTERVAL,        required_argument, "SECONDS",            INTERVAL,  "Again and again, with the rates between" },
        { "count",           OPTION_COUNT,           required_argument, "NUMBER",             COUNT,     "So often" },
        { "json",            OPTION_JSON,            optional_argument, "short|pretty|off",   ANY,       "Results and errors as JSON" },
        { NULL,              'j',                    no_argument,       NULL,                 ANY,       "--json=pretty on a terminal, else --json=short" },
        { "quiet",           'q',                    no_argument,       NULL,                 ANY,       "No results: errors and the exit status say it" },
        { "host",            'H',                    required_argument, "[USER@]HOST",        ANY,       "Do it on another host, by ssh" },
        { "no-ask-password", OPTION_NO_ASK_PASSWORD, no_argument,       NULL,                 ANY,       "Fail where polkit would have to ask" },
        { "no-pager",        OPTION_NO_PAGER,        no_argument,       NULL,                 ANY,       "Long output without a pager" },
        { "help",            'h',                    no_argument,       NULL,                 ANY,       "This text" },
        { "version",         OPTION_VERSION,         no_argument,       NULL,                 ANY,       "The version of this program" },
};
/* clang-format on */

static void print_row(Output *out, const char *left, const char *right) {
        const unsigned width = output_width(left), column = 30;

        output_pad(out, 2);
        output_text(out, STYLE_PLAIN, left);
        output_pad(out, width < column ? column - width : 1);
        output_text(out, STYLE_PLAIN, right);
        output_newline(out);
}

static char *option_spelling(const Option *option) {
        g_autofree char *brief = option->value < OPTION_NO_ASK_PASSWORD ? g_strdup_printf("-%c", option->value) : NULL;
        const char *argument = option->argument_name;

        if (!option->name)
                return g_steal_pointer(&brief);
        return g_strdup_printf("%s%s--%s%s%s%s", brief ?: "", brief ? ", " : "", option->name,
                               !argument                               ? ""
                               : option->argument == optional_argument ? "[="
                                                                       : "=",
                               argument ?: "", option->argument == optional_argument ? "]" : "");
}

static int print_help(Client *client) {
        Output *out = client->out;

        client->quiet = false;
        output_text(out, STYLE_PLAIN, "nestvirtctl [OPTION…] [VERB …]");
        output_newline(out);
        output_newline(out);
        output_text(out, STYLE_PLAIN, "See and change nested virtualization on this host.");
        output_newline(out);
        output_newline(out);
        output_text(out, STYLE_BOLD, "Verbs:");
        output_newline(out);
        for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
                g_autofree char *left = g_strdup_printf("%s%s%s", verbs[i].name, verbs[i].words ? " " : "",
                                                        verbs[i].words ?: "");
                print_row(out, left, verbs[i].help);
        }
        output_newline(out);
        output_text(out, STYLE_BOLD, "Options:");
        output_newline(out);
        for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
                g_autofree char *left = option_spelling(&options[i]);
                print_row(out, left, options[i].help);
        }
        output_newline(out);
        output_text(out, STYLE_PLAIN, "More is in the manual: man nestvirtctl");
        output_newline(out);
        return 0;
}

static const Verb *verb_find(const char *name) {
        for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
                if (g_str_equal(verbs[i].name, name))
                        return &verbs[i];
        return NULL;
}

static const Option *option_find(int value) {
        for (gsize i = 0; i < G_N_ELEMENTS(options); i++)
                if (options[i].value == value)
                        return &options[i];
        return NULL;
}

static int fail_verb(const Client *client, const char *name) {
        const char *best = NULL;
        unsigned least = 3;

        for (gsize i = 0; i < G_N_ELEMENTS(verbs) && strlen(name) < 32; i++) {
                const unsigned d = spelling_distance(name, verbs[i].name);
                if (d < least) {
                        least = d;
                        best = verbs[i].name;
                }
        }
        if (best)
                return client_usage(client, "no verb is called \"%s\" (did you mean \"%s\"?)", name, best);
        return client_usage(client, "no verb is called \"%s\"", name);
}

/* False when the word is none of ours. */
static bool parse_json(Client *client, const char *word) {
        if (!word)
                client->json = isatty(STDOUT_FILENO) ? JSON_PRETTY : JSON_SHORT;
        else if (g_str_equal(word, "short"))
                client->json = JSON_SHORT;
        else if (g_str_equal(word, "pretty"))
                client->json = JSON_PRETTY;
        else if (g_str_equal(word, "off"))
                client->json = JSON_OFF;
        else
                return false;
        return true;
}

typedef struct Arguments {
        unsigned bits; /* options given that not every verb takes */
        bool help, version;
} Arguments;

static void take_guest_option(GuestOptions *guest, int value) {
        const char **const where = value == OPTION_NESTED    ? &guest->nested
                                   : value == OPTION_MODE    ? &guest->mode
                                   : value == OPTION_MODEL   ? &guest->model
                                   : value == OPTION_RECIPE  ? &guest->recipe
                                   : value == OPTION_RELEASE ? &guest->release
                                   : value == OPTION_VENDOR  ? &guest->vendor
                                                             : NULL;

        if (where)
                *where = optarg;
}

static void take_interval_option(Client *client, int value) {
        if (value == OPTION_INTERVAL)
                client->interval = optarg;
        else if (value == OPTION_COUNT)
                client->count = optarg;
}

static void take_option(Client *client, Arguments *arguments, int value) {
        const Option *option = option_find(value);

        arguments->bits |= option ? option->bit : 0;
        switch (value) {
        case 'q':
                client->quiet = true;
                break;
        case 'H':
                client->host = optarg;
                break;
        case OPTION_NO_ASK_PASSWORD:
                client->ask_password = false;
                break;
        case OPTION_NO_PAGER:
                client->pager = false;
                break;
        case 'h':
                arguments->help = true;
                break;
        case OPTION_VERSION:
                arguments->version = true;
                break;
        default:
                take_guest_option(&client->guest, value);
                take_interval_option(client, value);
        }
}

/* A list for getopt_long(3), ended by an empty entry. */
static struct option *long_options(void) {
        struct option *list = g_new0(struct option, G_N_ELEMENTS(options) + 1);
        size_t n = 0;

        for (gsize i = 0; i < G_N_ELEMENTS(options); i++)
                if (options[i].name)
                        list[n++] = (struct option) {.name = options[i].name,
                                                     .has_arg = options[i].argument,
                                                     .val = options[i].value};
        return list;
}

/* What getopt_long(3) did not like: @word is the last one that it took. */
static char *describe_refusal(int c, const char *word) {
        const bool is_long = g_str_has_prefix(word, "--");
        const Option *option = optopt ? option_find(optopt) : NULL;

        if (c == ':')
                return g_strdup_printf("the option %s needs a value", word);
        if (option && is_long)
                return g_strdup_printf("the option --%s takes no value", option->name);
        if (optopt)
                return g_strdup_printf("there is no option -%c", optopt);
        return g_strdup_printf("there is no option %s, or it could be several", word);
}

/* 0, or an exit status. All are read before one is complained of: --json may come later. */
static int parse_options(Client *client, Arguments *arguments, int argc, char **argv) {
        g_autofree struct option *list = long_options();
        g_autofree char *refusal = NULL;
        int c;

        opterr = 0;
        while ((c = getopt_long(argc, argv, ":hjqH:", list, NULL)) >= 0) {
                if (c == ':' || c == '?')
                        refusal = refusal ?: describe_refusal(c, argv[optind - 1]);
                else if (c != 'j' && c != OPTION_JSON)
                        take_option(client, arguments, c);
                else if (!parse_json(client, c == 'j' ? NULL : optarg))
                        refusal = refusal ?: g_strdup_printf("--json is short, pretty or off, not \"%s\"", optarg);
        }
        return refusal ? client_usage(client, "%s", refusal) : 0;
}

static int check_options(const Client *client, const Verb *verb, unsigned bits) {
        const unsigned exclusive = bits & EXCLUSIVE;

        for (gsize i = 0; i < G_N_ELEMENTS(options); i++)
                if (options[i].bit & bits & ~verb->options)
                        return client_usage(client, "%s takes no --%s", verb->name, options[i].name);
        if (exclusive & (exclusive - 1))
                return client_usage(client, "--runtime, --next-boot and --when-idle exclude each other");
        if ((bits & WAIT) && !(bits & WHEN_IDLE))
                return client_usage(client, "--wait is for --when-idle");
        if ((bits & VERIFY) && ((bits & (DRY_RUN | NEXT_BOOT)) || ((bits & WHEN_IDLE) && !(bits & WAIT))))
                return client_usage(client, "--verify is for what is in effect when the command ends");
        return 0;
}

static int check_words(const Client *client, const Verb *verb, char **words) {
        const unsigned n = g_strv_length(words);

        if (n < verb->min)
                return client_usage(client, "%s needs %s", verb->name, verb->words);
        if (n > verb->max)
                return client_usage(client, "%s takes nothing%s, but there is \"%s\"", verb->name,
                                    verb->max > 0 ? " more" : "", words[verb->max]);
        for (char **word = words; *word; word++)
                if (!g_utf8_validate(*word, -1, NULL))
                        return client_usage(client, "\"%s\" is not UTF-8", *word);
        return 0;
}

static int run(Client *client, const Arguments *arguments, char **words) {
        const char *name = *words ?: "status";
        const Verb *verb = verb_find(name);
        int status;

        if (arguments->help)
                return print_help(client);
        if (arguments->version) {
                client->quiet = false;
                output_text(client->out, STYLE_PLAIN, "nestvirtctl " VERSION);
                output_newline(client->out);
                return 0;
        }
        if (!verb)
                return fail_verb(client, name);
        words += *words != NULL;
        status = check_options(client, verb, arguments->bits) ?: check_words(client, verb, words);
        if (status != 0)
                return status;
        if (!verb->run)
                return print_help(client);
        client->verb = verb->name;
        client->wait = arguments->bits & WAIT;
        client->verify = arguments->bits & VERIFY;
        client->times = arguments->bits & TIMES;
        client->flags = (arguments->bits & DRY_RUN ? FLAG_DRY_RUN : 0) |
                        (arguments->bits & RUNTIME ? FLAG_RUNTIME : 0) |
                        (arguments->bits & NEXT_BOOT ? FLAG_NEXT_BOOT : 0) |
                        (arguments->bits & WHEN_IDLE ? FLAG_WHEN_IDLE : 0);
        return verb->run(client, words);
}

/* Errors have been printed already; results only now, as they are whole. */
static int finish(Client *client, int status) {
        agent_stop();
        if (client->quiet)
                output_discard(client->out);
        if (!output_flush(client->out, client->pager && client->json == JSON_OFF) && status == 0) {
                (void) fprintf(stderr, "Cannot write to standard output: %m\n");
                status = EXIT_FAILURE;
        }
        output_free(client->out);
        (void) sd_bus_flush_close_unref(client->bus);
        return status;
}

int main(int argc, char **argv) {
        Client client = {.ask_password = true, .pager = true};
        Arguments arguments = {};
        int status;

        status = parse_options(&client, &arguments, argc, argv);
        client.out = output_new(client.json == JSON_OFF && output_wants_colours());
        if (status == 0)
                status = run(&client, &arguments, argv + optind);
        return finish(&client, status);
}
