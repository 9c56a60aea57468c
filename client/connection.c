/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sd-bus behind three functions. No verb's meaning is known here. */

#include <errno.h>
#include <stdlib.h>

#include "agent.h"
#include "connection.h"
#include "message.h"
#include "names.h"
#include "remote.h"

int connection_fail(const Client *client, int errnum, sd_bus_error *error) {
        errnum = abs(errnum);
        if (sd_bus_error_is_set(error) && sd_bus_is_open(client->bus) > 0)
                return -errnum;

        /* What kept it from being reached is known already. */
        if (sd_bus_error_is_set(error) && !client->bus)
                return -errnum;
        sd_bus_error_free(error);
        if (client->bus && sd_bus_is_open(client->bus) > 0)
                return sd_bus_error_set_errno(error, -errnum);
        if (client->root)
                (void) sd_bus_error_setf(error, SD_BUS_ERROR_NO_SERVER, "nestvirtd, which looks at %s, has ended: %s",
                                         client->root, g_strerror(errnum));
        else if (client->host)
                remote_explain(client->host, errnum, error);
        else
                (void) sd_bus_error_setf(error, SD_BUS_ERROR_NO_SERVER, "the system bus can't be reached: %s",
                                         g_strerror(errnum));
        return -errnum;
}

static int connection_open(Client *client, sd_bus_error *error) {
        int r;

        if (client->bus)
                return 0;
        if (client->root) {
                client->trees = client->trees ?: trees_new();
                r = trees_open(client->trees, client->root, &client->bus, error);
                return r < 0 ? connection_fail(client, r, error) : 0;
        }
        r = client->host ? remote_check(client->host, error) : 0;
        if (r < 0)
                return r;
        r = client->host ? sd_bus_open_system_remote(&client->bus, client->host)
                         : sd_bus_open_system_with_description(&client->bus, "nestvirtctl");
        return r < 0 ? connection_fail(client, r, error) : 0;
}

int connection_prepare(Client *client, const char *path, const char *interface, const char *member,
                       sd_bus_message **ret, sd_bus_error *error) {
        int r;

        r = connection_open(client, error);
        if (r < 0)
                return r;
        /* Where there is no bus nobody has a name. */
        r = sd_bus_message_new_method_call(client->bus, ret, client->root ? NULL : BUS_NAME, path, interface, member);
        return r < 0 ? connection_fail(client, r, error) : 0;
}

static int read_reply(sd_bus_message *reply, const char *type, Value **ret) {
        return sd_bus_message_has_signature(reply, type) > 0 ? message_read(reply, type, ret) : -EBADMSG;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        sd_bus_message **ret = userdata;

        *ret = sd_bus_message_ref(reply);
        return 0;
}

/* As sd_bus_call(), which keeps nothing of an error but its name and its message: Busy has those
 * who are in the way besides. What comes before the answer is handled by whoever it is for. */
static int call_and_keep(Client *client, sd_bus_message *call, uint64_t timeout, sd_bus_message **ret,
                         sd_bus_error *error) {
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_call_async(client->bus, &slot, call, on_answer, &reply, timeout);

        while (r >= 0 && !reply) {
                r = sd_bus_process(client->bus, NULL);
                if (r == 0 && !reply)
                        r = sd_bus_wait(client->bus, UINT64_MAX);
                if (r == -EINTR)
                        r = 0;
        }
        if (r < 0)
                return r;
        if (!sd_bus_message_is_method_error(reply, NULL)) {
                *ret = g_steal_pointer(&reply);
                return 0;
        }
        r = sd_bus_error_copy(error, sd_bus_message_get_error(reply));
        if (sd_bus_message_has_signature(reply, "saa{sv}") > 0 && sd_bus_message_skip(reply, "s") > 0)
                (void) message_read(reply, "aa{sv}", &client->holders);
        return r;
}

int connection_call_message(Client *client, sd_bus_message *call, CallKind kind, sd_bus_message **ret,
                            sd_bus_error *error) {
        static const uint64_t timeouts[] = {
                        [CALL_READ] = 0, /* sd-bus's own */
                        [CALL_GLANCE] = 5 * G_USEC_PER_SEC,
                        [CALL_WAIT] = 5 * 60 * G_USEC_PER_SEC,
                        [CALL_CHANGE] = UINT64_MAX,
        };
        int r;

        /* Over ssh nobody would be asked: the agent of this terminal serves processes of this
         * machine alone; and of files nobody is. */
        if (kind == CALL_CHANGE && client->ask_password && !client->host && !client->root) {
                agent_start();
                r = sd_bus_message_set_allow_interactive_authorization(call, true);
                if (r < 0)
                        return connection_fail(client, r, error);
        }
        g_clear_pointer(&client->holders, value_free);
        r = kind == CALL_CHANGE ? call_and_keep(client, call, timeouts[kind], ret, error)
                                : sd_bus_call(client->bus, call, timeouts[kind], error, ret);
        return r < 0 ? connection_fail(client, r, error) : 0;
}

int connection_call(Client *client, sd_bus_message *call, CallKind kind, const char *type, Value **ret,
                    sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = connection_call_message(client, call, kind, &reply, error);
        if (r < 0)
                return r;
        r = type ? read_reply(reply, type, ret) : 0;
        return r < 0 ? connection_fail(client, r, error) : 0;
}

int connection_call_flags(Client *client, const char *path, const char *interface, const char *member, CallKind kind,
                          uint64_t flags, const char *type, Value **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = connection_prepare(client, path, interface, member, &call, error);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "t", flags);
        if (r < 0)
                return connection_fail(client, r, error);
        return connection_call(client, call, kind, type, ret, error);
}

int connection_get_all(Client *client, const char *path, const char *interface, Value **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = connection_prepare(client, path, IFACE_PROPERTIES, "GetAll", &call, error);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "s", interface);
        if (r < 0)
                return connection_fail(client, r, error);
        return connection_call(client, call, CALL_READ, "a{sv}", ret, error);
}
