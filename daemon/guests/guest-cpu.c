/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a CPU definition asks for. Whether it gets that is for the rules of the start and of now. */

#include "guest-cpu.h"
#include "guest-model.h"

GuestCpu guest_cpu_empty(void) {
        return (GuestCpu) {"", "", "", "", "", "", "", "", "", "", ""};
}

const char *guest_feature(const char *vendor) {
        if (g_str_equal(vendor, "intel"))
                return "vmx";
        return g_str_equal(vendor, "amd") ? "svm" : NULL;
}

static bool is(const char *word, const char *other) {
        return g_strcmp0(word, other) == 0;
}

bool guest_cpu_passes_through(const GuestCpu *cpu) {
        return is(cpu->mode, "host-passthrough") || is(cpu->mode, "maximum");
}

/* libvirt's src/cpu/cpu_x86.c, virCPUx86Update(). */
bool guest_cpu_takes_host_model(const GuestCpu *cpu) {
        return is(cpu->mode, "host-model") || (is(cpu->mode, "custom") && is(cpu->match, "minimum"));
}

static bool follows_host(const GuestCpu *cpu) {
        return guest_cpu_passes_through(cpu) || guest_cpu_takes_host_model(cpu);
}

/* Where libvirt is not told it takes check='partial', but for the host's own CPU 'none'
 * (src/qemu/qemu_domain.c, qemuDomainDefCPUPostParse()). */
bool guest_cpu_is_compared(const GuestCpu *cpu) {
        return *cpu->check ? !is(cpu->check, "none") : !guest_cpu_passes_through(cpu);
}

Wish guest_cpu_wish(const GuestCpu *cpu, const char *vendor) {
        if (is(cpu->policy, "disable"))
                return WISH_NO;
        if (is(cpu->policy, "forbid"))
                return WISH_FORBID;
        if (is(cpu->policy, "optional"))
                return WISH_TAKE;
        if (is(vendor, "amd") && is(cpu->mode, "custom") && guest_model_brings_svm(cpu->model))
                return WISH_MODEL;
        if (is(cpu->policy, "require") || is(cpu->policy, "force"))
                return WISH_REQUIRE;
        return follows_host(cpu) ? WISH_TAKE : WISH_NO;
}

bool guest_cpu_names_feature(const GuestCpu *cpu, const char *vendor) {
        const Wish wish = guest_cpu_wish(cpu, vendor);

        return wish == WISH_REQUIRE || wish == WISH_MODEL;
}

bool guest_cpu_can_nest(const GuestCpu *cpu, const char *vendor) {
        const Wish wish = cpu->mode ? guest_cpu_wish(cpu, vendor) : WISH_NO;
        g_autofree char *why = cpu->mode ? guest_launch_forbids(cpu->launch) : NULL;

        return wish != WISH_NO && wish != WISH_FORBID && !why;
}

/* A running guest never says host-model, nor nothing: it runs with what that came to. */
bool guest_cpu_modes_differ(const GuestCpu *live, const GuestCpu *defined) {
        const bool expanded = is(live->mode, "custom") && (is(defined->mode, "host-model") || is(defined->mode, ""));

        if (!live->mode || !defined->mode)
                return false;
        /* Where QEMU is told by other means, the XML of the running guest is a mixture of both. */
        if (!is(live->argument, defined->argument) || *live->argument)
                return !is(live->argument, defined->argument);
        if (!expanded && !is(live->mode, defined->mode))
                return true;
        return is(live->mode, "custom") && is(defined->mode, "custom") && !is(live->model, defined->model);
}

bool guest_cpus_differ(const GuestCpu *cpu, const GuestCpu *defined, const char *vendor) {
        return cpu->mode && (guest_cpu_can_nest(cpu, vendor) != guest_cpu_can_nest(defined, vendor) ||
                             guest_cpu_modes_differ(cpu, defined));
}
