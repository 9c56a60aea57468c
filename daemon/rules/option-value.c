/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lines held against the table of parameters. Whether a value has any effect is not asked here. */

#include "option-value.h"

static bool is_of(const Option *option, const Parameter *parameter) {
        return g_str_equal(option->module, parameter->module) && g_str_equal(option->name, parameter->name);
}

char *option_value_parse(const Host *host, const Parameter *parameter, const Option *option) {
        return catalog_parse(parameter, host->release, option->bare ? NULL : option->value);
}

const Option *option_value_refused(const Host *host, const Parameter *parameter) {
        const Module *module = host_module(host, parameter->module);

        for (unsigned i = 0; i < host->options->options->len; i++) {
                const Option *option = g_ptr_array_index(host->options->options, i);
                if (!is_of(option, parameter) || (option->path && module && module->state == MODULE_BUILTIN))
                        continue;
                g_autofree char *parsed = option_value_parse(host, parameter, option);
                if (!parsed)
                        return option;
        }
        return NULL;
}
