/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt's handles of several guests. One that was listed or looked up knows whether its guest
 * runs, without a question. */

#include <glib.h>
#include <libvirt/libvirt.h>

/* @flags: those of virConnectListAllDomains(). How many there are; negative, and
 * LibvirtUnavailable, when libvirt can't list them. */
int libvirt_domains_list(virConnectPtr connection, unsigned flags, virDomainPtr **ret, GError **error);
/* @uuids: char*. Those of them that there are, ended by NULL. */
virDomainPtr *libvirt_domains_look_up(virConnectPtr connection, const GPtrArray *uuids, int *ret_n);
void libvirt_domains_free(virDomainPtr *domains, int n);
