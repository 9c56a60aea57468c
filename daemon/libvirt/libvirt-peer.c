/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libvirt does not hand out its socket, so it is looked for among our own. */

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "hypervisor.h"
#include "libvirt-peer.h"

static bool is_libvirts(const struct sockaddr_un *address) {
        for (const char *const *path = hypervisor_sockets; *path; path++)
                if (address->sun_path[0] == '/' && g_str_equal(address->sun_path + 1, *path))
                        return true;
        return false;
}

/* Who listened when the connection was made: systemd, for the very first one to a daemon that is
 * started by it. The daemon listens again itself (libvirt 9.0), so that the next one tells. */
static unsigned ask(const struct sockaddr_un *address, socklen_t size) {
        int fd AUTO_CLOSE = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct ucred peer;
        socklen_t length = sizeof peer;

        if (fd < 0 || connect(fd, address, size) < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
                return 0;
        return peer.pid > 1 ? (unsigned) peer.pid : 0;
}

unsigned libvirt_peer(void) {
        g_autoptr(GDir) folder = g_dir_open("/proc/self/fd", 0, NULL);
        const char *name;

        while (folder && (name = g_dir_read_name(folder))) {
                struct sockaddr_un address = {};
                socklen_t size = sizeof address;

                if (getpeername((int) g_ascii_strtoll(name, NULL, 10), &address, &size) >= 0 &&
                    address.sun_family == AF_UNIX && size < sizeof address && is_libvirts(&address))
                        return ask(&address, size);
        }
        return 0;
}
