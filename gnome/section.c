/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "window.h"

Section *section_new(AdwPreferencesPage *page, const char *title) {
        Section *section = g_new(Section, 1);

        section->group = g_object_new(ADW_TYPE_PREFERENCES_GROUP, "title", title ?: "", "visible", FALSE, NULL);
        section->rows = g_ptr_array_new();
        g_object_set_data_full(G_OBJECT(section->group), "rows", section->rows, (GDestroyNotify) g_ptr_array_unref);
        g_object_set_data_full(G_OBJECT(section->group), "section", section, g_free);
        adw_preferences_page_add(page, section->group);
        return section;
}

void section_clear(Section *section) {
        for (guint i = 0; i < section->rows->len; i++)
                adw_preferences_group_remove(section->group, g_ptr_array_index(section->rows, i));
        g_ptr_array_set_size(section->rows, 0);
        gtk_widget_set_visible(GTK_WIDGET(section->group), FALSE);
}

AdwActionRow *section_add(Section *section, const char *icon, const char *title, const char *subtitle) {
        AdwActionRow *row = ADW_ACTION_ROW(adw_action_row_new());

        adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
        g_object_set(row, "title", title, "title-lines", 0, "subtitle", subtitle ?: "", "subtitle-lines", 0, NULL);
        if (icon)
                adw_action_row_add_prefix(row, gtk_image_new_from_icon_name(icon));
        g_ptr_array_add(section->rows, row);
        adw_preferences_group_add(section->group, GTK_WIDGET(row));
        gtk_widget_set_visible(GTK_WIDGET(section->group), TRUE);
        return row;
}

void section_suffix(AdwActionRow *row, GtkWidget *widget) {
        gtk_widget_set_valign(widget, GTK_ALIGN_CENTER);
        gtk_accessible_update_property(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                       adw_preferences_row_get_title(ADW_PREFERENCES_ROW(row)), -1);
        adw_action_row_add_suffix(row, widget);
}
