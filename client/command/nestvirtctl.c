/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl: one run of it, from the command line to the exit status. It must not know what a
 * verb does. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "arguments.h"
#include "help.h"
#include "names.h"
#include "spelling.h"

static int fail_verb(const Client *client, const char *name) {
        const char *best = NULL;
        unsigned least = 3;
        gsize n;
        const Verb *verbs = command_verbs(&n);

        for (gsize i = 0; i < n && strlen(name) < 32; i++) {
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

static int print_help(Client *client) {
        help_print(client);
        return 0;
}

static int print_version(Client *client) {
        client->quiet = false;
        output_text(client->out, STYLE_PLAIN, "nestvirtctl " VERSION);
        output_newline(client->out);
        return 0;
}

/* What the options of the verb come to. */
static void apply(Client *client, const Arguments *arguments) {
        const unsigned bits = arguments->bits;

        client->wait = bits & WAIT;
        client->verify = bits & VERIFY;
        client->times = bits & TIMES;
        client->all = bits & ALL;
        client->flags = (bits & DRY_RUN ? FLAG_DRY_RUN : 0) | (bits & RUNTIME ? FLAG_RUNTIME : 0) |
                        (bits & NEXT_BOOT ? FLAG_NEXT_BOOT : 0) | (bits & WHEN_IDLE ? FLAG_WHEN_IDLE : 0);
}

/* As of the operands of ls(1). */
static void print_heading(const Client *client, unsigned i) {
        if (client->json != JSON_OFF || client->roots->len == 1)
                return;
        if (i > 0)
                output_newline(client->out);
        output_printf(client->out, STYLE_BOLD, "%s:", client->root);
        output_newline(client->out);
}

/* One after the other, whatever comes of each. What a program reads is written as it comes; people
 * may want it in a pager. The highest of their exit statuses. */
static int run_roots(Client *client, const Verb *verb, char **words) {
        int status = 0;

        for (unsigned i = 0; i < client->roots->len; i++) {
                client->root = g_ptr_array_index(client->roots, i);
                print_heading(client, i);
                const int one = verb->run(client, words);
                status = MAX(status, one);
                client->bus = sd_bus_flush_close_unref(client->bus);
                if (client->json != JSON_OFF && !client->quiet && !output_flush(client->out, false))
                        return MAX(status, EXIT_FAILURE);
        }
        return status;
}

static int run(Client *client, const Arguments *arguments, char **words) {
        const char *name = *words ?: "status";
        const Verb *verb = command_verb(name);
        int status;

        if (arguments->help)
                return print_help(client);
        if (arguments->version)
                return print_version(client);
        if (!verb)
                return fail_verb(client, name);
        words += *words != NULL;
        status = arguments_check(client, verb, arguments) ?: check_words(client, verb, words);
        if (status != 0)
                return status;
        if (!verb->run)
                return print_help(client);
        client->verb = verb->name;
        apply(client, arguments);
        return client->roots->len > 0 ? run_roots(client, verb, words) : verb->run(client, words);
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
        g_ptr_array_unref(client->guest.except);
        g_ptr_array_unref(client->roots);
        (void) sd_bus_flush_close_unref(client->bus);
        trees_free(client->trees);
        value_free(client->holders);
        return status;
}

int main(int argc, char **argv) {
        Client client = {.ask_password = true,
                         .pager = true,
                         .guest.except = g_ptr_array_new(),
                         .roots = g_ptr_array_new()};
        Arguments arguments = {};
        int status;

        status = arguments_parse(&client, argc, argv, &arguments);
        client.out = output_new(client.json == JSON_OFF && output_wants_colours());
        if (status == 0)
                status = run(&client, &arguments, argv + optind);
        return finish(&client, status);
}
