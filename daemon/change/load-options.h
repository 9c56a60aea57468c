/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* With which options a module is to be loaded, so that what was asked comes into effect, what is
 * configured stays, and nothing else changes; and with which ones it comes back as it was. Rules
 * over a snapshot; pure. */

#include <glib.h>
#include <stdbool.h>

#include "catalog.h"
#include "host.h"
#include "plan.h"
#include "request.h"

typedef enum Among {
        WITHOUT_OURS,    /* all but our two files */
        WITHOUT_RUNTIME, /* all but our runtime file */
        RUNTIME_ALONE,   /* our runtime file */
        KERNEL_LINE,     /* the kernel command line alone */
} Among;

/* The option that wins among some of them, or NULL. */
const Option *load_options_winner(const Options *options, const char *module, const char *name, Among among);
/* @option is read after the file at @path. */
bool load_options_beats(const Option *option, const char *path);
/* It says @value (normalised) in other words. */
bool load_options_same(const Host *host, const Option *option, const char *value);

/* The kernel would refuse it, and with it the load of the whole module. */
bool load_options_refused(const Host *host, const Option *option);
/* @request takes the line that @option is from out of our file, or writes it anew. */
bool load_options_replaced(const Request *request, const Option *option);

/* What is to be read back of a setting of @request: its own value, or for a reset what the next
 * load comes to; "" when that can't be told. Where the kernel would switch a default off again,
 * that is "0". */
char *load_options_result(const Host *host, const Request *request, const Setting *setting);
/* What a parameter will be after a reload for @request, whether or not that names it; "" when that
 * can't be told. */
char *load_options_foreseen(const Host *host, const Request *request, const Parameter *parameter);
/* The value of a parameter once @request is in effect, normalised, NULL when it can't be told. */
char *load_options_expected(const Host *host, const Request *request, const Parameter *parameter);
/* What a load for @request gives it, normalised; "" when that is the kernel's default and nobody
 * knows it. */
char *load_options_next(const Host *host, const Request *request, const Parameter *parameter);
/* The value of now, if the kernel takes it back, normalised where it is known; else NULL. */
char *load_options_current(const Host *host, const Module *module, const char *name);
/* @request or what is configured decides on it. */
bool load_options_decided(const Host *host, const Request *request, const Module *module, const char *name);
bool load_options_in_effect(const Host *host, const PlanValue *value);

/* "nested=0 npt=1": what brings back the values that are in effect now: all that can be read. What
 * the defaults are is the kernel's to know, and those of distributions differ. */
char *load_options_before(const Host *host, const Module *module);
/* What is asked, else what is configured; what nobody asks for is left to the kernel. */
char *load_options_after(const Host *host, const Request *request, const Module *module);
/* What has to be given besides when kvm stays loaded: the kernel's defaults of those variables that
 * live in it and have another value from an earlier load, or one that can't be seen. */
char *load_options_kept(const Host *host, const Request *request, const Module *module);
/* Both, as one text. */
char *load_options_join(const char *after, const char *kept);
