/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the catalogue says of every parameter for one kernel, a line each: module, name, kind, how
 * the kernel keeps it (letters are values for it, or numbers alone), what may be given, the
 * default, the words to choose from. Tests compare that with kernels. It must not judge. */

#include <stdio.h>

#include "catalog.h"

static void print(const Parameter *parameter, const char *release) {
        g_autofree char *letter = catalog_parse(parameter, release, "Y");
        g_autofree char *allowed = catalog_allowed(parameter, release);
        g_autofree char *choices = parameter->choices ? g_strjoinv(",", (char **) parameter->choices) : g_strdup("");

        printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\n", parameter->module, parameter->name, kind_to_string(parameter->kind),
               letter ? "letters" : "numbers", allowed, catalog_default(parameter, release), choices);
}

int main(int argc, char **argv) {
        if (argc != 2) {
                fprintf(stderr, "Usage: %s KERNEL-RELEASE\n", argv[0]);
                return 2;
        }
        for (unsigned i = 0; i < n_catalog; i++)
                if (catalog_variant(&catalog[i], argv[1]) == &catalog[i])
                        print(&catalog[i], argv[1]);
        return 0;
}
