/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl monitor: the daemon's signals, as they come. For people in words, for programs as
 * they are. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "connection.h"
#include "inventory.h"
#include "loop.h"
#include "message.h"
#include "verbs.h"

typedef struct Monitor {
        Client *client;
        Changes *changes; /* for people */
        bool broken;      /* standard output does not take any more */
} Monitor;

/* A line is complete when it is printed: a program reads them one by one. */
static void end_line(Monitor *monitor) {
        output_newline(monitor->client->out);
        if (!output_flush(monitor->client->out, false))
                monitor->broken = true;
}

static void say(const char *line, void *userdata) {
        Monitor *monitor = userdata;
        g_autoptr(GDateTime) now = g_date_time_new_now_local();
        g_autofree char *time = g_date_time_format(now, "%H:%M:%S");

        output_text(monitor->client->out, STYLE_DIM, time);
        output_printf(monitor->client->out, STYLE_PLAIN, " %s", line);
        end_line(monitor);
}

static Value *event_new(const char *name) {
        Value *event = value_new(VALUE_DICTIONARY);

        value_add_text(event, "event", name);
        return event;
}

static void tell(Monitor *monitor, const Value *event) {
        g_autoptr(GString) text = g_string_new(NULL);

        json_append(text, event, JSON_SHORT);
        output_raw(monitor->client->out, text->str);
        end_line(monitor);
}

static bool is_ours(const char *interface) {
        return g_str_has_prefix(interface, BUS_NAME ".");
}

/* What has not the signature that it should have can't be understood, and is not shown; so below,
 * too. */
static int on_changed(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        Monitor *monitor = userdata;
        const char *path = sd_bus_message_get_path(signal), *interface;
        g_autoptr(Value) changed = NULL;

        if (sd_bus_message_has_signature(signal, "sa{sv}as") <= 0 || sd_bus_message_read(signal, "s", &interface) < 0 ||
            message_read(signal, "a{sv}", &changed) < 0 || !is_ours(interface))
                return 0;
        if (monitor->changes)
                changes_take(monitor->changes, path, changed);
        else {
                g_autoptr(Value) event = event_new("properties_changed");
                value_add_text(event, "path", path);
                value_add_text(event, "interface", interface);
                value_add(event, "changed", changed);
                tell(monitor, event);
        }
        return 0;
}

static int on_added(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        Monitor *monitor = userdata;
        g_autoptr(Value) interfaces = NULL;
        const char *path;

        if (sd_bus_message_has_signature(signal, "oa{sa{sv}}") <= 0 || sd_bus_message_read(signal, "o", &path) < 0 ||
            message_read(signal, "a{sa{sv}}", &interfaces) < 0)
                return 0;
        if (!monitor->changes) {
                g_autoptr(Value) event = event_new("interfaces_added");
                value_add_text(event, "path", path);
                value_add(event, "interfaces", interfaces);
                tell(monitor, event);
                return 0;
        }
        for (guint32 i = 0; i < value_length(interfaces); i++)
                if (is_ours(value_name(interfaces, i)))
                        changes_take_object(monitor->changes, path, value_at(interfaces, i));
        return 0;
}

static int on_removed(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        Monitor *monitor = userdata;
        g_autoptr(Value) interfaces = NULL;
        const char *path;

        if (sd_bus_message_has_signature(signal, "oas") <= 0 || sd_bus_message_read(signal, "o", &path) < 0 ||
            message_read(signal, "as", &interfaces) < 0)
                return 0;
        if (monitor->changes)
                changes_take_object(monitor->changes, path, NULL);
        else {
                g_autoptr(Value) event = event_new("interfaces_removed");
                value_add_text(event, "path", path);
                value_add(event, "interfaces", interfaces);
                tell(monitor, event);
        }
        return 0;
}

static char *describe_finished(const char *path, const Value *parameters, const char *outcome, const char *failure) {
        const char *reason = g_str_has_prefix(failure, ERROR_PREFIX) ? failure + strlen(ERROR_PREFIX) : failure;
        g_autoptr(GString) text = g_string_new("what waited has ");

        g_string_append_printf(text, "%s (%s):", *failure ? "failed" : "ended", *failure ? reason : outcome);
        for (guint32 i = 0; i < value_length(parameters); i++)
                g_string_append_printf(text, " %s.%s=%s", changes_object(path), value_name(parameters, i),
                                       value_text(parameters, i));
        return g_string_free(g_steal_pointer(&text), FALSE);
}

static int on_finished(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        Monitor *monitor = userdata;
        const char *path = sd_bus_message_get_path(signal), *outcome, *failure;
        g_autoptr(Value) parameters = NULL;

        if (sd_bus_message_has_signature(signal, "a{ss}ss") <= 0 || message_read(signal, "a{ss}", &parameters) < 0 ||
            sd_bus_message_read(signal, "ss", &outcome, &failure) < 0)
                return 0;
        if (monitor->changes) {
                g_autofree char *line = describe_finished(path, parameters, outcome, failure);
                say(line, monitor);
        } else {
                g_autoptr(Value) event = event_new("change_finished");
                value_add_text(event, "path", path);
                value_add(event, "parameters", parameters);
                value_add_text(event, "outcome", outcome);
                value_add_text(event, "error", failure);
                tell(monitor, event);
        }
        return 0;
}

/* What changed while nobody signalled it. */
static void catch_up(Monitor *monitor) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Inventory) inventory = NULL;

        if (inventory_fetch_all(monitor->client, &inventory, &error) >= 0)
                changes_take_inventory(monitor->changes, inventory);
}

static int on_owner_changed(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        Monitor *monitor = userdata;
        const char *name, *old, *new;

        if (sd_bus_message_read(signal, "sss", &name, &old, &new) < 0)
                return 0;
        const bool running = *new;
        if (monitor->changes) {
                say(running ? "nestvirtd is running" : "nestvirtd has ended", monitor);
                if (running)
                        catch_up(monitor);
        } else {
                g_autoptr(Value) event = event_new("daemon");
                value_add_boolean(event, "running", running);
                tell(monitor, event);
        }
        return 0;
}

static int subscribe(Monitor *monitor) {
        sd_bus *bus = monitor->client->bus;
        int r;

        r = sd_bus_match_signal(bus, NULL, BUS_NAME, NULL, IFACE_PROPERTIES, "PropertiesChanged", on_changed, monitor);
        if (r < 0)
                return r;
        r = sd_bus_match_signal(bus, NULL, BUS_NAME, NULL, IFACE_OBJECT_MANAGER, "InterfacesAdded", on_added, monitor);
        if (r < 0)
                return r;
        r = sd_bus_match_signal(bus, NULL, BUS_NAME, NULL, IFACE_OBJECT_MANAGER, "InterfacesRemoved", on_removed,
                                monitor);
        if (r < 0)
                return r;
        r = sd_bus_match_signal(bus, NULL, BUS_NAME, NULL, IFACE_MODULE, "ChangeFinished", on_finished, monitor);
        if (r < 0)
                return r;
        return sd_bus_add_match(bus, NULL, MATCH_OWNER_CHANGED, on_owner_changed, monitor);
}

static bool is_over(void *userdata) {
        return ((const Monitor *) userdata)->broken;
}

int verb_monitor(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Inventory) before = NULL, inventory = NULL;
        g_autoptr(Changes) changes = NULL;
        Monitor monitor = {.client = client};
        int r;

        if (client->quiet)
                return client_usage(client, "monitor does nothing but print: it can't be --quiet");

        /* Once to start the daemon, so that its start is no news; and once when nothing can be
         * missed any more. */
        if (inventory_fetch_all(client, &before, &error) < 0)
                return client_fail(client, "monitor", &error);
        r = subscribe(&monitor);
        if (r < 0) {
                (void) connection_fail(client, r, &error);
                return client_fail(client, "monitor", &error);
        }
        if (inventory_fetch_all(client, &inventory, &error) < 0)
                return client_fail(client, "monitor", &error);

        loop_hold_signals();
        if (client->json == JSON_OFF) {
                monitor.changes = changes = changes_new(inventory, say, &monitor);
                say("Listening; Ctrl-C ends it.", &monitor);
        } else {
                g_autoptr(Value) event = event_new("listening");
                tell(&monitor, event);
        }
        r = loop_run(client, is_over, &monitor);
        if (r == 0 || r == -EINTR)
                return monitor.broken ? EXIT_FAILURE : 0;
        (void) connection_fail(client, r, &error);
        return client_fail(client, "monitor any longer", &error);
}
