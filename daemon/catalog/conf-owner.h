/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who else keeps options of KVM in modprobe.d: programs and packages that write a file there
 * themselves, known by its name. */

/* "/etc/modprobe.d/tuned.conf is TuneD's, which …", to be freed; NULL when the file is nobody's
 * that is known. */
char *conf_owner_say(const char *path);
