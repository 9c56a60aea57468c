/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What each fuzz target is to libFuzzer and to replay.c, and what several of them need: the input
 * in parts, a root whose files are the input, and what holds of every text that is shown. */

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An input of several parts has this byte between them: no text of ours has it, and an editor shows
 * it. */
#define FUZZ_BETWEEN '\x1f'

/* The next part of an input, NUL-terminated after @ret_size (may be NULL) bytes, newly allocated;
 * empty at the end. */
char *fuzz_take(const uint8_t **data, size_t *size, size_t *ret_size);
/* All of what is left. */
char *fuzz_take_rest(const uint8_t **data, size_t *size, size_t *ret_size);

/* A root in memory, made once and removed when the process ends. */
const Root *fuzz_root(void);
/* The whole of a file beneath it; what is above it is made. */
void fuzz_write(const char *path, const char *content, size_t size);
void fuzz_remove(const char *path);

/* Valid UTF-8. */
void fuzz_assert_utf8(const char *text);
/* And no control characters: fit for a line of a terminal. */
void fuzz_assert_line(const char *text);
/* @line is one of the lines of @text, or 0. */
void fuzz_assert_line_of(unsigned line, const char *text, size_t size);
