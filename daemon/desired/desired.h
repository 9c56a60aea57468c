/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The desired state: keys of key files, each with its place. What is wrong in any of them is an
 * error that says FILE:LINE, and then there is no desired state at all: a slip of the pen must not
 * become a default.
 *
 *   [Parameters]        of the vendor's module that the host uses, or of kvm
 *   [kvm_intel] …       of that module; on a host that does not use it they say nothing
 *   [Apply]             When=idle|now|boot
 *   [Guests]            Nested=, Mode=, Model= of all guests, Except=NAME;NAME
 *   [Guest NAME]        the same of one, by name or UUID; what it says wins */

#include <glib.h>
#include <stdbool.h>

/* Sections, as they are written. */
#define DESIRED_PARAMETERS "Parameters"
#define DESIRED_APPLY "Apply"
#define DESIRED_GUESTS "Guests"
#define DESIRED_GUEST_PREFIX "Guest "

/* So many keys, of all files, are read at most. */
#define DESIRED_KEYS_MAX 16384U

typedef struct DesiredKey {
        char *section, *name, *value;
        char *file; /* as people are shown it */
        unsigned line;
} DesiredKey;

typedef struct Desired {
        GPtrArray *keys;   /* DesiredKey*, in the order in which they were first given; none twice */
        GHashTable *index; /* the same, by section and name */
} Desired;

Desired *desired_new(void);
void desired_free(Desired *desired);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Desired, desired_free)

/* The keys of @text, which wins over what was there before. @file is for messages. Errors:
 * InvalidArgs (no key file, a section or key that nobody knows or that is given twice, too many),
 * NoSuchParameter, InvalidValue. */
bool desired_add_text(Desired *desired, const char *file, const char *text, GError **error);

/* NULL when it is not said. */
const DesiredKey *desired_find(const Desired *desired, const char *section, const char *name);
/* "idle" (also when nothing is said), "now" or "boot". */
const char *desired_when(const Desired *desired);
/* Of a key that is yes or no, as Nested of guests is. */
bool desired_is_yes(const DesiredKey *key);
/* It says something of parameters; of guests. */
bool desired_has_parameters(const Desired *desired);
bool desired_has_guests(const Desired *desired);
/* A section of parameters, a module's or that of any. */
bool desired_is_of_parameters(const char *section);
/* The name or UUID that a section is about; NULL: about all guests, or about none. */
const char *desired_guest(const char *section);
/* "FILE:LINE: " before what @error says; returns false. */
bool desired_blame(const DesiredKey *key, GError **error);
