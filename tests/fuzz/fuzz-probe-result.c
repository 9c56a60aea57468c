/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the probe has left. Only what the bus may tell comes of it, in its types; of another boot it
 * is stale; and printed again it is the same. */

#include <string.h>

#include "fuzz.h"
#include "probe-result.h"

#define BOOT "11111111-2222-3333-4444-555555555555"

static void check_keys(GVariant *result) {
        static const char *const known[] = {
                        "BootId s", "Counts a{st}", "Emulated b", "Message s",       "Parameters a{ss}",
                        "Result s", "Stale b",      "Time t",     "Times a{sa{st}}", NULL};
        GVariantIter iter;
        const char *name;
        GVariant *value;

        g_variant_iter_init(&iter, result);
        while (g_variant_iter_loop(&iter, "{&sv}", &name, &value)) {
                g_autofree char *word = g_strdup_printf("%s %s", name, g_variant_get_type_string(value));
                g_assert_true(g_strv_contains(known, word));
        }
        g_assert_true(g_variant_is_normal_form(result));
}

static void check_read_back(GVariant *result) {
        g_autofree char *text = g_variant_print(result, TRUE);

        fuzz_write(PROBE_RESULT_PATH, text, strlen(text));
        g_autoptr(GVariant) again = probe_result_read(fuzz_root(), BOOT);
        g_autoptr(GVariantDict) one = g_variant_dict_new(result), other = g_variant_dict_new(again);
        /* What says which loads it was found with is not published. */
        (void) g_variant_dict_remove(one, "Stale");
        (void) g_variant_dict_remove(other, "Stale");
        g_autoptr(GVariant) a = g_variant_ref_sink(g_variant_dict_end(one)),
                            b = g_variant_ref_sink(g_variant_dict_end(other));
        g_assert_cmpvariant(a, b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        size_t length;
        g_autofree char *text = fuzz_take_rest(&data, &size, &length);
        const char *boot = NULL;
        gboolean stale;

        fuzz_write(PROBE_RESULT_PATH, text, length);
        g_autoptr(GVariant) result = probe_result_read(fuzz_root(), BOOT);
        check_keys(result);
        (void) g_variant_lookup(result, "BootId", "&s", &boot);
        if (g_variant_lookup(result, "Stale", "b", &stale) && g_strcmp0(boot, BOOT) != 0)
                g_assert_true(stale);
        check_read_back(result);
        return 0;
}
