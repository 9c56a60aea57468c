/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "window.h"

enum { DRY_RUN = 1, NEXT_BOOT = 4, WHEN_IDLE = 8 };

/* The dialog's, which each call holds until it is answered. */
typedef struct Plan {
        GtkWindow *dialog;
        NestvirtModule *module;
        gboolean on, proposed, trying, gone;
        guint64 flags;               /* when */
        GtkWidget *apply, *times[3]; /* as the table */
        Section *trouble, *when, *impact, *steps;
        PlanDone done;
        gpointer data;
} Plan;

static void show_plan(Plan *plan, GVariant *answer) {
        g_autoptr(GVariantIter) impact = NULL;
        g_autofree const char **steps = NULL;
        gboolean blocked = FALSE;
        GVariant *entry;

        section_clear(plan->steps);
        section_clear(plan->impact);
        (void) g_variant_lookup(answer, "Steps", "^a&s", &steps);
        g_autofree char *text = steps ? g_strjoinv("\n", (char **) steps) : NULL;
        if (text && *text)
                (void) section_add(plan->steps, NULL, text, NULL);
        (void) g_variant_lookup(answer, "Impact", "aa{sv}", &impact);
        while (impact && g_variant_iter_loop(impact, "@a{sv}", &entry)) {
                const char *message = _("Others use KVM, too"), *kind = "blocks";

                (void) g_variant_lookup(entry, "Message", "&s", &message);
                (void) g_variant_lookup(entry, "Kind", "&s", &kind);
                (void) section_add(plan->impact, "dialog-warning-symbolic", message, NULL);
                blocked = blocked || g_str_equal(kind, "blocks");
        }
        gtk_widget_set_sensitive(plan->apply, TRUE);
        /* What would be refused is not what is proposed. */
        if (blocked && !plan->proposed)
                gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(plan->times[1]), TRUE);
        plan->proposed = TRUE;
}

static void plan_ask(Plan *plan, guint64 flags);

static void on_answer(GObject *module, GAsyncResult *result, gpointer data) {
        Plan *plan = data;
        G_GNUC_UNUSED g_autoptr(GtkWindow) dialog = plan->dialog;
        g_autoptr(GVariant) answer = NULL;
        const char *outcome = "";
        GError *error = NULL;

        (void) nestvirt_module_call_set_parameters_finish(plan->module, &answer, result, &error);
        g_autofree char *words = words_error(error);
        (void) (answer && g_variant_lookup(answer, "Outcome", "&s", &outcome));
        if (answer && g_str_equal(outcome, "planned") && !plan->gone)
                show_plan(plan, answer);
        else if (answer && !g_str_equal(outcome, "planned")) {
                plan->done(outcome, plan->data);
                gtk_window_destroy(plan->dialog);
        } else if (words && !plan->gone) {
                section_clear(plan->trouble);
                (void) section_add(plan->trouble, "dialog-error-symbolic", words, NULL);
                if (plan->trying)
                        plan_ask(plan, plan->flags | DRY_RUN); /* who is in the way by now */
        }
}

static void plan_ask(Plan *plan, guint64 flags) {
        g_autofree char *values = g_strdup_printf("{'nested': '%s'}", plan->on ? "on" : "off");

        g_object_ref(plan->dialog);
        plan->trying = !(flags & DRY_RUN);
        gtk_widget_set_sensitive(plan->apply, FALSE);
        nestvirt_module_call_set_parameters(plan->module, g_variant_new_parsed(values), flags,
                                            G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, G_MAXINT, NULL,
                                            on_answer, plan);
}

static void on_apply(GtkButton *button, Plan *plan) {
        section_clear(plan->trouble);
        plan_ask(plan, plan->flags);
}

static const struct {
        guint64 flags;
        const char *title, *meaning;
} times[] = {
                {0, N_("Now"), N_("KVM is reloaded, for which nobody may use it.")},
                {WHEN_IDLE, N_("When Idle"), N_("It waits until no virtual machine runs.")},
                {NEXT_BOOT, N_("At the Next Boot"), N_("Nothing changes until then.")},
};

static void on_when(GtkToggleButton *button, Plan *plan) {
        if (!gtk_toggle_button_get_active(button))
                return;
        for (guint i = 0; i < G_N_ELEMENTS(times); i++)
                if (plan->times[i] == GTK_WIDGET(button)) {
                        plan->flags = times[i].flags;
                        adw_preferences_group_set_description(plan->when->group, _(times[i].meaning));
                }
        section_clear(plan->trouble);
        plan_ask(plan, plan->flags | DRY_RUN);
}

static void on_destroy(GtkWidget *dialog, Plan *plan) {
        plan->gone = TRUE;
        plan->done(NULL, plan->data);
}

static void add_times(Plan *plan) {
        GtkWidget *box = g_object_new(GTK_TYPE_BOX, "homogeneous", TRUE, NULL);

        gtk_widget_add_css_class(box, "linked");
        for (guint i = 0; i < G_N_ELEMENTS(times); i++) {
                GtkWidget *button = plan->times[i] = gtk_toggle_button_new_with_label(_(times[i].title));

                gtk_toggle_button_set_group(GTK_TOGGLE_BUTTON(button), i ? GTK_TOGGLE_BUTTON(plan->times[0]) : NULL);
                g_signal_connect(button, "toggled", G_CALLBACK(on_when), plan);
                gtk_box_append(GTK_BOX(box), button);
        }
        adw_preferences_group_add(plan->when->group, box);
        gtk_widget_set_visible(GTK_WIDGET(plan->when->group), TRUE);
}

void plan_show(GtkWindow *parent, NestvirtModule *module, gboolean on, PlanDone done, gpointer data) {
        AdwPreferencesPage *page = ADW_PREFERENCES_PAGE(adw_preferences_page_new());
        GtkWidget *bar = adw_header_bar_new(), *cancel = gtk_button_new_with_label(_("Cancel"));
        GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
        Plan *plan = g_memdup2(&(Plan) {.module = module, .on = on, .done = done, .data = data}, sizeof(Plan));

        plan->dialog = g_object_new(ADW_TYPE_WINDOW, "transient-for", parent, "modal", TRUE, "content", box,
                                    "default-width", 540, "default-height", 640, "title",
                                    on ? _("Switch Nesting On?") : _("Switch Nesting Off?"), NULL);
        g_object_set_data_full(G_OBJECT(plan->dialog), "plan", plan, g_free);
        g_signal_connect(plan->dialog, "destroy", G_CALLBACK(on_destroy), plan);
        plan->apply = gtk_button_new_with_label(on ? _("Switch On") : _("Switch Off"));
        gtk_widget_add_css_class(plan->apply, on ? "suggested-action" : "destructive-action");
        adw_header_bar_set_show_end_title_buttons(ADW_HEADER_BAR(bar), FALSE);
        adw_header_bar_pack_start(ADW_HEADER_BAR(bar), cancel);
        adw_header_bar_pack_end(ADW_HEADER_BAR(bar), plan->apply);
        g_signal_connect_swapped(cancel, "clicked", G_CALLBACK(gtk_window_destroy), plan->dialog);
        g_signal_connect(plan->apply, "clicked", G_CALLBACK(on_apply), plan);

        plan->trouble = section_new(page, NULL);
        plan->when = section_new(page, _("When"));
        plan->impact = section_new(page, _("Who Is Concerned"));
        plan->steps = section_new(page, _("What Will Be Done"));
        add_times(plan);
        gtk_box_append(GTK_BOX(box), bar);
        gtk_box_append(GTK_BOX(box), GTK_WIDGET(page));
        GtkShortcut *close = gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_Escape, 0),
                                              gtk_named_action_new("window.close"));
        GtkEventController *keys = gtk_shortcut_controller_new();
        gtk_shortcut_controller_add_shortcut(GTK_SHORTCUT_CONTROLLER(keys), close);
        gtk_widget_add_controller(GTK_WIDGET(plan->dialog), keys);
        gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(plan->times[0]), TRUE);
        gtk_window_present(plan->dialog);
}
