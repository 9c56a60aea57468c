/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program in C that knows the library alone: it does what it is told on the system's bus, and
 * says what came of it, a line each.
 *
 *     glib-caller list | watch | set MODULE PARAMETER VALUE FLAGS [ask] */

#include <nestvirt-glib.h>
#include <stdlib.h>

#define BUS_NAME "org.nestvirt1"
#define BUS_PATH "/org/nestvirt1"

static _Noreturn void fail(const GError *error) {
        g_autofree char *name = g_dbus_error_get_remote_error(error);
        g_autoptr(GError) stripped = g_error_copy(error);

        (void) g_dbus_error_strip_remote_error(stripped);
        g_print("%s\n%s\n", name ?: "no error of D-Bus", stripped->message);
        exit(1);
}

static GDBusObjectManager *objects(void) {
        g_autoptr(GError) error = NULL;
        GDBusObjectManager *client = nestvirt_object_manager_client_new_for_bus_sync(
                        G_BUS_TYPE_SYSTEM, G_DBUS_OBJECT_MANAGER_CLIENT_FLAGS_NONE, BUS_NAME, BUS_PATH, NULL, &error);

        if (!client)
                fail(error);
        return client;
}

static void list(void) {
        g_autoptr(GDBusObjectManager) client = objects();
        GList *found = g_dbus_object_manager_get_objects(client);

        for (GList *i = found; i; i = i->next) {
                NestvirtModule *module = nestvirt_object_peek_module(i->data);
                NestvirtGuest *guest = nestvirt_object_peek_guest(i->data);

                if (module)
                        g_print("module %s %s\n", nestvirt_module_get_name(module), nestvirt_module_get_state(module));
                if (guest)
                        g_print("guest %s %s\n", nestvirt_guest_get_name(guest), nestvirt_guest_get_next_start(guest));
        }
        g_list_free_full(found, g_object_unref);
}

static void set(char **words, GDBusCallFlags flags) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) result = NULL;
        const char *outcome = NULL;
        g_autofree char *path = g_strconcat(BUS_PATH "/module/", words[0], NULL);
        g_autoptr(NestvirtModule) module = nestvirt_module_proxy_new_for_bus_sync(
                        G_BUS_TYPE_SYSTEM, G_DBUS_PROXY_FLAGS_NONE, BUS_NAME, path, NULL, &error);
        GVariantBuilder values = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a{ss}"));

        if (!module)
                fail(error);
        g_variant_builder_add(&values, "{ss}", words[1], words[2]);
        if (!nestvirt_module_call_set_parameters_sync(module, g_variant_builder_end(&values),
                                                      strtoull(words[3], NULL, 10), flags, G_MAXINT, &result, NULL,
                                                      &error))
                fail(error);
        (void) g_variant_lookup(result, "Outcome", "&s", &outcome);
        g_print("%s\n", outcome);
}

static void on_nested(NestvirtManager *manager, const GParamSpec *spec, gpointer unused) {
        g_print("%s\n", nestvirt_manager_get_nested(manager) ?: "nobody says");
}

static void on_finished(GDBusObjectManagerClient *client, GDBusObjectProxy *object, GDBusProxy *proxy,
                        const char *sender, const char *signal, GVariant *arguments, GMainLoop *loop) {
        const char *outcome, *error;
        g_autoptr(GVariant) parameters = NULL;

        if (!g_str_equal(signal, "ChangeFinished"))
                return;
        g_variant_get(arguments, "(@a{ss}&s&s)", &parameters, &outcome, &error);
        g_print("finished %s%s\n", outcome, error);
        g_main_loop_quit(loop);
}

/* Until what waited for idle has an end. */
static void watch(void) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
        g_autoptr(GDBusObjectManager) client = objects();
        g_autoptr(NestvirtManager) manager = nestvirt_manager_proxy_new_for_bus_sync(
                        G_BUS_TYPE_SYSTEM, G_DBUS_PROXY_FLAGS_NONE, BUS_NAME, BUS_PATH, NULL, &error);

        if (!manager)
                fail(error);
        g_signal_connect(manager, "notify::nested", G_CALLBACK(on_nested), NULL);
        g_signal_connect(client, "interface-proxy-signal", G_CALLBACK(on_finished), loop);
        g_print("%s\n", nestvirt_manager_get_nested(manager));
        g_main_loop_run(loop);
}

int main(int argc, char **argv) {
        const char *verb = argc > 1 ? argv[1] : "";

        if (g_str_equal(verb, "list"))
                list();
        else if (g_str_equal(verb, "watch"))
                watch();
        else if (g_str_equal(verb, "set") && argc >= 6)
                set(argv + 2, argc > 6 ? G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION : G_DBUS_CALL_FLAGS_NONE);
        else
                return 2;
        return 0;
}
