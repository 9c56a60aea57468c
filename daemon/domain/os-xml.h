/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which operating system a definition says it is for. */

#include "domain-xml.h"

/* It is Windows: libosinfo's metadata, which virt-install, virt-manager and Cockpit write, says so;
 * or, where they name no system at all, it has Hyper-V's enlightenments, which are made for
 * Windows. */
bool os_xml_is_windows(const DomainXml *domain);
