/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who has a say in whose CPU it is. It must not change anything. */

#include "cpu-feature.h"
#include "cpu-vendor.h"
#include "error.h"
#include "guest-cpu.h"
#include "guest-model.h"

/* NULL for anything else. */
static const char *known(const char *vendor) {
        return vendor && guest_feature(vendor) ? vendor : NULL;
}

static const char *people_name(const char *vendor) {
        return g_str_equal(vendor, "intel") ? "Intel" : "AMD";
}

/* libvirt's words (src/cpu_map/x86_vendors.xml, 12.8). Hygon's CPUs have svm, Zhaoxin's vmx. */
static const char *vendor_of_word(const char *word) {
        if (g_str_has_prefix(word, "Intel") || g_str_has_prefix(word, "Zhaoxin"))
                return "intel";
        return g_str_equal(word, "AMD") || g_str_equal(word, "Hygon") ? "amd" : NULL;
}

static bool
        requires(const xmlNode *cpu, const char *name)
{
        const xmlNode *feature = cpu_feature_find(cpu, name);
        g_autofree char *policy = cpu_feature_policy(feature);

        return feature && g_str_equal(policy, "require");
}

typedef struct Words {
        char *vendor, *model; /* "" when they don't count */
} Words;

static void words_clear(Words *words) {
        g_free(words->vendor);
        g_free(words->model);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Words, words_clear)

/* Only a custom CPU has these two. */
static Words read_words(const xmlNode *cpu, const char *mode, const CpuEdit *edit) {
        if (g_strcmp0(mode, "custom") != 0)
                return (Words) {.vendor = g_strdup(""), .model = g_strdup("")};
        return (Words) {
                        .vendor = domain_xml_content(domain_xml_child(cpu, "vendor")),
                        .model = edit->model ? g_strdup(edit->model)
                                             : domain_xml_content(domain_xml_child(cpu, "model")),
        };
}

/* What it says for certain, NULL: nothing. False when it contradicts itself, or whom it is for. */
static bool read_certain(const Words *words, const char *wanted, const char **ret, GError **error) {
        const char *by_word = vendor_of_word(words->vendor);
        const char *by_model = guest_model_needs_vendor(words->model) ? guest_model_vendor(words->model) : NULL;

        *ret = by_word ?: by_model;
        if (by_word && by_model && !g_str_equal(by_word, by_model)) {
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                            "The guest's <cpu> contradicts itself: <vendor> is %s, and the model %s is of %s's CPUs. "
                            "Take one of them out, or choose another model",
                            words->vendor, words->model, people_name(by_model));
                return false;
        }
        if (!*ret || !wanted || g_str_equal(*ret, wanted))
                return true;
        g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                    "The guest is made for %s's CPUs (%s %s), and does not start on one of %s's: choose another mode "
                    "or model as well",
                    people_name(*ret), by_word ? "<vendor> is" : "its model is", by_word ? words->vendor : words->model,
                    people_name(wanted));
        return false;
}

static bool check_features(const xmlNode *cpu, const char *vendor, GError **error) {
        const bool intel = g_str_equal(vendor, "intel");

        if (!requires(cpu, intel ? "svm" : "vmx"))
                return true;
        g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                    "The guest requires %s, which only %s's CPUs have, and is to nest on one of %s's: take that "
                    "feature out first",
                    intel ? "svm" : "vmx", intel ? "AMD" : "Intel", people_name(vendor));
        return false;
}

static bool counts(const xmlNode *cpu, const char *name, bool on) {
        return on ? requires(cpu, name) : cpu_feature_find(cpu, name) != NULL;
}

/* Neither the guest for certain, nor whoever asks. What is required is to be taken away when
 * @nested is 0, so that it must not decide then: done twice, it would be something else. */
static const char *guess(const xmlNode *cpu, const char *model, const CpuEdit *edit) {
        const bool on = edit->nested == 1;
        const bool vmx = counts(cpu, "vmx", on), svm = counts(cpu, "svm", on);
        const char *by_feature = vmx == svm ? NULL : vmx ? "intel" : "amd";
        const char *vendor = on ? by_feature : NULL;

        vendor = vendor ?: guest_model_vendor(model);
        vendor = vendor ?: known(edit->otherwise);
        return vendor ?: by_feature;
}

const char *cpu_vendor_choose(const DomainXml *domain, const char *mode, const CpuEdit *edit, bool *sure,
                              GError **error) {
        const xmlNode *cpu = domain_xml_child(domain->root, "cpu");
        const char *wanted = known(edit->vendor), *certain, *vendor;
        g_auto(Words) words = read_words(cpu, mode, edit);

        if (!read_certain(&words, wanted, &certain, error))
                return NULL;
        vendor = certain ?: wanted;
        *sure = vendor;
        vendor = vendor ?: guess(cpu, words.model, edit);
        if (vendor)
                return edit->nested != 1 || check_features(cpu, vendor, error) ? vendor : NULL;
        g_set_error_literal(error, CONDITION, CONDITION_INVALID_ARGS,
                            "The vendor of the CPU has to be known, intel or amd: the one has vmx, the other svm");
        return NULL;
}
