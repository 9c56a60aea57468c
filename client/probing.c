/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Has the probe run: by the program itself when the caller may open /dev/kvm, else by the daemon.
 * It must not know what is found. */

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "connection.h"
#include "error.h"
#include "names.h"
#include "probing.h"

#define PROGRAM "nestvirt-probe"
#define DEVICE "/dev/kvm"

/* In a build tree, or where it is installed. */
static char *find_program(void) {
        g_autofree char *client = g_file_read_link("/proc/self/exe", NULL);
        g_autofree char *folder = client ? g_path_get_dirname(client) : NULL;
        g_autofree char *built = folder ? g_build_filename(folder, "..", "daemon", PROGRAM, NULL) : NULL;

        if (built && access(built, X_OK) == 0)
                return g_steal_pointer(&built);
        return g_strdup(LIBEXECDIR "/" PROGRAM);
}

static bool may_open_device(void) {
        return faccessat(AT_FDCWD, DEVICE, R_OK | W_OK, AT_EACCESS) == 0;
}

static Value *read_dictionary(GVariant *dictionary);

/* What the program prints: texts, switches, counts, and dictionaries of these. */
static void read_member(Value *result, const char *name, GVariant *member) {
        switch (g_variant_classify(member)) {
        case G_VARIANT_CLASS_STRING:
                value_add_text(result, name, g_variant_get_string(member, NULL));
                break;
        case G_VARIANT_CLASS_BOOLEAN:
                value_add_boolean(result, name, g_variant_get_boolean(member));
                break;
        case G_VARIANT_CLASS_UINT64:
                value_add_number(result, name, g_variant_get_uint64(member));
                break;
        case G_VARIANT_CLASS_ARRAY:
                if (g_variant_is_of_type(member, G_VARIANT_TYPE("a{s*}")))
                        value_take(result, name, read_dictionary(member));
                break;
        default:
                break;
        }
}

static Value *read_dictionary(GVariant *dictionary) {
        const bool properties = g_variant_is_of_type(dictionary, G_VARIANT_TYPE_VARDICT);
        Value *result = properties ? value_new(VALUE_DICTIONARY) : value_new_named();
        GVariantIter iter;
        const char *name;
        GVariant *member;

        g_variant_iter_init(&iter, dictionary);
        while (g_variant_iter_loop(&iter, properties ? "{&sv}" : "{&s*}", &name, &member))
                read_member(result, name, member);
        return result;
}

/* The program's result, or NULL and @error, which is a D-Bus error like those of the daemon. */
static Value *run_program(const Client *client, sd_bus_error *error) {
        g_autofree char *program = find_program(), *text = NULL;
        char *argv[] = {program, (char *) "--variant",
                        (char *) (client->times ? "--measure=times" : "--measure=counts"), NULL};
        g_autoptr(GError) failed = NULL;
        int status = 0;

        if (access(program, X_OK) < 0) {
                (void) sd_bus_error_setf(error, condition_to_name(CONDITION_UNSUPPORTED),
                                         "There is no %s: it is for x86 alone, where Debian has it in a package of its "
                                         "own (apt install nestvirt-probe)",
                                         program);
                return NULL;
        }
        if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &text, NULL, &status, &failed)) {
                (void) sd_bus_error_set(error, condition_to_name(CONDITION_INTERNAL), failed->message);
                return NULL;
        }
        g_autoptr(GVariant) result = g_variant_parse(G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);
        if (!result)
                (void) sd_bus_error_setf(error, condition_to_name(CONDITION_INTERNAL),
                                         PROGRAM " gave no result (exit status %d)", WEXITSTATUS(status));
        return result ? read_dictionary(result) : NULL;
}

Value *probing_ask(Client *client, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        Value *result = NULL;

        if (connection_prepare(client, PATH_MANAGER, IFACE_MANAGER, "Probe", &call, error) < 0)
                return NULL;
        int r = client->times ? sd_bus_message_append(call, "a{sv}t", 1, "Times", "b", 1, UINT64_C(0))
                              : sd_bus_message_append(call, "a{sv}t", 0, UINT64_C(0));
        if (r < 0) {
                (void) connection_fail(client, r, error);
                return NULL;
        }
        (void) connection_call(client, call, CALL_CHANGE, "a{sv}", &result, error);
        return result;
}

Value *probing_run(Client *client, sd_bus_error *error) {
        return !client->host && may_open_device() ? run_program(client, error) : probing_ask(client, error);
}
