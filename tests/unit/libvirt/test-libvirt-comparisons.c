/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is made of libvirt's answers, and how often it is asked. libvirt itself is the functions at
 * the top: a host whose CPU has some features, of which KVM gives some, and which compares as
 * src/cpu/cpu_x86.c does (x86Compute()), or virCPUCompareUnusable() where a model is new. */

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

#include "capabilities.h"
#include "cpu-question.h"
#include "libvirt-comparisons.h"

static struct {
        const char *cpu, *kvm; /* features, a blank around each */
        int trouble;           /* an error that all questions end in, or 0 */
        const char *language;  /* of the words before the colon */
        unsigned asked_kvm, asked_cpu;
        virError error;
        char *message;
} libvirt;

/* Of "new" libvirt goes by what KVM gives; of the others by what the CPU has as well. */
static const char *model_features(const char *model) {
        return g_str_equal(model, "small") ? " fpu " : " fpu aes svm ";
}

virErrorPtr virGetLastError(void) {
        return &libvirt.error;
}

static int fail(int code, char *message) {
        g_free(libvirt.message);
        libvirt.message = message;
        libvirt.error = (virError) {.code = code, .message = message};
        return VIR_CPU_COMPARE_ERROR;
}

static bool has(const char *features, const char *name) {
        g_autofree char *word = g_strdup_printf(" %s ", name);

        return strstr(features, word);
}

static const char *policy(const CpuXml *cpu, const char *name) {
        const char *model = *cpu->model ? model_features(cpu->model) : "";

        return g_hash_table_lookup(cpu->features, name) ?: has(model, name) ? "require" : "";
}

/* Those that @wanted is the policy of, and which the host has or has not. */
static char *find(const CpuXml *cpu, const char *host, const char *wanted, bool there) {
        static const char *const all[] = {"fpu", "aes", "svm", "vme", "vmx"};
        g_autoptr(GString) names = g_string_new(NULL);

        for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
                if (g_str_equal(policy(cpu, all[i]), wanted) && has(host, all[i]) == there)
                        g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", all[i]);
        return g_string_free(g_steal_pointer(&names), FALSE);
}

static int refuse(const char *words, const char *names) {
        return fail(VIR_ERR_CPU_INCOMPATIBLE,
                    g_strdup_printf("the CPU is incompatible with host CPU: %s: %s", libvirt.language ?: words, names));
}

/* @new: by the rules for new models, where it is one. */
static int compare(const char *text, const char *host, bool new) {
        g_autofree char *domain = g_strdup_printf("<domain>%s</domain>", text);
        g_autoptr(CpuXml) cpu = cpu_xml_read(domain, "", NULL);

        g_assert_nonnull(cpu);
        new = new && g_str_equal(cpu->model, "new");
        if (libvirt.trouble)
                return fail(libvirt.trouble, g_strdup("it has no time"));
        if (*cpu->vendor && !g_str_equal(cpu->vendor, "AMD"))
                return fail(VIR_ERR_CPU_INCOMPATIBLE,
                            g_strdup_printf("the CPU is incompatible with host CPU: host CPU vendor does not match "
                                            "required CPU vendor %s",
                                            cpu->vendor));
        g_autofree char *forbidden = find(cpu, host, "forbid", true), *missing = find(cpu, host, "require", false);
        if (*forbidden && !new)
                return refuse("Host CPU provides forbidden features", forbidden);
        if (*missing)
                return refuse("Host CPU does not provide required features", missing);
        if (g_str_equal(cpu->match, "strict") && !new)
                return refuse("Host CPU does not strictly match guest CPU: Extra features", "vme");
        return VIR_CPU_COMPARE_SUPERSET;
}

int virConnectCompareHypervisorCPU(virConnectPtr connection, const char *emulator, const char *arch,
                                   const char *machine, const char *type, const char *cpu, unsigned flags) {
        g_assert_cmpstr(type, ==, "kvm");
        g_assert_cmpstr(arch, ==, "x86_64");
        g_assert_cmpstr(emulator, ==, NULL);
        libvirt.asked_kvm++;
        return compare(cpu, libvirt.kvm, true);
}

int virConnectCompareCPU(virConnectPtr connection, const char *cpu, unsigned flags) {
        libvirt.asked_cpu++;
        return compare(cpu, libvirt.cpu, false);
}

static GuestFacts *ask_about(const char *cpu) {
        g_autofree char *domain =
                        g_strdup_printf("<domain type='kvm'><os><type arch='x86_64'>hvm</type></os>%s</domain>", cpu);
        g_autoptr(CpuXml) xml = cpu_xml_read(domain, "amd", NULL);
        GuestFacts *facts = guest_facts_new();

        g_assert_nonnull(xml);
        facts->question = cpu_question_from_xml(xml);
        return facts;
}

typedef struct Row {
        const char *fact, *cpu;
        const char *has, *gives; /* features of the CPU, and of KVM; NULL: " fpu aes svm " */
        int trouble;
        const char *language;
        bool nothing; /* it is not asked at all */
        ComparisonResult result;
        const char *detail;
        bool exact;
} Row;

#define CUSTOM(more, features) "<cpu mode='custom' " more "><model>old</model>" features "</cpu>"
#define NEW(features) "<cpu mode='custom'><model>new</model>" features "</cpu>"
#define REQUIRE(name) "<feature policy='require' name='" name "'/>"
#define FORBID(name) "<feature policy='forbid' name='" name "'/>"

/* clang-format off */
static const Row rows[] = {
        { "all is there", CUSTOM("", ""), .result = COMPARISON_FITS },
        { "what neither has is missing", CUSTOM("", REQUIRE("vme")), .result = COMPARISON_LACKS, .detail = "vme" },
        { "what KVM alone withholds is taken away without a word", CUSTOM("", REQUIRE("svm")), .gives = " fpu aes ", .result = COMPARISON_FITS },
        { "of both, the former counts", CUSTOM("", REQUIRE("svm") REQUIRE("vme")), .gives = " fpu aes ", .result = COMPARISON_LACKS, .detail = "vme" },
        { "what KVM gives though the CPU lacks it is there", CUSTOM("", REQUIRE("vme")), .gives = " fpu aes svm vme ", .result = COMPARISON_FITS },
        { "several are named", CUSTOM("", REQUIRE("vmx") REQUIRE("vme")), .result = COMPARISON_LACKS, .detail = "vme, vmx" },
        { "what is taken out of the model is not missed", CUSTOM("", "<feature policy='disable' name='aes'/>"), .has = " fpu svm ", .gives = " fpu svm ", .result = COMPARISON_FITS },
        { "words of other languages are not read", CUSTOM("", REQUIRE("vme")), .language = "Die CPU bietet nicht", .result = COMPARISON_LACKS, .detail = "vme" },
        { "host-model has what is named to be compared", "<cpu mode='host-model'>" REQUIRE("vmx") "</cpu>", .result = COMPARISON_LACKS, .detail = "vmx" },
        { "what is forbidden and there", CUSTOM("", FORBID("aes")), .result = COMPARISON_FORBIDDEN, .detail = "aes" },
        { "what is forbidden and not there", CUSTOM("", FORBID("vme")), .result = COMPARISON_FITS },
        { "what KVM withholds is forbidden all the same", CUSTOM("", FORBID("svm")), .gives = " fpu aes ", .result = COMPARISON_FORBIDDEN, .detail = "svm" },
        { "but in a new model not for sure", NEW(FORBID("svm")), .gives = " fpu aes ", .result = COMPARISON_UNKNOWN, .detail = "what it forbids the CPU has, and KVM does not give", .exact = true },
        { "in the host's own CPU what is forbidden alone is compared", "<cpu mode='host-passthrough' check='partial'>" REQUIRE("vme") FORBID("aes") "</cpu>", .result = COMPARISON_FORBIDDEN, .detail = "aes" },
        { "and where KVM withholds it, it can't be told", "<cpu mode='host-passthrough' check='partial'>" FORBID("svm") "</cpu>", .gives = " fpu aes ", .result = COMPARISON_UNKNOWN, .detail = "what it forbids the CPU has, and KVM does not give" },
        { "strict, with more on the host", CUSTOM("match='strict'", ""), .result = COMPARISON_EXTRA },
        { "strict, with less on the host", CUSTOM("match='strict'", REQUIRE("vme")), .result = COMPARISON_LACKS, .detail = "vme" },
        { "strict, with less of KVM's alone", CUSTOM("match='strict'", ""), .gives = " fpu aes ", .result = COMPARISON_EXTRA },
        { "the vendor", CUSTOM("", "<vendor>Intel</vendor>"), .result = COMPARISON_VENDOR, .detail = "Intel" },
        { "new models are held against KVM alone", NEW(REQUIRE("svm")), .gives = " fpu aes ", .result = COMPARISON_LACKS, .detail = "svm", .exact = true },
        { "also where nothing is missing yet", NEW(""), .result = COMPARISON_FITS, .exact = true },
        { "what all is compared of after the start lacks what KVM withholds", CUSTOM("check='full'", ""), .gives = " fpu aes ", .result = COMPARISON_LACKS, .detail = "svm" },
        { "without its vendor and match", CUSTOM("check='full' match='strict'", "<vendor>Intel</vendor>"), .result = COMPARISON_FITS },
        { "also of the host's own CPU what is named", "<cpu mode='maximum' check='full'>" REQUIRE("vme") "</cpu>", .result = COMPARISON_LACKS, .detail = "vme" },
        { "libvirt has no time", CUSTOM("", ""), .trouble = VIR_ERR_OPERATION_FAILED, .result = COMPARISON_UNKNOWN, .detail = "it has no time" },
        { "libvirt's test driver", CUSTOM("", ""), .trouble = VIR_ERR_NO_SUPPORT, .result = COMPARISON_NONE, .detail = "it has no time" },
        { "nothing is compared", CUSTOM("check='none'", REQUIRE("vme")), .nothing = true },
        { "nor in host-model that names nothing", "<cpu mode='host-model'/>", .nothing = true },
        { "nor in the host's own CPU", "<cpu mode='host-passthrough'>" REQUIRE("vme") FORBID("aes") "</cpu>", .nothing = true },
        { "nor in no CPU", "", .nothing = true },
        { "nor in one that has a shape only", "<cpu><topology sockets='1' cores='2' threads='1'/></cpu>", .nothing = true },
};
/* clang-format on */

static void set_host(const Row *row) {
        libvirt.cpu = row->has ?: " fpu aes svm ";
        libvirt.kvm = row->gives ?: " fpu aes svm ";
        libvirt.trouble = row->trouble;
        libvirt.language = row->language;
        libvirt.asked_kvm = libvirt.asked_cpu = 0;
}

static void test_row(gconstpointer data) {
        const Row *row = data;
        LibvirtComparisons *comparisons = libvirt_comparisons_new();
        g_autoptr(GuestFacts) facts = ask_about(row->cpu);

        set_host(row);
        libvirt_comparisons_answer(comparisons, NULL, facts);
        libvirt_comparisons_free(comparisons);
        g_assert_null(facts->question);
        if (row->nothing) {
                g_assert_null(facts->comparison);
                g_assert_cmpuint(libvirt.asked_kvm + libvirt.asked_cpu, ==, 0);
                return;
        }
        g_assert_cmpint(facts->comparison->result, ==, row->result);
        g_assert_cmpstr(facts->comparison->detail, ==, row->detail);
        g_assert_cmpint(facts->comparison->exact, ==, row->exact);
}

static GPtrArray *ask_about_all(LibvirtComparisons *comparisons, const char *const *cpus) {
        GPtrArray *guests = g_ptr_array_new_with_free_func((GDestroyNotify) guest_facts_free);

        for (; *cpus; cpus++)
                g_ptr_array_add(guests, ask_about(*cpus));
        libvirt.asked_kvm = libvirt.asked_cpu = 0;
        libvirt_comparisons_answer_all(comparisons, NULL, guests);
        return guests;
}

static const Comparison *answer_of(const GPtrArray *guests, unsigned i) {
        return ((const GuestFacts *) g_ptr_array_index(guests, i))->comparison;
}

/* However many guests there are, of each CPU once: of the first, and whether its model is a new
 * one. */
static void test_asked_once(void) {
        static const char *const cpus[] = {
                        CUSTOM("", REQUIRE("svm") REQUIRE("aes")),
                        CUSTOM("", REQUIRE("aes") REQUIRE("svm") "<topology sockets='1' cores='2' threads='1'/>"),
                        "<cpu mode='host-passthrough'/>", CUSTOM("", REQUIRE("svm") REQUIRE("aes")), NULL};
        LibvirtComparisons *comparisons = libvirt_comparisons_new();

        set_host(&rows[0]);
        g_autoptr(GPtrArray) guests = ask_about_all(comparisons, cpus), again = NULL;
        g_assert_cmpuint(libvirt.asked_kvm, ==, 2);
        g_assert_cmpuint(libvirt.asked_cpu, ==, 0);
        g_assert_true(answer_of(guests, 0) == answer_of(guests, 1) && answer_of(guests, 1) == answer_of(guests, 3));
        again = ask_about_all(comparisons, cpus);
        g_assert_cmpuint(libvirt.asked_kvm, ==, 0);
        g_assert_true(answer_of(again, 0) == answer_of(guests, 0));
        libvirt_comparisons_free(comparisons);
}

/* What was known is not known any more when the host is another one; what nobody asks any more is
 * forgotten. */
static void test_again(void) {
        static const char *const cpus[] = {NEW(REQUIRE("svm")), CUSTOM("", ""), NULL}, *const fewer[] = {CUSTOM("", ""),
                                                                                                         NULL};
        LibvirtComparisons *comparisons = libvirt_comparisons_new();

        set_host(&rows[0]);
        g_autoptr(GPtrArray) guests = ask_about_all(comparisons, cpus), less = NULL;
        g_assert_cmpint(answer_of(guests, 0)->result, ==, COMPARISON_FITS);
        libvirt.kvm = " fpu aes ";
        g_autoptr(GHashTable) again = libvirt_comparisons_again(comparisons, NULL);
        g_assert_cmpuint(g_hash_table_size(again), ==, 2);
        const Comparison *now = g_hash_table_lookup(again, answer_of(guests, 0)->key);
        g_assert_cmpint(now->result, ==, COMPARISON_LACKS);
        g_assert_cmpint(answer_of(guests, 0)->result, ==, COMPARISON_FITS);
        g_autoptr(GPtrArray) later = ask_about_all(comparisons, cpus);
        g_assert_true(answer_of(later, 0) == now);
        g_assert_cmpuint(libvirt.asked_kvm, ==, 0);

        less = ask_about_all(comparisons, fewer);
        g_autoptr(GHashTable) rest = libvirt_comparisons_again(comparisons, NULL);
        g_assert_cmpuint(g_hash_table_size(rest), ==, 1);
        libvirt_comparisons_free(comparisons);
}

/* Nobody has so many, but could. */
static void test_bound(void) {
        LibvirtComparisons *comparisons = libvirt_comparisons_new();
        g_autoptr(GuestFacts) last = NULL;

        set_host(&rows[0]);
        for (unsigned i = 0; i <= 1024; i++) {
                g_autofree char *cpu = g_strdup_printf("<cpu mode='custom'><model>old</model>"
                                                       "<feature policy='optional' name='f%u'/></cpu>",
                                                       i);
                guest_facts_free(last);
                last = ask_about(cpu);
                libvirt_comparisons_answer(comparisons, NULL, last);
        }
        g_assert_cmpint(last->comparison->result, ==, COMPARISON_UNKNOWN);
        g_assert_nonnull(strstr(last->comparison->detail, "too many"));
        libvirt_comparisons_free(comparisons);
}

static void test_names(void) {
        g_auto(GStrv) names = comparison_names("a: b: vme, sse4.1,nrip-save");
        g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

        g_assert_true(g_strv_equal((const char *const *) names,
                                   (const char *const[]) {"vme", "sse4.1", "nrip-save", NULL}));
        g_assert_null(comparison_names("no colon"));
        g_assert_null(comparison_names("empty:"));
        g_assert_null(comparison_names("words: more than one, vme"));
        g_assert_null(comparison_names("markup: <vme>"));
        for (unsigned i = 0; i < 26; i++)
                g_strv_builder_add(builder, "f");
        g_auto(GStrv) many = g_strv_builder_end(builder);
        g_autofree char *list = capabilities_list(many);
        g_assert_true(g_str_has_suffix(list, ", f and 2 more"));
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strdup_printf("/comparisons/%s", rows[i].fact);
                g_test_add_data_func(g_strdelimit(path, "'", '_'), &rows[i], test_row);
        }
        g_test_add_func("/comparisons/asked-once", test_asked_once);
        g_test_add_func("/comparisons/again", test_again);
        g_test_add_func("/comparisons/bound", test_bound);
        g_test_add_func("/comparisons/names", test_names);
        return g_test_run();
}
