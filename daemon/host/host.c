/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the snapshot, and answers what only several of its parts together can tell. It must never
 * open /dev/kvm: that would pin the module that is to be reloaded. */

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "arm-nesting.h"
#include "catalog.h"
#include "collection.h"
#include "error.h"
#include "host.h"
#include "journal-phase.h"
#include "module-folder.h"
#include "pending.h"
#include "probe-result.h"

static char *read_line(const Root *root, const char *path) {
        return root_read_line(root, path) ?: g_strdup("");
}

static bool has_word(const char *line, const char *word) {
        g_auto(GStrv) words = g_strsplit_set(line, " \t\n", -1);

        return g_strv_contains((const char *const *) words, word);
}

static bool read_nomodule(const Root *root) {
        g_autofree char *cmdline = NULL;
        size_t size;

        return root_read(root, "proc/cmdline", ROOT_FILE_MAX, &cmdline, &size, NULL) && has_word(cmdline, "nomodule");
}

static bool read_modules_disabled(const Root *root) {
        g_autofree char *file = root_read_line(root, "proc/sys/kernel/modules_disabled"),
                        *said = file ? NULL : collection_sysctl(root, "kernel.modules_disabled");

        return g_strcmp0(file ?: said, "1") == 0;
}

static bool read_has_module_files(const Root *root, const char *release) {
        g_autofree char *folder = module_folder_find(root, release);

        return folder;
}

/* Among the names of @candidates one that the catalogue knows, else any that is named like a
 * vendor's module of KVM. */
static const char *pick_vendor(const char *const *candidates) {
        const char *any = NULL;

        for (const char *const *name = candidates; *name; name++) {
                if (!g_str_has_prefix(*name, "kvm_"))
                        continue;
                if (catalog_find(*name, "nested"))
                        return *name;
                any = any ?: *name;
        }
        return any;
}

/* A loaded one is named by kvm's holders; a built-in kvm has no such folder, and then the folders
 * beside it tell. Both vendors' may be part of a kernel, of which the CPU's own is meant. */
static char *find_vendor(const Root *root, const Cpu *cpu, const Module *kvm) {
        const char *found = pick_vendor((const char *const *) kvm->holders);
        const char *fitting = catalog_vendor_module(cpu->vendor);

        if (!found && kvm->state == MODULE_BUILTIN) {
                g_auto(GStrv) all = root_list(root, "sys/module");
                if (!fitting || !g_strv_contains((const char *const *) all, fitting))
                        return g_strdup(pick_vendor((const char *const *) all) ?: fitting);
        }
        return g_strdup(found ?: fitting);
}

/* One that is part of the kernel keeps its parameters in sysfs when its init fails, since nothing
 * takes it out; but then nobody has registered the device (virt/kvm/kvm_main.c, kvm_init() up to
 * 6.x, and kvm_init() of the vendor's *_init() since: misc_register(), Linux 5.10 to 7.3). A tree
 * of files may be without the class; then the CPU tells. */
static bool is_dead(const Root *root, const Cpu *cpu, const Module *module) {
        const char *feature = catalog_base_feature(module->name);

        if (module->state != MODULE_BUILTIN)
                return false;
        if (root_exists(root, "sys/class/misc"))
                return !root_exists(root, "sys/class/misc/kvm");
        return feature && !cpu_has(cpu, feature);
}

/* The first line counts ("pre: a b post: c"), as modprobe has it. Without an install line nobody
 * wants to know. */
static bool has_softdep(const Options *options, const Loader *loader, const char *module) {
        const Command *install = options_command(options, "install", module),
                      *line = install ? options_command(options, "softdep", module) : NULL;
        g_auto(GStrv) words = g_strsplit_set(line ? line->text : "", " \t", -1);
        bool begun = false, found = false;

        for (char **word = words; loader && *word && !found; word++) {
                if (g_str_equal(*word, "pre:") || g_str_equal(*word, "post:"))
                        begun = true;
                else if (begun && **word) {
                        g_autofree char *file = loader->locate(loader, g_strdelimit(*word, "-", '_'));
                        found = file != NULL;
                }
        }
        return found;
}

static GPtrArray *read_modules(const Root *root, const Loader *loader, const Cpu *cpu) {
        GPtrArray *modules = g_ptr_array_new_with_free_func((GDestroyNotify) module_free);
        Module *kvm = module_read(root, loader, "kvm");
        g_autofree char *vendor = find_vendor(root, cpu, kvm);

        g_ptr_array_add(modules, kvm);
        if (vendor) {
                Module *module = module_read(root, loader, vendor);
                module->dead = is_dead(root, cpu, module);
                g_ptr_array_add(modules, module);
        }
        return modules;
}

char *host_kvm_number(const Root *root) {
        guint64 number;

        return module_load_number(root, "kvm", &number) ? g_strdup_printf("%" G_GUINT64_FORMAT, number) : NULL;
}

/* What is recorded of one that was taken out by hand since then says nothing of this one. */
static bool read_kvm_kept(const Root *root) {
        g_autofree char *kept = root_read_line(root, KVM_KEPT_PATH), *now = host_kvm_number(root);

        return kept && g_strcmp0(kept, now) == 0;
}

static void read_journal(Host *host) {
        g_autoptr(GError) error = NULL;
        JournalPhase phase = JOURNAL_BEGUN;
        g_autoptr(GKeyFile) journal = journal_phase_read(host->root, &phase, &error);

        host->degraded = journal && phase == JOURNAL_DEGRADED;
        host->journal_damaged = (error && error->domain == CONDITION) || root_exists(host->root, JOURNAL_DAMAGED_PATH);
}

const char *host_judge_device(int error, const struct stat *st) {
        if (error == -EACCES || error == -EPERM)
                return "denied";
        if (error < 0)
                return "missing";
        if (!S_ISCHR(st->st_mode) || major(st->st_rdev) != HOST_DEVICE_MAJOR || minor(st->st_rdev) != HOST_DEVICE_MINOR)
                return "wrong-node";
        return "ok";
}

/* Takes over @fault. */
static Host *host_unknown(Root *root, Fault *fault) {
        Host *host = g_new(Host, 1);
        g_autoptr(Pending) pending = pending_parse(NULL);

        *host = (Host) {
                        .root = root_ref(root),
                        .fault = fault,
                        .unknown = true,
                        .release = g_strdup(""),
                        .boot_id = g_strdup(""),
                        .cpu = cpu_new_unknown(),
                        .options = options_new(),
                        .modules = g_ptr_array_new_with_free_func((GDestroyNotify) module_free),
                        .pending = g_hash_table_ref(pending->modules),
                        .probe = g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE("{sv}"), NULL, 0)),
                        .device = "unknown",
        };
        g_ptr_array_add(host->modules, module_new_unknown("kvm"));
        return host;
}

static Host *read_all(Root *root, const Loader *loader, const Host *before, bool cpus) {
        Host *host = g_new0(Host, 1);
        struct stat st = {};

        host->root = root_ref(root);
        host->collected = collection_is(root);
        host->release = collection_release(root);
        host->boot_id = read_line(root, "proc/sys/kernel/random/boot_id");
        host->container = read_line(root, "run/systemd/container");
        host->cpu = before && !cpus ? cpu_read_since(root, before->cpu) : cpu_read(root);
        host->at_rest = !root_is_machine(root) && !host->collected && !*host->release &&
                        !root_exists(root, "proc/cpuinfo");
        host->options = before ? options_read_since(root, before->options) : options_read(root);
        host->desired = before && before->desired ? desired_state_read_since(root, before->desired)
                                                  : desired_state_read(root);
        host->modules = read_modules(root, loader, host->cpu);
        for (unsigned i = 0; i < host->modules->len; i++) {
                Module *module = g_ptr_array_index(host->modules, i);
                module->has_softdep = has_softdep(host->options, loader, module->name);
        }

        g_autoptr(Pending) pending = pending_read(root);
        host->pending = g_hash_table_ref(pending->modules);
        host->nomodule = read_nomodule(root);
        host->modules_disabled = host->nomodule || read_modules_disabled(root);
        /* That they were not collected says nothing. */
        host->has_module_files = host->collected || read_has_module_files(root, host->release);
        host->kvm_kept = read_kvm_kept(root);
        host->arm_asked = host_is_arm(host) && arm_nesting_is_asked(root);
        /* drivers/hv/mshv_root_main.c, Linux 6.15: of a root partition, and of an L1VH. */
        host->mshv = root_exists(root, "sys/class/misc/mshv");
        read_journal(host);
        host->probe = probe_result_read(root, host->boot_id);
        host->device = host->collected ? "unknown" : host_judge_device(root_stat_device(root, "kvm", &st), &st);
        return host;
}

Host *host_read_since(Root *root, const Loader *loader, const Host *before, bool cpus) {
        fault_watch();

        Host *host = read_all(root, loader, before, cpus);
        Fault *fault = fault_found();
        if (!fault)
                return host;
        host_free(host);
        return host_unknown(root, fault);
}

Host *host_read(Root *root, const Loader *loader) {
        return host_read_since(root, loader, NULL, true);
}

Host *host_succeed(Host *before, Host *now) {
        if (!now->fault || before->unknown) {
                host_free(before);
                return now;
        }
        g_clear_pointer(&before->fault, fault_free);
        before->fault = g_steal_pointer(&now->fault);
        host_free(now);
        return before;
}

bool host_is_read(const Host *host, GError **error) {
        g_autofree char *told = host->fault ? fault_to_string(host->fault) : NULL;

        if (told)
                g_set_error(error, CONDITION, CONDITION_INTERNAL,
                            "%s. So it is not known what this host is like now, and nothing is changed. It is tried "
                            "again by itself; to see more: %s",
                            told, fault_fix(host->fault));
        return !told;
}

void host_free(Host *host) {
        if (!host)
                return;
        g_clear_pointer(&host->root, root_unref);
        g_clear_pointer(&host->fault, fault_free);
        g_free(host->release);
        g_free(host->boot_id);
        g_free(host->container);
        g_clear_pointer(&host->cpu, cpu_free);
        g_clear_pointer(&host->options, options_free);
        desired_state_unref(host->desired);
        g_clear_pointer(&host->modules, g_ptr_array_unref);
        g_clear_pointer(&host->pending, g_hash_table_unref);
        g_clear_pointer(&host->probe, g_variant_unref);
        g_free(host);
}

const Module *host_module(const Host *host, const char *name) {
        for (unsigned i = 0; i < host->modules->len; i++) {
                const Module *module = g_ptr_array_index(host->modules, i);
                if (g_str_equal(module->name, name))
                        return module;
        }
        return NULL;
}

const Module *host_vendor_module(const Host *host) {
        for (unsigned i = 0; i < host->modules->len; i++) {
                const Module *module = g_ptr_array_index(host->modules, i);
                if (!g_str_equal(module->name, "kvm"))
                        return module;
        }
        return NULL;
}

char *host_vendor_switch(const Host *host, const char *name) {
        const Module *vendor = host_vendor_module(host);
        const Parameter *parameter = vendor ? catalog_find(vendor->name, name) : NULL;
        const ModuleValue *value = parameter ? module_value(vendor, parameter->name) : NULL;

        return value ? catalog_read(parameter, host->release, value->value) : NULL;
}

bool host_parameters_are_known(const Host *host) {
        const Module *vendor = host_vendor_module(host);

        return !host->collected || (vendor && g_hash_table_size(vendor->values) > 0);
}

bool host_is_arm(const Host *host) {
        const Module *kvm = host_module(host, "kvm");

        return g_str_equal(host->cpu->architecture, "aarch64") && !host_vendor_module(host) && kvm &&
               module_is_present(kvm);
}

const char *host_nested(const Host *host) {
        const Module *vendor = host_vendor_module(host);

        if (host->unknown)
                return "unknown";
        if (host_is_arm(host))
                return arm_nesting_judge(host->arm_asked, host->cpu->facts);
        if (!vendor || !module_is_present(vendor) || !catalog_find(vendor->name, "nested"))
                return "unavailable";

        g_autofree char *value = host_vendor_switch(host, "nested");
        return !value ? "unknown" : g_str_equal(value, "0") ? "off" : "on";
}

const char *host_mmu(const Host *host) {
        const Module *vendor = host_vendor_module(host);

        if (!vendor || !module_is_present(vendor))
                return "";

        g_autofree char *ept = host_vendor_switch(host, "ept"), *npt = host_vendor_switch(host, "npt");
        const char *value = ept ?: npt;
        return !value ? "" : g_str_equal(value, "0") ? "shadow" : "tdp";
}

const char *host_pending(const Host *host, const char *module, const char *parameter) {
        GHashTable *values = g_hash_table_lookup(host->pending, module);

        return values ? g_hash_table_lookup(values, parameter) : NULL;
}
