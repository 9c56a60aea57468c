/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Questions and answers are kept and read here. Asking is the hypervisor's, and what an answer
 * means for a start is guest-compared.c's. */

#include <string.h>

#include "capabilities.h"
#include "comparison.h"

CpuQuestion *cpu_question_copy(const CpuQuestion *question) {
        CpuQuestion *copy = g_new(CpuQuestion, 1);

        *copy = *question;
        copy->emulator = g_strdup(question->emulator);
        copy->arch = g_strdup(question->arch);
        copy->model = g_strdup(question->model);
        copy->vendor = g_strdup(question->vendor);
        copy->cpu = g_strdup(question->cpu);
        copy->relaxed = g_strdup(question->relaxed);
        copy->forbidden = g_strdupv(question->forbidden);
        return copy;
}

void cpu_question_free(CpuQuestion *question) {
        if (!question)
                return;
        g_free(question->emulator);
        g_free(question->arch);
        g_free(question->model);
        g_free(question->vendor);
        g_free(question->cpu);
        g_free(question->relaxed);
        g_strfreev(question->forbidden);
        g_free(question);
}

/* What stands between them is no character of XML. */
char *cpu_question_key(const CpuQuestion *question) {
        return g_strjoin("\x1f", question->emulator, question->arch, question->cpu, NULL);
}

Comparison *comparison_new(CpuQuestion *question) {
        Comparison *comparison = g_new(Comparison, 1);

        *comparison = (Comparison) {
                        .question = question,
                        .key = question ? cpu_question_key(question) : NULL,
                        .references = 1,
        };
        return comparison;
}

Comparison *comparison_ref(Comparison *comparison) {
        g_atomic_int_inc(&comparison->references);
        return comparison;
}

void comparison_unref(Comparison *comparison) {
        if (!comparison || !g_atomic_int_dec_and_test(&comparison->references))
                return;
        cpu_question_free(comparison->question);
        g_free(comparison->key);
        g_free(comparison->detail);
        g_free(comparison);
}

bool comparison_equal(const Comparison *a, const Comparison *b) {
        return a->result == b->result && a->exact == b->exact && g_strcmp0(a->detail, b->detail) == 0;
}

GStrv comparison_names(const char *message) {
        const char *colon = strrchr(message, ':');
        g_auto(GStrv) names = colon ? g_strsplit(colon + 1, ",", -1) : NULL;

        if (!names || !*names)
                return NULL;
        for (char **name = names; *name; name++)
                if (!capabilities_is_name(g_strstrip(*name)))
                        return NULL;
        return g_steal_pointer(&names);
}
