/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What puts KVM into the initramfs: lists of initramfs-tools, of dracut and of systemd, and the
 * kernel's time of boot, the parts of the input. The line that is named is there and names KVM. */

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "initramfs.h"

#define RELEASE "6.1.0"

static const char *const paths[] = {"proc/stat", "etc/initramfs-tools/modules", "etc/dracut.conf",
                                    "etc/modules-load.d/a.conf"};

static void check(const Root *root, const Options *options, char *const *texts, const bool dracut) {
        Initramfs *initramfs = initramfs_read(root, RELEASE, "kvm_amd", options);
        char *colon = initramfs->puts_kvm ? strrchr(initramfs->puts_kvm, ':') : NULL;

        g_assert_nonnull(initramfs->image);
        g_assert_true(!initramfs->puts_kvm == !colon);
        for (gsize i = 1; colon && i < G_N_ELEMENTS(paths); i++)
                if (g_str_has_prefix(initramfs->puts_kvm + 1, paths[i])) {
                        g_auto(GStrv) lines = g_strsplit(texts[i], "\n", -1);
                        const unsigned long line = strtoul(colon + 1, NULL, 10);
                        g_assert_true(dracut == (i > 1));
                        g_assert_cmpuint(line, >, 0);
                        g_assert_cmpuint(line, <=, g_strv_length(lines));
                        g_assert_nonnull(strstr(lines[line - 1], "kvm"));
                }
        if (initramfs->booted != 0)
                g_assert_nonnull(strstr(texts[0], "btime"));
        initramfs_free(initramfs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *texts[G_N_ELEMENTS(paths)];

        for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
                size_t length;
                texts[i] = fuzz_take(&data, &size, &length);
                fuzz_write(paths[i], texts[i], length);
        }
        g_autoptr(Options) options = options_read(fuzz_root());
        fuzz_write("boot/initrd.img-" RELEASE, "", 0);
        fuzz_write("usr/sbin/update-initramfs", "", 0);
        check(fuzz_root(), options, texts, false);
        fuzz_remove("boot/initrd.img-" RELEASE);
        fuzz_remove("usr/sbin/update-initramfs");
        fuzz_write("boot/initramfs-" RELEASE ".img", "", 0);
        fuzz_write("usr/bin/dracut", "", 0);
        check(fuzz_root(), options, texts, true);
        fuzz_remove("boot/initramfs-" RELEASE ".img");
        fuzz_remove("usr/bin/dracut");
        for (gsize i = 0; i < G_N_ELEMENTS(paths); i++)
                g_free(texts[i]);
        return 0;
}
