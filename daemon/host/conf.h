/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which files modprobe.d is made of: the folders in the order of libkmod, with what a file hides
 * and what is no file to be read. It does not read them. */

#include <glib.h>
#include <stdbool.h>

#include "root.h"
#include "stamps.h"

typedef struct BadLine {
        char *path;
        unsigned line; /* 0: the file as a whole */
        char *why;     /* for people, without a full stop */
} BadLine;

void bad_line_free(BadLine *bad);
/* Adds one about @path (beneath the root) to @bad, unless that has more than anybody wants to
 * see. */
G_GNUC_PRINTF(4, 5)
void bad_line_add(GPtrArray *bad, const char *path, unsigned line, const char *format, ...);

/* How the libkmod that runs reads the folders; it does not tell its version. */
typedef enum ConfManner {
        CONF_SINCE_33,  /* Debian 13 and later; of 33 itself, which is in none, a link to nowhere may hide */
        CONF_BEFORE_33, /* Debian 12: *.alias are read like *.conf, and a link to nowhere hides what has its name
                         * (libkmod/libkmod-config.c, kmod 30, conf_files_filter_out(), which does not look whether
                         * fstatat() has worked; seen with 30 and 34.2) */
} ConfManner;

/* To be called before anything is read: how it is read from then on. Else it is CONF_SINCE_33. */
void conf_follow(ConfManner manner);

typedef struct ConfFile {
        char *name;
        char *path;       /* beneath the root */
        bool empty;       /* a mask */
        const char *text; /* what it is to say, in the place of what is on disk; NULL: that */
} ConfFile;

/* The folders, most important first, without a leading slash. */
extern const char *const options_folders[];

/* ConfFile*, in the order in which they are read. Absolute paths of those that a file of the same
 * name in an earlier folder hides go to @masked, and what is wrong with an entry to @bad
 * (BadLine*). @instead, or NULL: path beneath the root -> text, files that count as if they were
 * there with that text, or (NULL) were not there. @stamps, or NULL: gets all that the list was made
 * of. */
GPtrArray *conf_list(const Root *root, GHashTable *instead, GPtrArray *masked, GPtrArray *bad, Stamps *stamps);
void conf_file_free(ConfFile *file);

/* modprobe reads a file of that name. */
bool conf_is_read(const char *name);
/* The folder, one of options_folders, is one of those before it: on most systems /lib is /usr/lib,
 * and the same file is not hidden by itself. */
bool conf_is_same_folder(const Root *root, const char *const *folder);

/* A path beneath the root as people are shown it: absolute, valid UTF-8. */
char *conf_shown_path(const char *path);
