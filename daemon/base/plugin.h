/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Parts of the daemon and of the client that are loaded when they are first needed, as the
 * libraries that come with them are large. Only from beside the program, as in a build tree, or
 * from where they are installed: nothing in the environment can name another. */

#include <glib.h>

/* What @symbol of the shared object @file is, or NULL. It stays loaded. */
gpointer plugin_symbol(const char *file, const char *symbol, GError **error);
