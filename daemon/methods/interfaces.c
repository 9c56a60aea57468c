/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which objects there are, and the interface of each. */

#include "methods.h"
#include "names.h"

const ObjectKind interfaces[OBJECT_KINDS] = {
                [OBJECT_MANAGER] = {.path = PATH_MANAGER, .interface = IFACE_MANAGER, .vtable = manager_vtable},
                [OBJECT_MODULE] = {.path = PATH_MODULE_PREFIX, .interface = IFACE_MODULE, .vtable = module_vtable},
                [OBJECT_GUEST] = {.path = PATH_GUEST_PREFIX, .interface = IFACE_GUEST, .vtable = guest_vtable},
};
