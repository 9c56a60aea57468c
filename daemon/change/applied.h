/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What was set for the desired state when it was last applied: a key that goes from its files is
 * reset by the next apply, but only what an apply has set. It becomes visible with the change
 * (records.h); what our drop-in does not say any more, or says otherwise, was taken back by
 * somebody else. */

#include "desired-host.h"
#include "request.h"

#define APPLIED_PATH "var/lib/nestvirt/applied"

typedef struct Applied Applied;

/* Empty when there is none, or it can't be understood; NULL when it can't be read. */
Applied *applied_read(const Root *root, GError **error);
void applied_free(Applied *applied);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Applied, applied_free)

/* @settings into @request, but for what is configured and waits already for that for which it is to
 * wait; and a reset of what was applied and is asked for no more, with @applied, which may be NULL.
 * Errors: those of request.h, with file and line. */
bool applied_request(const Applied *applied, const GPtrArray *settings, const Host *host, Request *request,
                     GError **error);
/* The same of an image (desired_settings_anywhere()). */
bool applied_request_unseen(const Applied *applied, const GPtrArray *settings, const Host *host, Request *request,
                            GError **error);

/* The text of the record once @request, made of @settings, was carried out on @host; NULL: there is
 * none. */
char *applied_next(const Applied *applied, const GPtrArray *settings, const Host *host, const Request *request);
/* The record says @text (NULL: there is none) already. */
bool applied_is(const Applied *applied, const char *text);
/* @text in its place, where nothing else is to be changed; not when somebody has applied something
 * since @applied was read. */
bool applied_write(const Applied *applied, const Root *root, const char *text, GError **error);
