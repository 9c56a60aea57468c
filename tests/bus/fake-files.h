/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files of the fake hypervisor (fake-hypervisor.h), for itself alone. */

#include <glib.h>
#include <stdbool.h>

#include "guest-edit.h"

void fake_files_begin(const char *directory);
/* A path below DIR/fake. */
char *fake_file(const char *name);
/* As long as the FIFO of that name says. */
void fake_hang(const char *name);
/* A line. */
void fake_append(const char *name, const char *word);
bool fake_reachable(GError **error);
/* Notes the question, and waits as long as it is to; false when nobody is there to answer it. */
bool fake_answers(const char *question, GError **error);
/* By UUID: the XML is a file beside the key file, which stays as it is but for what the XML says of
 * the CPU. */
extern const GuestStore fake_definitions;
