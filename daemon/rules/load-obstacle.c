/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rules over the lines of others. What to do about them is for whoever wrote them. */

#include <string.h>

#include "load-obstacle.h"
#include "option-value.h"

/* The way to switch a module off that hardening guides name, written in as many ways. */
static bool is_switched_off(const Command *command) {
        static const char *const nothing[] = {"/bin/false",    "/usr/bin/false", "false", "/bin/true",
                                              "/usr/bin/true", "true",           NULL};

        return g_str_equal(command->verb, "install") && g_strv_contains(nothing, command->text);
}

static char *told_of_command(const Command *command, const char *module) {
        if (is_switched_off(command))
                return g_strdup_printf(
                                "%s is switched off on purpose at %s:%u (\"install %s %s\"): without that line it "
                                "can be loaded",
                                module, command->path, command->line, module, command->text);
        return g_strdup_printf("\"%s %s …\" in %s:%u replaces the plain %s of the module, and nestvirtd runs no "
                               "commands of others: remove that line",
                               command->verb, module, command->path, command->line,
                               g_str_equal(command->verb, "install") ? "loading" : "unloading");
}

static const Command *find_command(const Host *host, const Module *module) {
        const Command *install = options_command(host->options, "install", module->name);

        if (install && !module->has_softdep)
                return install;
        return module->state == MODULE_LIVE ? options_command(host->options, "remove", module->name) : NULL;
}

/* In one of SEV's, kvm_amd does not load (confidential.h); in TDX's there is no VMX for
 * kvm_intel. */
static bool is_confidential(const Host *host, const Module *module) {
        return *host->cpu->confidential && !g_str_equal(module->name, "kvm") && module->state != MODULE_LIVE;
}

LoadObstacle load_obstacle_find(const Host *host, const Module *module, char **ret_told) {
        if (is_confidential(host, module)) {
                if (ret_told)
                        *ret_told = g_strdup_printf("%s does not load in a confidential virtual machine (%s)",
                                                    module->name, host->cpu->confidential);
                return OBSTACLE_KERNEL;
        }
        const bool refused = options_command(host->options, "module_blacklist", module->name);
        const Command *command = refused ? NULL : find_command(host, module);

        if (ret_told)
                *ret_told = refused   ? g_strdup_printf("The kernel loads %s for nobody until a boot without "
                                                          "module_blacklist=%s on the kernel command line",
                                                        module->name, module->name)
                            : command ? told_of_command(command, module->name)
                                      : NULL;
        if (refused)
                return OBSTACLE_KERNEL;
        return !command ? OBSTACLE_NONE : is_switched_off(command) ? OBSTACLE_OFF : OBSTACLE_COMMAND;
}

static bool is_refused(const Host *host, const Module *module) {
        for (unsigned i = 0; i < n_catalog; i++)
                if (g_str_equal(catalog[i].module, module->name) && module_value(module, catalog[i].name) &&
                    option_value_refused(host, catalog_variant(&catalog[i], host->release)))
                        return true;
        return false;
}

/* modprobe goes by the name of another module then, and nestvirtd does not. */
static bool is_renamed(const Host *host, const Module *module) {
        return options_command(host->options, "alias", module->name);
}

char *load_obstacle_remedy(const Host *host, const Module *module) {
        if (module->state == MODULE_BUILTIN || !host->has_module_files || is_refused(host, module) ||
            load_obstacle_find(host, module, NULL) != OBSTACLE_NONE)
                return g_strdup("");
        if (host->modules_disabled)
                return g_strdup(host->nomodule ? "" : "systemctl reboot");
        if (module->state == MODULE_LIVE || is_renamed(host, module))
                return g_strdup("nestvirtctl reload");
        return module->state == MODULE_LOADABLE ? g_strdup_printf("modprobe %s", module->name) : g_strdup("");
}
