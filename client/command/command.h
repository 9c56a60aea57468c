/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which verbs and options there are: two tables, which help, completion and manual follow. */

#include "client.h"

/* Bits of Verb.options and Option.bit. */
enum {
        ANY = 0, /* an option that every verb takes */
        DRY_RUN = 1 << 0,
        RUNTIME = 1 << 1,
        NEXT_BOOT = 1 << 2,
        WHEN_IDLE = 1 << 3,
        WAIT = 1 << 4,
        NESTED = 1 << 5,
        MODE = 1 << 6,
        MODEL = 1 << 7,
        RECIPE = 1 << 8,
        RELEASE = 1 << 9,
        VENDOR = 1 << 10,
        TIMES = 1 << 11,
        VERIFY = 1 << 12,
        INTERVAL = 1 << 13,
        COUNT = 1 << 14,
        ALL = 1 << 15,
        EXCEPT = 1 << 16,
        CHECK = 1 << 17,
        WHEN = 1 << 18,
        ONLY = 1 << 19,
        ROOT = 1 << 20,
        GUEST = 1 << 21,
};
#define EXCLUSIVE (RUNTIME | NEXT_BOOT | WHEN_IDLE)
#define SETTING (DRY_RUN | EXCLUSIVE | WAIT | VERIFY)
#define APPLYING (DRY_RUN | CHECK | WHEN | ONLY)
#define REPEATING (INTERVAL | COUNT)
#define CPU (DRY_RUN | NESTED | MODE | MODEL)
#define PATCHING (DRY_RUN | NESTED | MODE | MODEL | RECIPE | RELEASE | VENDOR)

typedef struct Verb {
        const char *name;
        const char *words; /* what follows it, for help */
        unsigned min, max; /* number of words */
        unsigned options;
        const char *help;
        int (*run)(Client *client, char **words); /* NULL: help */
} Verb;

/* The characters of short options; long ones without have numbers that are no characters. */
enum {
        OPTION_NO_ASK_PASSWORD = 0x100,
        OPTION_NO_PAGER,
        OPTION_DRY_RUN,
        OPTION_RUNTIME,
        OPTION_NEXT_BOOT,
        OPTION_WHEN_IDLE,
        OPTION_WAIT,
        OPTION_VERIFY,
        OPTION_NESTED,
        OPTION_MODE,
        OPTION_MODEL,
        OPTION_RECIPE,
        OPTION_RELEASE,
        OPTION_VENDOR,
        OPTION_TIMES,
        OPTION_INTERVAL,
        OPTION_COUNT,
        OPTION_ALL,
        OPTION_EXCEPT,
        OPTION_CHECK,
        OPTION_WHEN,
        OPTION_ONLY,
        OPTION_VERSION,
        OPTION_JSON,
        OPTION_ROOT,
        OPTION_GUEST,
};

typedef struct Option {
        const char *name; /* NULL: only short */
        int value;
        int argument; /* as getopt_long(3) has it */
        const char *argument_name;
        unsigned bit; /* which verbs take it, ANY: all */
        const char *help;
} Option;

/* By its name; NULL when there is none. */
const Verb *command_verb(const char *name);
/* By what getopt_long(3) returns for it; NULL when there is none. */
const Option *command_option(int value);
/* All of them, and how many. */
const Verb *command_verbs(gsize *ret_n);
const Option *command_options(gsize *ret_n);
