/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which polkit action a method needs, and what a person is asked then: what happens, to what, and
 * when. A method that is in no row is refused. The words are polkit's to show: it puts the details
 * in the place of $(…), in the language of whoever reads them. */

/* Of gettext; po/ has the translations. */
#define QUESTION_DOMAIN "nestvirtd"

typedef struct Question {
        const char *interface, *member;
        const char *action;
        const char *message;
        const char *const *messages; /* instead, by when it happens */
} Question;

/* @action NULL: the method's first. NULL: there is none. */
const Question *question_find(const char *interface, const char *member, const char *action);
/* Of whatever only reads, and says less to those who may not: nobody is asked for a password. */
extern const Question question_reading;
/* @when as the detail of that name. */
const char *question_message(const Question *question, const char *when);
