/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The reader, the editor and the redaction of domain XML. The first two bytes choose the edit, the
 * rest is the XML. What came out must be XML again, and an edit done twice must be the same as
 * once. */

#include <glib.h>

#include "cpu-xml.h"
#include "fuzz.h"

static const char *const modes[] = {NULL, "host-model", "host-passthrough", "maximum", "custom"};
static const char *const models[] = {NULL, NULL, "EPYC", "Haswell-noTSX"};

static void check(const char *xml, const CpuEdit *edit) {
        g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GError) error = NULL;
        g_autofree char *once = cpu_xml_edit(xml, edit, steps, &error), *twice = NULL;

        g_assert_true(!once == !!error);
        if (!once)
                return;
        twice = cpu_xml_edit(once, edit, steps, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(once, ==, twice);
        g_autoptr(CpuXml) cpu = cpu_xml_read(once, edit->vendor, &error);
        g_assert_no_error(error);
        if (edit->mode)
                g_assert_cmpstr(cpu->mode, ==, *cpu->mode ? edit->mode : "");
        if (edit->nested == 1)
                g_assert_true(!*cpu->policy || g_str_equal(cpu->policy, "require") ||
                              g_str_equal(cpu->policy, "force"));
        if (edit->nested == 0)
                g_assert_true(!*cpu->policy || g_str_equal(cpu->policy, "disable") ||
                              g_str_equal(cpu->policy, "forbid"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        g_autofree char *xml = NULL, *shown = NULL, *again = NULL;
        g_autoptr(GError) error = NULL;

        if (size < 2)
                return 0;
        const CpuEdit edit = {
                        .vendor = data[0] & 1 ? "intel" : "amd",
                        .nested = (data[0] >> 1) % 3 - 1,
                        .mode = modes[data[1] % G_N_ELEMENTS(modes)],
                        .model = models[(data[1] >> 4) % G_N_ELEMENTS(models)],
        };
        xml = g_strndup((const char *) data + 2, size - 2);
        check(xml, &edit);
        shown = cpu_xml_redact(xml, &error);
        g_assert_true(!shown == !!error);
        again = shown ? cpu_xml_redact(shown, &error) : NULL;
        g_assert_cmpstr(again, ==, shown);
        return 0;
}
