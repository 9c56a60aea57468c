/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.nestvirt1.Guest: its members. They are in the order of their names, as describe_guest() has
 * them: see object.c. */

#include "methods.h"

const sd_bus_vtable guest_vtable[] = {
                SD_BUS_VTABLE_START(0),
                SD_BUS_PROPERTY("Active", "b", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("CpuMode", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("CpuModel", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Mmu", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Name", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("NextStart", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Now", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Persistent", "b", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Policy", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Reason", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("RestartNeeded", "b", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("SavedState", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Type", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Using", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Uuid", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),

                SD_BUS_METHOD_WITH_ARGS("SetCpu", SD_BUS_ARGS("a{sv}", cpu, "t", flags), SD_BUS_RESULT("a{sv}", result),
                                        operation_guest_set_cpu, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Prepare", SD_BUS_ARGS("s", recipe, "a{sv}", options, "t", flags),
                                        SD_BUS_RESULT("a{sv}", result), operation_guest_prepare,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Compare", SD_BUS_ARGS("a{sv}", there, "t", flags),
                                        SD_BUS_RESULT("a{sv}", result), method_compare_guest,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_VTABLE_END,
};
