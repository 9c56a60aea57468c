/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The module that edits guests' definitions: the daemon's own editor, without the daemon. It must
 * not decide anything that the editor decides. */

#include "cpu-xml.h"
#include "cpu.h"
#include "recipe.h"
#include "xml-module.h"

/* Newly allocated; "" when this is no machine with a CPU of Intel's or AMD's kind. */
static char *own_vendor(void) {
        g_autoptr(Root) root = root_new("/", NULL, NULL);
        g_autoptr(Cpu) cpu = root ? cpu_read(root) : NULL;

        return g_strdup(cpu ? cpu->vendor : "");
}

char *xml_module_patch(const char *xml, const XmlPatch *patch, GPtrArray *steps, GPtrArray *advice, GError **error) {
        g_autofree char *own = patch->vendor ? NULL : own_vendor(), *edited = NULL;
        const CpuEdit edit = {.vendor = patch->vendor,
                              .otherwise = own,
                              .mode = patch->mode,
                              .model = patch->model,
                              .nested = patch->nested};
        const RecipeRequest request = {
                        .name = patch->recipe, .vendor = patch->vendor, .otherwise = own, .release = patch->release};

        edited = cpu_xml_edit(xml, &edit, steps, error);
        if (!edited || !patch->recipe)
                return g_steal_pointer(&edited);
        return recipe_apply(edited, &request, steps, advice, error);
}
