/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Recipes over domain XML. The first byte chooses one, the rest is the XML. A recipe followed twice
 * must be the same as once. */

#include <glib.h>

#include "fuzz.h"
#include "recipe.h"

static const RecipeRequest requests[] = {
                {"kvm", "amd", NULL},   {"proxmox", "intel", NULL}, {"hyperv", "amd", NULL}, {"esxi", "intel", "6.7"},
                {"esxi", "amd", "7.0"}, {"esxi", "intel", "8"},     {"esxi", "amd", NULL},   {"frob", "amd", NULL},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free),
                             advice = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *xml = NULL, *once = NULL, *twice = NULL;
        g_autoptr(GError) error = NULL;

        if (size < 1)
                return 0;
        const RecipeRequest *request = &requests[data[0] % G_N_ELEMENTS(requests)];
        xml = g_strndup((const char *) data + 1, size - 1);
        once = recipe_apply(xml, request, steps, advice, &error);
        g_assert_true(!once == !!error);
        if (!once)
                return 0;
        twice = recipe_apply(once, request, steps, advice, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(once, ==, twice);
        return 0;
}
