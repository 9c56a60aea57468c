/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks at the neighbours of a word in its line. What the words do is not asked here. */

#include "catalog.h"
#include "option-slip.h"

/* The word @n after the one at @at, when it is of the same line. The words of the kernel command
 * line are lines of their own. */
static const Option *neighbour(const Options *options, unsigned at, unsigned n) {
        const Option *first = g_ptr_array_index(options->options, at), *other;

        if (!first->path || at + n >= options->options->len)
                return NULL;
        other = g_ptr_array_index(options->options, at + n);
        return other->line == first->line && g_strcmp0(other->path, first->path) == 0 &&
                                               g_str_equal(other->module, first->module)
                               ? other
                               : NULL;
}

unsigned option_slip_comment(const Options *options, unsigned at) {
        const Option *first = neighbour(options, at, 0);
        unsigned n = 0;

        if (!first || *first->name != '#')
                return 0;
        while (neighbour(options, at, n))
                n++;
        return n;
}

/* The value that follows, and of how many words it is. */
static unsigned find_value(const Options *options, unsigned at, const char **ret) {
        const Option *first = neighbour(options, at, 0), *second = neighbour(options, at, 1);
        const Option *third = second ? neighbour(options, at, 2) : NULL;

        if (!first || !second || !second->bare || *first->name == '=')
                return 0;
        if (!first->bare) {
                *ret = second->name;
                return !*first->value && *second->name != '#' && !catalog_find(second->module, second->name) ? 2 : 0;
        }
        if (*second->name != '=')
                return 0;
        if (second->name[1]) {
                *ret = second->name + 1;
                return 2;
        }
        *ret = third && third->bare && *third->name != '#' ? third->name : "";
        return **ret ? 3 : 2;
}

unsigned option_slip_blanks(const Options *options, unsigned at, char **ret) {
        const Option *first = g_ptr_array_index(options->options, at);
        const char *value = NULL;
        const unsigned n = find_value(options, at, &value);

        if (n > 0 && ret)
                *ret = g_strdup_printf("%s=%s", first->name, *value ? value : "…");
        return n;
}
