/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finds what is in the way of a line of ours. It must not judge what somebody else's say. */

#include <string.h>

#include "error.h"
#include "load-options.h"
#include "plan.h"
#include "read-back.h"

/* One line of ours, as one of many. */
typedef struct Line {
        const char *path; /* of our file */
        Among among;      /* whom it is to win over */
        bool asked;       /* the file that a request now writes into */
        const char *module, *name, *value;
} Line;

Options *read_back_options(const Root *root, const GPtrArray *files, GError **error) {
        g_autoptr(GHashTable) instead = g_hash_table_new(g_str_hash, g_str_equal);

        for (unsigned i = 0; i < files->len; i++) {
                PlanFile *file = g_ptr_array_index(files, i);
                g_hash_table_insert(instead, file->path, file->after);
        }
        fault_watch();
        g_autoptr(Options) options = options_read_with(root, instead);
        g_autoptr(Fault) fault = fault_found();
        if (!fault)
                return g_steal_pointer(&options);
        g_autofree char *told = fault_to_string(fault);
        g_set_error(error, CONDITION, CONDITION_INTERNAL,
                    "%s. So it can't be told what the next load would be given, and nothing is changed", told);
        return NULL;
}

static bool is_said(const Host *host, const Options *options, const Line *line) {
        const Option *winner = load_options_winner(options, line->module, line->name, line->among);

        return winner && (g_str_equal(winner->value, line->value) || load_options_same(host, winner, line->value));
}

static bool is_asked(const Request *request, const Line *line) {
        for (unsigned i = 0; i < request->settings->len && line->asked; i++) {
                const Setting *s = g_ptr_array_index(request->settings, i);
                if (s->value && g_str_equal(s->module, line->module) && g_str_equal(s->name, line->name))
                        return true;
        }
        return false;
}

static const Option *find_of_module(const GPtrArray *options, const Line *line, const char *within) {
        for (unsigned i = 0; i < options->len; i++) {
                const Option *o = g_ptr_array_index(options, i);
                if (g_str_equal(o->module, line->module) && (!within || strstr(o->value, within)))
                        return o;
        }
        return NULL;
}

static const BadLine *find_bad(const Options *options, const char *path) {
        for (unsigned i = 0; i < options->bad->len; i++) {
                const BadLine *bad = g_ptr_array_index(options->bad, i);
                if (g_str_equal(bad->path + 1, path))
                        return bad;
        }
        return NULL;
}

/* In words, with the file and the line. */
static char *find_obstacle(const Options *options, const Line *line, bool *ret_overridden) {
        g_autofree char *absolute = g_strconcat("/", line->path, NULL), *name = g_path_get_basename(line->path);
        g_autofree char *text = g_strconcat(line->name, "=", line->value, NULL);
        const Option *winner = load_options_winner(options, line->module, line->name, line->among);
        const Option *stop = find_of_module(options->stops, line, NULL);
        const Option *around = find_of_module(options->options, line, text);
        const BadLine *bad = find_bad(options, line->path);

        *ret_overridden = false;
        if (g_strv_contains((const char *const *) options->masked, absolute))
                return g_strdup_printf("/etc/modprobe.d/%s hides it; remove that file first", name);
        if (stop || around || winner) {
                g_autofree char *source = option_source(stop ?: around ?: winner);
                *ret_overridden = !stop && !around;
                return g_strdup_printf(stop ? "the kernel takes nothing after the \"--\" in %s; mend that line first"
                                       : around ? "a quote that is open in %s takes it in; mend that line first"
                                                : "%s says something else and beats it; mend that line first",
                                       source);
        }
        return bad ? g_strdup_printf("of that file, %s", bad->why)
                   : g_strdup("what is in its way can't be told; look at the other lines of that file");
}

static bool check_line(const Host *host, const Request *request, const Options *options, const Line *line,
                       GError **error) {
        if (is_said(host, options, line) || (!is_asked(request, line) && !is_said(host, host->options, line)))
                return true;
        bool overridden;
        g_autofree char *obstacle = find_obstacle(options, line, &overridden);
        g_set_error(error, CONDITION, overridden ? CONDITION_OVERRIDDEN : CONDITION_UNSUPPORTED,
                    "%s.%s=%s in /%s would not reach the module: %s", line->module, line->name, line->value, line->path,
                    obstacle);
        return false;
}

static bool check_file(const Host *host, const Request *request, const Options *options, const Dropin *dropin,
                       const Line *of_file, GError **error) {
        g_auto(GStrv) modules = dropin_modules(dropin);

        for (char **module = modules; *module; module++) {
                g_auto(GStrv) names = dropin_names(dropin, *module);
                for (char **name = names; *name; name++) {
                        Line line = *of_file;
                        line.module = *module;
                        line.name = *name;
                        line.value = dropin_get(dropin, *module, *name) ?: "";
                        if (!check_line(host, request, options, &line, error))
                                return false;
                }
        }
        return true;
}

bool read_back_check(const Host *host, const Request *request, const Dropin *kept, const Dropin *runtime,
                     const GPtrArray *files, GError **error) {
        const bool for_now = request->flags & REQUEST_RUNTIME;
        const Line of_kept = {.path = DROPIN_PATH, .among = WITHOUT_RUNTIME, .asked = !for_now};
        const Line of_runtime = {.path = DROPIN_RUNTIME_PATH, .among = RUNTIME_ALONE, .asked = for_now};
        g_autoptr(Options) options = read_back_options(host->root, files, error);

        return options && check_file(host, request, options, kept, &of_kept, error) &&
               check_file(host, request, options, runtime, &of_runtime, error);
}
