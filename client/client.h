/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One run of nestvirtctl: what the command line asks for, the connection, and what is printed at
 * the end. Verbs take it and return an exit status. It knows no verb. */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "json.h"
#include "output.h"
#include "trees.h"

/* The exit statuses that no D-Bus error stands for. */
#define EXIT_USAGE 2
#define EXIT_NO 3

#define _cleanup_(f) __attribute__((cleanup(f)))

/* Options about guests, as they were typed; NULL: not given. */
typedef struct GuestOptions {
        const char *vendor, *mode, *model, *nested, *recipe, *release, *name;
        GPtrArray *except; /* patterns (const char*), as often as it was given */
} GuestOptions;

/* Options of apply, as they were typed; NULL: not given. */
typedef struct ApplyOptions {
        const char *when, *only;
        bool check;         /* --check, */
        const char *extent; /* and its value */
} ApplyOptions;

typedef struct Client {
        const char *verb;
        JsonMode json;
        const char *host; /* "USER@HOST", or NULL for this machine */
        GPtrArray *roots; /* folders (const char*) that are looked at instead, as often as it was given */
        const char *root; /* the one whose turn it is, or NULL */
        Trees *trees;     /* who looks at them; NULL until a verb needs it */
        bool ask_password;
        bool pager;
        bool quiet;
        bool wait;                    /* for the end of a change that waits for idle */
        bool verify;                  /* the probe is to show that a change is what it says */
        bool times;                   /* the probe is to measure them */
        bool all;                     /* all about each parameter, or every guest */
        const char *interval, *count; /* as they were typed; NULL: not given */
        uint64_t flags;               /* FLAG_* of names.h */
        GuestOptions guest;
        ApplyOptions apply;
        Value *holders; /* of KVM, as the last answer was that they are in the way of a change; else NULL */
        sd_bus *bus;    /* NULL until a verb needs it */
        Output *out;    /* for people; JSON goes there too, whole */
} Client;

/* Says "Cannot @doing: …" on standard error, or as JSON on standard output, and returns the exit
 * status for @error. */
int client_fail(const Client *client, const char *doing, const sd_bus_error *error);
/* What is wrong with the command line, one line; returns EXIT_USAGE. */
int client_usage(const Client *client, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Prints @value as one line, or one text, of JSON. */
void client_print_json(const Client *client, const Value *value);
/* {"@key": @value} */
void client_print_json_member(const Client *client, const char *key, const Value *value);

/* What is known to an error's name but not said in its message: what to do next, on this host or on
 * @client's other one; or NULL. */
char *client_hint(const Client *client, const char *error_name);
