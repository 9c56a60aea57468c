/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is asked of a guest's definition, and what it comes to on one definition. Pure; how XML is
 * edited is guest-edit.c's. */

#include "guest-facts.h"
#include "guest-host.h"

typedef struct GuestEdit {
        char *recipe, *release; /* recipe NULL: only the CPU is changed, as the others say */
        char *mode, *model;     /* NULL: left alone */
        int nested;             /* 1, 0; -1: left alone */
} GuestEdit;

typedef struct GuestPlan {
        GuestEdit *edit;
        /* libvirt's XML of the definition as it is and as it will be, the same text when there is
         * nothing to do. With the guest's secrets: for libvirt's eyes alone. */
        char *before, *after;
        char *diff;                /* of the two, for people: made without the secrets; "" when they are the same */
        char *diff_missing;        /* why @diff is "" though they are not; else NULL */
        GPtrArray *steps, *advice; /* char*; advice is what the recipe leaves to others, with the command for it */
        GuestFacts *facts;   /* of the guest as it is, but for the question and the comparison, which are of @cpu */
        char **listed;       /* features of the model that it will have, as libvirt lists them; NULL: not known */
        GuestCpu cpu;        /* what its definition will say */
        GStringChunk *words; /* whose the words in @cpu are */
} GuestPlan;

typedef struct GuestAlteration {
        const char *name;           /* an attribute of <cpu>, "model", or the feature whose policy it is */
        const char *before, *after; /* "": nothing is said of it; both are the plan's */
} GuestAlteration;

GuestEdit *guest_edit_new(void);
GuestEdit *guest_edit_copy(const GuestEdit *edit);
void guest_edit_free(GuestEdit *edit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestEdit, guest_edit_free)
/* InvalidArgs when it asks for nothing, or contradicts itself. */
bool guest_edit_check(const GuestEdit *edit, GError **error);
/* "mode=custom model=EPYC nested=yes", "recipe=esxi release=7.0": for polkit, the journal and
 * messages. */
char *guest_edit_to_string(const GuestEdit *edit);

/* With nothing in it but a copy of @edit, and empty arrays. */
GuestPlan *guest_plan_new(const GuestEdit *edit);
/* Wipes the secrets. */
void guest_plan_free(GuestPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestPlan, guest_plan_free)
bool guest_plan_is_unchanged(const GuestPlan *plan);

/* May this guest's definition be changed at all? TransientGuest: it has none. Conflict: the next
 * start would bring back the CPU of its managed save. */
bool guest_plan_allows(const GuestFacts *facts, GError **error);
/* Impact* (plan.h): what will be otherwise than somebody may think, once the plan has been carried
 * out. */
GPtrArray *guest_plan_impact(const GuestPlan *plan, const GuestHost *host);
/* GuestAlteration*: what its definition says of the CPU and what it will, where these differ. */
GPtrArray *guest_plan_changes(const GuestPlan *plan, const GuestHost *host);
/* It will have to be switched off and on. */
bool guest_plan_needs_restart(const GuestPlan *plan, const GuestHost *host);
