/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The files of a plan on disk. Each step can be repeated, and none is half done: a file has the old text or the new one. */

#include "error.h"
#include "plan-files.h"

bool plan_files_unchanged(const Plan *plan, const Root *root, GError **error) {
        for (unsigned i = 0; i < plan->files->len; i++) {
                const PlanFile *file = g_ptr_array_index(plan->files, i);
                g_autofree char *now = NULL;
                size_t size;
                if (root_exists(root, file->path) && !root_read(root, file->path, ROOT_FILE_MAX, &now, &size, error))
                        return false;
                if (g_strcmp0(now, file->before) == 0)
                        continue;
                g_set_error(error, CONDITION, CONDITION_CONFLICT,
                            "/%s was changed by somebody else meanwhile; look at it and ask again", file->path);
                return false;
        }
        return true;
}

bool plan_files_stage(const Plan *plan, const Root *root, GError **error) {
        for (unsigned i = 0; i < plan->files->len; i++) {
                const PlanFile *file = g_ptr_array_index(plan->files, i);
                if (file->after && !root_stage(root, file->path, file->after, error))
                        return false;
        }
        return true;
}

bool plan_files_discard(const Plan *plan, const Root *root, GError **error) {
        for (unsigned i = 0; i < plan->files->len; i++) {
                const PlanFile *file = g_ptr_array_index(plan->files, i);
                if (!root_discard(root, file->path, error))
                        return false;
        }
        return true;
}

bool plan_files_publish(const Plan *plan, const Root *root, GPtrArray *steps, GError **error) {
        for (unsigned i = 0; i < plan->files->len; i++) {
                const PlanFile *file = g_ptr_array_index(plan->files, i);
                if (file->after ? !root_publish(root, file->path, error) : !root_remove(root, file->path, error))
                        return false;
                g_ptr_array_add(steps, g_strconcat(file->after ? "wrote /" : "removed /", file->path, NULL));
        }
        return true;
}

bool plan_files_put(const Root *root, const char *path, const char *text, GError **error) {
        return text ? root_write(root, path, text, error) : root_remove(root, path, error);
}

bool plan_files_restore(const Plan *plan, const Root *root, GError **error) {
        for (unsigned i = 0; i < plan->files->len; i++) {
                const PlanFile *file = g_ptr_array_index(plan->files, i);
                if (!plan_files_put(root, file->path, file->before, error))
                        return false;
        }
        return true;
}
