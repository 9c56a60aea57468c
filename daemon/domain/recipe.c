/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of recipes, and the order in which one is followed. It must not know how a part is
 * done. */

#include <string.h>

#include "cpu-edit.h"
#include "error.h"
#include "recipe-parts.h"
#include "recipe.h"

typedef struct Recipe {
        const char *name;
        const char *release;     /* NULL: it has none */
        unsigned cpus;           /* at least, as for all of these */
        unsigned memory;         /* MiB */
        const char *const *nics; /* that it has drivers for, the best first; NULL: all that there are */
        bool sata;               /* it has drivers for neither virtio nor virtio-scsi */
        bool windows;            /* it is Hyper-V */
        const char *advice;
} Recipe;

#define GIB 1024

/* ESXi has had no driver for e1000 since 7.0, and none for vmxnet3 as QEMU makes it before. The
 * 82545EM, which QEMU has as well, is the e1000 of VMware's own machines. */
static const char *const old_nics[] = {"e1000", "e1000-82545em", "e1000e", "vmxnet3", NULL};
static const char *const new_nics[] = {"vmxnet3", "e1000e", NULL};

#define ADVICE_MSRS                                                                                                    \
        "if ESXi stops with a purple screen over an MSR, let KVM ignore those that it does not know; this is for all " \
        "guests of the host: "                                                                                         \
        "nestvirtctl set kvm.ignore_msrs=on"

/* Of one name, the newest release first. Memory as VMware's "ESXi Hardware Requirements" have it: 4
 * GB at least up to 6.7, 8 GB from 7.0 on, which 9.0 is taken to want as well; Microsoft's of
 * Hyper-V 4 GB. */
static const Recipe recipes[] = {
                {"esxi", "9.0", 2, 8 * GIB, new_nics, true, false, ADVICE_MSRS},
                {"esxi", "8.0", 2, 8 * GIB, new_nics, true, false, ADVICE_MSRS},
                {"esxi", "7.0", 2, 8 * GIB, new_nics, true, false, ADVICE_MSRS},
                {"esxi", "6.7", 2, 4 * GIB, old_nics, true, false, ADVICE_MSRS},
                {"esxi", "6.5", 2, 4 * GIB, old_nics, true, false, ADVICE_MSRS},
                {"esxi", "6.0", 2, 4 * GIB, old_nics, true, false, ADVICE_MSRS},
                {"esxi", "5.5", 2, 4 * GIB, old_nics, true, false, ADVICE_MSRS},
                {"esxi", "5.1", 2, 4 * GIB, old_nics, true, false, ADVICE_MSRS},
                {"esxi", "5.0", 2, 4 * GIB, old_nics, true, false, ADVICE_MSRS},
                {"hyperv", NULL, 2, 4 * GIB, NULL, false, true, NULL},
                {"kvm", NULL, 1, 0, NULL, false, false, NULL},
                {"proxmox", NULL, 2, 2 * GIB, NULL, false, false, NULL},
};

char *recipe_names(void) {
        GString *names = g_string_new(NULL);

        for (gsize i = 0; i < G_N_ELEMENTS(recipes); i++)
                if (i == 0 || !g_str_equal(recipes[i].name, recipes[i - 1].name))
                        g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", recipes[i].name);
        return g_string_free(names, FALSE);
}

static const char *skip_digits(const char *text) {
        return text + strspn(text, "0123456789");
}

/* What follows "7.0" names an update of it: "", "u3", "U3c", " Update 3", ".3", ".3.1". */
static bool is_update(const char *rest) {
        static const char *const words[] = {" update ", " u", "u"};
        const char *end = NULL;

        for (gsize i = 0; i < G_N_ELEMENTS(words) && !end; i++)
                if (g_ascii_strncasecmp(rest, words[i], strlen(words[i])) == 0)
                        end = rest + strlen(words[i]);
        if (end) {
                const char *letter = skip_digits(end);
                return letter > end && (!*letter || (g_ascii_isalpha(*letter) && !letter[1]));
        }
        for (; *rest == '.'; rest = end) {
                end = skip_digits(rest + 1);
                if (end == rest + 1)
                        return false;
        }
        return !*rest;
}

/* VMware writes the third update of 7.0 as 7.0 Update 3, 7.0u3 and 7.0.3. */
static bool is_release(const Recipe *recipe, const char *release) {
        const char *known = recipe->release;

        if (!release || !known)
                return !release;
        if (g_str_has_prefix(release, known))
                return is_update(release + strlen(known));
        /* "7" and "7u3" are of 7.0. */
        const gsize major = strcspn(known, ".");
        return g_str_equal(known + major, ".0") && strncmp(release, known, major) == 0 && release[major] != '.' &&
               is_update(release + major);
}

static const Recipe *find(const RecipeRequest *request, GError **error) {
        g_autoptr(GString) known = g_string_new(NULL);
        g_autofree char *names = NULL;
        bool named = false;

        for (gsize i = 0; i < G_N_ELEMENTS(recipes); i++) {
                const Recipe *recipe = &recipes[i];
                if (g_strcmp0(recipe->name, request->name) != 0)
                        continue;
                if (is_release(recipe, request->release))
                        return recipe;
                named = true;
                if (recipe->release)
                        g_string_append_printf(known, "%s%s", known->len > 0 ? ", " : "", recipe->release);
        }
        names = recipe_names();
        if (!named)
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "No recipe is called \"%s\"; there are %s",
                            request->name ?: "", names);
        else if (known->len > 0)
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                            "The recipe %s knows no release \"%s\"; it knows %s", request->name, request->release,
                            known->str);
        else
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "The recipe %s is the same for all releases",
                            request->name);
        return NULL;
}

/* The CPU of the host, which is what hypervisors are tested on; QEMU has none to pass through when
 * it emulates. */
static bool set_cpu(DomainXml *domain, const RecipeRequest *request, const char **ret_vendor, GPtrArray *steps,
                    GError **error) {
        g_autofree char *mode = cpu_edit_mode(domain), *type = domain_xml_attribute(domain->root, "type");
        const CpuEdit edit = {
                        .vendor = request->vendor,
                        .otherwise = request->otherwise,
                        .mode = mode                        ? NULL
                                : g_str_equal(type, "qemu") ? "maximum"
                                                            : "host-passthrough",
                        .nested = 1,
        };

        return cpu_edit_apply(domain, &edit, ret_vendor, steps, error);
}

char *recipe_apply(const char *xml, const RecipeRequest *request, GPtrArray *steps, GPtrArray *advice, GError **error) {
        const Recipe *recipe = find(request, error);
        g_autoptr(DomainXml) domain = recipe ? domain_xml_parse(xml, error) : NULL;
        const char *vendor;

        if (!domain || !set_cpu(domain, request, &vendor, steps, error) ||
            !recipe_raise_cpus(domain, recipe->cpus, steps, error) ||
            !recipe_raise_memory(domain, recipe->memory, steps, error) ||
            (recipe->nics && !recipe_set_nics(domain, recipe->nics, steps, error)) ||
            (recipe->sata && !recipe_set_disks(domain, steps, error)))
                return NULL;
        if (recipe->windows)
                recipe_set_hyperv(domain, vendor, steps);
        if (recipe->advice)
                g_ptr_array_add(advice, g_strdup(recipe->advice));
        return domain_xml_write(domain, error);
}
