/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lines of modprobe.d that are well-formed and say something else than whoever wrote them meant: a
 * comment after the options, blanks around a "=". Pure. */

#include <stdbool.h>

#include "options.h"

/* How many words of the line, from the option at @at on, are a comment to whoever wrote them: 0
 * unless that is the first of them. modprobe.d has comments in lines of their own alone
 * (libkmod/libkmod-config.c, kmod 30 to 34), and the kernel is given these words, too. */
unsigned option_slip_comment(const Options *options, unsigned at);

/* How many words, from the option at @at on, are "nested = 0", "nested =0" or "nested= 0": 0 when
 * it is none of these. @ret (may be NULL) gets what was meant, "nested=0". The kernel parts words
 * at blanks (lib/cmdline.c, next_arg()) and is given "nested" without a value, or with an empty
 * one. */
unsigned option_slip_blanks(const Options *options, unsigned at, char **ret);
