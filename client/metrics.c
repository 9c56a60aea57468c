/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writing alone: what is measured is the verb's to say. */

#include <stdbool.h>

#include "metrics.h"

struct Metrics {
        GString *text;
        const char *name, *help; /* of the metric at hand */
        bool begun;              /* it has a sample */
};

Metrics *metrics_new(void) {
        Metrics *metrics = g_new0(Metrics, 1);

        metrics->text = g_string_new(NULL);
        return metrics;
}

void metrics_free(Metrics *metrics) {
        if (!metrics)
                return;
        (void) g_string_free(metrics->text, TRUE);
        g_free(metrics);
}

void metrics_begin(Metrics *metrics, const char *name, const char *help) {
        metrics->name = name;
        metrics->help = help;
        metrics->begun = false;
}

static void append_value(GString *text, const char *value) {
        for (; *value; value++)
                if (*value == '\n')
                        g_string_append(text, "\\n");
                else {
                        if (*value == '\\' || *value == '"')
                                g_string_append_c(text, '\\');
                        g_string_append_c(text, *value);
                }
}

void metrics_add(Metrics *metrics, double value, const char *const *labels) {
        char number[G_ASCII_DTOSTR_BUF_SIZE];

        if (!metrics->begun)
                g_string_append_printf(metrics->text, "# HELP %s %s\n# TYPE %s gauge\n", metrics->name, metrics->help,
                                       metrics->name);
        metrics->begun = true;
        g_string_append(metrics->text, metrics->name);
        for (unsigned i = 0; labels && labels[i]; i += 2) {
                g_string_append_printf(metrics->text, "%c%s=\"", i == 0 ? '{' : ',', labels[i]);
                append_value(metrics->text, labels[i + 1]);
                g_string_append_c(metrics->text, '"');
        }
        g_string_append_printf(metrics->text, "%s %s\n", labels && labels[0] ? "}" : "",
                               g_ascii_formatd(number, sizeof number, "%.17g", value));
}

const char *metrics_text(const Metrics *metrics) {
        return metrics->text->str;
}
