/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the window have of each other. */

#include <adwaita.h>
#include <glib/gi18n.h>
#include <nestvirt-glib.h>

/* section.c: a titled list of rows that is filled anew as a whole, and not shown while it is empty;
 * it lives as long as its page. What is said in a row is text, no markup: others choose names. */
typedef struct Section {
        AdwPreferencesGroup *group;
        GPtrArray *rows; /* AdwActionRow*, the group's */
} Section;

Section *section_new(AdwPreferencesPage *page, const char *title);
void section_clear(Section *section);
AdwActionRow *section_add(Section *section, const char *icon, const char *title, const char *subtitle);
/* At the end of a row, by whose title it is described. */
void section_suffix(AdwActionRow *row, GtkWidget *widget);

/* words.c: what is said of what the daemon tells; NULL: nothing. words_error() frees its error. */
const char *words_status(NestvirtManager *manager);
char *words_guest(gboolean active, const char *next, const char *now, const char *using, gboolean restart);
char *words_setting(const char *parameter, const char *value);
const char *words_outcome(const char *outcome);
char *words_error(GError *error);

/* plan.c: the dialog between the switch and the change: what would be done, who is concerned, when.
 * Nothing is changed before its button is pressed, and a refusal is told in it. */
typedef void (*PlanDone)(const char *outcome, gpointer data); /* NULL: the dialog is gone */
void plan_show(GtkWindow *parent, NestvirtModule *module, gboolean on, PlanDone done, gpointer data);
