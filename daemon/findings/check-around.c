/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found about what is around KVM: the kernel's rules for modules, other hypervisors, the
 * initramfs. It reads and changes nothing. */

#include "check-rules.h"
#include "lockdown.h"

#define ENFORCE_PATH "/sys/module/module/parameters/sig_enforce"

/* fs/debugfs/file.c, debugfs_locked_down(): what root could write can't even be read, and most of
 * KVM's counters are such files. */
void rule_lockdown(Check *check) {
        const CheckFacts *facts = check->facts;
        const bool locked = *facts->lockdown, builtin = check_module(check->host)->state == MODULE_BUILTIN;

        if (facts->unsigned_module && facts->signed_only)
                check_find(check, "warn", "",
                           "%s was loaded without a signature, and by now the kernel takes only modules that have one "
                           "(%s): once unloaded, it could not be loaded again. Sign its file, or install the one of "
                           "the kernel's package",
                           facts->unsigned_module, locked ? "/" LOCKDOWN_PATH : ENFORCE_PATH);
        else if (locked)
                check_find(check, "info", "",
                           "The kernel is locked down (/" LOCKDOWN_PATH
                           ": %s): %sKVM's counters in debugfs can't be read but for a few. Its parameters can be set "
                           "all the same",
                           facts->lockdown, builtin ? "" : "it takes only signed modules, and ");
        else if (facts->signed_only && !builtin)
                check_find(check, "info", "",
                           "The kernel takes only signed modules (%s): one built by hand would have to be signed",
                           ENFORCE_PATH);
}

static const char *maker(const char *module) {
        return g_str_equal(module, "vboxdrv") ? "VirtualBox" : "VMware";
}

/* Linux 6.12 and later, virt/kvm/kvm_main.c; VirtualBox changed sides with 7.2.10, so that neither
 * value is right for all. */
static const char *told_of_virt_at_load(const char *module, bool on) {
        if (g_str_equal(module, "vboxdrv"))
                return on ? "VirtualBox from 7.2.10 on wants it so. Before, its guests don't start "
                            "(VERR_VMX_IN_VMX_ROOT_MODE, VERR_SVM_IN_USE) until KVM is unloaded, or loaded with "
                            "enable_virt_at_load=0"
                          : "VirtualBox before 7.2.10 runs guests while KVM runs none. From 7.2.10 on its guests don't "
                            "start like this (VERR_SVM_HOST_SVME_NOT_ENABLED), and hosts have frozen: it wants "
                            "enable_virt_at_load=1, or KVM unloaded";
        return on ? "VMware's own guests need KVM unloaded, or loaded with enable_virt_at_load=0"
                  : "VMware's own guests run while KVM runs none";
}

static void find_other(Check *check, const char *module, bool loaded, const char *value) {
        const bool on = g_str_equal(value, "on");
        g_autofree char *source =
                        loaded ? g_strdup_printf("is loaded (/sys/module/%s)", module)
                               : g_strdup_printf("is installed for kernel %s and not loaded", check->host->release);

        check_find(check, loaded ? "warn" : "info", "",
                   "%s of %s %s, and kvm.enable_virt_at_load is %s: KVM has the CPU's virtualization %s. %s. While a "
                   "guest of %s runs, a load of KVM can fail",
                   module, maker(module), source, value,
                   on ? "as long as it is loaded" : "only while a guest of its own runs",
                   told_of_virt_at_load(module, on), maker(module));
}

void rule_virt_at_load(Check *check) {
        const char *value = check_effective(check, "kvm", "enable_virt_at_load");

        for (char **module = check->facts->loaded_others; value && *module; module++)
                find_other(check, *module, true, value);
        for (char **module = check->facts->installed_others; value && *module; module++)
                find_other(check, *module, false, value);
}

static char *day(gint64 seconds) {
        g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(seconds);

        return time ? g_date_time_format(time, "%F %R") : g_strdup("?");
}

/* One that is not in effect though it has been written down since before the boot, but after the
 * image was built. */
static const Effect *find_missed(const Check *check, const char **ret_path) {
        for (unsigned i = 0; i < check->effects->len; i++) {
                const Effect *e = g_ptr_array_index(check->effects, i);
                const Option *winner =
                                options_winner(check->host->options, e->parameter->module, e->parameter->name, NULL);
                if ((e->why == WHY_CONFIGURED || e->why == WHY_STICKS) && !e->writable && winner && winner->path &&
                    initramfs_missed(check->facts->initramfs, winner->path)) {
                        *ret_path = winner->path;
                        return e;
                }
        }
        return NULL;
}

static void find_in_image(Check *check, const Initramfs *initramfs, const char *built) {
        const char *newer = initramfs_newer_file(initramfs);

        if (initramfs->left_out)
                check_find(check, "warn", "",
                           "%s puts KVM into the initramfs (%s), and no initramfs has a copy of %s: a boot loads KVM "
                           "without what it says. Put it into /etc/modprobe.d and build the initramfs anew%s%s",
                           initramfs->puts_kvm, initramfs->image, initramfs->left_out, *initramfs->rebuild ? ": " : "",
                           initramfs->rebuild);
        else if (newer)
                check_find(check, "warn", initramfs->rebuild,
                           "%s puts KVM into the initramfs (%s), and %s was changed after that was built (%s): the "
                           "next boot loads KVM with the copy in it",
                           initramfs->puts_kvm, initramfs->image, newer, built);
        else if (initramfs_folder_is_newer(initramfs))
                check_find(check, "info", initramfs->rebuild,
                           "%s puts KVM into the initramfs (%s), and files came or went in /etc/modprobe.d after that "
                           "was built (%s): an option of KVM that was taken out there is still in it",
                           initramfs->puts_kvm, initramfs->image, built);
        else
                check_find(check, "pass", "",
                           "%s puts KVM into the initramfs (%s), which was built (%s) after the last change of KVM's "
                           "options",
                           initramfs->puts_kvm, initramfs->image, built);
}

void rule_initramfs(Check *check) {
        const Initramfs *initramfs = check->facts->initramfs;
        const char *path = NULL;

        if (!initramfs->image || check_module(check->host)->state == MODULE_BUILTIN)
                return;
        const Effect *missed = find_missed(check, &path);
        g_autofree char *built = day(initramfs->built);
        if (initramfs->puts_kvm)
                find_in_image(check, initramfs, built);
        else if (missed)
                check_find(check, "warn", initramfs->rebuild,
                           "%s has been as it is since before this boot, and %s.%s is %s all the same: it was loaded "
                           "by hand with another value, or by an initramfs with an old copy. %s is older than the file "
                           "(%s); whether KVM is in it was not looked at (lsinitramfs or lsinitrd tell)",
                           path, missed->parameter->module, missed->parameter->name, missed->effective,
                           initramfs->image, built);
}

/* So many are named; nestvirtctl guests has all. */
#define NAMED_MAX 8U

static char *name_some(const GPtrArray *names) {
        g_autoptr(GString) text = g_string_new(NULL);
        const unsigned n = MIN(names->len, NAMED_MAX);

        for (unsigned i = 0; i < n; i++)
                g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", (const char *) g_ptr_array_index(names, i));
        if (names->len > n)
                g_string_append_printf(text, " and %u more", names->len - n);
        return g_string_free(g_steal_pointer(&text), FALSE);
}

void rule_windows_nests(Check *check) {
        const GPtrArray *names = check->facts->guests_unasked;
        const char *feature = g_str_equal(check->host->cpu->vendor, "intel") ? "vmx" : "svm";
        g_autofree char *some = NULL, *quoted = NULL, *fix = NULL;

        if (!names || names->len == 0)
                return;
        if (check->facts->guests_hidden)
                some = g_strdup_printf("%u of libvirt's guests %s Windows and get", names->len,
                                       names->len == 1 ? "is" : "are");
        else {
                g_autofree char *list = name_some(names);
                quoted = g_shell_quote(g_ptr_array_index(names, 0));
                some = g_strdup_printf("%s %s Windows and get%s", list, names->len == 1 ? "is" : "are",
                                       names->len == 1 ? "s" : "");
        }
        fix = quoted ? g_strdup_printf("nestvirtctl set-cpu %s --nested=no", quoted) : g_strdup("");
        check_find(check, "warn", fix,
                   "%s %s with the host's CPU, though nothing asks for it: Windows switches virtualization-based "
                   "security on by itself where it finds that, becomes a host of Hyper-V, and is slower or does not "
                   "boot. Where "
                   "it is meant, the definition is to require it by name, as the recipe hyperv does",
                   some, feature);
}

void rule_guests_left_out(Check *check) {
        const unsigned n = check->facts->guests_left_out;

        if (n > 0)
                check_find(check, "warn", "",
                           "libvirt (qemu:///system, or what nestvirtd.conf names) has more guests than nestvirtd "
                           "shows: %u of them are left out",
                           n);
}
