/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The parameters that nestvirtd knows: a constant table, and what can be said of a name or a value by looking at it alone.
 * Facts are from the kernel's own sources, arch/x86/kvm/{x86.c,vmx/vmx.c,svm/svm.c,…}, 5.10 to 7.3, and kernel/params.c.
 * It reads nothing. */

#include <glib.h>
#include <stdbool.h>

typedef enum Kind {
        KIND_BOOL, /* every switch, also those that the kernel keeps as an int */
        KIND_INT,
        KIND_UINT,
        KIND_CHOICE,
} Kind;

typedef struct CatalogDefault {
        unsigned major, minor; /* from this kernel on */
        const char *value;     /* normalised */
} CatalogDefault;

typedef struct Parameter {
        const char *module; /* "kvm", "kvm_intel", "kvm_amd", "kvm_hv" */
        const char *name;   /* as the kernel spells it */
        Kind kind;
        const char *const *choices;  /* for KIND_CHOICE (NULL-terminated), else NULL */
        const char *const *features; /* CPU features that all must be there (NULL-terminated), or NULL */
        const char *const *needs;    /* parameters of the same module that must be on for this one to work, or NULL */
        const CatalogDefault *defaults; /* ascending, ended by a NULL value */
        const char *common;             /* the variable lives in this module and keeps its value across a reload of
                                         * the vendor's alone ("kvm"), else NULL */
        const char *counterpart;        /* the other vendor's parameter for the same thing ("npt" for "ept"), or NULL */
        bool reads_words;        /* what sysfs prints may be words that the kernel does not take back as a value */
        const char *description; /* one plain sentence, no full stop at the end */
} Parameter;

extern const Parameter catalog[];
extern const unsigned n_catalog;

/* The entry, or NULL. Dash and underscore are the same in @name. */
const Parameter *catalog_find(const char *module, const char *name);
/* The entry of that name in any module, the first found, or NULL. */
const Parameter *catalog_find_anywhere(const char *name);

/* A user's word for a parameter ("nested", "shadow-vmcs", "apicv", "enable_apicv", "kvm.ignore_msrs") looked up among the
 * parameters of @vendor_module (may be NULL) first, then those of kvm, then those of any module; NULL when nobody knows it. */
const Parameter *catalog_resolve(const char *word, const char *vendor_module);

/* The canonical form of a value: "0"/"1" for a bool, decimal for numbers, the word for a choice. Accepts what a user says and what
 * sysfs prints (on off yes no true false 1 0 Y N y n; hexadecimal numbers). NULL and CONDITION_INVALID_VALUE, naming
 * what is allowed, when it is none. */
char *catalog_normalise(const Parameter *parameter, const char *value, GError **error);

/* The kernel's default for @release ("6.1.0-38-cloud-amd64"), normalised; "" when unknown. */
const char *catalog_default(const Parameter *parameter, const char *release);

const char *kind_to_string(Kind kind);
/* "kvm_intel" for "intel", "kvm_amd" for "amd", else NULL. */
const char *catalog_vendor_module(const char *vendor);
