/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libvirt compares when it starts a guest (src/qemu/qemu_process.c, qemuProcessUpdateGuestCPU(),
 * 9.0.0 and 11.3.0 alike): with check='partial' a <cpu> that is custom or host-model, and of all
 * modes what is forbidden, unless check is 'none'. With check='full' it compares what QEMU has
 * given once that runs (src/cpu/cpu_x86.c, virCPUx86UpdateLive()), also with host-passthrough:
 * there what the host lacks counts and nothing else of this, neither match nor vendor. */

#include "cpu-question.h"
#include "sort.h"

typedef enum Check {
        CHECK_NONE,
        CHECK_PARTIAL,
        CHECK_FULL,
} Check;

static bool passes_through(const CpuXml *cpu) {
        return g_str_equal(cpu->mode, "host-passthrough") || g_str_equal(cpu->mode, "maximum");
}

static bool is_custom(const CpuXml *cpu) {
        return (!*cpu->mode || g_str_equal(cpu->mode, "custom")) && *cpu->model;
}

/* What libvirt takes where none is given (qemuDomainDefCPUPostParse()). */
static Check check_of(const CpuXml *cpu) {
        if (g_str_equal(cpu->check, "full"))
                return CHECK_FULL;
        if (g_str_equal(cpu->check, "none") || (!*cpu->check && passes_through(cpu)))
                return CHECK_NONE;
        return CHECK_PARTIAL;
}

static const char *policy_of(const CpuXml *cpu, const char *feature) {
        return g_hash_table_lookup(cpu->features, feature);
}

static bool is_forbidden(const CpuXml *cpu, const char *name) {
        return g_str_equal(policy_of(cpu, name), "forbid");
}

/* Of the host's own CPU only what is forbidden is compared before the start. */
static void remove_uncompared(const CpuXml *cpu, Check check, GPtrArray *names) {
        if (!passes_through(cpu) || check == CHECK_FULL)
                return;
        for (unsigned i = names->len; i > 0; i--)
                if (!is_forbidden(cpu, g_ptr_array_index(names, i - 1)))
                        g_ptr_array_remove_index(names, i - 1);
}

static char *write_cpu(const CpuXml *cpu, Check check, const GPtrArray *names, const char *match) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autofree char *model = g_markup_escape_text(cpu->model, -1), *vendor = g_markup_escape_text(cpu->vendor, -1);

        g_string_append_printf(text, "<cpu mode='%s' check='%s'", is_custom(cpu) ? "custom" : cpu->mode,
                               check == CHECK_FULL ? "full" : "partial");
        if (is_custom(cpu))
                g_string_append_printf(text, " match='%s'><model>%s</model>", match, model);
        else
                g_string_append_c(text, '>');
        if (is_custom(cpu) && check == CHECK_PARTIAL && *vendor)
                g_string_append_printf(text, "<vendor>%s</vendor>", vendor);
        for (unsigned i = 0; i < names->len; i++) {
                g_autofree char *feature = g_markup_printf_escaped("<feature policy='%s' name='%s'/>",
                                                                   policy_of(cpu, g_ptr_array_index(names, i)),
                                                                   (const char *) g_ptr_array_index(names, i));
                g_string_append(text, feature);
        }
        g_string_append(text, "</cpu>");
        return g_string_free(g_steal_pointer(&text), FALSE);
}

static GStrv forbidden_among(const CpuXml *cpu, const GPtrArray *names) {
        g_autoptr(GPtrArray) forbidden = g_ptr_array_new();

        for (unsigned i = 0; i < names->len; i++)
                if (is_forbidden(cpu, g_ptr_array_index(names, i)))
                        g_ptr_array_add(forbidden, g_strdup(g_ptr_array_index(names, i)));
        g_ptr_array_add(forbidden, NULL);
        return (GStrv) g_ptr_array_free(g_steal_pointer(&forbidden), FALSE);
}

static CpuQuestion *make(const CpuXml *cpu, Check check, const GPtrArray *names) {
        CpuQuestion *question = g_new(CpuQuestion, 1);
        const bool strict = g_str_equal(cpu->match, "strict") && check == CHECK_PARTIAL && is_custom(cpu);

        *question = (CpuQuestion) {
                        .emulator = g_strdup(cpu->emulator),
                        .arch = g_strdup(cpu->arch),
                        .model = g_strdup(is_custom(cpu) ? cpu->model : ""),
                        .vendor = g_strdup(is_custom(cpu) && check == CHECK_PARTIAL ? cpu->vendor : ""),
                        .cpu = write_cpu(cpu, check, names, strict ? "strict" : "exact"),
                        .relaxed = strict ? write_cpu(cpu, check, names, "exact") : NULL,
                        .forbidden = forbidden_among(cpu, names),
                        .full = check == CHECK_FULL,
                        .passes_through = passes_through(cpu),
        };
        return question;
}

CpuQuestion *cpu_question_from_xml(const CpuXml *cpu) {
        const Check check = check_of(cpu);
        g_autoptr(GPtrArray) names = NULL;

        if (!g_str_equal(cpu->type, "kvm") || !(g_str_equal(cpu->arch, "x86_64") || g_str_equal(cpu->arch, "i686")) ||
            check == CHECK_NONE)
                return NULL;
        if (!is_custom(cpu) && !passes_through(cpu) && !g_str_equal(cpu->mode, "host-model"))
                return NULL;
        /* In an order that does not depend on the definition's. */
        names = sorted_keys(cpu->features);
        remove_uncompared(cpu, check, names);
        return is_custom(cpu) || names->len > 0 ? make(cpu, check, names) : NULL;
}
