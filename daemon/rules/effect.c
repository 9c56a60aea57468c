/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An effect's memory and its words. What it is, is found by effect-judge.c; nothing is judged
 * here. */

#include "effect.h"

void effect_free(Effect *effect) {
        if (!effect)
                return;
        g_free(effect->value);
        g_free(effect->current);
        g_free(effect->effective);
        g_free(effect->configured);
        g_free(effect->source);
        g_strfreev(effect->overridden);
        g_free(effect->reason);
        g_free(effect->remedy);
        g_free(effect);
}

char *effect_current(const Effect *effect) {
        return g_strdup(effect->current);
}

const char *effect_word(const Parameter *parameter, const char *normal) {
        if (parameter->kind != KIND_BOOL && parameter->kind != KIND_CHOICE)
                return normal;
        return g_str_equal(normal, "1") ? "on" : g_str_equal(normal, "0") ? "off" : normal;
}
