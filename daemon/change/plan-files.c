/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The files of a plan on disk. Each step can be repeated, and none is half done: a file has the old
 * text or the new one. */

#include "error.h"
#include "file.h"
#include "plan-files.h"

bool plan_files_read(const Root *root, const char *path, char **ret, GError **error) {
        size_t size;

        return root_read_any(root, path, ROOT_FILE_MAX, ret, &size, error);
}

bool plan_files_unchanged(const GPtrArray *files, const Root *root, GError **error) {
        for (unsigned i = 0; i < files->len; i++) {
                const PlanFile *file = g_ptr_array_index(files, i);
                g_autofree char *now = NULL;
                if (!plan_files_read(root, file->path, &now, error))
                        return false;
                if (g_strcmp0(now, file->before) == 0)
                        continue;
                g_set_error(error, CONDITION, CONDITION_CONFLICT,
                            "/%s was changed by somebody else meanwhile; look at it and ask again", file->path);
                return false;
        }
        return true;
}

bool plan_files_stage(const GPtrArray *files, const Root *root, GError **error) {
        for (unsigned i = 0; i < files->len; i++) {
                const PlanFile *file = g_ptr_array_index(files, i);
                if (file->after && !file_stage(root, file->path, file->after, error))
                        return false;
        }
        return true;
}

bool plan_files_discard(const GPtrArray *files, const Root *root, GError **error) {
        for (unsigned i = 0; i < files->len; i++) {
                const PlanFile *file = g_ptr_array_index(files, i);
                if (!file_discard(root, file->path, error))
                        return false;
        }
        return true;
}

/* A file is believed to be there when it reads like it. */
static bool publish(const PlanFile *file, const Root *root, GError **error) {
        g_autofree char *now = NULL;

        if (!file->after)
                return file_remove(root, file->path, error);
        if (!file_publish(root, file->path, error) || !plan_files_read(root, file->path, &now, error))
                return false;
        if (g_strcmp0(now, file->after) == 0)
                return true;
        g_set_error(error, CONDITION, CONDITION_INTERNAL, "/%s is not what was written there", file->path);
        return false;
}

bool plan_files_publish(const GPtrArray *files, const Root *root, GPtrArray *steps, GError **error) {
        for (unsigned i = 0; i < files->len; i++) {
                const PlanFile *file = g_ptr_array_index(files, i);
                if (!publish(file, root, error))
                        return false;
                if (steps)
                        g_ptr_array_add(steps, g_strconcat(file->after ? "wrote /" : "removed /", file->path, NULL));
        }
        return true;
}

static bool restore(const PlanFile *file, const Root *root, GPtrArray *steps, GError **error) {
        g_autofree char *now = NULL;

        if (!plan_files_read(root, file->path, &now, error))
                return false;
        if (g_strcmp0(now, file->after) != 0)
                return true;
        g_ptr_array_add(steps, g_strconcat("put back /", file->path, NULL));
        return file->before ? file_write(root, file->path, file->before, error) : file_remove(root, file->path, error);
}

bool plan_files_restore(const GPtrArray *files, const Root *root, GPtrArray *steps, GError **error) {
        bool ok = true;

        for (unsigned i = 0; i < files->len; i++)
                ok = restore(g_ptr_array_index(files, i), root, steps, ok ? error : NULL) && ok;
        return ok;
}

/* What is beneath /run went with the other boot. */
static bool outlives_boot(const PlanFile *file) {
        return !g_str_has_prefix(file->path, "run/");
}

/* Those of @files that outlive a boot have the new texts; false as well when there are none. */
static bool read_new(const GPtrArray *files, const Root *root, bool *ret, GError **error) {
        unsigned n = 0;

        *ret = true;
        for (unsigned i = 0; i < files->len; i++) {
                const PlanFile *file = g_ptr_array_index(files, i);
                g_autofree char *now = NULL;
                if (!outlives_boot(file))
                        continue;
                if (!plan_files_read(root, file->path, &now, error))
                        return false;
                *ret = *ret && g_strcmp0(now, file->after) == 0;
                n++;
        }
        *ret = *ret && n > 0;
        return true;
}

/* What somebody else has written meanwhile stays. */
static bool follow(const PlanFile *record, const Root *root, GError **error) {
        g_autofree char *now = NULL;

        if (!plan_files_read(root, record->path, &now, error))
                return false;
        if (g_strcmp0(now, record->before) != 0)
                return true;
        return record->after ? file_write(root, record->path, record->after, error)
                             : file_remove(root, record->path, error);
}

bool plan_files_follow(const Plan *plan, const Root *root, GError **error) {
        bool is_new;

        if (!read_new(plan->files, root, &is_new, error))
                return false;
        for (unsigned i = 0; is_new && i < plan->records->len; i++) {
                const PlanFile *record = g_ptr_array_index(plan->records, i);
                if (outlives_boot(record) && !follow(record, root, error))
                        return false;
        }
        return true;
}

bool plan_files_finish(const Plan *plan, const Root *root, GPtrArray *steps, GError **error) {
        return plan_files_publish(plan->files, root, steps, error) &&
               plan_files_publish(plan->records, root, NULL, error);
}
