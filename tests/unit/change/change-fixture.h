/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of the transaction share: a fake host, and a request carried out on it from end to
 * end as the daemon does. */

#include <glib.h>

#include "change.h"
#include "fake-loader.h"
#include "request.h"

#define KEPT_FILE "etc/modprobe.d/zz-nestvirt.conf"
#define RUNTIME_FILE "run/modprobe.d/zzz-nestvirt-runtime.conf"
#define JOURNAL_FILE "var/lib/nestvirt/change"
#define WRITTEN_FILE "var/lib/nestvirt/written"
#define PENDING_FILE "run/nestvirt/pending"

typedef struct Fixture {
        char *directory;
        FakeLoader *loader;
        Root *root;
} Fixture;

void fixture_set_up(Fixture *fixture, gconstpointer data);
void fixture_tear_down(Fixture *fixture, gconstpointer data);

/* @words: "kvm_amd.nested=0 kvm.ignore_msrs=1"; a word without "=" is a reset, "reload:kvm_amd" a
 * reload; "" resets all that is ours. NULL and @error when the request or its plan is refused. */
Request *fixture_request(const Host *host, const char *words, uint64_t flags, GError **error);
Plan *fixture_plan(Fixture *fixture, const char *words, uint64_t flags, GError **error);
/* Plans and runs; a refusal by the plan is the result's error, too. */
ChangeResult *fixture_change(Fixture *fixture, const char *words, uint64_t flags);
/* The same for idle, which waits, since somebody holds KVM until then. */
void fixture_defer(Fixture *fixture, const char *words);
/* What waits for idle, tried once. */
Plan *fixture_plan_attempt(Fixture *fixture, GError **error);
ChangeResult *fixture_attempt(Fixture *fixture);

/* From now on no file becomes visible under @name (EIO), until it is called with NULL. */
void fixture_fail_rename(const char *name);

/* What is in a change's way: a module that is busy, a step of the loader's that fails once
 * (fake-loader.h), a file that does not become visible. NULL: none of it. */
typedef struct Obstacles {
        const char *busy, *fail_at, *fail_rename;
} Obstacles;

void fixture_obstruct(Fixture *fixture, const Obstacles *obstacles);

#define assert_outcome(result, wanted)                          \
        do {                                                    \
                g_assert_no_error((result)->error);             \
                g_assert_cmpstr((result)->outcome, ==, wanted); \
        } while (0)

/* A file beneath the host has @line, or (NULL) is not there. */
void fixture_assert_line(Fixture *fixture, const char *path, const char *line);
void fixture_assert_no_line(Fixture *fixture, const char *path, const char *line);
/* The host says of its kvm that it stayed loaded when nested was switched off. */
void fixture_assert_kvm_kept(Fixture *fixture, bool kept);
void assert_text_has(const char *text, const char *part);
/* The parameter as sysfs shows it, without the newline; "-" when it is not there. */
void fixture_assert_value(Fixture *fixture, const char *module, const char *name, const char *value);
/* Every file of the host but the kernel's own reference counts, as one text with paths beneath it:
 * equal texts are equal hosts. Which kvm was kept is no number there, as no two hosts have the
 * same. */
char *fixture_dump(Fixture *fixture);
/* The same without the journal and what is staged, which nobody but the next start looks at. */
char *fixture_dump_seen(Fixture *fixture);
/* Both modules live, no journal, no staged file. */
void fixture_assert_whole(Fixture *fixture);
/* What of that is not so, in words, or NULL. */
char *fixture_find_broken(Fixture *fixture);
