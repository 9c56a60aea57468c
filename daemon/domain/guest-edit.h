/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A change of a guest's definition: planned on XML, and carried out wherever definitions are kept.
 * Nothing is written unless it is still what was planned on; what is written is read back, and put
 * back when it is not what was asked for. */

#include "cpu-xml.h"
#include "guest-plan.h"

/* What a definition says, in the form that the rules want, its words in @words. */
GuestCpu guest_cpu_from_xml(const CpuXml *xml, const char *vendor, GStringChunk *words);

/* Where one guest's definition is kept. XML with its secrets, newly allocated. */
typedef struct GuestStore {
        char *(*read)(gpointer guest, GError **error);
        bool (*write)(gpointer guest, const char *xml, GError **error);
} GuestStore;

/* The model whose features matter to @edit on a definition that says so, when there is one. NULL:
 * none. */
const char *guest_edit_model(const CpuXml *cpu, const GuestEdit *edit);
/* What @edit comes to on @xml. @facts: taken over, also on failure. @listed: the features of that
 * model, as libvirt lists them; NULL: not known. InvalidArgs, Unsupported,
 * TransientGuest, Conflict: see cpu-xml.h, recipe.h, guest-plan.h. */
GuestPlan *guest_edit_plan(const char *xml, const GuestEdit *edit, GuestFacts *facts, const char *vendor,
                           const char *const *listed, GError **error);

/* Conflict: somebody has changed the definition since. ReloadFailed: the definition is as it was,
 * the message says why. HostDegraded: it is neither. What @store fails with is passed on; then the
 * definition is as it was, as far as @store keeps its word, but for LibvirtUnavailable from the
 * writing on: then nobody knows, and the message says where to look. @ret: on success, what it is
 * now, as it was read back; with its secrets. */
bool guest_edit_carry_out(const GuestPlan *plan, const GuestStore *store, gpointer guest, const char *vendor,
                          char **ret, GError **error);
/* The same but for the first look: @plan was made a moment ago, of what @store has. */
bool guest_edit_write(const GuestPlan *plan, const GuestStore *store, gpointer guest, const char *vendor, char **ret,
                      GError **error);
/* Secrets don't stay in memory: not in ours, nor in libxml2's (domain-xml.c). What libvirt's
 * library leaves of its messages is not within reach. */
void guest_edit_wipe(char **text);
