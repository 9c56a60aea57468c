/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads proc/cpuinfo once, line by line, in the memory of one line: a machine may have thousands of
 * processors, two or three kilobytes each. Of all but the first a line is looked at closely only
 * when it is not the first one's. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cpu-spread.h"
#include "cpuinfo.h"

#define CPUINFO_PATH "proc/cpuinfo"
/* What is longer is cut off. */
#define LINE_MAX_BYTES ((size_t) 64 * 1024)
/* 8192 processors (NR_CPUS_RANGE_END on x86) of 8 KiB. */
#define CPUINFO_MAX ((size_t) 64 * 1024 * 1024)
#define FEATURES_MAX 256U
#define FEATURE_LENGTH_MAX 63U

/* Of the "flags" line (arch/x86/include/asm/cpufeatures.h, 5.10 to 7.3), and of s390's "features".
 * Those of Intel are copies that are kept for old readers; the "vmx flags" line has them all. */
static const char *const virtualization_flags[] = {
                "avic",         "decodeassists",
                "ept",          "ept_ad",
                "flexpriority", "flushbyasid",
                "lbrv",         "npt",
                "nrip_save",    "pausefilter",
                "pfthreshold",  "sev",
                "sev_es",       "sev_snp",
                "sie",          "sme",
                "svm",          "svm_lock",
                "tpr_shadow",   "tsc_scale",
                "v_spec_ctrl",  "v_vmsave_vmload",
                "vgif",         "vmcb_clean",
                "vmx",          "vnmi",
                "vpid",         "x2avic",
                NULL,
};

typedef struct Lines {
        int fd, result; /* 0, or -errno when reading ended by it */
        size_t start, end, total;
        bool skipping; /* the rest of a line that was cut off */
        char buffer[LINE_MAX_BYTES + 1];
} Lines;

/* The flags of a processor after the first, so far as they are not the first one's: NULL is "the
 * same". */
typedef struct Block {
        bool begun, has_flags, has_vmx_flags;
        unsigned processor;
        char *flags, *vmx_flags;
} Block;

/* More bytes, NUL bytes as spaces; false at the end. */
static bool fill(Lines *lines) {
        ssize_t n;

        memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
        lines->end -= lines->start;
        lines->start = 0;
        do
                n = lines->total < CPUINFO_MAX
                                    ? read(lines->fd, lines->buffer + lines->end, LINE_MAX_BYTES - lines->end)
                                    : 0;
        while (n < 0 && errno == EINTR);
        if (n < 0)
                lines->result = -errno;
        if (n <= 0)
                return false;
        for (ssize_t i = 0; i < n; i++)
                if (lines->buffer[lines->end + (size_t) i] == 0)
                        lines->buffer[lines->end + (size_t) i] = ' ';
        lines->end += (size_t) n;
        lines->total += (size_t) n;
        return true;
}

/* The next line without its newline; it is good until the next call. NULL at the end. */
static char *next_line(Lines *lines) {
        for (;;) {
                char *line = lines->buffer + lines->start;
                char *newline = memchr(line, '\n', lines->end - lines->start);
                const bool full = !newline && lines->start == 0 && lines->end == LINE_MAX_BYTES;
                const bool last = !newline && !full && !fill(lines);

                if (!newline && !full && !last)
                        continue;
                if (last)
                        line = lines->buffer;
                if (last && lines->end == 0)
                        return NULL;

                char *end = newline ?: lines->buffer + lines->end;
                const bool skip = lines->skipping;
                *end = 0;
                lines->start = newline ? (size_t) (newline + 1 - lines->buffer) : lines->end;
                if (last)
                        lines->start = lines->end = 0;
                lines->skipping = full;
                if (!skip)
                        return line;
        }
}

/* Cuts the line in two; NULL when it is none of "key : value". */
static char *cut(char *line) {
        char *value = strchr(line, ':');

        if (!value)
                return NULL;
        *value++ = 0;
        g_strchomp(line);
        return g_strstrip(value);
}

bool cpuinfo_has_word(const char *words, const char *word) {
        const size_t size = strlen(word);

        for (const char *found = words; found && (found = strstr(found, word)); found += size)
                if ((found == words || found[-1] == ' ') && (found[size] == ' ' || found[size] == 0))
                        return true;
        return false;
}

static bool is_feature(const char *word) {
        const size_t size = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_");

        return size > 0 && size <= FEATURE_LENGTH_MAX && word[size] == 0;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static GStrv find_features(const char *flags, const char *vmx_flags, const char *others) {
        g_autoptr(GHashTable) found = g_hash_table_new(g_str_hash, g_str_equal);
        g_auto(GStrv) vmx = g_strsplit(vmx_flags ?: "", " ", -1);
        g_autofree char **names = NULL;
        guint n;

        for (const char *const *flag = virtualization_flags; *flag; flag++)
                if (cpuinfo_has_word(flags, *flag) || cpuinfo_has_word(others, *flag))
                        g_hash_table_add(found, (gpointer) *flag);
        for (char **word = vmx; *word && g_hash_table_size(found) < FEATURES_MAX; word++)
                if (is_feature(*word))
                        g_hash_table_add(found, *word);
        names = (char **) g_hash_table_get_keys_as_array(found, &n);
        qsort(names, n, sizeof(*names), compare_names);
        GStrv features = g_new0(char *, n + 1);
        for (guint i = 0; i < n; i++)
                features[i] = g_strdup(names[i]);
        return features;
}

static void take_first(Cpuinfo *info, const char *key, const char *value) {
        const struct {
                const char *key;
                char **value;
        } wanted[] = {
                        {"vendor_id", &info->vendor},
                        {"model name", &info->model},
                        {"cpu", &info->model}, /* POWER */
                        {"flags", &info->flags},
                        {"vmx flags", &info->vmx_flags},
                        {"features", &info->features},
                        {"CPU implementer", &info->implementer},
                        {"CPU architecture", &info->architecture},
                        {"isa", &info->isa},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(wanted); i++)
                if (g_str_equal(key, wanted[i].key) && !*wanted[i].value)
                        *wanted[i].value = g_utf8_make_valid(value, -1);
}

static void take_other(const Cpuinfo *info, Block *block, const char *key, const char *value) {
        const bool vmx = g_str_equal(key, "vmx flags");
        guint64 number;

        if (g_str_equal(key, "processor") && g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT32, &number, NULL))
                block->processor = (unsigned) number;
        if (!vmx && !g_str_equal(key, "flags"))
                return;

        bool *seen = vmx ? &block->has_vmx_flags : &block->has_flags;
        if (!*seen && g_strcmp0(value, vmx ? info->vmx_flags : info->flags) != 0)
                *(vmx ? &block->vmx_flags : &block->flags) = g_utf8_make_valid(value, -1);
        *seen = true;
}

/* Both lists are sorted. */
static void compare(Cpuinfo *info, GStrv others, unsigned processor) {
        char **a = info->virtualization, **b = others;

        while (*a || *b) {
                const int order = !*a ? 1 : !*b ? -1 : strcmp(*a, *b);
                if (order != 0)
                        cpu_spread_add(info->spread, order < 0 ? *a : *b, order < 0, processor);
                a += order <= 0;
                b += order >= 0;
        }
}

static void end_block(Cpuinfo *info, Block *block) {
        const bool same = block->has_flags && !block->flags && !block->vmx_flags &&
                          block->has_vmx_flags == (info->vmx_flags != NULL);

        if (!block->begun)
                return;
        if (info->processors++ == 0)
                info->virtualization = find_features(info->flags, info->vmx_flags, info->features);
        else if (block->has_flags && !same) {
                const char *vmx = block->has_vmx_flags ? block->vmx_flags ?: info->vmx_flags : NULL;
                g_auto(GStrv) others = find_features(block->flags ?: info->flags, vmx, info->features);
                compare(info, others, block->processor);
        }
        g_free(block->flags);
        g_free(block->vmx_flags);
        *block = (Block) {.processor = info->processors};
}

static void read_blocks(Cpuinfo *info, Lines *lines) {
        Block block = {};

        for (char *line; (line = next_line(lines));) {
                if (*line == 0) {
                        end_block(info, &block);
                        continue;
                }
                const char *value = cut(line);
                block.begun = true;
                if (value && info->processors == 0)
                        take_first(info, line, value);
                else if (value)
                        take_other(info, &block, line, value);
        }
        end_block(info, &block);
}

Cpuinfo *cpuinfo_read(const Root *root) {
        Cpuinfo *info = g_new0(Cpuinfo, 1);
        g_autofree Lines *lines = g_new0(Lines, 1);

        info->references = 1;
        info->spread = cpu_spread_new();
        info->stamps = stamps_new();
        (void) stamps_stat(info->stamps, root, CPUINFO_PATH, &(struct stat) {});
        lines->fd = root_open(root, CPUINFO_PATH, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (lines->fd >= 0) {
                read_blocks(info, lines);
                root_note(root, CPUINFO_PATH, lines->result);
                close(lines->fd);
        }
        if (!info->virtualization)
                info->virtualization = g_new0(char *, 1);
        return info;
}

Cpuinfo *cpuinfo_read_since(const Root *root, Cpuinfo *before) {
        if (!root_is_machine(root) && !stamps_hold(before->stamps, root))
                return cpuinfo_read(root);
        before->references++;
        return before;
}

void cpuinfo_free(Cpuinfo *info) {
        if (!info || --info->references > 0)
                return;
        stamps_free(info->stamps);
        g_free(info->vendor);
        g_free(info->model);
        g_free(info->flags);
        g_free(info->vmx_flags);
        g_free(info->features);
        g_free(info->implementer);
        g_free(info->architecture);
        g_free(info->isa);
        g_strfreev(info->virtualization);
        g_ptr_array_unref(info->spread);
        g_free(info);
}
