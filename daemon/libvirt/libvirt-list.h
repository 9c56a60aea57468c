/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All guests of a connection, as hypervisor.h says of list() and survey(). */

#include <glib.h>
#include <libvirt/libvirt.h>

GPtrArray *libvirt_list_read(virConnectPtr connection, const char *vendor, GError **error);
GPtrArray *libvirt_list_survey(virConnectPtr connection, GError **error);
