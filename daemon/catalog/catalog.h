/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The parameters that nestvirtd knows: a constant table, and what can be said of a name or a value
 * by looking at it alone. Facts are from the kernel's own sources,
 * arch/x86/kvm/{x86.c,vmx/vmx.c,svm/svm.c,…} and arch/powerpc/kvm/book3s_hv.c, 5.10 to 7.3, and
 * kernel/params.c. Where the sources at hand only bracket a release, the first one that was read
 * counts. It reads nothing. */

#include <glib.h>
#include <stdbool.h>

typedef enum Kind {
        KIND_BOOL, /* every switch, also those that the kernel keeps as an int */
        KIND_INT,
        KIND_UINT,
        KIND_CHOICE,
} Kind;

typedef struct CatalogRelease {
        unsigned major, minor;
} CatalogRelease;

typedef struct CatalogDefault {
        unsigned major, minor; /* from this kernel on */
        const char *value;     /* normalised */
} CatalogDefault;

typedef struct Parameter {
        const char *module; /* "kvm", "kvm_intel", "kvm_amd", "kvm_hv" */
        const char *name;   /* as the kernel spells it */
        Kind kind;
        const char *const *choices;  /* for KIND_CHOICE (NULL-terminated, normalised), else NULL */
        const char *const *features; /* CPU features that all must be there (NULL-terminated), or NULL */
        const char *const *needs;    /* parameters of the same module; the kernel switches this off while one is off */
        const char *forced_by;       /* a switch of the same module that lets this do without its features, or NULL */
        const char *used_with;       /* a switch of the same module; this one does nothing while it is off, or NULL */
        const CatalogDefault *defaults; /* ascending, ended by a NULL value; NULL when it depends on the host */
        const char *common;             /* the variable lives in this module and keeps its value across a reload of
                                         * the vendor's alone ("kvm"), else NULL */
        const char *counterpart;        /* the other vendor's parameter for the same thing ("npt" for "ept"), or NULL */
        CatalogRelease since;           /* of several rows of one name: right from this kernel on */
        CatalogRelease int_until; /* a switch that the kernel keeps as an int before this release: "Y" fails the load */
        CatalogRelease outlives_until; /* before this release kvm goes on allowing what this switched off, as long as
                                        * kvm stays loaded */
        guint64 max;                   /* the largest number the kernel takes, 0: what the kind holds */
        const char *also_on;           /* for KIND_CHOICE: another word of the kernel's for "1", or NULL */
        bool bare_is_on;         /* for KIND_CHOICE: the name without a value is "1"; a switch needs no saying so */
        bool derived;            /* the kernel may rewrite it while it loads, to what it then really does */
        bool reads_words;        /* what sysfs prints may be words that the kernel does not take back as a value */
        const char *description; /* one plain sentence, no full stop at the end */
} Parameter;

extern const Parameter catalog[]; /* catalog-table.c */
extern const unsigned n_catalog;

/* The entry, or NULL. Dash and underscore are the same in both. */
const Parameter *catalog_find(const char *module, const char *name);
/* The entry of that name in any module, the first found, or NULL. */
const Parameter *catalog_find_anywhere(const char *name);
/* A few parameters changed their kind: the row that is right for @release ("6.1.0-38-cloud-amd64";
 * NULL or unreadable: the newest). */
const Parameter *catalog_variant(const Parameter *parameter, const char *release);

/* A user's word for a parameter ("nested", "shadow-vmcs", "apicv", "enable_apicv",
 * "kvm.ignore_msrs") looked up among the parameters of @vendor_module (may be NULL) first, then
 * those of kvm, then those of any module; NULL when nobody knows it. */
const Parameter *catalog_resolve(const char *word, const char *vendor_module);

/* The canonical form of a value: "0"/"1" for a bool, decimal for numbers, the word for a choice.
 * Accepts what a user says and what sysfs prints (on off yes no true false 1 0 Y N y n; hexadecimal
 * numbers). NULL and CONDITION_INVALID_VALUE, naming what is allowed, when it is none. */
char *catalog_normalise(const Parameter *parameter, const char *release, const char *value, GError **error);
/* What sysfs prints, normalised: as above, and any number but 0 is on for a switch that the kernel
 * keeps as an int. NULL when it is not to be understood. */
char *catalog_read(const Parameter *parameter, const char *release, const char *printed);
/* The same for the text after "name=" in the options of a load, by the rules of the kernel's own
 * parser; @text is NULL for a name without "=". NULL: the kernel refuses it, and the whole load
 * with it. */
char *catalog_parse(const Parameter *parameter, const char *release, const char *text);
/* The words for what may be given: "on or off", "a number from 0 to 65535", "auto, on or off". */
char *catalog_allowed(const Parameter *parameter, const char *release);

/* @release is that one or later; an unreadable one counts as the newest. */
bool catalog_release_reaches(const char *release, unsigned major, unsigned minor);
/* Is this, switched off by a reload that left kvm loaded, off in looks only? */
bool catalog_outlives(const Parameter *parameter, const char *release);

/* The kernel's default for @release, normalised; "" when unknown. */
const char *catalog_default(const Parameter *parameter, const char *release);

const char *kind_to_string(Kind kind);
/* "kvm_intel" for "intel", "kvm_amd" for "amd", else NULL. */
const char *catalog_vendor_module(const char *vendor);
/* The CPU feature without which a vendor's module does not load: "vmx", "svm"; NULL for other
 * modules. */
const char *catalog_base_feature(const char *module);
