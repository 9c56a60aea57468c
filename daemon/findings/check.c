/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The list of findings and their ids; the rules themselves are in check-*.c. It reads and changes
 * nothing. */

#include "check-rules.h"
#include "check.h"
#include "effect-judge.h"

typedef struct Rule {
        const char *id;
        void (*run)(Check *check);
} Rule;

/* The ids are an interface: they are documented, and scripts look for them. */
/* clang-format off */
static const Rule rules[] = {
        { "reading-failed",        rule_reading_failed },         /* a file that is there could not be read */
        { "degraded",              rule_degraded },               /* a change failed and could not be undone */
        { "journal-damaged",       rule_journal_damaged },        /* the record of a change is damaged */
        { "level",                 rule_level },                  /* on the hardware, or itself a virtual machine */
        { "below",                 rule_below },                  /* what the host below gives to this virtual machine */
        { "cpu",                   rule_cpu },                    /* the CPU has vmx or svm */
        { "firmware",              rule_firmware },               /* the firmware lets the CPU virtualize */
        { "cpu-features",          rule_cpu_features },           /* what KVM could use and the CPU lacks */
        { "cpu-sources",           rule_cpu_sources },            /* those who tell of the CPU contradict each other */
        { "cpus-differ",           rule_cpus_differ },            /* processors are not alike */
        { "kvm",                   rule_kvm },                    /* the module kvm is there */
        { "vendor-module",         rule_vendor_module },          /* the vendor's module is there */
        { "module-files",          rule_module_files },           /* the running kernel's modules can be loaded again */
        { "modules-disabled",      rule_modules_disabled },       /* loading of modules is switched off */
        { "lockdown",              rule_lockdown },               /* lockdown and signatures of modules */
        { "builtin",               rule_builtin },                /* KVM is part of the kernel */
        { "device",                rule_device },                 /* /dev/kvm */
        { "device-access",         rule_device_access },          /* its owner and mode */
        { "nested",                rule_nested },                 /* can a guest be a hypervisor */
        { "paging",                rule_paging },                 /* guest memory is translated in hardware */
        { "probe",                 rule_probe },                  /* what the probe has shown, beside what nested says */
        { "kvm-kept",              rule_kvm_kept },               /* nested only looks off: kvm stayed loaded */
        { "pending",               rule_pending },                /* a change waits until nobody uses KVM */
        { "desired-state",         rule_desired_state },          /* what is desired can't be read, or is not so */
        { "parameter-refused",     rule_parameter_refused },      /* a configured value with which the module won't load */
        { "parameter-unsupported", rule_parameter_unsupported },  /* configured, and the CPU lacks what it needs */
        { "parameter-needs",       rule_parameter_needs },        /* configured, and another parameter is off */
        { "parameter-differs",     rule_parameter_differs },      /* configured, and not in effect */
        { "parameter-by-hand",     rule_parameter_by_hand },      /* in effect, and not configured */
        { "parameter-unknown",     rule_parameter_unknown },      /* configured, and this kernel does not know it */
        { "other-vendor",          rule_other_vendor },           /* configured, for the other vendor's module */
        { "parameter-overridden",  rule_parameter_overridden },   /* two lines contradict each other */
        { "builtin-options",       rule_builtin_options },        /* lines in modprobe.d for a built-in module */
        { "install-command",       rule_install_command },        /* install or remove lines for KVM's modules */
        { "blacklist",             rule_blacklist },              /* KVM's modules are not loaded by themselves */
        { "own-file",              rule_own_file },               /* somebody else has changed our file */
        { "modprobe-line",         rule_modprobe_line },          /* lines or files that modprobe ignores */
        { "masked-file",           rule_masked_file },            /* a file about KVM is hidden by one of the same name */
        { "modules-load",          rule_modules_load },           /* options where only names belong */
        { "initramfs",             rule_initramfs },              /* KVM in an initramfs that is older than its options */
        { "virt-at-load",          rule_virt_at_load },           /* another hypervisor beside KVM */
        { "nx-huge-pages",         rule_nx_huge_pages },          /* the protection against a crash of the host */
        { "l1d-flush",             rule_l1d_flush },              /* the protection against L1TF */
        { "windows-nests",         rule_windows_nests },          /* guests that switch security by virtualization on */
        { "guests-left-out",       rule_guests_left_out },        /* libvirt has more guests than are shown */
};
/* clang-format on */

/* One of each name: of several rows the first stands for all. */
static GPtrArray *read_effects(const Host *host) {
        GPtrArray *effects = g_ptr_array_new_with_free_func((GDestroyNotify) effect_free);

        for (unsigned i = 0; i < n_catalog; i++) {
                const bool first = catalog_find(catalog[i].module, catalog[i].name) == &catalog[i];
                Effect *effect = first ? effect_new(host, &catalog[i]) : NULL;
                if (effect)
                        g_ptr_array_add(effects, effect);
        }
        return effects;
}

GPtrArray *check_host(const Host *host, const CheckFacts *facts, const char *device) {
        g_autoptr(GPtrArray) effects = read_effects(host);
        Check check = {
                        .host = host,
                        .facts = facts,
                        .device = device,
                        .effects = effects,
                        .findings = g_ptr_array_new_with_free_func((GDestroyNotify) finding_free),
        };

        /* What is not known has no findings but that: the first. */
        const gsize n = host->unknown || facts->fault ? 1 : G_N_ELEMENTS(rules);
        for (gsize i = 0; i < n; i++) {
                check_begin(&check, rules[i].id);
                rules[i].run(&check);
                check_end(&check);
        }
        return check.findings;
}
