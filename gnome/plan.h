/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The dialog between the switch and the change: what would be done, who is concerned, and when it is
 * to be. Nothing is changed before its button is pressed, and a refusal is told in it. */

#include <adwaita.h>
#include <nestvirt-glib.h>

/* It is done, with that Outcome; NULL: the dialog is gone. */
typedef void (*PlanDone)(const char *outcome, gpointer data);

/* @module outlives the dialog. */
void plan_show(GtkWindow *parent, NestvirtModule *module, gboolean on, PlanDone done, gpointer data);
