/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the next load of a module will be given, and by whom: the modprobe.d folders in the order of
 * libkmod (libkmod/libkmod-config.c, kmod 30 to 34), then the kernel command line. The words of a
 * line are told apart as the kernel does it when the module is loaded (lib/cmdline.c,
 * kernel/params.c), over all lines of a module together. It changes nothing. */

#include <glib.h>
#include <stdbool.h>

#include "conf.h"
#include "root.h"

typedef struct Option {
        char *module;  /* with underscores */
        char *name;    /* with underscores */
        char *value;   /* as written, quotes removed; "" when there is no "=" */
        bool bare;     /* there is no "=": the kernel takes a bool as switched on, and refuses anything else */
        char *path;    /* "/etc/modprobe.d/x.conf"; NULL for the kernel command line */
        unsigned line; /* of the directive's first line, from 1; 0 for the kernel command line */
} Option;

typedef struct Command {
        /* "install", "remove", "blacklist", "softdep", "alias"; of the kernel command line
         * "blacklist" (modprobe.blacklist=, which libkmod reads) and "module_blacklist", by which
         * the kernel itself refuses to load it with EPERM (kernel/module/main.c, blacklisted()) */
        char *verb;
        /* with underscores; a pattern (fnmatch(3)) but for the two lists, whose names are compared
         * as they are: on the kernel command line one with a dash means nothing */
        char *module;
        char *text; /* what follows it: the command, the dependencies, "off" (no other alias is kept); else "" */
        char *path; /* NULL for the kernel command line */
        unsigned line;
} Command;

typedef struct Options {
        /* Option*, for each module in the order in which the kernel will see them: the last one
         * wins */
        GPtrArray *options;
        GPtrArray *commands; /* Command*: all other lines that say something about loading a module */
        GPtrArray *bad;      /* BadLine*: what libkmod would ignore with a warning, or what is too long to be meant */
        /* Option*: the "--" of a module, and where it stands; from there on the kernel takes
         * nothing */
        GPtrArray *stops;
        GStrv masked; /* files that a file of the same name in an earlier folder hides, absolute */
        gint references;
        GHashTable *index; /* options-index.c's */
        Stamps *stamps;    /* of the folders and the files; NULL: it is not what is on disk */
        char *kernel_line; /* proc/cmdline, or NULL */
} Options;

Options *options_read(const Root *root); /* never fails: what can't be read is left out */
/* Another reference to @before, which belongs to one thread, where nothing that it was read from
 * has changed since, which is told without reading the files again. */
Options *options_read_since(const Root *root, Options *before);
/* The same as it would be with @instead: path beneath the root -> text, or NULL where there is to
 * be no file. */
Options *options_read_with(const Root *root, GHashTable *instead);
Options *options_new(void); /* none */
void options_free(Options *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Options, options_free)

/* Nobody reads more sources, and a file may have tens of thousands of such lines. */
#define OPTIONS_OVERRIDDEN_MAX 64U

/* What is said of one parameter of one module, in the order of the kernel. */
typedef struct OptionGroup {
        GPtrArray *all; /* Option* */
        /* Option*: of each value the first from a file, and the first from the kernel command
         * line */
        GPtrArray *distinct;
} OptionGroup;

/* To be called once @options has all of its options. */
void options_make_index(Options *options);
/* NULL: nothing is said of it. */
const OptionGroup *options_group(const Options *options, const char *module, const char *name);
/* The one that wins, or NULL; @ret_overridden (may be NULL) gets the sources that lose, the
 * strongest first, at most OPTIONS_OVERRIDDEN_MAX. */
const Option *options_winner(const Options *options, const char *module, const char *name, GStrv *ret_overridden);
/* "/etc/modprobe.d/x.conf:3" or "kernel command line". */
char *option_source(const Option *option);
/* The first line with @verb for @module, or NULL. */
const Command *options_command(const Options *options, const char *verb, const char *module);
