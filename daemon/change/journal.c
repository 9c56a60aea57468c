/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The record of a change under way, as a GKeyFile: the groups "change", "file N", "module N" and
 * "value N" hold what a recovery needs of the plan. It decides nothing. */

#include <errno.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "journal.h"

/* A GKeyFile takes UTF-8 alone, a modprobe.d file may hold anything: what is not ASCII is escaped.
 * NULL is an absent key. */
static void render_text(GKeyFile *file, const char *group, const char *key, const char *value) {
        g_autofree char *escaped = value ? g_strescape(value, NULL) : NULL;

        if (escaped)
                g_key_file_set_string(file, group, key, escaped);
}

static char *parse_text(GKeyFile *file, const char *group, const char *key) {
        g_autofree char *escaped = g_key_file_get_string(file, group, key, NULL);

        return escaped ? g_strcompress(escaped) : NULL;
}

static char *parse_string(GKeyFile *file, const char *group, const char *key) {
        return parse_text(file, group, key) ?: g_strdup("");
}

static void render_files(GKeyFile *file, const char *kind, const GPtrArray *files) {
        for (unsigned i = 0; i < files->len; i++) {
                const PlanFile *f = g_ptr_array_index(files, i);
                g_autofree char *group = g_strdup_printf("%s %u", kind, i);
                render_text(file, group, "path", f->path);
                render_text(file, group, "before", f->before);
                render_text(file, group, "after", f->after);
        }
}

static void journal_render(GKeyFile *file, const Plan *plan, JournalPhase phase) {
        journal_phase_set(file, phase);
        render_text(file, "change", "title", plan->title);
        render_text(file, "change", "boot", plan->boot_id);
        render_text(file, "change", "release", plan->release);
        g_key_file_set_uint64(file, "change", "flags", plan->flags);
        g_key_file_set_boolean(file, "change", "pending", plan->pending);
        g_key_file_set_boolean(file, "change", "deferred", plan->deferred);
        render_text(file, "change", "vendor", plan->vendor);

        render_files(file, "file", plan->files);
        render_files(file, "record", plan->records);
        for (unsigned i = 0; i < plan->modules->len; i++) {
                const PlanModule *m = g_ptr_array_index(plan->modules, i);
                g_autofree char *group = g_strdup_printf("module %u", i);
                render_text(file, group, "name", m->name);
                g_key_file_set_boolean(file, group, "required", m->required);
                g_key_file_set_boolean(file, group, "loaded", m->loaded);
                render_text(file, group, "before", m->before);
                render_text(file, group, "after", m->after);
                render_text(file, group, "kept", m->kept);
        }
        for (unsigned i = 0; i < plan->values->len; i++) {
                const PlanValue *v = g_ptr_array_index(plan->values, i);
                g_autofree char *group = g_strdup_printf("value %u", i);
                render_text(file, group, "module", v->module);
                render_text(file, group, "name", v->name);
                render_text(file, group, "before", v->before);
                render_text(file, group, "after", v->after);
                g_key_file_set_boolean(file, group, "writable", v->writable);
                g_key_file_set_boolean(file, group, "asked", v->asked);
        }
}

bool journal_write(const Root *root, const Plan *plan, JournalPhase phase, GError **error) {
        g_autoptr(GKeyFile) file = g_key_file_new();
        journal_render(file, plan, phase);
        g_autofree char *text = journal_phase_seal(file);
        if (strlen(text) > JOURNAL_MAX) {
                g_set_error(error, CONDITION, CONDITION_INTERNAL, "The record of this change would be too large");
                return false;
        }
        if (!file_stage(root, JOURNAL_PATH, text, error))
                return false;
        return phase == JOURNAL_DEGRADED ? file_publish(root, JOURNAL_PATH, error)
                                         : file_publish_soon(root, JOURNAL_PATH, error);
}

static PlanFile *parse_file(GKeyFile *file, const char *group) {
        PlanFile *f = g_new(PlanFile, 1);

        *f = (PlanFile) {
                        .path = parse_string(file, group, "path"),
                        .before = parse_text(file, group, "before"),
                        .after = parse_text(file, group, "after"),
        };
        return f;
}

static void journal_parse_group(GKeyFile *file, const char *group, Plan *plan) {
        if (g_str_has_prefix(group, "file "))
                g_ptr_array_add(plan->files, parse_file(file, group));
        else if (g_str_has_prefix(group, "record "))
                g_ptr_array_add(plan->records, parse_file(file, group));
        else if (g_str_has_prefix(group, "module ")) {
                PlanModule *m = g_new0(PlanModule, 1);
                m->name = parse_string(file, group, "name");
                m->required = g_key_file_get_boolean(file, group, "required", NULL);
                m->loaded = g_key_file_get_boolean(file, group, "loaded", NULL);
                m->before = parse_string(file, group, "before");
                m->after = parse_string(file, group, "after");
                m->kept = parse_string(file, group, "kept");
                g_ptr_array_add(plan->modules, m);
        } else if (g_str_has_prefix(group, "value ")) {
                PlanValue *v = g_new0(PlanValue, 1);
                v->module = parse_string(file, group, "module");
                v->name = parse_string(file, group, "name");
                v->before = parse_string(file, group, "before");
                v->after = parse_string(file, group, "after");
                v->writable = g_key_file_get_boolean(file, group, "writable", NULL);
                v->asked = g_key_file_get_boolean(file, group, "asked", NULL);
                g_ptr_array_add(plan->values, v);
        }
}

Plan *journal_read(const Root *root, JournalPhase *ret_phase, GError **error) {
        g_autoptr(GKeyFile) file = journal_phase_read(root, ret_phase, error);

        if (!file)
                return NULL;
        Plan *plan = plan_new_empty();
        plan->title = parse_string(file, "change", "title");
        plan->boot_id = parse_string(file, "change", "boot");
        plan->release = parse_string(file, "change", "release");
        plan->flags = g_key_file_get_uint64(file, "change", "flags", NULL);
        plan->pending = g_key_file_get_boolean(file, "change", "pending", NULL);
        plan->deferred = g_key_file_get_boolean(file, "change", "deferred", NULL);
        plan->vendor = parse_text(file, "change", "vendor");
        g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
        for (char **group = groups; *group; group++)
                journal_parse_group(file, *group, plan);
        return plan;
}

typedef bool (*Remove)(const Root *root, const char *path, GError **error);

/* A directory that could not be synced may bring it back with a power cut: what is found then is a
 * journal of another boot. */
static bool clear(const Root *root, Remove remove, GError **error) {
        g_autoptr(GError) failed = NULL;

        /* And what could not take its place. */
        (void) file_discard(root, JOURNAL_PATH, NULL);
        if (remove(root, JOURNAL_PATH, &failed))
                return true;
        struct stat st;
        if (root_stat(root, JOURNAL_PATH, &st) == -ENOENT)
                return true;
        g_propagate_error(error, g_steal_pointer(&failed));
        return false;
}

bool journal_clear(const Root *root, GError **error) {
        return clear(root, file_remove, error);
}

bool journal_clear_soon(const Root *root, GError **error) {
        return clear(root, file_remove_soon, error);
}
