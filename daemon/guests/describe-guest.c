/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A guest as the dictionary that its interface shows. It decides nothing. */

#include "describe-guest.h"
#include "guest-verdict.h"

/* libvirt takes names that are not UTF-8, D-Bus does not. */
static void add_text(GVariantBuilder *builder, const char *name, const char *text) {
        g_variant_builder_add(builder, "{sv}", name, g_variant_new_take_string(g_utf8_make_valid(text ?: "", -1)));
}

static void add_boolean(GVariantBuilder *builder, const char *name, bool value) {
        g_variant_builder_add(builder, "{sv}", name, g_variant_new_boolean(value));
}

GVariant *describe_guest(const GuestFacts *facts, const GuestHost *host) {
        g_autoptr(GuestVerdict) verdict = guest_verdict_new(facts, host);
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        add_boolean(&builder, "Active", facts->active);
        add_text(&builder, "CpuMode", facts->defined.mode);
        add_text(&builder, "CpuModel", facts->defined.model);
        add_text(&builder, "Mmu", verdict->mmu);
        add_text(&builder, "Name", facts->name);
        add_text(&builder, "NextStart", verdict->next_start);
        add_text(&builder, "Now", verdict->now);
        add_boolean(&builder, "Persistent", facts->persistent);
        add_text(&builder, "Policy", facts->defined.policy);
        add_text(&builder, "Reason", verdict->reason);
        add_boolean(&builder, "RestartNeeded", verdict->restart_needed);
        add_text(&builder, "SavedState", verdict->saved_state);
        add_text(&builder, "Type", facts->type);
        add_text(&builder, "Using", verdict->using);
        add_text(&builder, "Uuid", facts->uuid);
        return g_variant_builder_end(&builder);
}
