/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Nested virtualization as an administrator's desktop has it: how it is, the switch, what is
 * pending, what is wrong, and the guests. All of it is as the daemon tells, whoever changes it; and
 * words are in its place while the daemon is away. */

#include "window.h"

#define BUS_NAME "org.nestvirt1"
#define BUS_PATH "/org/nestvirt1"
#define SHOWN_MAX 50U /* of guests; the search finds the others */

/* There is one, and with it the program ends. */
typedef struct Window {
        GtkWindow *window;
        GtkWidget *here, *away, *search; /* one of the first two is shown */
        AdwActionRow *row;
        GtkSwitch *nested;
        Section *said, *pending, *findings, *guests;
        AdwPreferencesGroup *searching;
        NestvirtManager *manager;
        NestvirtModule *module; /* which nests, when it is known */
        gboolean asked;         /* for that */
        GVariant *told;         /* of guests, as ListGuests does */
        guint look;
} Window;

/* It stays, for who takes longer to read it. Takes @words over; NULL: there is nothing to say. */
static void window_say(Window *window, const char *icon, char *words) {
        g_autofree char *said = words, *markup = g_markup_escape_text(words ?: "", -1);

        section_clear(window->said);
        if (said && gtk_widget_get_visible(window->here))
                (void) section_add(window->said, icon, said, NULL);
        else if (said)
                adw_status_page_set_description(ADW_STATUS_PAGE(window->away), markup);
}

static void show_guests(Window *window) {
        g_autofree char *wanted = g_utf8_casefold(gtk_editable_get_text(GTK_EDITABLE(window->search)), -1);
        const char *path, *name, *next, *now, *using;
        gboolean active, restart;
        guint found = 0;

        section_clear(window->guests);
        gtk_widget_set_visible(GTK_WIDGET(window->searching), window->told && g_variant_n_children(window->told) > 0);
        if (!window->told)
                return;
        g_autoptr(GVariantIter) rows = g_variant_iter_new(window->told);
        while (g_variant_iter_next(rows, "(&o&sbsss&s&s&sbs)", &path, &name, &active, NULL, NULL, NULL, &next, &now,
                                   &using, &restart, NULL)) {
                g_autofree char *folded = g_utf8_casefold(name, -1);
                g_autofree char *words = words_guest(active, next, now, using, restart);

                if (!g_str_equal(path, "/") && strstr(folded, wanted) && ++found <= SHOWN_MAX)
                        (void) section_add(window->guests, "computer-symbolic", name, words);
        }
        g_autofree char *more = g_strdup_printf(_("%u are found, %u of them are shown"), found, MIN(found, SHOWN_MAX));
        if (found > SHOWN_MAX || (found == 0 && *wanted))
                (void) section_add(window->guests, NULL, more, NULL);
}

static void on_guests(GObject *manager, GAsyncResult *result, gpointer data) {
        Window *window = data;

        g_clear_pointer(&window->told, g_variant_unref);
        (void) nestvirt_manager_call_list_guests_finish(window->manager, &window->told, result, NULL);
        show_guests(window);
}

static void on_copy(GtkWidget *button, AdwActionRow *row) {
        gdk_clipboard_set_text(gtk_widget_get_clipboard(button), adw_action_row_get_subtitle(row));
}

/* Those of this Status. */
static void show_findings(Window *window, GVariant *findings, const char *wanted, const char *icon) {
        for (gsize i = 0; i < g_variant_n_children(findings); i++) {
                g_autoptr(GVariant) one = g_variant_get_child_value(findings, i);
                const char *status = "", *message = "", *fix = "";

                (void) g_variant_lookup(one, "Status", "&s", &status);
                (void) g_variant_lookup(one, "Message", "&s", &message);
                (void) g_variant_lookup(one, "Fix", "&s", &fix);
                if (!g_str_equal(status, wanted))
                        continue;
                AdwActionRow *row = section_add(window->findings, icon, message, fix);
                if (!*fix)
                        continue;
                GtkWidget *copy = gtk_button_new_from_icon_name("edit-copy-symbolic");
                gtk_widget_set_tooltip_text(copy, _("Copy the Command"));
                gtk_accessible_update_property(GTK_ACCESSIBLE(copy), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                               _("Copy the Command"), -1);
                g_signal_connect(copy, "clicked", G_CALLBACK(on_copy), row);
                section_suffix(row, copy);
        }
}

static void on_findings(GObject *manager, GAsyncResult *result, gpointer data) {
        Window *window = data;
        g_autoptr(GVariant) findings = NULL;

        if (!nestvirt_manager_call_check_finish(window->manager, &findings, result, NULL))
                return;
        section_clear(window->findings);
        show_findings(window, findings, "fail", "dialog-error-symbolic");
        show_findings(window, findings, "warn", "dialog-warning-symbolic");
        show_findings(window, findings, "info", "dialog-information-symbolic");
}

static gboolean on_look(gpointer data) {
        Window *window = data;

        window->look = 0;
        nestvirt_manager_call_check(window->manager, 0, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, on_findings, window);
        nestvirt_manager_call_list_guests(window->manager, 0, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, on_guests,
                                          window);
        return G_SOURCE_REMOVE;
}

static void on_called(GObject *proxy, GAsyncResult *result, gpointer data) {
        GError *error = NULL;
        G_GNUC_UNUSED g_autoptr(GVariant) answer = g_dbus_proxy_call_finish(G_DBUS_PROXY(proxy), result, &error);

        window_say(data, "dialog-error-symbolic", words_error(error));
}

static void window_look(Window *window) {
        if (window->look == 0)
                window->look = g_timeout_add(200, on_look, window); /* once for what comes in together */
}

/* What waits does so no longer, or the next boot is to be as it is now. */
static void on_cancel(GtkButton *button, Window *window) {
        const gboolean waits = g_variant_n_children(nestvirt_module_get_pending(window->module)) > 0;
        g_autofree char *same =
                        g_strdup_printf("({'nested': '%s'}, uint64 4)", nestvirt_manager_get_nested(window->manager));

        g_dbus_proxy_call(G_DBUS_PROXY(window->module), waits ? "CancelPending" : "SetParameters",
                          g_variant_new_parsed(waits ? "(uint64 0,)" : same),
                          G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, G_MAXINT, NULL, on_called, window);
}

static void add_pending(Window *window, const char *what, const char *when) {
        GtkWidget *button = gtk_button_new_with_label(_("Cancel"));

        g_signal_connect(button, "clicked", G_CALLBACK(on_cancel), window);
        section_suffix(section_add(window->pending, "document-open-recent-symbolic", what, when), button);
}

static void show_pending(Window *window) {
        g_autoptr(GVariantIter) pending = g_variant_iter_new(nestvirt_module_get_pending(window->module));
        g_autoptr(GVariant) nested = NULL;
        const char *name, *value, *next = "", *now = "";

        while (g_variant_iter_next(pending, "{&s&s}", &name, &value)) {
                g_autofree char *what = words_setting(name, value);
                add_pending(window, what, _("Waits until no virtual machine runs"));
        }
        if (g_variant_iter_n_children(pending) > 0 ||
            !g_variant_lookup(nestvirt_module_get_parameters(window->module), "nested", "@a{sv}", &nested))
                return;
        (void) g_variant_lookup(nested, "Configured", "&s", &next);
        (void) g_variant_lookup(nested, "Effective", "&s", &now);
        g_autofree char *what = words_setting("nested", next);
        if (*next && g_str_equal(next, "1") != g_str_equal(now, "on"))
                add_pending(window, what, _("At the next boot"));
}

static gboolean on_switch(GtkSwitch *nested, gboolean state, Window *window);
static void on_module(GObject *unused, GAsyncResult *result, gpointer data);

/* Once: a proxy that is made by itself is filled anew when the service comes back. */
static void window_find_module(Window *window) {
        const char *vendor = nestvirt_manager_get_vendor(window->manager);
        g_autofree char *path = g_strconcat(BUS_PATH "/module/kvm_", vendor && *vendor ? vendor : "hv", NULL);

        if (!window->asked)
                nestvirt_module_proxy_new(g_dbus_proxy_get_connection(G_DBUS_PROXY(window->manager)),
                                          G_DBUS_PROXY_FLAGS_NONE, BUS_NAME, path, NULL, on_module, window);
        window->asked = TRUE;
}

static void window_update(Window *window) {
        const char *nested = window->manager ? nestvirt_manager_get_nested(window->manager) : NULL;
        const gboolean on = g_strcmp0(nested, "on") == 0, known = on || g_strcmp0(nested, "off") == 0;

        gtk_widget_set_visible(window->here, nested != NULL);
        gtk_widget_set_visible(window->away, nested == NULL);
        if (!nested)
                return;
        adw_action_row_set_subtitle(window->row, words_status(window->manager));
        g_signal_handlers_block_by_func(window->nested, on_switch, window);
        if (gtk_switch_get_active(window->nested) != on) /* else it would forget that it was just pressed */
                gtk_switch_set_active(window->nested, on);
        gtk_switch_set_state(window->nested, on);
        g_signal_handlers_unblock_by_func(window->nested, on_switch, window);
        section_clear(window->pending);
        window_find_module(window);
        const gboolean has = window->module && nestvirt_module_get_pending(window->module);
        gtk_widget_set_sensitive(GTK_WIDGET(window->nested), known && has);
        if (has)
                show_pending(window);
        window_look(window);
}

static void on_module(GObject *unused, GAsyncResult *result, gpointer data) {
        Window *window = data;

        window->module = nestvirt_module_proxy_new_finish(result, NULL);
        g_signal_connect_swapped(window->module, "notify", G_CALLBACK(window_update), window);
        window_update(window);
}

static void on_chosen(const char *outcome, gpointer data) {
        Window *window = data;

        if (outcome)
                window_say(window, "emblem-ok-symbolic", g_strdup(words_outcome(outcome)));
        window_update(window); /* the switch is as the host is */
}

/* It shows what is, and moves when that does. */
static gboolean on_switch(GtkSwitch *nested, gboolean state, Window *window) {
        plan_show(window->window, window->module, state, on_chosen, window);
        return TRUE;
}

static void on_start(GtkButton *button, Window *window) {
        g_dbus_proxy_call(G_DBUS_PROXY(window->manager), "Refresh", g_variant_new_parsed("(uint64 0,)"),
                          G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_called, window);
}

/* The guests, too, have no proxies here: whatever is signalled is looked at. */
static void on_signal(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                      const char *name, GVariant *arguments, gpointer window) {
        window_look(window);
}

static void on_manager(GObject *unused, GAsyncResult *result, gpointer data) {
        Window *window = data;
        GError *error = NULL;

        window->manager = nestvirt_manager_proxy_new_for_bus_finish(result, &error);
        if (window->manager) {
                GDBusConnection *bus = g_dbus_proxy_get_connection(G_DBUS_PROXY(window->manager));
                (void) g_dbus_connection_signal_subscribe(bus, BUS_NAME, NULL, NULL, NULL, NULL,
                                                          G_DBUS_SIGNAL_FLAGS_NONE, on_signal, window, NULL);
                g_signal_connect_swapped(window->manager, "notify", G_CALLBACK(window_update), window);
        }
        window_update(window);
        window_say(window, NULL, words_error(error));
}

static GtkWidget *away_new(Window *window) {
        GtkWidget *button = g_object_new(GTK_TYPE_BUTTON, "label", _("Start It"), "halign", GTK_ALIGN_CENTER, NULL);
        GtkWidget *page = g_object_new(ADW_TYPE_STATUS_PAGE, "icon-name", "computer-fail-symbolic", "title",
                                       _("The Service Is Not Running"), "description",
                                       _("nestvirtd tells and changes all that is shown here."), "child", button,
                                       "visible", FALSE, "vexpand", TRUE, NULL);

        g_signal_connect(button, "clicked", G_CALLBACK(on_start), window);
        return page;
}

static GtkWidget *page_new(Window *window) {
        AdwPreferencesPage *page = ADW_PREFERENCES_PAGE(adw_preferences_page_new());

        window->row = section_add(section_new(page, NULL), NULL, _("Nested Virtualization"), NULL);
        window->said = section_new(page, _("Your Last Change"));
        window->pending = section_new(page, _("Changes Pending"));
        window->findings = section_new(page, _("Findings"));
        window->searching = section_new(page, _("Virtual Machines"))->group;
        window->guests = section_new(page, NULL);
        window->nested = GTK_SWITCH(gtk_switch_new());
        section_suffix(window->row, GTK_WIDGET(window->nested));
        /* It has the row's name. */
        adw_action_row_set_activatable_widget(window->row, GTK_WIDGET(window->nested));
        g_signal_connect(window->nested, "state-set", G_CALLBACK(on_switch), window);
        window->search = g_object_new(GTK_TYPE_SEARCH_ENTRY, "placeholder-text", _("Search"), NULL);
        gtk_accessible_update_property(GTK_ACCESSIBLE(window->search), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Search"), -1);
        adw_preferences_group_add(window->searching, window->search);
        g_signal_connect_swapped(window->search, "search-changed", G_CALLBACK(show_guests), window);
        return GTK_WIDGET(page);
}

static void on_activate(GtkApplication *application, gpointer data) {
        Window *window = data;
        GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);

        if (!window->window) {
                window->window = g_object_new(ADW_TYPE_APPLICATION_WINDOW, "application", application, "title",
                                              _("Nested Virtualization"), "default-width", 560, "default-height", 720,
                                              "content", box, NULL);
                gtk_box_append(GTK_BOX(box), adw_header_bar_new());
                gtk_box_append(GTK_BOX(box), window->here = page_new(window));
                gtk_box_append(GTK_BOX(box), window->away = away_new(window));
                nestvirt_manager_proxy_new_for_bus(G_BUS_TYPE_SYSTEM, G_DBUS_PROXY_FLAGS_NONE, BUS_NAME, BUS_PATH, NULL,
                                                   on_manager, window);
        }
        gtk_window_present(window->window);
}

int main(int argc, char **argv) {
        Window window = {};

        (void) bindtextdomain("nestvirtd", LOCALEDIR);
        (void) textdomain("nestvirtd");
        g_autoptr(AdwApplication) application = adw_application_new(APPLICATION_ID, G_APPLICATION_DEFAULT_FLAGS);
        gtk_window_set_default_icon_name(APPLICATION_ID);
        g_signal_connect(application, "activate", G_CALLBACK(on_activate), &window);
        return g_application_run(G_APPLICATION(application), argc, argv);
}
