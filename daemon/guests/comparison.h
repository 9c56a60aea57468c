/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What libvirt says of a guest's <cpu> when it holds that against what this host gives: the
 * question, which many guests share, and the answer, which is theirs together. Pure. */

#include <glib.h>
#include <stdbool.h>

/* What of a definition libvirt compares with the host when the guest starts. */
typedef struct CpuQuestion {
        char *emulator, *arch; /* emulator: "" when none is named */
        char *model, *vendor;  /* "" when there is none */
        char *cpu;             /* the <cpu> to be compared: no topology, nothing that libvirt does not compare */
        char *relaxed;         /* of match='strict': the same with match='exact'; NULL: of any other */
        GStrv forbidden;       /* the features with policy='forbid' */
        bool full;             /* check='full' */
        bool passes_through;   /* host-passthrough or maximum */
} CpuQuestion;

CpuQuestion *cpu_question_copy(const CpuQuestion *question);
void cpu_question_free(CpuQuestion *question);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CpuQuestion, cpu_question_free)
/* The same for those who ask the same. */
char *cpu_question_key(const CpuQuestion *question);

typedef enum ComparisonResult {
        COMPARISON_NONE,      /* this libvirt compares nothing, as its test driver */
        COMPARISON_UNKNOWN,   /* it can't tell: @detail is why */
        COMPARISON_FITS,      /* it starts, as far as can be told before */
        COMPARISON_LACKS,     /* the host lacks @detail, names of features */
        COMPARISON_FORBIDDEN, /* the host has @detail, which is forbidden */
        COMPARISON_EXTRA,     /* the host has more than it allows, by match='strict' */
        COMPARISON_VENDOR,    /* the host's CPU is not of the <vendor> @detail */
} ComparisonResult;

/* Nobody writes to one that others have a reference to, so that threads can share it. */
typedef struct Comparison {
        CpuQuestion *question;
        char *key; /* the question's */
        ComparisonResult result;
        char *detail; /* for the middle of a sentence; NULL: of a result that needs none */
        /* libvirt holds the model against what KVM gives, and does not let what the CPU itself has
         * count as well */
        bool exact;
        int references; /* counted where ThreadSanitizer sees it, which is not within GLib */
} Comparison;

/* A reference; takes @question over, which may be NULL. */
Comparison *comparison_new(CpuQuestion *question);
Comparison *comparison_ref(Comparison *comparison);
void comparison_unref(Comparison *comparison);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Comparison, comparison_unref)
/* They say the same. */
bool comparison_equal(const Comparison *a, const Comparison *b);

/* The features that a message of libvirt's ends with, behind a colon; NULL when it does not end
 * with names of features. Its words are not looked at, as they may be of any language. */
GStrv comparison_names(const char *message);
