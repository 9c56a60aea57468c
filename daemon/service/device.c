/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the check of the device comes to, what there is to mend, and whether mending helped. Opening
 * and making is the helper's. */

#include <errno.h>
#include <string.h>

#include "device.h"
#include "device-node.h"
#include "error.h"
#include "file.h"
#include "group.h"
#include "load-obstacle.h"
#include "log.h"

#define TIMEOUT_SEC 30U

struct Device {
        HostState *state;
        Helper *helper;
        const char *word; /* what the check under way has found */
        /* of what is under way: a turn is somebody's alone */
        DeviceChecked checked;
        DeviceEnsured ensured;
        GDestroyNotify discard;
        gpointer userdata;
};

Device *device_new(HostState *state, Helper *helper) {
        Device *device = g_new0(Device, 1);

        device->state = state;
        device->helper = helper;
        return device;
}

void device_free(Device *device) {
        if (!device)
                return;
        helper_free(device->helper);
        if (device->checked || device->ensured)
                device->discard(device->userdata);
        g_free(device);
}

static const char *word_of(int status) {
        switch (status) {
        case DEVICE_OK:
                return "ok";
        case DEVICE_MISSING:
                return "missing";
        case DEVICE_WRONG_NODE:
                return "wrong-node";
        case DEVICE_DENIED:
                return "denied";
        case DEVICE_BROKEN:
                return "broken";
        default:
                return "failed";
        }
}

static void check_end(Device *device) {
        const DeviceChecked done = g_steal_pointer(&device->checked);

        done(device->word, device->userdata);
}

static void run(Device *device, const char *verb, const char *output, HelperDone done) {
        g_autofree char *unit = g_strdup_printf("nestvirt-device@%s.service", verb);
        g_autofree char *node = root_device_path(device->state->root, "kvm");
        const char *const argv[] = {"nestvirt-device", verb, node, NULL};
        const HelperTask task = {.unit = unit, .argv = argv, .output = output, .timeout_sec = TIMEOUT_SEC};

        helper_run(device->helper, &task, done, device);
}

static void on_facts(int status, const char *detail, gpointer userdata) {
        if (status != DEVICE_OK)
                log_error("Cannot read what the CPU's registers and /dev/kvm say: %s",
                          detail       ? detail
                          : status < 0 ? strerror(-status)
                                       : "nestvirt-device failed");
        check_end(userdata);
}

/* What was read at an earlier check is forgotten first: KVM may have been loaded otherwise
 * since. */
static void facts_begin(Device *device) {
        const HostState *state = device->state;
        g_autofree char *output = root_absolute(state->root, CPU_FACTS_PATH);
        g_autoptr(GError) error = NULL;

        if (*state->host->cpu->vendor && file_write(state->root, CPU_FACTS_PATH, "", &error)) {
                run(device, "facts", output, on_facts);
                return;
        }
        if (error)
                log_error("Cannot keep what the CPU's registers say: %s", error->message);
        check_end(device);
}

static void on_checked(int status, const char *detail, gpointer userdata) {
        Device *device = userdata;

        if (status < 0)
                log_error("Cannot check /dev/kvm: %s", detail ?: strerror(-status));
        device->word = word_of(status);
        facts_begin(device);
}

void device_check(Device *device, DeviceChecked done, GDestroyNotify discard, gpointer userdata) {
        device->checked = done;
        device->discard = discard;
        device->userdata = userdata;
        run(device, "check", NULL, on_checked);
}

/* Nothing answers behind a node without KVM. */
static bool check_kvm(const Host *host, GError **error) {
        const Module *vendor = host_vendor_module(host), *module = vendor ?: host_module(host, "kvm");

        if (module_is_present(module))
                return true;
        if (module->dead) {
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                            "%s is part of the kernel, but its init failed, so there is nothing behind /dev/kvm: "
                            "nestvirtctl check says more",
                            module->name);
                return false;
        }
        g_autofree char *load = load_obstacle_remedy(host, module);
        g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                    "%s is not loaded, so there is nothing behind /dev/kvm%s%s", module->name,
                    *load ? ". Load it: " : "; nestvirtctl check says why", load);
        return false;
}

GPtrArray *device_plan(const HostState *state, GError **error) {
        struct stat st = {};

        fault_watch();
        const gid_t group = group_find(state->root, NODE_GROUP);
        const int missing = root_stat_device(state->root, "kvm", &st);
        g_autoptr(Fault) fault = fault_found();

        if (state->loader->inert) {
                g_set_error_literal(error, CONDITION, CONDITION_UNSUPPORTED,
                                    "This is a tree of files, not the running machine: it has no devices");
                return NULL;
        }
        if (!host_is_read(state->host, error) || !check_kvm(state->host, error))
                return NULL;
        if (fault) {
                (void) error_set_errno(error, fault->errnum, "Can't look at %s", fault->path);
                return NULL;
        }
        if (missing < 0 && missing != -ENOENT) {
                g_set_error(error, CONDITION, CONDITION_NOT_PERMITTED, "/dev/kvm can't be looked at: %s",
                            strerror(-missing));
                return NULL;
        }

        GPtrArray *steps = g_ptr_array_new_with_free_func(g_free);
        const bool make = missing < 0 || node_is_wrong(&st);
        if (make)
                g_ptr_array_add(steps,
                                g_strdup_printf("%s /dev/kvm with the device number %u:%u",
                                                missing < 0 ? "make" : "replace what is at", NODE_MAJOR, NODE_MINOR));
        if (make || node_is_others(&st, group))
                g_ptr_array_add(steps, g_strdup_printf("give /dev/kvm to root and the group %s",
                                                       group != 0 ? NODE_GROUP : "root"));
        if (make || node_is_closed(&st))
                g_ptr_array_add(steps, g_strdup_printf("let both read and write it (mode %04o)", NODE_MODE));
        return steps;
}

/* The helper said yes: is it so? */
static bool verify(const HostState *state, GError **error) {
        g_autoptr(GPtrArray) left = device_plan(state, error);

        if (!left)
                return false;
        if (left->len == 0)
                return true;
        g_set_error(error, CONDITION, CONDITION_INTERNAL, "/dev/kvm is still not right. Left to do: %s",
                    (const char *) g_ptr_array_index(left, 0));
        return false;
}

static void on_ensured(int status, const char *detail, gpointer userdata) {
        Device *device = userdata;
        const DeviceEnsured done = g_steal_pointer(&device->ensured);
        g_autoptr(GError) error = NULL;

        host_state_refresh(device->state);
        if (status == DEVICE_DENIED)
                g_set_error_literal(
                                &error, CONDITION, CONDITION_NOT_PERMITTED,
                                "The kernel does not let root make or mend /dev/kvm here: is this a container? Then "
                                "it has to be given the device from outside");
        else if (status != DEVICE_OK)
                g_set_error(&error, CONDITION, CONDITION_INTERNAL, "Cannot mend /dev/kvm: %s",
                            detail       ? detail
                            : status < 0 ? strerror(-status)
                                         : "nestvirt-device failed; its reason is in the journal");
        else
                (void) verify(device->state, &error);
        done(error, device->userdata);
}

void device_ensure(Device *device, DeviceEnsured done, GDestroyNotify discard, gpointer userdata) {
        device->ensured = done;
        device->discard = discard;
        device->userdata = userdata;
        run(device, "ensure", NULL, on_ensured);
}
