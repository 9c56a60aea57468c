/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Parts of the daemon and of the client that are loaded when they are first needed, as the
 * libraries that come with them are large. Only from beside the program, as in a build tree, or
 * from where they are installed: nothing in the environment can name another. */

#include <glib.h>

/* What @symbol of the shared object @file is, or NULL. It stays loaded. */
gpointer plugin_symbol(const char *file, const char *symbol, GError **error);
/* Opens @library, which a module comes with, before the module does that: its symbols, and those of
 * what it brings along, are looked for among themselves first, and not in all that the program has.
 * Of thousands, as C++ has them, that is half the time that loading takes. For a library that is
 * handed no memory that it frees, nor the other way round, other than by its own functions. One
 * that is not there is the module's to miss. */
void plugin_library_apart(const char *library);
