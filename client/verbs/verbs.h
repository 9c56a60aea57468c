/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What each verb does: it takes the words after the verb, NULL-terminated, and returns an exit
 * status. How many words and which options a verb takes is checked before. */

#include "client.h"

int verb_apply(Client *client, char **words);
int verb_status(Client *client, char **words);
int verb_check(Client *client, char **words);
int verb_show(Client *client, char **words);
int verb_set(Client *client, char **words);
int verb_reset(Client *client, char **words);
int verb_reload(Client *client, char **words);
int verb_cancel(Client *client, char **words);
int verb_users(Client *client, char **words);
int verb_guests(Client *client, char **words);
int verb_guest(Client *client, char **words);
int verb_set_cpu(Client *client, char **words);
int verb_prepare(Client *client, char **words);
int verb_ensure_device(Client *client, char **words);
int verb_probe(Client *client, char **words);
int verb_fingerprint(Client *client, char **words);
int verb_compare(Client *client, char **words);
int verb_stat(Client *client, char **words);
int verb_exits(Client *client, char **words);
int verb_labels(Client *client, char **words);
int verb_metrics(Client *client, char **words);
int verb_monitor(Client *client, char **words);
int verb_patch_xml(Client *client, char **words);
