/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rules by which <cpu> is changed. Each is libvirt's: src/conf/cpu_conf.c, src/cpu/cpu_x86.c
 * and src/qemu/qemu_validate.c, 9.0 to 11.3. It must not touch anything else of the definition, and
 * never writes check='full', with which guests fail to start over bits that nobody asked for. */

#include <string.h>

#include "cpu-beside.h"
#include "cpu-dependents.h"
#include "cpu-edit.h"
#include "cpu-feature.h"
#include "cpu-vendor.h"
#include "error.h"

typedef struct Editor {
        DomainXml *domain;
        xmlNode *cpu; /* NULL: none yet */
        const char *feature;
        const char *mode; /* that it is to have in the end, NULL: QEMU's default model */
        char *old_mode, *old_model;
        const char *vendor; /* whose the feature is; NULL: neither was asked for */
        bool tcg, sure;     /* of the feature */
        GPtrArray *steps;
} Editor;

static void editor_clear(Editor *editor) {
        g_free(editor->old_mode);
        g_free(editor->old_model);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Editor, editor_clear)

void cpu_edit_step(GPtrArray *steps, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        g_ptr_array_add(steps, g_strdup_vprintf(format, ap));
        va_end(ap);
}

static bool fail(GError **error, Condition condition, const char *message) {
        g_set_error_literal(error, CONDITION, (int) condition, message);
        return false;
}

/* Newer libvirts know more models than older ones; which there are is for them to say. */
static bool is_model(const char *name) {
        const size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

        return n > 0 && n <= 64 && !name[n];
}

static bool check_edit(const CpuEdit *edit, GError **error) {
        static const char *const modes[] = {"host-model", "host-passthrough", "maximum", "custom", NULL};

        if (edit->mode && !g_strv_contains(modes, edit->mode))
                return fail(error, CONDITION_INVALID_ARGS,
                            "A CPU mode is host-model, host-passthrough, maximum or custom");
        if (edit->model && edit->mode && !g_str_equal(edit->mode, "custom"))
                return fail(error, CONDITION_INVALID_ARGS, "A CPU model can be named for the mode custom only");
        if (edit->model && !is_model(edit->model))
                return fail(error, CONDITION_INVALID_ARGS,
                            "That is not the name of a CPU model: see virsh cpu-models x86_64");
        return true;
}

/* Facts of the guest that no edit of <cpu> can help. Debian's libvirt writes an arch; without one
 * it is the host's. */
static bool check_guest(const DomainXml *domain, GError **error) {
        g_autofree char *type = domain_xml_attribute(domain->root, "type");
        g_autofree char *arch = domain_xml_attribute(domain_xml_grandchild(domain->root, "os", "type"), "arch");
        const bool known = g_str_equal(type, "kvm") || g_str_equal(type, "qemu") || g_str_equal(type, "test");

        if (*arch && !g_str_equal(arch, "x86_64") && !g_str_equal(arch, "i686")) {
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                            "The guest is a machine of the architecture %s: vmx and svm are for x86 only", arch);
                return false;
        }
        /* "test" is what libvirt's test driver calls its own. */
        if (!known) {
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED, "The guest is of type %s, not of type kvm",
                            *type ? type : "\"\"");
                return false;
        }
        if (domain_xml_child(domain->root, "cpu") && domain_xml_next(domain_xml_child(domain->root, "cpu")))
                return fail(error, CONDITION_INVALID_ARGS, "The XML has more than one <cpu>");
        return true;
}

/* <cpu> must be what counts. */
static bool check_arguments(const DomainXml *domain, GError **error) {
        g_autofree char *argument = cpu_beside_argument(domain);

        if (!*argument)
                return true;
        g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                    "The guest's <qemu:commandline> has %s, %s: what is changed in <cpu> may count for nothing. Take "
                    "it out there, and say in <cpu> what it was to do",
                    g_str_equal(argument, "-cpu") ? "a -cpu of its own" : "a -global for the CPU",
                    g_str_equal(argument, "-cpu") ? "and QEMU takes the last one it is given"
                                                  : "which changes the CPU that libvirt asks QEMU for");
        return false;
}

char *cpu_edit_mode(const DomainXml *domain) {
        const xmlNode *cpu = domain_xml_child(domain->root, "cpu");
        g_autofree char *mode = domain_xml_attribute(cpu, "mode");
        g_autofree char *model = domain_xml_content(domain_xml_child(cpu, "model"));

        if (*mode && !g_str_equal(mode, "custom"))
                return g_steal_pointer(&mode);
        return *model ? g_strdup("custom") : NULL;
}

/* The host's cache can only be that of the host's CPU (src/qemu/qemu_domain.c,
 * qemuDomainDefCPUPostParse). */
static bool check_cache(const Editor *editor, GError **error) {
        g_autofree char *cache = domain_xml_attribute(domain_xml_child(editor->cpu, "cache"), "mode");

        if (!g_str_equal(cache, "passthrough") || g_str_equal(editor->mode, "host-passthrough") ||
            g_str_equal(editor->mode, "maximum"))
                return true;
        g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                    "The guest's <cpu> has <cache mode='passthrough'>, which %s can't have: take it out, or choose "
                    "host-passthrough",
                    editor->mode);
        return false;
}

static bool choose_mode(Editor *editor, const CpuEdit *edit, GError **error) {
        if (g_strcmp0(editor->mode, "custom") == 0 && !edit->model && g_strcmp0(editor->old_mode, "custom") != 0)
                return fail(error, CONDITION_INVALID_ARGS, "The mode custom needs a CPU model");
        if (editor->mode)
                return g_strcmp0(editor->mode, editor->old_mode) == 0 || check_cache(editor, error);
        /* A feature can't stand there alone: "Non-empty feature list specified without CPU
         * model". */
        if (edit->nested == 1) {
                editor->mode = "host-model";
                return check_cache(editor, error);
        }
        if (edit->nested == 0 && editor->tcg && g_str_equal(editor->feature, "svm"))
                return fail(error, CONDITION_UNSUPPORTED,
                            "The guest has QEMU's default CPU, which has svm where QEMU emulates it: choose a CPU mode "
                            "as well");
        return true;
}

static void make_cpu(Editor *editor) {
        static const char *const before[] = {"features", "os", "resource", "vcpu", "currentMemory", "memory"};
        xmlNode *root = editor->domain->root, *after = NULL;

        if (editor->cpu)
                return;
        for (gsize i = 0; i < G_N_ELEMENTS(before) && !after; i++)
                after = domain_xml_child(root, before[i]);
        editor->cpu = domain_xml_add(editor->domain, root, after ?: xmlLastElementChild(root), "cpu");
}

static void remove_all(Editor *editor, const char *name) {
        for (xmlNode *node = domain_xml_child(editor->cpu, name), *next; node; node = next) {
                next = domain_xml_next(node);
                domain_xml_remove(editor->domain, node);
        }
}

/* Of <model>, host-model has a use for two attributes. */
static void clear_model(Editor *editor) {
        xmlNode *model = domain_xml_child(editor->cpu, "model");

        if (!model)
                return;
        if (g_str_equal(editor->mode, "host-model") &&
            (domain_xml_has_attribute(model, "fallback") || domain_xml_has_attribute(model, "vendor_id")))
                domain_xml_set_content(editor->domain, model, "");
        else
                remove_all(editor, "model");
}

static void set_model(Editor *editor, const char *name) {
        xmlNode *model = domain_xml_child(editor->cpu, "model")
                                         ?: domain_xml_add(editor->domain, editor->cpu, NULL, "model");

        domain_xml_set_content(editor->domain, model, name);
        if (!domain_xml_has_attribute(editor->cpu, "match"))
                domain_xml_set_attribute(editor->domain, editor->cpu, "match", "exact");
}

/* libvirt writes check='none' into a definition of the host's CPU, which it has nothing to compare
 * with (src/qemu/qemu_domain.c, qemuDomainDefCPUPostParse()). */
static void drop_check(Editor *editor) {
        static const char *const host[] = {"host-passthrough", "maximum", NULL};
        g_autofree char *check = domain_xml_attribute(editor->cpu, "check");

        if (!g_str_equal(check, "none") || !g_strv_contains(host, editor->old_mode ?: "") ||
            g_strv_contains(host, editor->mode))
                return;
        domain_xml_remove_attribute(editor->domain, editor->cpu, "check");
        cpu_edit_step(editor->steps, "drop check='none', which came with %s: libvirt would compare nothing",
                      editor->old_mode);
}

static void set_mode(Editor *editor, const char *model) {
        const bool custom = g_strcmp0(editor->mode, "custom") == 0,
                   same = g_strcmp0(editor->mode, editor->old_mode) == 0;
        const char *old = editor->old_mode ?: "not given", *was = custom ? editor->old_model : "";

        if (!editor->mode || (same && (!custom || !model || g_str_equal(model, editor->old_model))))
                return;
        make_cpu(editor);
        domain_xml_set_attribute(editor->domain, editor->cpu, "mode", editor->mode);
        if (custom)
                set_model(editor, model);
        else {
                domain_xml_remove_attribute(editor->domain, editor->cpu, "match");
                clear_model(editor);
                remove_all(editor, "vendor");
                was = editor->old_model;
        }
        if (custom || g_str_equal(editor->mode, "host-model"))
                domain_xml_remove_attribute(editor->domain, editor->cpu, "migratable");
        cpu_edit_step(editor->steps, "set the CPU mode to %s%s%s (was %s%s%s)", editor->mode, custom ? " " : "",
                      custom ? model : "", old, *was ? " " : "", was);
        drop_check(editor);
}

/* A feature that is named twice keeps libvirt from taking the definition. */
static void remove_duplicates(Editor *editor, const xmlNode *feature) {
        bool any = false;

        for (xmlNode *node = cpu_feature_next(feature), *next; node; node = next) {
                next = cpu_feature_next(node);
                domain_xml_remove(editor->domain, node);
                any = true;
        }
        if (any)
                cpu_edit_step(editor->steps, "name %s once only", editor->feature);
}

static void set_policy(Editor *editor, xmlNode *feature, const char *policy) {
        domain_xml_set_attribute(editor->domain, feature, "policy", policy);
        cpu_edit_step(editor->steps, "%s %s", policy, editor->feature);
}

static void add_feature(Editor *editor, const char *policy) {
        cpu_feature_add(editor->domain, editor->cpu, editor->feature, policy);
        cpu_edit_step(editor->steps, "%s %s", policy, editor->feature);
}

/* On AMD's CPUs host-model is one of libvirt's models with svm, which libvirt therefore does not
 * name to QEMU, and QEMU leaves out of all models under KVM unless it is named
 * (target/i386/kvm/kvm-cpu.c, kvm_default_props). vmx is in no model, and named. */
static bool mode_brings(const Editor *editor) {
        return g_strcmp0(editor->mode, "custom") != 0 &&
               !(g_strcmp0(editor->mode, "host-model") == 0 && g_str_equal(editor->feature, "svm"));
}

static void allow_nested(Editor *editor, xmlNode *feature, const char *policy) {
        if (feature && !g_str_equal(policy, "require") && !g_str_equal(policy, "force"))
                set_policy(editor, feature, "require");
        else if (!feature && !mode_brings(editor))
                add_feature(editor, "require");
        else if (!feature)
                cpu_edit_step(editor->steps, "leave %s to the mode %s, which brings it when the host has it",
                              editor->feature, editor->mode);
        else
                cpu_edit_step(editor->steps, "leave %s as it is: the policy is %s already", editor->feature, policy);
}

/* Policy "disable", since "forbid" refuses to start on a host that has it. */
static void forbid_nested(Editor *editor, xmlNode *feature, const char *policy) {
        /* libvirt's models of Intel's CPUs have no vmx; those of AMD's have svm (src/cpu_map). */
        const bool without =
                        !editor->mode || (g_str_equal(editor->mode, "custom") && g_str_equal(editor->feature, "vmx"));

        if (feature && !cpu_feature_is_off(feature))
                set_policy(editor, feature, "disable");
        else if (feature)
                cpu_edit_step(editor->steps, "leave %s as it is: the policy is %s already", editor->feature, policy);
        else if (!without)
                add_feature(editor, "disable");
        else
                cpu_edit_step(editor->steps, "leave %s unnamed: %s does not bring it", editor->feature,
                              editor->mode ? "the CPU model" : "QEMU's default CPU");
}

static void say_names(Editor *editor, const char *what, const char *feature, const GString *names) {
        if (names->len > 0)
                cpu_edit_step(editor->steps, "%s what hangs on %s: %s", what, feature, names->str);
}

/* Without svm or vmx, what hangs on it is not to be had. */
static void disable_dependents(Editor *editor, const char *feature, const char *const *listed) {
        g_autofree char *check = domain_xml_attribute(editor->cpu, "check");
        g_autoptr(GString) names = g_string_new(NULL);

        cpu_dependents_disable(editor->domain, editor->cpu, feature, g_str_equal(check, "full") ? listed : NULL, names);
        say_names(editor, "disable", feature, names);
}

/* Left over from a host of the other vendor, it would nest there; where it is not certain whose
 * host it will be, a wish is enough. */
static void forbid_other(Editor *editor) {
        const char *other = g_str_equal(editor->feature, "svm") ? "vmx" : "svm";
        xmlNode *feature = cpu_feature_find(editor->cpu, other);
        g_autofree char *policy = cpu_feature_policy(feature);

        if (!feature || (g_str_equal(policy, "optional") && editor->sure))
                return;
        if (!cpu_feature_is_off(feature)) {
                domain_xml_set_attribute(editor->domain, feature, "policy", "disable");
                cpu_edit_step(editor->steps, "disable %s", other);
        }
        disable_dependents(editor, other, NULL);
}

/* Who had svm or vmx all the time has it with what its definition leaves of it. */
static void release_dependents(Editor *editor) {
        g_autoptr(GString) gone = g_string_new(NULL), required = g_string_new(NULL);

        cpu_dependents_release(editor->domain, editor->cpu, editor->feature, gone, required);
        say_names(editor, "no longer disable", editor->feature, gone);
        say_names(editor, "require, as check is full,", editor->feature, required);
}

static void set_nested(Editor *editor, const CpuEdit *edit) {
        xmlNode *feature = cpu_feature_find(editor->cpu, editor->feature);
        g_autofree char *policy = cpu_feature_policy(feature);
        const bool was_off = cpu_feature_is_off(feature);

        (edit->nested ? allow_nested : forbid_nested)(editor, feature, policy);
        if (feature)
                remove_duplicates(editor, feature);
        if (edit->nested == 0) {
                forbid_other(editor);
                disable_dependents(editor, editor->feature, edit->listed);
        } else if (was_off)
                release_dependents(editor);
}

/* Does the guest get vmx or svm, and can it have it? */
static bool choose_feature(Editor *editor, const CpuEdit *edit, GError **error) {
        if (edit->nested < 0)
                return true;
        editor->vendor = cpu_vendor_choose(editor->domain, editor->mode, edit, &editor->sure, error);
        editor->feature = cpu_xml_feature(editor->vendor);
        if (!editor->vendor)
                return false;
        if (edit->nested != 1)
                return true;
        if (editor->tcg && g_str_equal(editor->feature, "vmx"))
                return fail(error, CONDITION_UNSUPPORTED,
                            "The guest is of type qemu, whose emulated CPU has no vmx: make it type='kvm', or take "
                            "vendor amd");
        return cpu_beside_allows_nested(editor->domain, error);
}

bool cpu_edit_apply(DomainXml *domain, const CpuEdit *edit, const char **ret_vendor, GPtrArray *steps, GError **error) {
        g_auto(Editor) editor = {.domain = domain, .steps = steps};
        g_autofree char *type = domain_xml_attribute(domain->root, "type");

        if (!check_edit(edit, error) || !check_guest(domain, error) || !check_arguments(domain, error))
                return false;
        editor.tcg = g_str_equal(type, "qemu");
        editor.cpu = domain_xml_child(domain->root, "cpu");
        editor.old_mode = cpu_edit_mode(domain);
        editor.old_model = domain_xml_content(domain_xml_child(editor.cpu, "model"));
        editor.mode = edit->mode ?: edit->model ? "custom" : editor.old_mode;
        if (!choose_feature(&editor, edit, error) || !choose_mode(&editor, edit, error))
                return false;
        set_mode(&editor, edit->model);
        if (edit->nested >= 0)
                set_nested(&editor, edit);
        if (ret_vendor)
                *ret_vendor = editor.vendor;
        return true;
}

char *cpu_xml_edit(const char *xml, const CpuEdit *edit, GPtrArray *steps, GError **error) {
        g_autoptr(DomainXml) domain = domain_xml_parse(xml, error);

        if (!domain || !cpu_edit_apply(domain, edit, NULL, steps, error))
                return NULL;
        return domain_xml_write(domain, error);
}
