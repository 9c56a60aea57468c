/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Why a plan can't be carried out: other people's lines, the kernel's locks, files that are gone.
 * It changes nothing of the plan. */

#include "catalog.h"
#include "error.h"
#include "load-obstacle.h"
#include "load-options.h"
#include "preconditions.h"

/* The way round everything that stands in the way of a reload, as the end of a sentence: none,
 * where a reload is all that is asked for, and where the files are written already. */
static const char *otherwise(const Request *request) {
        if (request->reload || request->pending)
                return "";
        return request->flags & REQUEST_RUNTIME
                               ? ", or have it kept for the next boot: --next-boot, instead of --runtime"
                               : ", or use --next-boot";
}

/* An install or remove line would run a command instead of, or beside, what the plan says, and what
 * the kernel command line blacklists is loaded by nobody. */
static bool check_lines(const Host *host, const Request *request, const Module *module, GError **error) {
        g_autofree char *told = NULL;
        const LoadObstacle obstacle = load_obstacle_find(host, module, &told);

        if (obstacle != OBSTACLE_NONE)
                g_set_error(error, CONDITION,
                            obstacle == OBSTACLE_KERNEL ? CONDITION_NOT_PERMITTED : CONDITION_UNSUPPORTED, "%s%s", told,
                            otherwise(request));
        return obstacle == OBSTACLE_NONE;
}

/* One option that the kernel refuses fails the whole load, though a later one of the same name be
 * right: the load of the next boot at the latest. One of ours that goes with this request is no
 * obstacle. */
static bool check_refused(const Host *host, const Request *request, const char *module, GError **error) {
        for (unsigned i = 0; i < host->options->options->len; i++) {
                const Option *option = g_ptr_array_index(host->options->options, i);
                if (!g_str_equal(option->module, module) || !load_options_refused(host, option) ||
                    load_options_replaced(request, option))
                        continue;
                g_autofree char *source = option_source(option), *value = error_quote(option->value);
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                            "With \"%s%s%s\" from %s the kernel refuses to load %s: mend that line first", option->name,
                            option->bare ? "" : "=", value, source, module);
                return false;
        }
        return true;
}

static bool check_reload(const Host *host, const Loader *loader, const Request *request, const Plan *plan,
                         GError **error) {
        for (unsigned i = 0; i < plan->modules->len; i++) {
                const PlanModule *module = g_ptr_array_index(plan->modules, i);
                if (host_module(host, module->name)->state == MODULE_BUILTIN) {
                        g_set_error(error, CONDITION, CONDITION_BUILTIN,
                                    "%s is built into this kernel and can't be reloaded", module->name);
                        return false;
                }
                g_autofree char *file = loader->locate(loader, module->name);
                if (!file && *host->container) {
                        g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                                    "This is a container (%s) without modules: %s can be loaded and set on the host "
                                    "that runs it alone",
                                    host->container, module->name);
                        return false;
                }
                if (!file && !host->collected) {
                        g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                                    "The file of %s for the running kernel %s is gone, so the module could not be "
                                    "loaded again: install the kernel's modules again or boot the new kernel%s",
                                    module->name, host->release, otherwise(request));
                        return false;
                }
                if (!check_lines(host, request, host_module(host, module->name), error) ||
                    !check_refused(host, request, module->name, error))
                        return false;
        }
        if (plan_reloads(plan) && host->modules_disabled) {
                g_set_error(error, CONDITION, CONDITION_NOT_PERMITTED,
                            "Loading of modules is switched off until the next boot (kernel.modules_disabled or "
                            "nomodule): boot again%s",
                            otherwise(request));
                return false;
        }
        return true;
}

static bool check_needs(const Host *host, const Request *request, const Setting *setting, GError **error) {
        const Parameter *parameter = catalog_find(setting->module, setting->name);

        if (!setting->value || g_str_equal(setting->value, "0") || !parameter->needs)
                return true;
        for (const char *const *need = parameter->needs; *need; need++) {
                const Parameter *needed = catalog_find(setting->module, *need);
                g_autofree char *value = needed ? load_options_expected(host, request, needed) : NULL;
                if (g_strcmp0(value, "0") != 0)
                        continue;
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                            "%s needs %s, which would be off: set both (nestvirtctl set %s=on %s=on)", setting->name,
                            *need, *need, setting->name);
                return false;
        }
        return true;
}

bool preconditions_check(const Host *host, const Loader *loader, const Request *request, const Plan *plan,
                         GError **error) {
        const bool touches = plan_reloads(plan) || !(request->flags & REQUEST_NEXT_BOOT);

        if (touches && loader->inert && !(request->flags & REQUEST_DRY_RUN)) {
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                            "This is a tree of files, not the running machine: only %s here",
                            request->reload ? "--dry-run works" : "--next-boot and --dry-run work");
                return false;
        }
        for (unsigned i = 0; i < request->settings->len; i++)
                if (!check_needs(host, request, g_ptr_array_index(request->settings, i), error))
                        return false;
        return check_reload(host, loader, request, plan, error);
}
