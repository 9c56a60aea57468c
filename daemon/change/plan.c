/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A plan's memory. What is in it is plan-draft.c's to think of, carrying it out change.c's. */

#include "plan.h"

void plan_file_free(PlanFile *file) {
        g_free(file->path);
        g_free(file->before);
        g_free(file->after);
        g_free(file);
}

static void plan_module_free(PlanModule *module) {
        g_free(module->name);
        g_free(module->before);
        g_free(module->after);
        g_free(module->kept);
        g_free(module);
}

static void plan_value_free(PlanValue *value) {
        g_free(value->module);
        g_free(value->name);
        g_free(value->before);
        g_free(value->after);
        g_free(value);
}

void impact_free(Impact *impact) {
        g_free(impact->subject);
        g_free(impact->message);
        g_free(impact);
}

Plan *plan_new_empty(void) {
        Plan *plan = g_new0(Plan, 1);
        plan->files = g_ptr_array_new_with_free_func((GDestroyNotify) plan_file_free);
        plan->modules = g_ptr_array_new_with_free_func((GDestroyNotify) plan_module_free);
        plan->values = g_ptr_array_new_with_free_func((GDestroyNotify) plan_value_free);
        plan->notes = g_ptr_array_new_with_free_func(g_free);
        plan->steps = g_ptr_array_new_with_free_func(g_free);
        plan->records = g_ptr_array_new_with_free_func((GDestroyNotify) plan_file_free);
        return plan;
}

void plan_free(Plan *plan) {
        if (!plan)
                return;
        g_free(plan->title);
        g_ptr_array_unref(plan->files);
        g_ptr_array_unref(plan->modules);
        g_ptr_array_unref(plan->values);
        g_ptr_array_unref(plan->steps);
        g_ptr_array_unref(plan->notes);
        g_ptr_array_unref(plan->records);
        g_free(plan->applied);
        g_free(plan->vendor);
        g_free(plan->boot_id);
        g_free(plan->release);
        g_free(plan);
}

bool plan_reloads(const Plan *plan) {
        return plan->modules->len > 0;
}
