/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two columns of the tables. It must not know a verb or an option by its name. */

#include <getopt.h>

#include "command.h"
#include "help.h"

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

static void print_heading(Output *out, const char *heading) {
        output_newline(out);
        output_text(out, STYLE_BOLD, heading);
        output_newline(out);
}

static void print_verbs(Output *out) {
        gsize n;
        const Verb *verbs = command_verbs(&n);

        print_heading(out, "Verbs:");
        for (gsize i = 0; i < n; i++) {
                g_autofree char *left = g_strdup_printf("%s%s%s", verbs[i].name, verbs[i].words ? " " : "",
                                                        verbs[i].words ?: "");
                print_row(out, left, verbs[i].help);
        }
}

static void print_options(Output *out) {
        gsize n;
        const Option *options = command_options(&n);

        print_heading(out, "Options:");
        for (gsize i = 0; i < n; i++) {
                g_autofree char *left = option_spelling(&options[i]);
                print_row(out, left, options[i].help);
        }
}

void help_print(Client *client) {
        Output *out = client->out;

        client->quiet = false;
        output_text(out, STYLE_PLAIN, "nestvirtctl [OPTION…] [VERB …]");
        output_newline(out);
        output_newline(out);
        output_text(out, STYLE_PLAIN, "See and change nested virtualization on this host.");
        output_newline(out);
        print_verbs(out);
        print_options(out);
        output_newline(out);
        output_text(out, STYLE_PLAIN, "More is in the manual: man nestvirtctl");
        output_newline(out);
}
