/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lines held against the table of parameters. Whether a value has any effect is not asked here. */

#include "option-value.h"

char *option_value_parse(const Host *host, const Parameter *parameter, const Option *option) {
        return catalog_parse(parameter, host->release, option->bare ? NULL : option->value);
}

/* The first of those that have the same value stands for all of them. */
const Option *option_value_refused(const Host *host, const Parameter *parameter) {
        const Module *module = host_module(host, parameter->module);
        const OptionGroup *group = options_group(host->options, parameter->module, parameter->name);

        for (unsigned i = 0; group && i < group->distinct->len; i++) {
                const Option *option = g_ptr_array_index(group->distinct, i);
                if (option->path && module && module->state == MODULE_BUILTIN)
                        continue;
                g_autofree char *parsed = option_value_parse(host, parameter, option);
                if (!parsed)
                        return option;
        }
        return NULL;
}
