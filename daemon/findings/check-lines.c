/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found about lines that somebody wrote and that reach nothing, or another thing than was
 * meant. What those do that reach a module is check-options.c's. It reads and changes nothing. */

#include <string.h>

#include "check-rules.h"
#include "dropin.h"
#include "error.h"
#include "option-slip.h"
#include "option-value.h"
#include "syntax.h"

#define NAMES_MAX 8U

static char *place_of(const Option *option) {
        return check_place(option->path, option->line);
}

/* The kernel takes these two for every module (kernel/module/main.c, lib/dynamic_debug.c). */
static bool is_generic(const char *name) {
        return g_str_equal(name, "dyndbg") || g_str_equal(name, "async_probe");
}

/* The command that puts in effect what a line asks of @parameter, "" when that is so already, or
 * when there is none. */
static char *ask(const Check *check, const Parameter *parameter, const Option *option) {
        const Parameter *p = catalog_variant(parameter, check->host->release);
        const char *now = check_effective(check, p->module, p->name);
        g_autofree char *value = catalog_normalise(p, check->host->release, option->bare ? "1" : option->value, NULL);

        if (!value || !now || g_str_equal(effect_word(p, value), now))
                return g_strdup("");
        return g_strdup_printf("nestvirtctl set %s=%s", p->name, effect_word(p, value));
}

/* What this host calls a parameter that @option gives to a module which has none of that name, or
 * NULL. */
static const Parameter *find_own(const Check *check, const Option *option) {
        const Module *vendor = host_vendor_module(check->host);
        const Parameter *other = catalog_find_anywhere(option->name), *own;

        own = vendor ? catalog_find(vendor->name, option->name) : NULL;
        if (!own && vendor && other && other->counterpart)
                own = catalog_find(vendor->name, other->counterpart);
        own = own ?: catalog_find("kvm", option->name);
        return own && (!g_str_equal(own->module, option->module) || !g_str_equal(own->name, option->name)) ? own : NULL;
}

/* "nested=0 # off for now" */
static void find_comment(Check *check, unsigned at, unsigned n) {
        const Options *options = check->host->options;
        const Option *first = g_ptr_array_index(options->options, at);
        const Module *module = host_module(check->host, first->module);
        g_autofree char *source = place_of(first);
        g_autoptr(GString) known = g_string_new(NULL);

        for (unsigned i = at; i < at + n; i++) {
                const Option *o = g_ptr_array_index(options->options, i);
                g_autofree char *value = error_quote(o->value);
                if (module_value(module, o->name))
                        g_string_append_printf(known, "%s%s%s%s", known->len > 0 ? " " : "", o->name,
                                               o->bare ? "" : "=", value);
        }
        check_find(check, "warn", "",
                   "modprobe.d has no comments after an option: %s is given what follows the \"#\" in %s as well%s%s. "
                   "A comment is a line of its own",
                   first->module, source, known->len > 0 ? ", and takes " : ", and ignores it", known->str);
}

/* "nested = 0". What the kernel refuses is parameter-refused's. */
static void find_blanks(Check *check, unsigned at, const char *meant) {
        const Option *o = g_ptr_array_index(check->host->options->options, at);
        const Parameter *p = catalog_find(o->module, o->name);
        g_autofree char *source = place_of(o), *shown = error_quote(meant), *name = error_quote(o->name);
        g_autofree char *value = g_strdup(strchr(meant, '=') + 1), *fix = NULL;

        if (p && option_value_refused(check->host, catalog_variant(p, check->host->release)))
                return;
        fix = p && *value ? ask(check, p, &(Option) {.value = value}) : g_strdup("");
        check_find(check, "warn", fix,
                   "There are blanks around a \"=\" in %s, so %s is given \"%s\" alone%s, and ignores the rest: write "
                   "%s there",
                   source, o->module, name, p ? ", which switches it on" : "", shown);
}

static void find_unknown(Check *check, const Option *o) {
        const Parameter *own = find_own(check, o);
        g_autofree char *source = place_of(o), *quoted = error_quote(o->name);
        g_autofree char *told = NULL, *fix = NULL;

        if (own && g_str_equal(own->name, o->name))
                told = g_strdup_printf(": it is one of %s", own->module);
        else if (own)
                told = g_strdup_printf(": %s calls it %s", own->module, own->name);
        if (dropin_is_ours(o->path, false) && catalog_find(o->module, o->name))
                fix = g_strdup_printf("nestvirtctl reset %s.%s", o->module, o->name);
        else
                fix = own ? ask(check, own, o) : g_strdup("");
        check_find(check, "warn", fix, "%s of this kernel has no parameter \"%s\" and ignores it (%s)%s", o->module,
                   quoted, source, told ?: "");
}

/* Of a module whose parameters are known, and that takes what modprobe.d says. */
static bool is_looked_at(const Check *check, const Option *o) {
        const Module *module = host_module(check->host, o->module);

        return module && g_hash_table_size(module->values) > 0 && !(o->path && module->state == MODULE_BUILTIN);
}

void rule_parameter_unknown(Check *check) {
        const Options *options = check->host->options;

        for (unsigned i = 0, n; i < options->options->len; i += n) {
                const Option *o = g_ptr_array_index(options->options, i);
                const bool looked_at = is_looked_at(check, o);
                g_autofree char *meant = NULL;

                n = 1;
                if (!looked_at)
                        continue;
                const unsigned comment = option_slip_comment(options, i);
                const unsigned blanks = option_slip_blanks(options, i, &meant);
                if (comment > 0)
                        find_comment(check, i, comment);
                else if (blanks > 0)
                        find_blanks(check, i, meant);
                else if (!module_value(host_module(check->host, o->module), o->name) && !is_generic(o->name))
                        find_unknown(check, o);
                n = MAX(1, MAX(comment, blanks));
        }
}

/* The last line of the file that @first is from with which @name is given to its module. */
static const Option *find_in_file(const Check *check, const Option *first, const char *module, const char *name) {
        const GPtrArray *options = check->host->options->options;
        const Option *found = NULL;

        for (unsigned i = 0; i < options->len; i++) {
                const Option *o = g_ptr_array_index(options, i);
                if (g_strcmp0(o->path, first->path) == 0 && g_str_equal(o->module, module) &&
                    (!name || g_str_equal(o->name, name)))
                        found = o;
        }
        return found;
}

/* What it asks for is asked of this host's own module, too. */
static bool is_for_both(const Check *check, const Option *option) {
        const Parameter *own = find_own(check, option);

        return own && options_winner(check->host->options, own->module, own->name, NULL);
}

/* Their names, "nested, ept"; NULL when the file was written for hosts of both kinds. */
static char *name_foreign(const Check *check, const Option *first) {
        const GPtrArray *options = check->host->options->options;
        g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
        bool alone = false;

        if (find_in_file(check, first, host_vendor_module(check->host)->name, NULL))
                return NULL;
        for (unsigned i = 0; i < options->len; i++) {
                const Option *o = g_ptr_array_index(options, i);
                if (g_strcmp0(o->path, first->path) != 0 || !g_str_equal(o->module, first->module))
                        continue;
                alone = alone || !is_for_both(check, o);
                if (names->len < NAMES_MAX && catalog_find(o->module, o->name) &&
                    !g_ptr_array_find_with_equal_func(names, o->name, g_str_equal, NULL))
                        g_ptr_array_add(names, g_strdup(o->name));
        }
        g_ptr_array_add(names, NULL);
        return alone && names->len > 1 ? g_strjoinv(", ", (char **) names->pdata) : NULL;
}

static void find_foreign(Check *check, const Option *first) {
        const Module *vendor = host_vendor_module(check->host);
        const Parameter *nested = catalog_find(vendor->name, "nested");
        const Option *asked = find_in_file(check, first, first->module, "nested");
        const char *now = check_effective(check, vendor->name, "nested");
        g_autofree char *names = name_foreign(check, first), *source = place_of(first);
        g_autofree char *fix = asked ? ask(check, nested, asked) : g_strdup("");

        if (!names)
                return;
        check_find(check, *fix ? "warn" : "info", fix,
                   "%s sets %s of %s, which is for the CPUs of another vendor and does nothing on this host%s%s%s%s",
                   source, names, first->module, asked ? ". Here it takes " : "", asked ? vendor->name : "",
                   asked && now ? ".nested, which is "
                   : asked      ? ".nested"
                                : "",
                   asked && now ? now : "");
}

void rule_other_vendor(Check *check) {
        const GPtrArray *options = check->host->options->options;
        const Module *vendor = host_vendor_module(check->host);
        g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

        if (!vendor || !catalog_base_feature(vendor->name))
                return;
        for (unsigned i = 0; i < options->len; i++) {
                const Option *o = g_ptr_array_index(options, i);
                if (catalog_base_feature(o->module) && !g_str_equal(o->module, vendor->name) &&
                    g_hash_table_add(seen, (gpointer) (o->path ?: "")))
                        find_foreign(check, o);
        }
}

/* The first command that puts in effect what the parameters of a line ask for. */
static char *ask_all(const Check *check, const Stray *stray) {
        g_autofree char *text = g_strdup(stray->rest);
        char *rest = text, *name, *value;

        while ((name = syntax_take_parameter(&rest, &value))) {
                const Parameter *p = catalog_find(stray->module, name);
                char *fix = p ? ask(check, p, &(Option) {.value = value, .bare = !value}) : g_strdup("");
                if (*fix)
                        return fix;
                g_free(fix);
        }
        return g_strdup("");
}

void rule_modules_load(Check *check) {
        for (unsigned i = 0; i < check->facts->strays->len; i++) {
                const Stray *s = g_ptr_array_index(check->facts->strays, i);
                if (s->kind != STRAY_LOAD)
                        continue;
                g_autofree char *fix = ask_all(check, s), *quoted = error_quote(s->text);
                check_find(check, "warn", fix,
                           "%s:%u says \"%s\", but a line there is the name of a module and nothing else: systemd "
                           "finds no module of that name and loads none. Options are for modprobe.d",
                           s->path, s->line, quoted);
        }
}

/* Our file gives the module what the line would. */
static bool is_set_anew(const Check *check, const Stray *stray) {
        g_autofree char *text = g_strdup(stray->rest);
        const Option ours = {.path = stray->path};
        char *rest = text, *name, *value;

        while ((name = syntax_take_parameter(&rest, &value)))
                if (!find_in_file(check, &ours, stray->module, g_strdelimit(name, "-", '_')))
                        return false;
        return true;
}

/* Our file says of a parameter what we have not written. */
static void find_changed(Check *check, const Option *o) {
        const char *written = dropin_get(check->facts->written, o->module, o->name);
        const Parameter *known = catalog_find(o->module, o->name);

        if (!known || !written || find_in_file(check, o, o->module, o->name) != o)
                return;
        const Parameter *p = catalog_variant(known, check->host->release);
        g_autofree char *before = catalog_parse(p, check->host->release, written);
        g_autofree char *now = option_value_parse(check->host, p, o), *shown = error_quote(o->value);
        if (!before || g_strcmp0(before, now) == 0)
                return;
        check_find(check, "info", "",
                   "%s:%u says %s%s%s, where nestvirtctl had set %s=%s: somebody has changed it since", o->path,
                   o->line, o->name, o->bare ? "" : "=", shown, o->name, effect_word(p, before));
}

void rule_own_file(Check *check) {
        const GPtrArray *options = check->host->options->options;

        for (unsigned i = 0; i < options->len; i++) {
                const Option *o = g_ptr_array_index(options, i);
                if (o->path && g_str_equal(o->path, "/" DROPIN_PATH))
                        find_changed(check, o);
        }
        for (unsigned i = 0; i < check->facts->strays->len; i++) {
                const Stray *s = g_ptr_array_index(check->facts->strays, i);
                g_autofree char *quoted = error_quote(s->text);
                if (s->kind == STRAY_COMMENTED && !is_set_anew(check, s))
                        check_find(check, "warn", "",
                                   "%s:%u is commented out (\"%s\"): what was set with nestvirtctl is not given to %s "
                                   "any more. To have it again, nestvirtctl set; to be rid of it, nestvirtctl reset",
                                   s->path, s->line, quoted, s->module);
        }
}

static void find_unread(Check *check, const Stray *stray) {
        g_autofree char *fix = ask_all(check, stray), *quoted = error_quote(stray->text);

        check_find(check, "warn", fix,
                   "%s is not read, as its name does not end in .conf, though its line %u says \"%s\"", stray->path,
                   stray->line, quoted);
}

void rule_modprobe_line(Check *check) {
        const GPtrArray *bad = check->host->options->bad, *strays = check->facts->strays;

        for (unsigned i = 0; i < strays->len; i++)
                if (((const Stray *) g_ptr_array_index(strays, i))->kind == STRAY_NAME)
                        find_unread(check, g_ptr_array_index(strays, i));
        for (unsigned i = 0; i < bad->len; i++) {
                const BadLine *b = g_ptr_array_index(bad, i);
                g_autofree char *source = check_place(b->path, b->line);
                check_find(check, check_is_about_kvm(b->path) ? "warn" : "info", "", "%s: %s", source, b->why);
        }
}
