/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of owners. A name is no proof, so the words are about the file of that name; what is in
 * it is not looked at here. */

#include <fnmatch.h>
#include <glib.h>

#include "conf-owner.h"

typedef struct Owner {
        const char *pattern; /* fnmatch(3), of the whole path */
        const char *says;
} Owner;

/* The first that fits. TuneD: its plug-in for modules, and the functions that its real-time
 * profiles call; VirtualBox: what its packages for openSUSE, Gentoo and Debian install; kvm.conf:
 * QEMU's packages of Fedora and its kin. */
static const Owner owners[] = {
                {"*/tuned.conf",
                 "is TuneD's, which writes it anew whenever a profile is applied: set it in the profile "
                 "([modules]) instead"},
                {"*.tuned.conf", "is TuneD's, written by its profiles for real-time guests"},
                {"*virtualbox*.conf", "comes with VirtualBox"},
                {"*vbox*.conf", "comes with VirtualBox"},
                {"*/qemu-system-*.conf", "comes with the distribution's QEMU"},
                {"/etc/*/kvm.conf",
                 "is the file of the distribution's QEMU or KVM package, for the administrator to edit"},
                {"*/nixos.conf", "is made by NixOS from the system's configuration"},
                {"/usr/lib/modprobe.d/dist*.conf", "comes with the distribution"},
                {"/lib/modprobe.d/dist*.conf", "comes with the distribution"},
                {"/usr/lib/modprobe.d/*",
                 "comes with a package, and a file of its name in /etc/modprobe.d replaces it"},
                {"/lib/modprobe.d/*", "comes with a package, and a file of its name in /etc/modprobe.d replaces it"},
};

char *conf_owner_say(const char *path) {
        for (gsize i = 0; path && i < G_N_ELEMENTS(owners); i++)
                if (fnmatch(owners[i].pattern, path, 0) == 0)
                        return g_strdup_printf("%s %s", path, owners[i].says);
        return NULL;
}
