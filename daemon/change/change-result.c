/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A result, made and freed. It must not decide what a change has come to. */

#include "change-result.h"
#include "plan.h"

static void alteration_free(gpointer data) {
        Alteration *alteration = data;

        parameter_state_free(alteration->before);
        parameter_state_free(alteration->after);
        g_free(alteration);
}

ChangeResult *change_result_new(void) {
        ChangeResult *result = g_new0(ChangeResult, 1);
        result->steps = g_ptr_array_new_with_free_func(g_free);
        result->notes = g_ptr_array_new_with_free_func(g_free);
        result->changes = g_ptr_array_new_with_free_func(alteration_free);
        result->impact = g_ptr_array_new_with_free_func((GDestroyNotify) impact_free);
        result->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        return result;
}

void change_result_free(ChangeResult *result) {
        if (!result)
                return;
        g_ptr_array_unref(result->steps);
        g_ptr_array_unref(result->notes);
        g_ptr_array_unref(result->changes);
        g_ptr_array_unref(result->impact);
        g_hash_table_unref(result->values);
        users_unref(result->holders);
        g_clear_error(&result->error);
        g_free(result);
}
