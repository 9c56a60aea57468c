/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Feeds every file of a folder to a fuzz target, without a fuzzer: the corpus as an ordinary test.
 * A folder with nothing in it is a failure.
 *
 *     replay FOLDER */

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

int main(int argc, char **argv) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GDir) folder = g_dir_open(argc == 2 ? argv[1] : "", 0, &error);
        unsigned n = 0;

        if (!folder) {
                (void) fprintf(stderr, "replay: %s\n", error->message);
                return EXIT_FAILURE;
        }
        for (const char *name; (name = g_dir_read_name(folder)); n++) {
                g_autofree char *path = g_build_filename(argv[1], name, NULL), *content = NULL, *exact = NULL;
                gsize size;
                if (!g_file_get_contents(path, &content, &size, &error)) {
                        (void) fprintf(stderr, "replay: %s\n", error->message);
                        return EXIT_FAILURE;
                }
                (void) printf("# %s\n", name);
                (void) fflush(stdout);
                /* Without the byte that GLib has put behind it. */
                exact = g_malloc(MAX(size, 1));
                for (gsize i = 0; i < size; i++)
                        exact[i] = content[i];
                (void) LLVMFuzzerTestOneInput((const uint8_t *) exact, size);
        }
        (void) printf("1..1\n%sok 1 - %u inputs\n", n > 0 ? "" : "not ", n);
        return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
