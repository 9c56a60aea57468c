/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found about parameters and their configuration. What holds for one parameter is decided
 * by effect-judge.c; here it is given an id and a status. It reads and changes nothing. */

#include <string.h>

#include "check-rules.h"
#include "conf-owner.h"
#include "dropin.h"
#include "effect-judge.h"
#include "load-obstacle.h"
#include "option-value.h"

/* Whose file the line is in that says what is configured, as the end of a message; "" when it is
 * nobody's that is known. */
static char *told_of_owner(const Check *check, const Effect *effect) {
        const Parameter *p = effect->parameter;
        const Option *option = option_value_refused(check->host, p)
                                               ?: options_winner(check->host->options, p->module, p->name, NULL);
        g_autofree char *owner = option ? conf_owner_say(option->path) : NULL;

        return owner ? g_strconcat(". ", owner, NULL) : g_strdup("");
}

/* "kvm_amd.nested is on. kvm_amd was loaded before …" */
static void find_effect(Check *check, const char *status, const char *fix, const Effect *effect) {
        const Parameter *p = effect->parameter;
        g_autofree char *owner = told_of_owner(check, effect);

        if (*effect->effective)
                check_find(check, status, fix, "%s.%s is %s. %s%s", p->module, p->name, effect->effective,
                           effect->reason, owner);
        else
                check_find(check, status, fix, "%s.%s: %s%s", p->module, p->name, effect->reason, owner);
}

/* Somebody wrote down what it is to be; "auto" asks for nothing. */
static bool is_configured(const Effect *effect) {
        return *effect->source && !g_str_equal(effect->configured, "auto");
}

static bool is_ours(const Option *option) {
        return dropin_is_ours(option->path, false);
}

/* What we wrote ourselves can be taken back. */
static char *take_back(const Check *check, const Effect *effect) {
        const Parameter *p = effect->parameter;
        const Option *winner = options_winner(check->host->options, p->module, p->name, NULL);

        return winner && is_ours(winner) ? g_strdup_printf("nestvirtctl reset %s", p->name) : g_strdup("");
}

typedef void (*EffectRule)(Check *check, const Effect *effect);

static void for_each(Check *check, EffectRule rule) {
        for (unsigned i = 0; i < check->effects->len; i++)
                rule(check, g_ptr_array_index(check->effects, i));
}

static void find_kept(Check *check, const Effect *e) {
        if (e->why == WHY_KEPT)
                find_effect(check, "warn", e->remedy, e);
}

void rule_kvm_kept(Check *check) {
        for_each(check, find_kept);
}

static void find_pending(Check *check, const Effect *e) {
        if (e->why == WHY_PENDING)
                find_effect(check, "info", "", e);
}

void rule_pending(Check *check) {
        for_each(check, find_pending);
}

static void find_refused(Check *check, const Effect *e) {
        const bool there = module_is_present(host_module(check->host, e->parameter->module));

        if (e->why == WHY_REFUSED)
                find_effect(check, !there && check_cpu_can(check->host) ? "fail" : "warn", "", e);
}

void rule_parameter_refused(Check *check) {
        for_each(check, find_refused);
}

static void find_unsupported(Check *check, const Effect *e) {
        g_autofree char *fix = take_back(check, e);

        if (e->why == WHY_UNSUPPORTED && is_configured(e))
                find_effect(check, "warn", fix, e);
}

void rule_parameter_unsupported(Check *check) {
        for_each(check, find_unsupported);
}

static void find_needs(Check *check, const Effect *e) {
        g_autofree char *fix = take_back(check, e);

        if (e->why == WHY_NEEDS && is_configured(e))
                find_effect(check, "warn", fix, e);
}

void rule_parameter_needs(Check *check) {
        for_each(check, find_needs);
}

static void find_differs(Check *check, const Effect *e) {
        if (e->why == WHY_CONFIGURED)
                find_effect(check, "warn", e->remedy, e);
        else if (e->why == WHY_STICKS)
                find_effect(check, is_configured(e) ? "warn" : "info", e->remedy, e);
}

void rule_parameter_differs(Check *check) {
        for_each(check, find_differs);
}

/* That nesting will be otherwise after the next boot is a surprise; the rest is tuning. What the
 * kernel chose by itself is neither. */
static void find_by_hand(Check *check, const Effect *e) {
        const bool nested = g_str_equal(e->parameter->name, "nested");
        g_autofree char *keep = g_strdup_printf("nestvirtctl set %s=%s", e->parameter->name, e->effective);

        if (e->why == WHY_DEFAULT && !e->parameter->derived)
                find_effect(check, nested ? "warn" : "info", nested ? keep : "", e);
}

void rule_parameter_by_hand(Check *check) {
        for_each(check, find_by_hand);
}

/* The last line that loses with another value than the winner's, or NULL. */
static const Option *contradiction(const Check *check, const Effect *effect, const Option *winner) {
        const GPtrArray *options = check->host->options->options;
        const Option *found = NULL;

        for (unsigned i = 0; i < options->len; i++) {
                const Option *o = g_ptr_array_index(options, i);
                if (!g_str_equal(o->module, winner->module) || !g_str_equal(o->name, winner->name))
                        continue;
                g_autofree char *value =
                                catalog_parse(effect->parameter, check->host->release, o->bare ? NULL : o->value);
                if (value && !g_str_equal(value, effect->configured))
                        found = o;
        }
        return found;
}

/* That our own file wins over another's is what it is for. */
static void find_overridden(Check *check, const Effect *e) {
        const Parameter *p = e->parameter;
        const Option *winner = *e->source ? options_winner(check->host->options, p->module, p->name, NULL) : NULL;
        const Option *loser = winner ? contradiction(check, e, winner) : NULL;

        if (!loser)
                return;
        g_autofree char *first = check_place(winner->path, winner->line),
                        *second = check_place(loser->path, loser->line);
        g_autofree char *owner = conf_owner_say(winner->path) ?: conf_owner_say(loser->path);
        if (g_str_equal(first, second)) {
                check_find(check, "warn", "",
                           "%s.%s is said more than once by %s, which contradicts itself: the last word (%s) counts",
                           p->module, p->name, first, effect_word(p, e->configured));
                return;
        }
        check_find(check, is_ours(winner) ? "info" : "warn", "",
                   "%s.%s: %s (%s) wins over %s, which says otherwise%s%s%s", p->module, p->name, first,
                   effect_word(p, e->configured), second, is_ours(loser) ? " and was written by nestvirtd" : "",
                   owner ? ". " : "", owner ?: "");
}

void rule_parameter_overridden(Check *check) {
        for_each(check, find_overridden);
}

static void find_builtin_options(Check *check, const Effect *e) {
        if (e->why == WHY_BUILTIN)
                find_effect(check, "warn", "", e);
}

void rule_builtin_options(Check *check) {
        for_each(check, find_builtin_options);
}

/* What keeps the vendor's module from being there at all is told by vendor-module. */
void rule_install_command(Check *check) {
        for (unsigned i = 0; i < check->host->modules->len; i++) {
                const Module *module = g_ptr_array_index(check->host->modules, i);
                g_autofree char *told = NULL;
                const LoadObstacle obstacle = load_obstacle_find(check->host, module, &told);

                if (obstacle != OBSTACLE_NONE && obstacle != OBSTACLE_KERNEL && module->state != MODULE_BUILTIN)
                        check_find(check, obstacle == OBSTACLE_OFF ? "info" : "warn", "", "%s", told);
        }
}

/* kvm itself is loaded because the vendor's module needs it, whatever a blacklist says of it. */
void rule_blacklist(Check *check) {
        const Module *module = host_vendor_module(check->host);
        const Command *command = module && module->state != MODULE_BUILTIN
                                                 ? options_command(check->host->options, "blacklist", module->name)
                                                 : NULL;

        if (!command)
                return;
        g_autofree char *source = check_place(command->path, command->line);
        check_find(check, "warn", "", "%s is not loaded by itself at boot: it is blacklisted (%s)", module->name,
                   source);
}

void rule_masked_file(Check *check) {
        for (char **path = check->host->options->masked; path && *path; path++)
                if (check_is_about_kvm(*path))
                        check_find(check, "info", "",
                                   "%s is not read: a file of the same name in an earlier folder hides it", *path);
}

/* What the kernel itself says of this CPU; without that, what KVM says has to do. */
static void find_erratum(Check *check, const char *name, const char *said, const char *file, const char *else_said,
                         const char *fix) {
        const char *value = check_effective(check, g_str_equal(name, "nx_huge_pages") ? "kvm" : "kvm_intel", name);
        g_autofree char *words = g_strndup(said, 128);
        g_autofree char *quoted = g_strescape(words, NULL);

        if (!value)
                return;
        if (*said)
                check_find(check, "info", fix,
                           "%s is \"%s\"; of this CPU the kernel says \"%s\" "
                           "(/sys/devices/system/cpu/vulnerabilities/%s)",
                           name, value, quoted, file);
        else
                check_find(check, "info", "", "%s is \"%s\"; %s", name, value, else_said);
}

void rule_nx_huge_pages(Check *check) {
        const char *said = check->facts->itlb_multihit;

        find_erratum(check, "nx_huge_pages", said, "itlb_multihit",
                     "CPUs with the erratum by which guests can crash the host need it on",
                     g_str_has_prefix(said, "KVM: Vulnerable") ? "nestvirtctl set nx_huge_pages=auto" : "");
}

void rule_l1d_flush(Check *check) {
        const char *said = check->facts->l1tf;

        find_erratum(check, "vmentry_l1d_flush", said, "l1tf", "CPUs with L1TF need it on \"cond\" or \"always\"",
                     strstr(said, "VMX: vulnerable") ? "nestvirtctl set vmentry_l1d_flush=cond" : "");
}
