/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A titled list of rows that is filled anew as a whole, and not shown while it is empty; it lives as
 * long as its page. What is said in a row is text, and no markup: others choose names. */

#include <adwaita.h>

typedef struct Section {
        AdwPreferencesGroup *group;
        GPtrArray *rows; /* AdwActionRow*, the group's */
} Section;

Section *section_new(AdwPreferencesPage *page, const char *title);
void section_clear(Section *section);
/* @icon NULL, @subtitle NULL: none. */
AdwActionRow *section_add(Section *section, const char *icon, const char *title, const char *subtitle);
/* At the end of a row, which is activated by it. */
void section_suffix(AdwActionRow *row, GtkWidget *widget);
