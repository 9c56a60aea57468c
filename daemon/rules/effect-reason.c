/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The sentences, a function for each fact. No rule may change what effect-judge.c found. */

#include <string.h>

#include "effect-reason.h"
#include "dropin.h"
#include "load-obstacle.h"
#include "option-slip.h"
#include "option-value.h"
#include "outer-hypervisor.h"

typedef char *(*Rule)(const Facts *facts);

/* Other people's words in a message: at most a line of them, and nothing that a terminal would
 * obey. */
static char *quote(const Option *option) {
        g_autofree char *text = option->bare ? g_strdup(option->name)
                                             : g_strdup_printf("%s=%.64s", option->name, option->value);
        g_autofree char *valid = g_utf8_make_valid(text, -1);

        return g_strescape(valid, NULL);
}

/* Where a line is, as the part of a sentence. */
static char *place(const Option *option) {
        return option->path ? option_source(option) : g_strdup("the kernel command line");
}

/* Who says what is configured. */
static const char *sayer(const Facts *f) {
        return f->winner && !f->winner->path ? "the kernel command line" : f->effect->source;
}

static const char *asked(const Facts *f) {
        return f->winner ? f->effect->configured : f->effect->normal_default;
}

static bool is_off(const Facts *f) {
        return g_str_equal(f->effect->effective, "off") || g_str_equal(f->effect->effective, "0");
}

/* "auto" is answered by whatever the kernel chose. */
static bool differs(const Facts *f) {
        return f->effect->current && *asked(f) && !g_str_equal(asked(f), "auto") &&
               !g_str_equal(asked(f), f->effect->current);
}

static const char *word(const Facts *f, const char *normal) {
        return effect_word(f->effect->parameter, normal);
}

/* The line of our runtime file that is in effect, against the kernel command line, as our own loads
 * are given it; else NULL. */
static const Option *find_runtime(const Facts *f) {
        const Parameter *p = f->effect->parameter;
        const OptionGroup *group = options_group(f->host->options, p->module, p->name);

        for (unsigned i = 0; group && i < group->all->len && f->winner && !f->winner->path; i++) {
                const Option *o = g_ptr_array_index(group->all, i);
                if (!dropin_is_ours(o->path, true))
                        continue;
                g_autofree char *value = option_value_parse(f->host, p, o);
                if (g_strcmp0(value, f->effect->current) == 0)
                        return o;
        }
        return NULL;
}

/* The command that puts the asked value in effect, "" when there is none. */
static char *remedy(const Facts *f) {
        if (find_runtime(f))
                return g_strdup_printf("nestvirtctl reset --runtime %s", f->effect->parameter->name);
        if (f->effect->writable)
                return g_strdup_printf("nestvirtctl set %s=%s", f->effect->parameter->name, word(f, asked(f)));
        return load_obstacle_remedy(f->host, f->module);
}

/* The same as the end of a sentence, with why there is none. */
static char *how(const Facts *f, const char *begin) {
        g_autofree char *command = remedy(f), *line = NULL;

        if (*command)
                return g_strdup_printf("; %s: %s", begin, command);
        if (f->module->state != MODULE_BUILTIN && load_obstacle_find(f->host, f->module, &line) != OBSTACLE_NONE)
                return g_strdup_printf(". It can't be loaded anew now: %s", line);
        return g_strdup("");
}

/* What the writer of a line had in mind, as the kernel takes it; NULL when that is anybody's
 * guess. */
static char *meaning(const Facts *f, const Option *option) {
        const Parameter *p = f->effect->parameter;

        if (option->bare)
                return p->kind == KIND_BOOL ? g_strdup("1") : NULL;
        return catalog_normalise(p, f->host->release, option->value, NULL);
}

/* "nested = 0" */
static char *mend_blanks(const Facts *f, const Option *option) {
        const Options *options = f->host->options;
        const Parameter *p = f->effect->parameter;
        g_autofree char *meant = NULL, *normal = NULL;
        unsigned at;

        if (!g_ptr_array_find(options->options, option, &at) || option_slip_blanks(options, at, &meant) == 0)
                return NULL;
        normal = catalog_normalise(p, f->host->release, strchr(meant, '=') + 1, NULL);
        return g_strdup_printf("write %s=%s there, without blanks around the \"=\"", p->name,
                               normal ?: strchr(meant, '=') + 1);
}

/* What to write in the place of a value that the kernel refuses. */
static char *instead_of(const Facts *f, const Option *option) {
        const Parameter *p = f->effect->parameter;
        g_autofree char *meant = meaning(f, option), *allowed = catalog_allowed(p, f->host->release);
        char *mended = mend_blanks(f, option);

        if (mended)
                return mended;
        return meant ? g_strdup_printf("write %s=%s there", p->name, meant)
                     : g_strdup_printf("%s can be %s", p->name, allowed);
}

static char *reason_refused(const Facts *f) {
        if (!f->refused)
                return NULL;

        const Parameter *p = f->effect->parameter;
        g_autofree char *given = quote(f->refused);
        g_autofree char *source = place(f->refused), *instead = instead_of(f, f->refused);

        if (f->module->state == MODULE_BUILTIN)
                return g_strdup_printf("The kernel refused \"%s\" on its command line: %s", given, instead);
        return g_strdup_printf("With \"%s\" from %s the kernel refuses to load %s: %s", given, source, p->module,
                               instead);
}

static char *reason_pending(const Facts *f) {
        const Effect *e = f->effect;

        if (!*e->pending)
                return NULL;
        return g_strdup_printf("%s=%s waits until nobody uses %s any more; who does: nestvirtctl users",
                               e->parameter->name, word(f, e->pending), e->parameter->module);
}

/* Seen on Linux 6.1: what kvm_amd tells kvm about SVM when it is loaded outlives it. */
static char *reason_kept(const Facts *f) {
        const Parameter *p = f->effect->parameter;

        if (!f->host->kvm_kept || !catalog_outlives(p, f->host->release) || !is_off(f))
                return NULL;
        return g_strdup("kvm was in use and stayed loaded when nested was switched off: on some kernels (Linux 6.1) a "
                        "guest "
                        "that is given svm by force can then still run guests. When nobody uses KVM any more "
                        "(nestvirtctl users): nestvirtctl reload");
}

static char *reason_builtin(const Facts *f) {
        const Parameter *p = f->effect->parameter;

        if (f->module->state != MODULE_BUILTIN || f->winner || !f->effect->overridden[0])
                return NULL;
        const Option *line = options_winner(f->host->options, p->module, p->name, NULL);
        g_autofree char *meant = meaning(f, line);
        return g_strdup_printf(
                        "%s is built into the kernel, so %s does nothing: put %s.%s=%s on the kernel command line",
                        p->module, f->effect->overridden[0], p->module, p->name, meant ?: "…");
}

static char *reason_unknown(const Facts *f) {
        if (!f->present || !g_str_equal(f->effect->effective, "unknown"))
                return NULL;
        if (!*f->effect->value)
                return g_strdup("The kernel does not show its value");

        g_autofree char *shown = g_strndup(f->effect->value, 64);
        g_autofree char *quoted = g_strescape(shown, NULL);
        return g_strdup_printf("The kernel shows \"%s\", which is none of the values known for it", quoted);
}

/* "The CPU lacks ept", and inside a virtual machine what on the host below may have taken it. */
static char *lack(const Facts *f) {
        const Cpu *cpu = f->host->cpu;
        g_autofree char *below = outer_hypervisor_reason(cpu, f->effect->parameter->module, f->missing);

        return g_strdup_printf("The CPU%s lacks %s%s%s%s", cpu->level > 0 ? " that this virtual machine is given" : "",
                               f->missing, below ? " (" : "", below ?: "", below ? ")" : "");
}

static char *reason_unsupported(const Facts *f) {
        const Effect *e = f->effect;

        if (e->supported || g_str_equal(asked(f), "0") || (f->present ? !is_off(f) : !f->winner))
                return NULL;
        g_autofree char *lacks = lack(f);
        if (!f->present)
                return g_strdup_printf("%s: %s will switch it off again, whatever %s says", lacks, e->parameter->module,
                                       sayer(f));
        if (f->winner && !g_str_equal(e->configured, "auto"))
                return g_strdup_printf("%s: %s switched it off, though %s asks for it", lacks, e->parameter->module,
                                       sayer(f));
        return g_steal_pointer(&lacks);
}

static char *reason_needs(const Facts *f) {
        const Effect *e = f->effect;
        const char *need = f->needs_off ?: e->parameter->used_with ? NULL : f->idle_without;

        if (g_strcmp0(e->current, "1") == 0 && f->idle_without)
                return g_strdup_printf("It does nothing while %s is off", f->idle_without);
        if (!need || g_strcmp0(e->current, "0") != 0 || g_str_equal(asked(f), "0"))
                return NULL;
        return g_strdup_printf("It needs %s, which is off", need);
}

static char *reason_sticks(const Facts *f) {
        const Parameter *p = f->effect->parameter;

        if (!p->common || f->module->state == MODULE_BUILTIN || !differs(f))
                return NULL;
        g_autofree char *end = how(f, "to have it taken over");
        return g_strdup_printf("The next load gets %s, but %s keeps its value of this as long as it stays loaded, even "
                               "when %s is loaded again%s",
                               word(f, asked(f)), p->common, p->module, end);
}

/* The kernel command line is there before every load, so it can't have come since. */
static char *reason_kernel_line(const Facts *f, const char *asked_for) {
        const Effect *e = f->effect;
        const char *module = e->parameter->module;
        const Option *runtime = find_runtime(f);
        g_autofree char *end = how(f, "to put it in effect");

        if (runtime)
                return g_strdup_printf("The kernel command line says %s; %s:%u says otherwise until the next boot%s",
                                       asked_for, runtime->path, runtime->line, end);
        if (e->writable)
                return g_strdup_printf("It was changed since %s was loaded: the kernel command line says %s%s", module,
                                       asked_for, end);
        return g_strdup_printf(
                        "The kernel command line says %s, which modprobe gives to %s at every load: it was loaded "
                        "with another value by hand, or not by modprobe%s%s",
                        asked_for, module, e->parameter->derived ? ", or found that this host can't do that" : "", end);
}

static char *reason_configured(const Facts *f) {
        const Effect *e = f->effect;
        const char *module = e->parameter->module, *asked_for = word(f, asked(f));

        if (!f->winner || !differs(f))
                return NULL;
        if (!f->winner->path && f->module->state != MODULE_BUILTIN)
                return reason_kernel_line(f, asked_for);
        g_autofree char *end = how(f, e->parameter->derived && !e->writable ? "to find out" : "to put it in effect");
        if (e->writable)
                return g_strdup_printf("It was changed since %s was loaded, or %s says %s only since then%s", module,
                                       sayer(f), asked_for, end);
        if (f->module->state == MODULE_BUILTIN)
                return g_strdup_printf("The kernel command line says %s, but %s found that this host can't do that",
                                       asked_for, module);
        if (e->parameter->derived)
                return g_strdup_printf("%s was loaded before %s said %s, or found that this host can't do that%s",
                                       module, sayer(f), asked_for, end);
        return g_strdup_printf("%s was loaded before %s said %s, or with another value by hand%s", module, sayer(f),
                               asked_for, end);
}

static char *reason_default(const Facts *f) {
        const Parameter *p = f->effect->parameter;
        const bool builtin = f->module->state == MODULE_BUILTIN;

        if (f->winner || !differs(f))
                return NULL;
        if (p->derived)
                return g_strdup_printf("It is %s as a rule: %s chose otherwise for this host%s", word(f, asked(f)),
                                       p->module, builtin ? "" : ", or was loaded like this by hand");
        if (builtin)
                return g_strdup_printf("It is %s as a rule, and will be after the next boot", word(f, asked(f)));
        return g_strdup_printf(
                        "It is %s as a rule, and will be when %s is loaded the next time; to keep %s: nestvirtctl "
                        "set %s=%s",
                        word(f, asked(f)), p->module, word(f, f->effect->current), p->name,
                        word(f, f->effect->current));
}

void effect_explain(Effect *effect, const Facts *facts) {
        static const Rule rules[WHY_MAX] = {
                        [WHY_REFUSED] = reason_refused,
                        [WHY_PENDING] = reason_pending,
                        [WHY_KEPT] = reason_kept,
                        [WHY_BUILTIN] = reason_builtin,
                        [WHY_UNKNOWN] = reason_unknown,
                        [WHY_UNSUPPORTED] = reason_unsupported,
                        [WHY_NEEDS] = reason_needs,
                        [WHY_STICKS] = reason_sticks,
                        [WHY_CONFIGURED] = reason_configured,
                        [WHY_DEFAULT] = reason_default,
        };

        for (Why why = WHY_NOTHING + 1; why < WHY_MAX && !effect->reason; why++) {
                effect->reason = rules[why](facts);
                effect->why = effect->reason ? why : WHY_NOTHING;
        }
        effect->reason = effect->reason ?: g_strdup("");

        const bool reload = effect->why == WHY_KEPT || effect->why == WHY_STICKS || effect->why == WHY_CONFIGURED;
        effect->remedy = reload ? remedy(facts) : g_strdup("");
}
