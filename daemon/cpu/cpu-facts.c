/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the facts: an instruction, and lines of text. It must not ask anything of the machine when
 * the root is another one. */

#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "cpu-facts.h"
#include "cpu-spread.h"

/* What cpuid -r prints of 256 processors takes three megabytes. */
#define FACTS_MAX ((size_t) 8 * 1024 * 1024)
#define ENTRIES_MAX 512U
#define LINE_MAX_BYTES 200U

typedef struct Parser {
        CpuFacts *facts;
        GArray *msrs, *leaves; /* where the lines of this section go; NULL: nowhere */
        bool first;            /* the processor under whose heading the lines are is the first */
        bool headed;           /* there was a heading */
        unsigned processor;
} Parser;

const CpuidLeaf *cpuid_find(const GArray *leaves, guint32 leaf) {
        for (unsigned i = 0; leaves && i < leaves->len; i++) {
                const CpuidLeaf *entry = &g_array_index(leaves, CpuidLeaf, i);
                if (entry->leaf == leaf && entry->subleaf == 0)
                        return entry;
        }
        return NULL;
}

const CpuMsr *msr_find(const GArray *msrs, guint32 address) {
        for (unsigned i = 0; msrs && i < msrs->len; i++) {
                const CpuMsr *entry = &g_array_index(msrs, CpuMsr, i);
                if (entry->address == address)
                        return entry;
        }
        return NULL;
}

static bool take_text(const char **p, const char *text) {
        const size_t size = strlen(text);

        *p += strspn(*p, " \t");
        if (strncmp(*p, text, size) != 0)
                return false;
        *p += size;
        return true;
}

static bool take_hex(const char **p, size_t digits, guint64 *ret) {
        if (!take_text(p, "0x"))
                return false;

        const size_t size = strspn(*p, "0123456789abcdefABCDEF");
        if (size == 0 || size > digits)
                return false;
        *ret = 0;
        for (size_t i = 0; i < size; i++)
                *ret = *ret << 4 | (guint64) g_ascii_xdigit_value((*p)[i]);
        *p += size;
        return true;
}

static bool take_end(const char *p) {
        return p[strspn(p, " \t\r")] == 0;
}

/* "   0x00000001 0x00: eax=0x000306c3 ebx=0x00100800 ecx=0x7ffafbff edx=0xbfebfbff" */
static bool parse_leaf(const char *p, CpuidLeaf *ret) {
        static const char *const names[] = {"eax=", "ebx=", "ecx=", "edx="};
        guint64 leaf, subleaf, value;

        if (!take_hex(&p, 8, &leaf) || !take_hex(&p, 8, &subleaf) || !take_text(&p, ":"))
                return false;
        *ret = (CpuidLeaf) {.leaf = (guint32) leaf, .subleaf = (guint32) subleaf};
        for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
                if (!take_text(&p, names[i]) || !take_hex(&p, 8, &value))
                        return false;
                ret->registers[i] = (guint32) value;
        }
        return take_end(p);
}

/* "0x0000048b 0x005fbcff00000000" */
static bool parse_msr(const char *p, CpuMsr *ret) {
        guint64 address, value;

        if (!take_hex(&p, 8, &address) || !take_hex(&p, 16, &value))
                return false;
        *ret = (CpuMsr) {.address = (guint32) address, .value = value};
        return take_end(p);
}

/* "CPU 3:", and "CPU:" of cpuid -1. */
static bool parse_heading(Parser *parser, const char *p) {
        guint64 number = 0;

        if (!take_text(&p, "CPU"))
                return false;
        p += strspn(p, " ");

        const size_t size = strspn(p, "0123456789");
        g_autofree char *digits = g_strndup(p, size);
        if (size > 0 && !g_ascii_string_to_unsigned(digits, 10, 0, G_MAXUINT32, &number, NULL))
                return false;
        p += size;
        if (!take_text(&p, ":") || !take_end(p))
                return false;
        parser->first = !parser->headed;
        parser->headed = true;
        parser->processor = (unsigned) number;
        return true;
}

/* The bits that must be the same on all processors (vmcs_config in arch/x86/kvm/vmx/vmx.c); 0: the
 * register does not concern us. */
static guint64 matters(guint32 address) {
        if (address == MSR_FEAT_CTL)
                return 0x7;
        if (address == MSR_VM_CR)
                return 0x18;
        return address >= 0x480 && address <= 0x492 ? G_MAXUINT64 : 0;
}

static void take_msr(Parser *parser, const CpuMsr *msr) {
        const CpuMsr *first = msr_find(parser->msrs, msr->address);

        if (parser->first && !first && parser->msrs->len < ENTRIES_MAX)
                g_array_append_vals(parser->msrs, msr, 1);
        else if (!parser->first && first && parser->msrs == parser->facts->msr &&
                 ((first->value ^ msr->value) & matters(msr->address)) != 0) {
                g_autofree char *name = g_strdup_printf("MSR 0x%x", msr->address);
                cpu_spread_add(parser->facts->spread, name, true, parser->processor);
        }
}

static void parse_line(Parser *parser, const char *line) {
        CpuidLeaf leaf;
        CpuMsr msr;

        if (parse_heading(parser, line))
                return;
        if (parser->msrs && parse_msr(line, &msr))
                take_msr(parser, &msr);
        else if (parser->leaves && parser->first && parser->leaves->len < ENTRIES_MAX && parse_leaf(line, &leaf))
                g_array_append_vals(parser->leaves, &leaf, 1);
}

static void start_msrs(Parser *parser, GArray **msrs) {
        g_clear_pointer(msrs, g_array_unref);
        *msrs = g_array_new(FALSE, FALSE, sizeof(CpuMsr));
        *parser = (Parser) {.facts = parser->facts, .msrs = *msrs, .first = true};
}

static void start_leaves(Parser *parser, GArray **leaves) {
        g_clear_pointer(leaves, g_array_unref);
        *leaves = g_array_new(FALSE, FALSE, sizeof(CpuidLeaf));
        *parser = (Parser) {.facts = parser->facts, .leaves = *leaves, .first = true};
}

/* What the child prints has all in one, a heading above each part. */
static bool parse_section(Parser *parser, const char *line) {
        if (g_str_equal(line, "msr:"))
                start_msrs(parser, &parser->facts->msr);
        else if (g_str_equal(line, "kvm-msr:"))
                start_msrs(parser, &parser->facts->kvm_msr);
        else if (g_str_equal(line, "kvm-cap:"))
                start_msrs(parser, &parser->facts->kvm_cap);
        else if (g_str_equal(line, "kvm-cpuid:"))
                start_leaves(parser, &parser->facts->kvm_cpuid);
        else
                return false;
        return true;
}

static void parse(Parser *parser, char *text, bool sections) {
        for (char *line = text, *next; line; line = next) {
                next = strchr(line, '\n');
                if (next)
                        *next++ = 0;
                if (strnlen(line, LINE_MAX_BYTES + 1) > LINE_MAX_BYTES)
                        continue;
                if (!sections || !parse_section(parser, line))
                        parse_line(parser, line);
        }
}

static char *read_text(const Root *root, const char *path) {
        char *text = NULL;
        size_t size;

        return root_read(root, path, FACTS_MAX, &text, &size, NULL) ? text : NULL;
}

static void read_tree(CpuFacts *facts, const Root *root) {
        const struct {
                const char *path;
                GArray **msrs, **leaves;
        } files[] = {
                        {"facts/cpuid", NULL, &facts->cpuid},         {"facts/msr", &facts->msr, NULL},
                        {"facts/kvm-cpuid", NULL, &facts->kvm_cpuid}, {"facts/kvm-msr", &facts->kvm_msr, NULL},
                        {"facts/kvm-cap", &facts->kvm_cap, NULL},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
                g_autofree char *text = read_text(root, files[i].path);
                Parser parser = {.facts = facts};
                if (!text)
                        continue;
                if (files[i].msrs)
                        start_msrs(&parser, files[i].msrs);
                else
                        start_leaves(&parser, files[i].leaves);
                parse(&parser, text, false);
        }
}

#if defined(__x86_64__) || defined(__i386__)
static void ask_cpu(CpuFacts *facts) {
        static const guint32 wanted[] = {0x1, 0x80000001, 0x8000000a, 0x8000001f};

        facts->cpuid = g_array_new(FALSE, FALSE, sizeof(CpuidLeaf));
        for (unsigned i = 0; i < G_N_ELEMENTS(wanted); i++) {
                CpuidLeaf leaf = {.leaf = wanted[i]};
                guint32 *r = leaf.registers;
                if (__get_cpuid_count(leaf.leaf, 0, &r[CPU_EAX], &r[CPU_EBX], &r[CPU_ECX], &r[CPU_EDX]))
                        g_array_append_val(facts->cpuid, leaf);
        }
}
#else
static void ask_cpu(CpuFacts *facts) {
}
#endif

CpuFacts *cpu_facts_new(void) {
        CpuFacts *facts = g_new0(CpuFacts, 1);

        facts->spread = cpu_spread_new();
        return facts;
}

CpuFacts *cpu_facts_read(const Root *root) {
        CpuFacts *facts = cpu_facts_new();
        g_autofree char *text = read_text(root, CPU_FACTS_PATH);
        Parser parser = {.facts = facts};

        if (root_is_machine(root))
                ask_cpu(facts);
        else
                read_tree(facts, root);
        if (text)
                parse(&parser, text, true);
        return facts;
}

void cpu_facts_free(CpuFacts *facts) {
        if (!facts)
                return;
        g_clear_pointer(&facts->cpuid, g_array_unref);
        g_clear_pointer(&facts->msr, g_array_unref);
        g_clear_pointer(&facts->kvm_cpuid, g_array_unref);
        g_clear_pointer(&facts->kvm_msr, g_array_unref);
        g_clear_pointer(&facts->kvm_cap, g_array_unref);
        g_ptr_array_unref(facts->spread);
        g_free(facts);
}
