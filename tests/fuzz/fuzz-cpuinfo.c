/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* /proc/cpuinfo. Flags are words of its lines, sorted, each once; what differs differs; and a
 * processor that is there twice is like itself. */

#include <string.h>

#include "cpu-spread.h"
#include "cpuinfo.h"
#include "fuzz.h"

#define PATH "proc/cpuinfo"

static void check_flags(const Cpuinfo *info) {
        for (char **flag = info->virtualization; *flag; flag++) {
                g_assert_true(cpuinfo_has_word(info->flags, *flag) || cpuinfo_has_word(info->vmx_flags, *flag) ||
                              cpuinfo_has_word(info->features, *flag));
                g_assert_true(!flag[1] || strcmp(*flag, flag[1]) < 0);
        }
}

static void check_texts(const Cpuinfo *info) {
        const char *const texts[] = {info->vendor,   info->model,       info->flags,        info->vmx_flags,
                                     info->features, info->implementer, info->architecture, info->isa};

        for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
                if (texts[i]) {
                        fuzz_assert_utf8(texts[i]);
                        g_assert_null(strchr(texts[i], '\n'));
                }
}

static void check_spread(const Cpuinfo *info) {
        for (unsigned i = 0; i < info->spread->len; i++) {
                const CpuOdd *odd = g_ptr_array_index(info->spread, i);
                g_autofree char *processors = cpu_odd_processors(odd);
                fuzz_assert_line(processors);
                g_assert_true(g_strv_contains((const char *const *) info->virtualization, odd->what) == odd->first_has);
        }
        g_assert_true(info->processors > 1 || info->spread->len == 0);
}

static void check_twice(const char *text, size_t size, const Cpuinfo *info) {
        g_autoptr(GString) twice = g_string_new_len(text, (gssize) size);

        g_string_append(twice, "\n\n");
        g_string_append_len(twice, text, (gssize) size);
        fuzz_write(PATH, twice->str, twice->len);
        g_autoptr(Cpuinfo) again = cpuinfo_read(fuzz_root());
        g_assert_true(g_strv_equal((const char *const *) info->virtualization,
                                   (const char *const *) again->virtualization));
        g_assert_cmpuint(again->processors, ==, 2 * info->processors);
        if (info->processors == 1)
                g_assert_cmpuint(again->spread->len, ==, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        size_t length;
        g_autofree char *text = fuzz_take_rest(&data, &size, &length);

        fuzz_write(PATH, text, length);
        g_autoptr(Cpuinfo) info = cpuinfo_read(fuzz_root());
        check_flags(info);
        check_texts(info);
        check_spread(info);
        check_twice(text, length, info);
        return 0;
}
