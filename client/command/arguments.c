/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* getopt_long(3) over the table. It must not know a verb. */

#include <getopt.h>
#include <unistd.h>

#include "arguments.h"

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

static void take_guest_option(GuestOptions *guest, int value) {
        const char **const where = value == OPTION_NESTED    ? &guest->nested
                                   : value == OPTION_MODE    ? &guest->mode
                                   : value == OPTION_MODEL   ? &guest->model
                                   : value == OPTION_RECIPE  ? &guest->recipe
                                   : value == OPTION_RELEASE ? &guest->release
                                   : value == OPTION_VENDOR  ? &guest->vendor
                                   : value == OPTION_GUEST   ? &guest->name
                                                             : NULL;

        if (where)
                *where = optarg;
        if (value == OPTION_EXCEPT)
                g_ptr_array_add(guest->except, optarg);
}

static void take_apply_option(ApplyOptions *apply, int value) {
        if (value == OPTION_WHEN)
                apply->when = optarg;
        else if (value == OPTION_ONLY)
                apply->only = optarg;
        else if (value == OPTION_CHECK) {
                apply->check = true;
                apply->extent = optarg;
        }
}

static void take_interval_option(Client *client, int value) {
        if (value == OPTION_INTERVAL)
                client->interval = optarg;
        else if (value == OPTION_COUNT)
                client->count = optarg;
}

static void take_option(Client *client, Arguments *arguments, int value) {
        const Option *option = command_option(value);

        arguments->bits |= option ? option->bit : 0;
        switch (value) {
        case 'q':
                client->quiet = true;
                break;
        case 'H':
                client->host = optarg;
                break;
        case OPTION_ROOT:
                g_ptr_array_add(client->roots, optarg);
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
                take_apply_option(&client->apply, value);
                take_interval_option(client, value);
        }
}

/* A list for getopt_long(3), ended by an empty entry. */
static struct option *long_options(void) {
        gsize n, named = 0;
        const Option *options = command_options(&n);
        struct option *list = g_new0(struct option, n + 1);

        for (gsize i = 0; i < n; i++)
                if (options[i].name)
                        list[named++] = (struct option) {.name = options[i].name,
                                                         .has_arg = options[i].argument,
                                                         .val = options[i].value};
        return list;
}

/* What getopt_long(3) did not like: @word is the last one that it took. */
static char *describe_refusal(int c, const char *word) {
        const bool is_long = g_str_has_prefix(word, "--");
        const Option *option = optopt ? command_option(optopt) : NULL;

        if (c == ':')
                return g_strdup_printf("the option %s needs a value", word);
        if (option && is_long)
                return g_strdup_printf("the option --%s takes no value", option->name);
        if (optopt)
                return g_strdup_printf("there is no option -%c", optopt);
        return g_strdup_printf("there is no option %s, or it could be several", word);
}

int arguments_parse(Client *client, int argc, char **argv, Arguments *ret) {
        g_autofree struct option *list = long_options();
        g_autofree char *refusal = NULL;
        int c;

        opterr = 0;
        while ((c = getopt_long(argc, argv, ":hjqH:", list, NULL)) >= 0) {
                if (c == ':' || c == '?')
                        refusal = refusal ?: describe_refusal(c, argv[optind - 1]);
                else if (c != 'j' && c != OPTION_JSON)
                        take_option(client, ret, c);
                else if (!parse_json(client, c == 'j' ? NULL : optarg))
                        refusal = refusal ?: g_strdup_printf("--json is short, pretty or off, not \"%s\"", optarg);
        }
        return refusal ? client_usage(client, "%s", refusal) : 0;
}

int arguments_check(const Client *client, const Verb *verb, const Arguments *arguments) {
        const unsigned bits = arguments->bits;
        const unsigned exclusive = bits & EXCLUSIVE;
        gsize n;
        const Option *options = command_options(&n);

        if ((bits & ROOT) && !(verb->options & ROOT))
                return client_usage(client, "%s needs a system that runs, and --root=DIR is files", verb->name);
        if ((bits & ROOT) && client->host)
                return client_usage(client, "--root is for files that are here, so it excludes --host");
        for (gsize i = 0; i < n; i++)
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
