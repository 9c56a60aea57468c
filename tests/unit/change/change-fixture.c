/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A fake host and the path of a request over it. */

#include <stdio.h>
#include <string.h>

#include "change-fixture.h"
#include "error.h"
#include "fault-injector.h"
#include "plan-draft.h"

void fixture_set_up(Fixture *fixture, gconstpointer data) {
        g_autoptr(GError) error = NULL;

        fixture->directory = g_dir_make_tmp("nestvirt-change-XXXXXX", &error);
        g_assert_no_error(error);
        fake_host_make(fixture->directory);
        fixture->loader = fake_loader_new(fixture->directory);
        fixture->root = root_new(fixture->directory, NULL, &error);
        g_assert_no_error(error);
}

void fixture_tear_down(Fixture *fixture, gconstpointer data) {
        root_unref(fixture->root);
        fixture->loader->parent.free(&fixture->loader->parent);
        fake_host_remove(fixture->directory);
        g_free(fixture->directory);
}

static bool add_word(Request *request, const Host *host, const char *word, GError **error) {
        if (g_str_has_prefix(word, "reload:")) {
                request->reload = g_strdup(word + strlen("reload:"));
                return true;
        }
        g_auto(GStrv) sides = g_strsplit(word, "=", 2);
        g_auto(GStrv) names = g_strsplit(sides[0], ".", 2);

        return sides[1] ? request_set(request, host, names[0], names[1], sides[1], error)
                        : request_reset(request, host, names[0], names[1], error);
}

Request *fixture_request(const Host *host, const char *words, uint64_t flags, GError **error) {
        g_autoptr(Request) request = request_new(flags);
        g_auto(GStrv) each = g_strsplit(words, " ", -1);

        if (!*words && !request_reset_all(request, host, NULL, error))
                return NULL;
        for (char **word = each; *word; word++)
                if (!add_word(request, host, *word, error))
                        return NULL;
        return g_steal_pointer(&request);
}

Plan *fixture_plan(Fixture *fixture, const char *words, uint64_t flags, GError **error) {
        g_autoptr(Host) host = host_read(fixture->root, &fixture->loader->parent);
        g_autoptr(Request) request = fixture_request(host, words, flags, error);

        return request ? plan_new(host, &fixture->loader->parent, request, error) : NULL;
}

static ChangeResult *run(Fixture *fixture, Plan *plan, GError *refused) {
        ChangeResult *result;

        if (plan)
                return change_run(plan, fixture->root, &fixture->loader->parent);
        result = change_result_new();
        result->error = refused;
        return result;
}

ChangeResult *fixture_change(Fixture *fixture, const char *words, uint64_t flags) {
        GError *error = NULL;
        g_autoptr(Plan) plan = fixture_plan(fixture, words, flags, &error);

        g_string_truncate(fixture->loader->calls, 0);
        return run(fixture, plan, error);
}

Plan *fixture_plan_attempt(Fixture *fixture, GError **error) {
        g_autoptr(Host) host = host_read(fixture->root, &fixture->loader->parent);
        g_autoptr(Request) request = request_new(REQUEST_WHEN_IDLE);
        GHashTableIter i, j;
        gpointer module, values, name, value;

        request->pending = true;
        g_hash_table_iter_init(&i, host->pending);
        while (g_hash_table_iter_next(&i, &module, &values)) {
                g_hash_table_iter_init(&j, values);
                while (g_hash_table_iter_next(&j, &name, &value))
                        g_assert_true(request_set(request, host, module, name, value, NULL));
        }
        return plan_new(host, &fixture->loader->parent, request, error);
}

ChangeResult *fixture_attempt(Fixture *fixture) {
        GError *error = NULL;
        g_autoptr(Plan) plan = fixture_plan_attempt(fixture, &error);

        return run(fixture, plan, error);
}

void fixture_assert_value(Fixture *fixture, const char *module, const char *name, const char *value) {
        g_autofree char *path = g_strdup_printf("sys/module/%s/parameters/%s", module, name);
        g_autofree char *text = fake_host_read(fixture->directory, path);

        g_assert_cmpstr(text ? g_strchomp(text) : "-", ==, value);
}

void fixture_defer(Fixture *fixture, const char *words) {
        fixture->loader->busy = "kvm_amd";
        g_autoptr(ChangeResult) deferred = fixture_change(fixture, words, REQUEST_WHEN_IDLE);
        assert_outcome(deferred, "deferred");
        fixture->loader->busy = NULL;
}

void fixture_fail_rename(const char *name) {
        fault_refuse_rename(name);
}

void fixture_obstruct(Fixture *fixture, const Obstacles *obstacles) {
        const Obstacles none = {0}, *which = obstacles ?: &none;

        fixture->loader->busy = which->busy;
        fixture->loader->fail_at = which->fail_at;
        fixture->loader->fail_times = 1;
        fixture_fail_rename(which->fail_rename);
}

static bool has_line(Fixture *fixture, const char *path, const char *line) {
        g_autofree char *text = fake_host_read(fixture->directory, path);
        g_auto(GStrv) lines = g_strsplit(text ?: "", "\n", -1);

        return line ? g_strv_contains((const char *const *) lines, line) : !text;
}

void fixture_assert_line(Fixture *fixture, const char *path, const char *line) {
        if (!has_line(fixture, path, line))
                g_error("/%s does not say \"%s\"", path, line ?: "nothing");
}

void fixture_assert_no_line(Fixture *fixture, const char *path, const char *line) {
        g_assert_false(has_line(fixture, path, line));
}

void fixture_assert_kvm_kept(Fixture *fixture, bool kept) {
        g_autoptr(Host) host = host_read(fixture->root, &fixture->loader->parent);

        g_assert_cmpint(host->kvm_kept, ==, kept);
}

void assert_text_has(const char *text, const char *part) {
        if (!strstr(text, part))
                g_error("\"%s\" does not have \"%s\"", text, part);
}

static int compare_names(gconstpointer a, gconstpointer b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Of a record of a kept kvm: is it about the one that is loaded? */
static const char *dump_kept(Fixture *fixture, const char *content) {
        g_autofree char *number = host_kvm_number(fixture->root);

        return number && g_str_has_prefix(content, number) ? "this one" : "another one";
}

static bool is_seen(const char *path) {
        g_autofree char *name = g_path_get_basename(path);

        return !g_str_has_suffix(path, "/" JOURNAL_FILE) && !(*name == '.' && g_str_has_suffix(name, ".new"));
}

static void dump(Fixture *fixture, GString *text, const char *path, bool all) {
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
        g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
        const size_t skip = strlen(fixture->directory);
        const char *name;

        while (dir && (name = g_dir_read_name(dir)))
                g_ptr_array_add(names, g_build_filename(path, name, NULL));
        g_ptr_array_sort(names, compare_names);
        for (unsigned i = 0; i < names->len; i++) {
                const char *child = g_ptr_array_index(names, i);
                g_autofree char *content = NULL;
                if (!g_str_has_suffix(child, "/refcnt") && (all || is_seen(child)) &&
                    g_file_get_contents(child, &content, NULL, NULL))
                        g_string_append_printf(text, "%s: %s\n", child + skip,
                                               g_str_has_suffix(child, KVM_KEPT_PATH) ? dump_kept(fixture, content)
                                                                                      : content);
                dump(fixture, text, child, all);
        }
}

char *fixture_dump(Fixture *fixture) {
        GString *text = g_string_new(NULL);

        dump(fixture, text, fixture->directory, true);
        return g_string_free(text, FALSE);
}

char *fixture_dump_seen(Fixture *fixture) {
        GString *text = g_string_new(NULL);

        dump(fixture, text, fixture->directory, false);
        return g_string_free(text, FALSE);
}

static char *find_staged(const char *path) {
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
        const char *name;

        while (dir && (name = g_dir_read_name(dir)))
                if (g_str_has_suffix(name, ".new"))
                        return g_strconcat(path, "/", name, " is there", NULL);
        return NULL;
}

char *fixture_find_broken(Fixture *fixture) {
        static const char *const folders[] = {"etc/modprobe.d", "run/modprobe.d", "run/nestvirt", "var/lib/nestvirt"};
        g_autofree char *kvm = fake_host_read(fixture->directory, "sys/module/kvm/initstate");
        g_autofree char *vendor = fake_host_read(fixture->directory, "sys/module/kvm_amd/initstate");
        g_autofree char *journal = fake_host_read(fixture->directory, JOURNAL_FILE);
        char *found = NULL;

        if (g_strcmp0(kvm, "live\n") != 0 || g_strcmp0(vendor, "live\n") != 0)
                return g_strdup("a module is not loaded");
        if (journal)
                return g_strdup("there is a journal");
        for (unsigned i = 0; i < G_N_ELEMENTS(folders) && !found; i++) {
                g_autofree char *path = g_build_filename(fixture->directory, folders[i], NULL);
                found = find_staged(path);
        }
        return found;
}

void fixture_assert_whole(Fixture *fixture) {
        g_autofree char *broken = fixture_find_broken(fixture);

        g_assert_cmpstr(broken, ==, NULL);
}
