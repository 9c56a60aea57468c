/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The order of things. How XML is edited is cpu-edit.c's and recipe.c's, where it is kept is the
 * store's. */

#include <string.h>

#include "ability-names.h"
#include "cpu-question.h"
#include "diff.h"
#include "domain-xml.h"
#include "error.h"
#include "guest-edit.h"
#include "recipe.h"

static const char *policy_of(const CpuXml *xml, const char *feature) {
        return (const char *) g_hash_table_lookup(xml->features, feature) ?: "";
}

/* Of what the CPU is not to have of what hypervisors have, besides vmx or svm itself. */
static const char *less_of(const CpuXml *xml) {
        GHashTableIter iter;
        gpointer name, policy;

        g_hash_table_iter_init(&iter, xml->features);
        while (g_hash_table_iter_next(&iter, &name, &policy))
                if ((g_str_equal(policy, "disable") || g_str_equal(policy, "forbid")) && !g_str_equal(name, "vmx") &&
                    !g_str_equal(name, "svm") && ability_has_name(name))
                        return policy;
        return "";
}

/* It borrows everything from @xml. */
static GuestCpu cpu_of(const CpuXml *xml, const char *vendor) {
        const bool intel = g_str_equal(vendor, "intel");
        const bool bare = !*xml->mode && *xml->model;

        return (GuestCpu) {
                        .mode = bare ? "custom" : xml->mode,
                        .model = xml->model,
                        .check = xml->check,
                        .policy = xml->policy,
                        .other_policy = policy_of(xml, intel ? "svm" : "vmx"),
                        .mmu_policy = policy_of(xml, intel ? "vmx-ept" : "npt"),
                        .argument = xml->argument,
                        .launch = xml->launch,
                        .match = xml->match,
                        .hyperv = xml->hyperv,
                        .less = less_of(xml),
        };
}

static GuestCpu keep(GuestCpu cpu, GStringChunk *words) {
        const char **all[] = {&cpu.mode,     &cpu.model,  &cpu.check, &cpu.policy, &cpu.other_policy, &cpu.mmu_policy,
                              &cpu.argument, &cpu.launch, &cpu.match, &cpu.hyperv, &cpu.less};

        for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
                *all[i] = g_string_chunk_insert(words, *all[i]);
        return cpu;
}

GuestCpu guest_cpu_from_xml(const CpuXml *xml, const char *vendor, GStringChunk *words) {
        return keep(cpu_of(xml, vendor), words);
}

void guest_edit_wipe(char **text) {
        if (*text)
                explicit_bzero(*text, strlen(*text));
        g_clear_pointer(text, g_free);
}

/* The XML as @edit wants it; byte for byte the same when it is so already. */
static char *apply(const char *xml, const GuestPlan *plan, const char *vendor, GPtrArray *steps, GPtrArray *advice,
                   GError **error) {
        const GuestEdit *edit = plan->edit;
        const CpuEdit cpu = {.vendor = vendor,
                             .mode = edit->mode,
                             .model = edit->model,
                             .nested = edit->nested,
                             .listed = (const char *const *) plan->listed};
        const RecipeRequest request = {.name = edit->recipe, .vendor = vendor, .release = edit->release};

        return edit->recipe ? recipe_apply(xml, &request, steps, advice, error) : cpu_xml_edit(xml, &cpu, steps, error);
}

static char *difference(const GuestPlan *plan, DomainXml *then, GError **error) {
        g_autofree char *before = NULL, *after = NULL;

        if (guest_plan_is_unchanged(plan))
                return g_strdup("");
        before = cpu_xml_redact(plan->before, error);
        after = before ? cpu_xml_redact_read(then, error) : NULL;
        return after ? diff_unified(before, after, plan->facts->name, error) : NULL;
}

/* The change needs none: where it can't be made, why is told in its place. @then is used up. */
static void add_difference(GuestPlan *plan, DomainXml *then) {
        g_autoptr(GError) problem = NULL;

        plan->diff = difference(plan, then, &problem);
        if (plan->diff)
                return;
        plan->diff = g_strdup("");
        plan->diff_missing = g_strdup(problem ? problem->message : "it could not be made");
}

/* Only with check='full' does libvirt ask for each of them. */
const char *guest_edit_model(const CpuXml *cpu, const GuestEdit *edit) {
        if (edit->nested != 0 || !g_str_equal(cpu->check, "full"))
                return NULL;
        if (edit->model)
                return edit->model;
        if (edit->mode ? !g_str_equal(edit->mode, "custom") : *cpu->mode && !g_str_equal(cpu->mode, "custom"))
                return NULL;
        return *cpu->model ? cpu->model : NULL;
}

GuestPlan *guest_edit_plan(const char *xml, const GuestEdit *edit, GuestFacts *facts, const char *vendor,
                           const char *const *listed, GError **error) {
        g_autoptr(GuestPlan) plan = guest_plan_new(edit);
        g_autoptr(DomainXml) then = NULL;
        g_autoptr(CpuXml) cpu = NULL;

        plan->facts = facts;
        if (!guest_plan_allows(facts, error))
                return NULL;
        plan->before = g_strdup(xml);
        plan->listed = g_strdupv((char **) listed);
        plan->after = apply(xml, plan, vendor, plan->steps, plan->advice, error);
        if (!plan->after)
                return NULL;
        then = domain_xml_parse(plan->after, error);
        if (!then)
                return NULL;
        cpu = cpu_xml_of(then, vendor);
        cpu_question_free(plan->facts->question);
        plan->facts->question = cpu_question_from_xml(cpu);
        add_difference(plan, then);
        plan->cpu = guest_cpu_from_xml(cpu, vendor, plan->words);
        return g_steal_pointer(&plan);
}

/* What libvirt adds by itself, such as check, apart. */
static bool has_cpu(const char *xml, const GuestCpu *wanted, const char *vendor) {
        g_autoptr(CpuXml) read = cpu_xml_read(xml, vendor, NULL);

        if (!read)
                return false;
        const GuestCpu cpu = cpu_of(read, vendor);
        return g_str_equal(cpu.mode, wanted->mode) && g_str_equal(cpu.model, wanted->model) &&
               g_str_equal(cpu.policy, wanted->policy);
}

/* Nothing is left to be done, by the editor's word. */
static bool is_as_asked(const char *xml, const GuestPlan *plan, const char *vendor) {
        g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free),
                             advice = g_ptr_array_new_with_free_func(g_free);
        char *again = apply(xml, plan, vendor, steps, advice, NULL);
        const bool done = again && g_str_equal(again, xml) && has_cpu(xml, &plan->cpu, vendor);

        guest_edit_wipe(&again);
        return done;
}

static bool put_back(const GuestPlan *plan, const GuestStore *store, gpointer guest, GError **error) {
        g_autoptr(GError) problem = NULL;
        char *now = NULL;
        bool back = store->write(guest, plan->before, &problem);

        if (back)
                now = store->read(guest, &problem);
        back = now && g_str_equal(now, plan->before);
        guest_edit_wipe(&now);
        if (back)
                g_set_error(error, CONDITION, CONDITION_RELOAD_FAILED,
                            "libvirt made something else of the new definition of %s than was asked for; it is as it "
                            "was "
                            "before",
                            plan->facts->name);
        else
                g_set_error(error, CONDITION, CONDITION_HOST_DEGRADED,
                            "libvirt made something else of the new definition of %s than was asked for, and the old "
                            "one could not be put back (%s): look at it with virsh edit %s",
                            plan->facts->name, problem ? problem->message : "it is another one again",
                            plan->facts->uuid);
        return false;
}

/* It may have been taken, and it may be what was asked for: whoever is told that looks. Takes
 * @problem over. */
static bool fail_unknown(const GuestPlan *plan, const char *what, GError *problem, GError **error) {
        g_set_error(error, CONDITION, condition_of(problem),
                    "The new definition of %s was handed to libvirt, but %s (%s). Look at it: virsh dumpxml --inactive "
                    "%s",
                    plan->facts->name, what, problem->message, plan->facts->uuid);
        g_error_free(problem);
        return false;
}

bool guest_edit_write(const GuestPlan *plan, const GuestStore *store, gpointer guest, const char *vendor, char **ret,
                      GError **error) {
        GError *problem = NULL;
        char *now;

        if (!store->write(guest, plan->after, &problem)) {
                if (condition_of(problem) == CONDITION_LIBVIRT_UNAVAILABLE)
                        return fail_unknown(plan, "whether it was taken is not known", problem, error);
                g_propagate_error(error, problem);
                return false;
        }
        now = store->read(guest, &problem);
        if (!now)
                return fail_unknown(plan, "what that has made of it could not be read back", problem, error);
        /* Mostly it is that very text. */
        if (g_str_equal(now, plan->after) || is_as_asked(now, plan, vendor)) {
                *ret = now;
                return true;
        }
        guest_edit_wipe(&now);
        return put_back(plan, store, guest, error);
}

bool guest_edit_carry_out(const GuestPlan *plan, const GuestStore *store, gpointer guest, const char *vendor,
                          char **ret, GError **error) {
        char *now = store->read(guest, error);
        bool same;

        if (!now)
                return false;
        same = g_str_equal(now, plan->before);
        guest_edit_wipe(&now);
        if (same)
                return guest_edit_write(plan, store, guest, vendor, ret, error);
        g_set_error(error, CONDITION, CONDITION_CONFLICT,
                    "Somebody has changed the definition of %s meanwhile; nothing has been done: try again",
                    plan->facts->name);
        return false;
}
