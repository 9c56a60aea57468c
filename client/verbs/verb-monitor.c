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

/* @details: a{sv} with the event's own entries, consumed when floating. */
static void tell(Monitor *monitor, const char *event, GVariant *details) {
        g_autoptr(GVariant) owned = g_variant_ref_sink(details);
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&builder, "{sv}", "event", g_variant_new_string(event));
        for (gsize i = 0; i < g_variant_n_children(owned); i++) {
                g_autoptr(GVariant) entry = g_variant_get_child_value(owned, i);
                g_variant_builder_add_value(&builder, entry);
        }
        g_autoptr(GVariant) whole = g_variant_ref_sink(g_variant_builder_end(&builder));
        g_autoptr(GString) text = g_string_new(NULL);
        json_append(text, whole, JSON_SHORT);
        output_raw(monitor->client->out, text->str);
        end_line(monitor);
}

/* NULL when the signal has not the signature that it should have: what can't be understood is not
 * shown. */
static GVariant *read_body(sd_bus_message *signal, const char *type) {
        g_autoptr(GVariant) body = NULL;

        if (message_read(signal, &body) < 0 || !g_variant_is_of_type(body, G_VARIANT_TYPE(type)))
                return NULL;
        return g_steal_pointer(&body);
}

static bool is_ours(const char *interface) {
        return g_str_has_prefix(interface, BUS_NAME ".");
}

static int on_changed(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        Monitor *monitor = userdata;
        const char *path = sd_bus_message_get_path(signal), *interface;
        g_autoptr(GVariant) body = read_body(signal, "(sa{sv}as)"), changed = NULL;

        if (!body)
                return 0;
        g_variant_get(body, "(&s@a{sv}as)", &interface, &changed, NULL);
        if (!is_ours(interface))
                return 0;
        if (monitor->changes)
                changes_take(monitor->changes, path, changed);
        else
                tell(monitor, "properties_changed",
                     g_variant_new_parsed("{'path': <%o>, 'interface': <%s>, 'changed': <%@a{sv}>}", path, interface,
                                          changed));
        return 0;
}

static int on_added(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        Monitor *monitor = userdata;
        g_autoptr(GVariant) body = read_body(signal, "(oa{sa{sv}})"), interfaces = NULL;
        const char *path, *interface;
        GVariantIter iter;
        GVariant *properties;

        if (!body)
                return 0;
        g_variant_get(body, "(&o@a{sa{sv}})", &path, &interfaces);
        if (!monitor->changes) {
                tell(monitor, "interfaces_added",
                     g_variant_new_parsed("{'path': <%o>, 'interfaces': <%@a{sa{sv}}>}", path, interfaces));
                return 0;
        }
        g_variant_iter_init(&iter, interfaces);
        while (g_variant_iter_loop(&iter, "{&s@a{sv}}", &interface, &properties))
                if (is_ours(interface))
                        changes_take_object(monitor->changes, path, properties);
        return 0;
}

static int on_removed(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        Monitor *monitor = userdata;
        g_autoptr(GVariant) body = read_body(signal, "(oas)"), interfaces = NULL;
        const char *path;

        if (!body)
                return 0;
        g_variant_get(body, "(&o@as)", &path, &interfaces);
        if (monitor->changes)
                changes_take_object(monitor->changes, path, NULL);
        else
                tell(monitor, "interfaces_removed",
                     g_variant_new_parsed("{'path': <%o>, 'interfaces': <%@as>}", path, interfaces));
        return 0;
}

static char *describe_finished(const char *path, GVariant *parameters, const char *outcome, const char *failure) {
        const char *reason = g_str_has_prefix(failure, ERROR_PREFIX) ? failure + strlen(ERROR_PREFIX) : failure;
        g_autoptr(GString) text = g_string_new("what waited has ");
        GVariantIter iter;
        const char *name, *value;

        g_string_append_printf(text, "%s (%s):", *failure ? "failed" : "ended", *failure ? reason : outcome);
        g_variant_iter_init(&iter, parameters);
        while (g_variant_iter_next(&iter, "{&s&s}", &name, &value))
                g_string_append_printf(text, " %s.%s=%s", changes_object(path), name, value);
        return g_string_free(g_steal_pointer(&text), FALSE);
}

static int on_finished(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        Monitor *monitor = userdata;
        const char *path = sd_bus_message_get_path(signal), *outcome, *failure;
        g_autoptr(GVariant) body = read_body(signal, "(a{ss}ss)"), parameters = NULL;

        if (!body)
                return 0;
        g_variant_get(body, "(@a{ss}&s&s)", &parameters, &outcome, &failure);
        if (monitor->changes) {
                g_autofree char *line = describe_finished(path, parameters, outcome, failure);
                say(line, monitor);
        } else
                tell(monitor, "change_finished",
                     g_variant_new_parsed("{'path': <%o>, 'parameters': <%@a{ss}>, 'outcome': <%s>, 'error': <%s>}",
                                          path, parameters, outcome, failure));
        return 0;
}

/* What changed while nobody signalled it. */
static void catch_up(Monitor *monitor) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Inventory) inventory = NULL;

        if (inventory_fetch(monitor->client, &inventory, &error) >= 0)
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
        } else
                tell(monitor, "daemon", g_variant_new_parsed("{'running': <%b>}", running));
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
        if (inventory_fetch(client, &before, &error) < 0)
                return client_fail(client, "monitor", &error);
        r = subscribe(&monitor);
        if (r < 0) {
                (void) connection_fail(client, r, &error);
                return client_fail(client, "monitor", &error);
        }
        if (inventory_fetch(client, &inventory, &error) < 0)
                return client_fail(client, "monitor", &error);

        loop_hold_signals();
        if (client->json == JSON_OFF) {
                monitor.changes = changes = changes_new(inventory, say, &monitor);
                say("Listening; Ctrl-C ends it.", &monitor);
        } else
                tell(&monitor, "listening", g_variant_new_parsed("@a{sv} {}"));
        r = loop_run(client, is_over, &monitor);
        if (r == 0 || r == -EINTR)
                return monitor.broken ? EXIT_FAILURE : 0;
        (void) connection_fail(client, r, &error);
        return client_fail(client, "monitor any longer", &error);
}
