/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found about the host, its modules, the device and nesting as a whole. It reads and
 * changes nothing. */

#include "check-rules.h"
#include "device-node.h"
#include "effect-judge.h"
#include "journal-phase.h"
#include "load-obstacle.h"
#include "nested-reason.h"

void rule_degraded(Check *check) {
        const Module *module = check_module(check->host);
        g_autofree char *load = load_obstacle_remedy(check->host, module);

        if (check->host->degraded)
                check_find(check, "fail", module_is_present(module) ? "systemctl restart nestvirtd.service" : load,
                           "A change failed and could not be undone (/" JOURNAL_PATH "); %s is %s now", module->name,
                           module_state_to_string(module->state));
}

void rule_journal_damaged(Check *check) {
        if (check->host->journal_damaged)
                check_find(check, "fail", "nestvirtctl reload",
                           "The record of a change that was cut short is damaged (/" JOURNAL_DAMAGED_PATH
                           "), so it is not known what that change has left, and changes are refused until all of KVM "
                           "is loaded anew");
}

void rule_level(Check *check) {
        const Cpu *cpu = check->host->cpu;

        if (*check->host->container)
                check_find(check, "info", "",
                           "This is a container (%s, /run/systemd/container): KVM, its modules and their parameters "
                           "are "
                           "those of the host that runs it, where they are looked at and set",
                           check->host->container);
        else if (cpu->xen_control)
                check_find(check, "info", "",
                           "This host is the control domain of Xen (/proc/xen/capabilities): the CPU's virtualization "
                           "is Xen's, whose guests run beside it, and KVM can't be used");
        else if (nested_is_mshv(check->host))
                check_find(check, "info", "",
                           "This host is above Microsoft's hypervisor, and makes guests of it beside itself "
                           "(/dev/mshv): it is the root partition, or a virtual machine that may do so (L1VH)");
        else if (check->host->at_rest)
                check_find(check, "info", "",
                           "These files are of no host that runs, such as an image: what it will run on is not known");
        else if (cpu->level == 0)
                check_find(check, "info", "", "This host is not a virtual machine, as far as it can tell");
        else
                check_find(check, "info", "",
                           "This host is itself a virtual machine (hypervisor: %s): what it can offer depends on the "
                           "host below",
                           cpu->hypervisor);
}

void rule_kvm(Check *check) {
        const Module *kvm = host_module(check->host, "kvm");

        if (module_is_present(kvm))
                check_find(check, "pass", "", "kvm is %s (/sys/module/kvm)",
                           kvm->state == MODULE_LIVE ? "loaded" : "built into the kernel");
        else if (!host_vendor_module(check->host))
                check_find(check, "info", "", "kvm is not loaded (%s)", module_state_to_string(kvm->state));
}

/* Why the running kernel's modules are not there, as a sentence, and the command that mends it. */
static char *told_of_files(const Check *check, char **ret_fix) {
        const Host *host = check->host;
        const GStrv others = check->facts->other_kernels;
        const guint n = g_strv_length(others);

        if (*host->container) {
                *ret_fix = g_strdup("");
                return g_strdup_printf("in this container (%s) are no modules of the running kernel: they are loaded "
                                       "on the host that runs it",
                                       host->container);
        }
        if (n > 0) {
                *ret_fix = g_strdup("systemctl reboot");
                return g_strdup_printf(
                                "the modules of the running kernel %s are not installed any more (/lib/modules), "
                                "those of %s are: after an upgrade of the kernel it takes a boot to run the new one",
                                host->release, others[n - 1]);
        }
        const char *package = check->facts->kernel_package;
        *ret_fix = package ? g_strdup_printf("apt-get install --reinstall %s", package) : g_strdup("");
        return g_strdup_printf(
                        "the modules of the running kernel %s are not installed (/lib/modules), nor those of any "
                        "other: install the kernel's package again",
                        host->release);
}

static const char *told_of_disabled(const Host *host) {
        return host->nomodule ? "the kernel command line has nomodule, so that no module can be loaded: take that word "
                                "out and boot again"
                              : "loading of modules is switched off until the next boot "
                                "(/proc/sys/kernel/modules_disabled)";
}

static void find_not_loaded(Check *check, const Module *module, bool can) {
        const Host *host = check->host;
        const char *status = can && !*host->cpu->confidential ? "fail" : "info";
        g_autofree char *load = load_obstacle_remedy(host, module), *line = NULL, *fix = NULL;
        const LoadObstacle obstacle = load_obstacle_find(host, module, &line);

        if (module->dead)
                check_find(check, status, "",
                           "%s is built into the kernel, but KVM is not there: its init failed when the kernel started "
                           "(no /sys/class/misc/kvm), though its parameters are in /sys/module/%s%s",
                           module->name, module->name,
                           can ? "; the kernel's log says why (journalctl -k -b -g kvm)" : "");
        else if (module->state == MODULE_UNKNOWN)
                check_find(check, "info", "",
                           "%s is not loaded; whether it is there to be loaded was not collected (no modules.dep)",
                           module->name);
        else if (module->state == MODULE_MISSING && !host->has_module_files) {
                g_autofree char *files = told_of_files(check, &fix);
                check_find(check, status, can ? fix : "", "%s is not loaded, and %s", module->name, files);
        } else if (module->state == MODULE_MISSING)
                check_find(check, status, "", "The running kernel %s has no module %s (/lib/modules/%s)", host->release,
                           module->name, host->release);
        else if (host->modules_disabled)
                check_find(check, status, can && !host->nomodule ? "systemctl reboot" : "", "%s is not loaded, and %s",
                           module->name, told_of_disabled(host));
        else if (line)
                check_find(check, obstacle == OBSTACLE_COMMAND ? status : "info", "", "%s is not loaded. %s",
                           module->name, line);
        else {
                const char *other = check->facts->loaded_others[0];
                check_find(check, status, can ? load : "", "%s is not loaded%s%s%s", module->name,
                           can ? ", though the CPU can do it" : "",
                           other ? ". While a guest of another hypervisor runs, a load can fail, and there is " : "",
                           other ?: "");
        }
}

void rule_vendor_module(Check *check) {
        const Module *module = host_vendor_module(check->host);

        if (!module)
                return;
        if (module_is_present(module))
                check_find(check, "pass", "", "%s is %s (/sys/module/%s)", module->name,
                           module->state == MODULE_LIVE ? "loaded" : "built into the kernel", module->name);
        else
                find_not_loaded(check, module, check_cpu_can(check->host));
}

void rule_module_files(Check *check) {
        const Module *module = check_module(check->host);
        g_autofree char *fix = NULL;

        if (module->state != MODULE_LIVE || check->host->has_module_files || *check->host->container)
                return;
        g_autofree char *files = told_of_files(check, &fix);
        check_find(check, "warn", fix, "Once unloaded, %s could not be loaded again: %s", module->name, files);
}

void rule_modules_disabled(Check *check) {
        const Host *host = check->host;

        if (!host->modules_disabled || check_module(host)->state == MODULE_BUILTIN)
                return;
        g_autofree char *told = g_strdup(told_of_disabled(host));
        *told = g_ascii_toupper(*told);
        check_find(check, "info", "",
                   "%s. Settings can be kept for a later boot (nestvirtctl set --next-boot), not put in effect now",
                   told);
}

void rule_builtin(Check *check) {
        const Module *module = check_module(check->host);

        if (module->state == MODULE_BUILTIN)
                check_find(check, "info", "",
                           "%s is built into the kernel: its parameters come from the kernel command line alone "
                           "(%s.NAME=VALUE)",
                           module->name, module->name);
}

/* Its name for people, wherever the daemon itself looks at it. */
#define DEVICE "/dev/kvm"

static bool is_opened(const Check *check) {
        return *check->device && !g_str_equal(check->device, "failed");
}

static const char *device_verdict(const Check *check) {
        return is_opened(check) ? check->device : check->host->device;
}

/* It comes and goes with the module, unless somebody put something there by hand. */
static void find_device_without_kvm(Check *check) {
        const char *verdict = device_verdict(check), *module = check_module(check->host)->name;

        if (g_str_equal(verdict, "missing"))
                check_find(check, "info", "", DEVICE " is missing, as it comes and goes with %s", module);
        else if (g_str_equal(verdict, "wrong-node"))
                check_find(check, "warn", "rm " DEVICE,
                           DEVICE " is not the device node of KVM (10:232), and is in its place when %s is loaded",
                           module);
        else
                check_find(check, "info", "", "There is a " DEVICE ", but nothing behind it while %s is not loaded",
                           module);
}

/* Who has no more than root's own rights is let in by owner and mode; beyond these it is for others
 * to let it in. */
static void find_device_denied(Check *check) {
        const CheckFacts *facts = check->facts;
        const struct stat *node = &facts->node;

        if (facts->has_node && (node_is_others(node, facts->kvm_group) || node_is_closed(node)))
                check_find(check, "fail", "nestvirtctl ensure-device",
                           DEVICE " is denied even to root: it belongs to %u:%u and has the mode %04o", node->st_uid,
                           node->st_gid, node->st_mode & 07777U);
        else
                check_find(check, "fail", "",
                           DEVICE
                           " is denied even to root, and not by its owner or mode: a container that is not given the "
                           "device from outside, or a security module such as SELinux");
}

static void find_device(Check *check) {
        const char *verdict = device_verdict(check);
        g_autofree char *reload = load_obstacle_remedy(check->host, check_module(check->host));

        if (g_str_equal(verdict, "ok") && is_opened(check))
                check_find(check, "pass", "", DEVICE " opens and answers (API version 12)");
        else if (g_str_equal(verdict, "ok") && *check->device)
                check_find(check, "warn", "journalctl -u nestvirtd -u \"nestvirt-device@*\"",
                           DEVICE
                           " is the right device node (10:232), but nestvirt-device, which opens it, did not run");
        else if (g_str_equal(verdict, "ok"))
                check_find(check, "pass", "", DEVICE " is the right device node (10:232); it was not opened");
        else if (g_str_equal(verdict, "missing") && *check->host->container)
                check_find(check, "fail", "",
                           DEVICE " is not in this container (%s): the host that runs it has to hand it in",
                           check->host->container);
        else if (g_str_equal(verdict, "missing"))
                check_find(check, "fail", "nestvirtctl ensure-device", DEVICE " is missing, though KVM is there");
        else if (g_str_equal(verdict, "wrong-node"))
                check_find(check, "fail", "nestvirtctl ensure-device",
                           DEVICE " is not the device node of KVM (10:232)");
        else if (g_str_equal(verdict, "denied"))
                find_device_denied(check);
        else
                check_find(check, "fail", reload,
                           DEVICE " is the right device node (10:232), but does not answer as KVM (API version 12)");
}

void rule_device(Check *check) {
        if (!*check->device && !root_is_machine(check->host->root) && !g_str_equal(check->host->device, "ok"))
                check_find(check, "info", "", "This is a tree of files, in which device nodes say nothing");
        else if (module_is_present(check_module(check->host)))
                find_device(check);
        else
                find_device_without_kvm(check);
}

/* A distribution may let everybody in, and systemd whoever is at the screen: what is there besides
 * 0660 is nobody's fault. */
void rule_device_access(Check *check) {
        const CheckFacts *facts = check->facts;
        const struct stat *node = &facts->node;

        if (!facts->has_node || !module_is_present(check_module(check->host)) ||
            !g_str_equal(device_verdict(check), "ok") || (node->st_mode & 0666U) == 0666U)
                return;
        /* Without the group, opening it to the group of root would let nobody in. */
        if (node_is_others(node, facts->kvm_group) || (node_is_closed(node) && facts->kvm_group != 0))
                check_find(check, "warn", "nestvirtctl ensure-device",
                           DEVICE " belongs to %u:%u and has the mode %04o, where root, the group " NODE_GROUP
                                  " and 0660 are usual: who is not root may be kept from running guests",
                           node->st_uid, node->st_gid, node->st_mode & 07777U);
        else if (node_is_closed(node))
                check_find(check, "info", "",
                           DEVICE " belongs to %u:%u and has the mode %04o, and the host has no group " NODE_GROUP
                                  " (/etc/group): who is not root may be kept from running guests",
                           node->st_uid, node->st_gid, node->st_mode & 07777U);
}

/* Who decides where no module does that nestvirtd looks after: kvm itself on s390
 * (arch/s390/kvm/kvm-s390.c). */
static void find_nested_elsewhere(Check *check) {
        const ModuleValue *own = module_value(host_module(check->host, "kvm"), "nested");
        const char *architecture = check->host->cpu->architecture;

        if (own && *own->value)
                check_find(check, "info", "",
                           "Nesting is not looked after on this architecture (%s): there a parameter of kvm itself "
                           "decides, nested is %s (/sys/module/kvm/parameters/nested)",
                           architecture, g_str_equal(own->value, "0") ? "off" : "on");
        else
                check_find(check, "info", "", "Nesting is not known on this architecture (%s)", architecture);
}

static void find_nested_reason(Check *check, const char *nested, const char *reason) {
        const bool on = g_str_equal(nested, "on");
        const char *what = "Guests of this host can't be hypervisors";

        if (on)
                what = "Guests of this host can be hypervisors";
        else if (g_str_equal(nested, "unknown") || check->host->at_rest)
                what = "Whether guests of this host can be hypervisors can't be told yet";
        else if (nested_is_mshv(check->host))
                what = "Nesting is not KVM's here";
        check_find(check, on ? "pass" : "info", "", "%s: %s", what, reason);
}

void rule_nested(Check *check) {
        const Host *host = check->host;
        const Module *vendor = host_vendor_module(host);
        const char *nested = host_nested(host);
        g_autofree char *reason = nested_reason(host);

        if (reason)
                find_nested_reason(check, nested, reason);
        else if (g_str_equal(nested, "on"))
                check_find(check, "pass", "",
                           "Guests of this host can be hypervisors: nested is on (/sys/module/%s/parameters/nested)",
                           vendor->name);
        else if (g_str_equal(nested, "off"))
                check_find(check, "info", "",
                           "Guests of this host can't be hypervisors: nested is off "
                           "(/sys/module/%s/parameters/nested); to "
                           "switch it on: nestvirtctl set nested=on",
                           vendor->name);
        else if (g_str_equal(nested, "unknown"))
                check_find(check, "warn", "",
                           "Whether guests of this host can be hypervisors can't be told: %s does not show nested",
                           vendor->name);
        else if (vendor && module_is_present(vendor))
                check_find(check, "info", "", "Guests of this host can't be hypervisors: %s has no nesting",
                           vendor->name);
        else if (vendor)
                check_find(check, "info", "", "Guests of this host can't be hypervisors: %s %s", vendor->name,
                           vendor->dead ? "is built into the kernel, but its init failed" : "is not loaded");
        else
                find_nested_elsewhere(check);
}

/* Off by somebody's wish it can be switched on again; without the CPU's help it can't. */
static const char *paging_fix(const Host *host, const char *module, const char *name) {
        const bool can = effect_supported(host, catalog_find(module, name), NULL);

        if (!can || host_vendor_module(host)->state == MODULE_BUILTIN)
                return "";
        return g_str_equal(name, "ept") ? "nestvirtctl set ept=on" : "nestvirtctl set npt=on";
}

void rule_paging(Check *check) {
        const char *mmu = host_mmu(check->host);
        const Module *vendor = host_vendor_module(check->host);

        if (!*mmu)
                return;
        const char *module = vendor->name, *name = g_str_equal(module, "kvm_intel") ? "ept" : "npt";
        if (g_str_equal(mmu, "tdp"))
                check_find(check, "pass", "",
                           "Guest memory is translated in hardware: %s is on (/sys/module/%s/parameters/%s)", name,
                           module, name);
        else
                check_find(check, "warn", paging_fix(check->host, module, name),
                           "Guest memory is shadowed in software: %s is off (/sys/module/%s/parameters/%s), so guests "
                           "are slow and nested ones slower",
                           name, module, name);
}
