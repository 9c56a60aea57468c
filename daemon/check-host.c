/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found about the CPU, the modules, the device and nesting as a whole. It reads and changes nothing. */

#include "check-rules.h"
#include "journal.h"

/* The feature that makes the vendor's module load: "vmx", "svm"; NULL where none is known. */
static const char *base_feature(const Host *host) {
        return catalog_base_feature(catalog_vendor_module(host->cpu->vendor));
}

bool check_cpu_can(const Host *host) {
        const char *feature = base_feature(host);

        return feature && cpu_has(host->cpu, feature);
}

void rule_degraded(Check *check) {
        const Module *module = check_module(check->host);
        g_autofree char *load = g_strdup_printf("modprobe %s", module->name);

        if (check->host->degraded)
                check_find(check, "fail", module_is_present(module) ? "systemctl restart nestvirtd.service" : load,
                           "A change failed and could not be undone; %s is %s now", module->name,
                           module_state_to_string(module->state));
        if (check->host->journal_unreadable)
                check_find(check, "fail", "rm /" JOURNAL_PATH,
                           "The record of a change that was cut short can't be understood: see that KVM is as it "
                           "should be "
                           "(nestvirtctl status), then remove it");
}

void rule_level(Check *check) {
        const Cpu *cpu = check->host->cpu;

        if (cpu->level == 0)
                check_find(check, "info", "", "This host is not a virtual machine, as far as it can tell");
        else
                check_find(check, "info", "",
                           "This host is itself a virtual machine (hypervisor: %s): what it can offer depends on the "
                           "host below",
                           cpu->hypervisor);
}

/* The line that asks for nesting on the CPU of this host, or NULL. */
static const Option *asks_for_nested(const Host *host) {
        const Parameter *nested = catalog_find(catalog_vendor_module(host->cpu->vendor), "nested");
        const Option *option = nested ? options_winner(host->options, nested->module, nested->name, NULL) : NULL;
        g_autofree char *value =
                        option ? catalog_parse(nested, host->release, option->bare ? NULL : option->value) : NULL;

        return g_strcmp0(value, "1") == 0 ? option : NULL;
}

void rule_cpu(Check *check) {
        const Cpu *cpu = check->host->cpu;
        const char *feature = base_feature(check->host);
        const Option *asking = asks_for_nested(check->host);
        g_autofree char *why = NULL, *asked = NULL;

        if (!feature) {
                check_find(check, "info", "", "The CPU (%s) is none that nestvirtd knows the nesting of",
                           cpu->architecture);
                return;
        }
        if (cpu_has(cpu, feature)) {
                check_find(check, "pass", "", "The CPU has %s", feature);
                return;
        }
        why = cpu->level > 0 ? g_strdup_printf(": the hypervisor below (%s) does not give it to this virtual machine",
                                               cpu->hypervisor)
                             : g_strdup(", or the firmware has it switched off");
        asked = asking ? option_source(asking) : NULL;
        check_find(check, asking ? "fail" : "info", "", "The CPU lacks %s%s%s%s", feature, why,
                   asked ? "; nested=1 is asked for by " : "", asked ?: "");
}

void rule_cpu_features(Check *check) {
        g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
        g_autoptr(GString) missing = g_string_new(NULL);

        if (!check_cpu_can(check->host))
                return;
        for (unsigned i = 0; i < check->effects->len; i++) {
                const Parameter *p = ((Effect *) g_ptr_array_index(check->effects, i))->parameter;
                for (const char *const *f = p->features; f && *f; f++)
                        if (!cpu_has(check->host->cpu, *f) && g_hash_table_add(seen, (gpointer) *f))
                                g_string_append_printf(missing, "%s%s", missing->len > 0 ? ", " : "", *f);
        }
        if (g_str_equal(check->host->cpu->vendor, "intel") && !check->host->cpu->has_vmx_flags)
                check_find(check, "info", "", "This kernel does not print in /proc/cpuinfo what the CPU's vmx can do");
        else if (missing->len > 0)
                check_find(check, "info", "", "KVM could also use what this CPU lacks: %s", missing->str);
        else
                check_find(check, "pass", "", "The CPU has all that this kernel's KVM could use");
}

void rule_kvm(Check *check) {
        const Module *kvm = host_module(check->host, "kvm");

        if (module_is_present(kvm))
                check_find(check, "pass", "", "kvm is %s",
                           kvm->state == MODULE_LIVE ? "loaded" : "built into the kernel");
        else if (!host_vendor_module(check->host))
                check_find(check, "info", "", "kvm is not loaded (%s)", module_state_to_string(kvm->state));
}

void rule_vendor_module(Check *check) {
        const Host *host = check->host;
        const Module *module = host_vendor_module(host);
        const char *status = check_cpu_can(host) ? "fail" : "info";

        if (!module)
                return;
        g_autofree char *load = g_strdup_printf("modprobe %s", module->name);
        if (module_is_present(module))
                check_find(check, "pass", "", "%s is %s", module->name,
                           module->state == MODULE_LIVE ? "loaded" : "built into the kernel");
        else if (module->state == MODULE_MISSING && !host->has_module_files)
                check_find(check, status, check_cpu_can(host) ? "systemctl reboot" : "",
                           "%s is not loaded, and the modules of the running kernel %s are not installed (any more)",
                           module->name, host->release);
        else if (module->state == MODULE_MISSING)
                check_find(check, status, "", "The running kernel %s has no module %s", host->release, module->name);
        else if (host->modules_disabled)
                check_find(check, status, check_cpu_can(host) ? "systemctl reboot" : "",
                           "%s is not loaded, and loading of modules is switched off until the next boot",
                           module->name);
        else
                check_find(check, status, check_cpu_can(host) ? load : "", "%s is not loaded%s", module->name,
                           check_cpu_can(host) ? ", though the CPU can do it" : "");
}

void rule_module_files(Check *check) {
        const Module *module = check_module(check->host);

        if (module->state != MODULE_LIVE || check->host->has_module_files)
                return;
        check_find(check, "warn", "systemctl reboot",
                   "The modules of the running kernel %s are not installed any more: once unloaded, %s could not be "
                   "loaded again",
                   check->host->release, module->name);
}

void rule_modules_disabled(Check *check) {
        if (check->host->modules_disabled && check_module(check->host)->state != MODULE_BUILTIN)
                check_find(check, "info", "",
                           "Loading of modules is switched off until the next boot: settings can be kept for it "
                           "(nestvirtctl set --next-boot), not put in effect now");
}

void rule_builtin(Check *check) {
        const Module *module = check_module(check->host);

        if (module->state == MODULE_BUILTIN)
                check_find(check, "info", "",
                           "%s is built into the kernel: its parameters come from the kernel command line",
                           module->name);
}

void rule_device(Check *check) {
        const bool opened = *check->device, ready = module_is_present(check_module(check->host));
        const char *verdict = opened ? check->device : check->host->device;
        /* Its name for people, wherever the daemon itself looks at it. */
        const char *path = "/dev/kvm";

        if (g_str_equal(verdict, "ok") && opened)
                check_find(check, "pass", "", "%s opens and answers", path);
        else if (g_str_equal(verdict, "ok"))
                check_find(check, "pass", "", "%s is the right device node (10:232); it was not opened", path);
        else if (!opened && !root_is_machine(check->host->root))
                check_find(check, "info", "", "This is a tree of files, in which device nodes say nothing");
        else if (!ready && g_str_equal(verdict, "missing"))
                check_find(check, "info", "", "%s is missing, as it comes and goes with %s", path,
                           check_module(check->host)->name);
        else if (g_str_equal(verdict, "missing"))
                check_find(check, "fail", "nestvirtctl ensure-device", "%s is missing, though KVM is there", path);
        else if (g_str_equal(verdict, "wrong-node"))
                check_find(check, "fail", "nestvirtctl ensure-device", "%s is not the device node of KVM (10:232)",
                           path);
        else if (g_str_equal(verdict, "denied"))
                check_find(check, "fail", "nestvirtctl ensure-device", "%s is denied even to root", path);
        else
                check_find(check, "fail", "", "%s opens, but does not answer as KVM", path);
}

void rule_nested(Check *check) {
        const Host *host = check->host;
        const Module *vendor = host_vendor_module(host);
        const char *nested = host_nested(host);

        if (g_str_equal(nested, "on"))
                check_find(check, "pass", "", "Guests of this host can be hypervisors (nested is on)");
        else if (g_str_equal(nested, "off"))
                check_find(check, "info", "",
                           "Guests of this host can't be hypervisors: nested is off; to switch it on: "
                           "nestvirtctl set nested=on");
        else if (g_str_equal(nested, "unknown"))
                check_find(check, "warn", "",
                           "Whether guests of this host can be hypervisors can't be told: %s does not show nested",
                           vendor->name);
        else if (vendor && module_is_present(vendor))
                check_find(check, "info", "", "Guests of this host can't be hypervisors: %s has no nesting",
                           vendor->name);
        else if (vendor)
                check_find(check, "info", "", "Guests of this host can't be hypervisors: %s is not loaded",
                           vendor->name);
        else
                check_find(check, "info", "", "Nesting is not known on this architecture (%s)",
                           host->cpu->architecture);
}

void rule_paging(Check *check) {
        const char *mmu = host_mmu(check->host), *name;

        if (!*mmu)
                return;
        name = g_str_equal(host_vendor_module(check->host)->name, "kvm_intel") ? "ept" : "npt";
        if (g_str_equal(mmu, "tdp"))
                check_find(check, "pass", "", "Guest memory is translated in hardware (%s)", name);
        else
                check_find(check, "warn", "",
                           "Guest memory is shadowed in software: %s is off, so guests are slow and nested ones "
                           "slower",
                           name);
}
