/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Judges one process after the other. Nothing is read here. */

#include <unistd.h>

#include "passing.h"

void passing_clear(Passing *passing) {
        g_free(passing->libvirt_unit);
        *passing = (Passing) {};
}

void passing_copy(const Passing *from, Passing *to) {
        *to = *from;
        to->libvirt_unit = g_strdup(from->libvirt_unit);
}

/* As those units are named in systemd/. A unit of a user's is below one of the system's. */
static bool is_own_unit(const char *unit) {
        return g_str_has_suffix(unit, ".service") &&
               (g_str_has_prefix(unit, "nestvirt-device@") || g_str_has_prefix(unit, "nestvirt-probe@"));
}

/* The first process of a system or of a container is everybody's parent sooner or later. */
static bool is_of_libvirt(const Passing *passing, const User *user) {
        if (passing->libvirt <= 1)
                return false;
        return user->parent == passing->libvirt || (g_strcmp0(user->unit, passing->libvirt_unit) == 0 &&
                                                    g_str_has_suffix(user->unit, ".service") && !*user->guest);
}

const char *passing_what(const Passing *passing, const User *user) {
        if (is_own_unit(user->unit) || user->parent == (unsigned) getpid())
                return "a check of nestvirtd's own";
        return is_of_libvirt(passing, user) ? "libvirt trying out QEMU" : NULL;
}

bool passing_all(const Passing *passing, const Users *users) {
        for (unsigned i = 0; i < users->holders->len; i++)
                if (!passing_what(passing, g_ptr_array_index(users->holders, i)))
                        return false;
        return users->holders->len > 0 && users->omitted == 0 && !users->perhaps_more;
}
