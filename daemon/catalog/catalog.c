/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What can be said of a parameter's name or value by looking at the table alone. It must not look
 * at the host. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "catalog.h"
#include "error.h"

typedef struct Vendor {
        const char *vendor, *module, *feature;
} Vendor;

/* clang-format off */
static const Vendor vendors[] = {
        { "intel", "kvm_intel", "vmx" },
        { "amd",   "kvm_amd",   "svm" },
};
/* clang-format on */

const char *catalog_vendor_module(const char *vendor) {
        for (gsize i = 0; i < G_N_ELEMENTS(vendors); i++)
                if (g_strcmp0(vendors[i].vendor, vendor) == 0)
                        return vendors[i].module;
        return NULL;
}

const char *catalog_base_feature(const char *module) {
        for (gsize i = 0; i < G_N_ELEMENTS(vendors); i++)
                if (g_strcmp0(vendors[i].module, module) == 0)
                        return vendors[i].feature;
        return NULL;
}

const char *kind_to_string(Kind kind) {
        switch (kind) {
        case KIND_BOOL:
                return "bool";
        case KIND_INT:
                return "int";
        case KIND_UINT:
                return "uint";
        case KIND_CHOICE:
        default:
                return "choice";
        }
}

static bool same_name(const char *a, const char *b) {
        for (; *a && *b; a++, b++)
                if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
                        return false;
        return *a == *b;
}

/* @module NULL: in any. */
static const Parameter *find(const char *module, const char *name) {
        for (unsigned i = 0; i < n_catalog; i++)
                if ((!module || same_name(catalog[i].module, module)) && same_name(catalog[i].name, name))
                        return &catalog[i];
        return NULL;
}

const Parameter *catalog_find(const char *module, const char *name) {
        return module && name ? find(module, name) : NULL;
}

const Parameter *catalog_find_anywhere(const char *name) {
        return name ? find(NULL, name) : NULL;
}

/* The kernel's name first: a short form must never hide it. */
static const Parameter *resolve(const char *module, const char *word) {
        const Parameter *exact = find(module, word);
        if (exact)
                return exact;

        g_autofree char *whole = g_strconcat("enable_", word, NULL);
        return find(module, whole);
}

const Parameter *catalog_resolve(const char *word, const char *vendor_module) {
        const char *dot = strchr(word, '.');
        const Parameter *found = NULL;

        if (dot) {
                g_autofree char *module = g_strndup(word, (gsize) (dot - word));
                return resolve(module, dot + 1);
        }
        if (vendor_module)
                found = resolve(vendor_module, word);
        return found ?: resolve("kvm", word) ?: resolve(NULL, word);
}

/* The newest when it can't be told. It stays below the release that stands for "always" in the
 * table. */
static CatalogRelease release_parse(const char *release) {
        CatalogRelease r;

        /* NOLINTNEXTLINE(cert-err34-c): five digits always fit */
        if (release && sscanf(release, "%5u.%5u", &r.major, &r.minor) == 2)
                return r;
        return (CatalogRelease) {G_MAXUINT - 1, 0};
}

static bool release_reaches(CatalogRelease r, unsigned major, unsigned minor) {
        return r.major > major || (r.major == major && r.minor >= minor);
}

bool catalog_release_reaches(const char *release, unsigned major, unsigned minor) {
        return release_reaches(release_parse(release), major, minor);
}

const Parameter *catalog_variant(const Parameter *parameter, const char *release) {
        const CatalogRelease r = release_parse(release);
        const Parameter *best = parameter;

        for (unsigned i = 0; i < n_catalog; i++) {
                const Parameter *p = &catalog[i];
                if (g_str_equal(p->module, parameter->module) && g_str_equal(p->name, parameter->name) &&
                    release_reaches(r, p->since.major, p->since.minor))
                        best = p; /* rows of one name ascend */
        }
        return best;
}

const char *catalog_default(const Parameter *parameter, const char *release) {
        const CatalogRelease r = release_parse(release);
        const char *value = "";

        if (!parameter)
                return value;
        parameter = catalog_variant(parameter, release);
        for (const CatalogDefault *d = parameter->defaults; d && d->value; d++)
                if (release_reaches(r, d->major, d->minor))
                        value = d->value;
        return value;
}

bool catalog_outlives(const Parameter *parameter, const char *release) {
        const CatalogRelease r = release_parse(release);

        return !release_reaches(r, parameter->outlives_until.major, parameter->outlives_until.minor);
}

static bool has_choice(const Parameter *parameter, const char *word) {
        return parameter->choices && g_strv_contains(parameter->choices, word);
}

static const char *word_to_bool(const char *word) {
        static const char *const on[] = {"1", "on", "yes", "y", "true", NULL};
        static const char *const off[] = {"0", "off", "no", "n", "false", NULL};
        g_autofree char *lower = g_ascii_strdown(word, -1);

        return g_strv_contains(on, lower) ? "1" : g_strv_contains(off, lower) ? "0" : NULL;
}

/* kstrtobool() in lib/kstrtox.c looks at the first character, or at the first two of "on" and
 * "off". */
static const char *kernel_to_bool(const char *text) {
        const char c = g_ascii_tolower(*text), second = *text ? g_ascii_tolower(text[1]) : '\0';

        if (c == 'y' || c == 't' || c == '1' || (c == 'o' && second == 'n'))
                return "1";
        if (c == 'n' || c == 'f' || c == '0' || (c == 'o' && second == 'f'))
                return "0";
        return NULL;
}

static gint64 number_min(const Parameter *parameter) {
        return parameter->kind == KIND_UINT ? 0 : G_MININT32;
}

static gint64 number_max(const Parameter *parameter) {
        if (parameter->max > 0)
                return (gint64) parameter->max;
        return parameter->kind == KIND_UINT ? G_MAXUINT32 : G_MAXINT32;
}

/* @octal: a leading zero means what it means to the kernel. */
static char *parse_number(const Parameter *parameter, const char *text, bool octal) {
        const bool negative = *text == '-' && parameter->kind != KIND_UINT;
        const char *digits = text + (negative || *text == '+');
        unsigned base = octal && *digits == '0' ? 8 : 10;
        char *end;

        if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
                digits += 2;
                base = 16;
        }
        if (!g_ascii_isxdigit(*digits))
                return NULL;

        errno = 0;
        const guint64 magnitude = g_ascii_strtoull(digits, &end, base);
        if (errno != 0 || *end != '\0' || magnitude > G_MAXUINT32)
                return NULL;

        const gint64 number = negative ? -(gint64) magnitude : (gint64) magnitude;
        if (number < number_min(parameter) || number > number_max(parameter))
                return NULL;
        return g_strdup_printf("%" G_GINT64_FORMAT, number);
}

static char *normalise(const Parameter *parameter, const char *value) {
        switch (parameter->kind) {
        case KIND_BOOL:
                return g_strdup(word_to_bool(value));
        case KIND_CHOICE: {
                if (has_choice(parameter, value))
                        return g_strdup(value);
                const char *b = g_strcmp0(value, parameter->also_on) == 0 ? "1" : word_to_bool(value);
                return b && has_choice(parameter, b) ? g_strdup(b) : NULL;
        }
        case KIND_INT:
        case KIND_UINT:
        default:
                return parse_number(parameter, value, false);
        }
}

char *catalog_normalise(const Parameter *parameter, const char *release, const char *value, GError **error) {
        char *normal = normalise(catalog_variant(parameter, release), value);
        if (normal)
                return normal;

        /* The word is the caller's: one line of it at most, and nothing that a terminal would
         * obey. */
        g_autofree char *valid = g_utf8_make_valid(value, (gssize) strnlen(value, 64));
        g_autofree char *quoted = g_strescape(valid, NULL);
        g_autofree char *allowed = catalog_allowed(parameter, release);
        g_set_error(error, CONDITION, CONDITION_INVALID_VALUE, "%s can be %s, not \"%s\"", parameter->name, allowed,
                    quoted);
        return NULL;
}

char *catalog_read(const Parameter *parameter, const char *release, const char *printed) {
        const Parameter *p = catalog_variant(parameter, release);
        const char *digits = printed + (*printed == '-');
        char *normal = normalise(p, printed);

        if (!normal && p->kind == KIND_BOOL && *digits && strspn(digits, "0123456789") == strlen(digits))
                normal = g_strdup("1");
        return normal;
}

char *catalog_parse(const Parameter *parameter, const char *release, const char *text) {
        const CatalogRelease r = release_parse(release);
        const Parameter *p = catalog_variant(parameter, release);
        const bool is_int = !release_reaches(r, p->int_until.major, p->int_until.minor);

        if (!text)
                return p->bare_is_on || (p->kind == KIND_BOOL && !is_int) ? g_strdup("1") : NULL;
        switch (p->kind) {
        case KIND_BOOL: {
                if (!is_int)
                        return g_strdup(kernel_to_bool(text));
                static const Parameter plain = {.kind = KIND_INT};
                g_autofree char *number = parse_number(&plain, text, true);
                return number ? g_strdup(g_str_equal(number, "0") ? "0" : "1") : NULL;
        }
        case KIND_CHOICE: {
                if (has_choice(p, text))
                        return g_strdup(text);
                const char *b = g_strcmp0(text, p->also_on) == 0 ? "1" : kernel_to_bool(text);
                return b && has_choice(p, b) ? g_strdup(b) : NULL;
        }
        case KIND_INT:
        case KIND_UINT:
        default:
                return parse_number(p, text, true);
        }
}

char *catalog_allowed(const Parameter *parameter, const char *release) {
        const Parameter *p = catalog_variant(parameter, release);

        if (p->kind == KIND_BOOL)
                return g_strdup("on or off");
        if (p->kind != KIND_CHOICE)
                return g_strdup_printf("a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, number_min(p),
                                       number_max(p));

        GString *text = g_string_new(NULL);
        for (const char *const *c = p->choices; *c; c++) {
                const char *word = g_str_equal(*c, "1") ? "on" : g_str_equal(*c, "0") ? "off" : *c;
                g_string_append_printf(text, "%s%s", c == p->choices ? "" : c[1] ? ", " : " or ", word);
        }
        return g_string_free(text, FALSE);
}
