/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Handles, listed, looked up and given back. Nothing is asked about a guest here. */

#include <stdlib.h>

#include "error.h"
#include "libvirt-domains.h"
#include "libvirt-error.h"

void libvirt_domains_free(virDomainPtr *domains, int n) {
        for (int i = 0; i < n; i++)
                (void) virDomainFree(domains[i]);
        free(domains);
}

int libvirt_domains_list(virConnectPtr connection, unsigned flags, virDomainPtr **ret, GError **error) {
        int n = virConnectListAllDomains(connection, ret, flags);

        if (n < 0)
                libvirt_error(error, CONDITION_LIBVIRT_UNAVAILABLE, "libvirt can't list its guests");
        return n;
}

virDomainPtr *libvirt_domains_look_up(virConnectPtr connection, const GPtrArray *uuids, int *ret_n) {
        virDomainPtr *domains = calloc(uuids->len + 1, sizeof *domains);

        *ret_n = 0;
        for (unsigned i = 0; domains && i < uuids->len; i++) {
                domains[*ret_n] = virDomainLookupByUUIDString(connection, g_ptr_array_index(uuids, i));
                if (domains[*ret_n])
                        ++*ret_n;
        }
        return domains;
}
