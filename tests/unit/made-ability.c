/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "made-ability.h"

static void put(Ability *ability, const char *name, const char *text) {
        g_autoptr(GError) error = NULL;

        (void) ability_add(ability, name, text, &error);
        g_assert_no_error(error);
}

static Ability *make(const char *const (*pairs)[2]) {
        Ability *ability = ability_new();

        put(ability, "architecture", "x86_64");
        put(ability, "schema", "0x1");
        for (; **pairs; pairs++)
                put(ability, (*pairs)[0], (*pairs)[1]);
        return ability;
}

Ability *made_vmx(void) {
        static const char *const pairs[][2] = {
                        {"vendor", "intel"},
                        {"svm", "0x0"},
                        {"vmx", "0x1"},
                        {"nested_state.size", "0x2080"},
                        {"msr.480", "0xd8100011e57ed0"},
                        {"msr.481", "0xff00000016"},
                        {"msr.485", "0x20000165"},
                        {"msr.486", "0x80000021"},
                        {"msr.487", "0xffffffff"},
                        {"msr.488", "0x2000"},
                        {"msr.489", "0x3727ff"},
                        {"msr.48a", "0x2e"},
                        {"msr.48b", "0x137bff00000000"},
                        {"msr.48c", "0xf0106734141"},
                        {"msr.48d", "0xff00000016"},
                        {"msr.48e", "0xfff9fffe04006172"},
                        {"msr.48f", "0xffffff00036dfb"},
                        {"msr.490", "0xffff000011fb"},
                        {"msr.491", "0x1"},
                        {NULL, NULL},
        };

        return make(pairs);
}

Ability *made_svm(void) {
        static const char *const pairs[][2] = {
                        {"vendor", "amd"},
                        {"svm", "0x1"},
                        {"vmx", "0x0"},
                        {"nested_state.size", "0x1080"},
                        {"cpuid.8000000a.eax", "0x1"},
                        {"cpuid.8000000a.ebx", "0x8"},
                        {"cpuid.8000000a.edx", "0x1001943b"},
                        {NULL, NULL},
        };

        return make(pairs);
}

Ability *made_none(const char *vendor) {
        const char *const pairs[][2] = {{"vendor", vendor}, {"svm", "0x0"}, {"vmx", "0x0"}, {NULL, NULL}};

        return make(pairs);
}
