/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a caller asks for: parameters to set or reset, by module, and how. Checked by looking at it,
 * the catalogue and the snapshot; nothing of how it will be done is known here. */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "host.h"

/* The flags of every method that changes something; RUNTIME, NEXT_BOOT and WHEN_IDLE exclude each
 * other. */
typedef enum RequestFlags {
        REQUEST_DRY_RUN = 1 << 0,
        REQUEST_RUNTIME = 1 << 1,
        REQUEST_NEXT_BOOT = 1 << 2,
        REQUEST_WHEN_IDLE = 1 << 3,
        /* Of the call alone: Busy is to have those in the way, after its message. Only who asks
         * gets them there, as GDBus does not give the message of an error that has more than that
         * (GLib 2.74, gio/gdbusmessage.c, g_dbus_message_to_gerror()) */
        REQUEST_HOLDERS = 1 << 4,
} RequestFlags;

/* One request names at most so many parameters. */
#define REQUEST_MAX 256U

typedef struct Setting {
        char *module;
        char *name;
        char *value; /* normalised; NULL: back to what it is without us */
} Setting;

typedef struct Request {
        uint64_t flags;
        GPtrArray *settings; /* Setting*, no parameter twice */
        char *reload;        /* the module to reload though no value differs, or NULL */
        bool pending;        /* it waited for idle: the files are written already */
        bool resets;         /* something of ours is taken back, if there is anything */
        bool applies;        /* it is the desired state that is applied, */
        char *applied;       /* and the record of that (applied.h), NULL: there is none */
} Request;

/* InvalidArgs for unknown bits and for two of the exclusive ones. */
bool request_check_flags(uint64_t flags, uint64_t allowed, GError **error);

Request *request_new(uint64_t flags);
void request_free(Request *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Request, request_free)

/* Validates name and value against the catalogue, the kernel and the CPU of @host, and normalises
 * the value. Errors: NoSuchParameter, InvalidValue, Unsupported (each names what is allowed,
 * missing, or to be used instead), InvalidArgs (given twice, too many, no such module object on
 * this host). */
bool request_set(Request *request, const Host *host, const char *module, const char *name, const char *value,
                 GError **error);
/* Without a look at the kernel and the CPU, which are those of another host. Of the catalogue;
 * @value is normalised. */
bool request_set_unseen(Request *request, const char *module, const char *name, const char *value, GError **error);
/* The same for a reset; but what our files set is taken back whether or not this host has any use
 * for it. */
bool request_reset(Request *request, const Host *host, const char *module, const char *name, GError **error);
/* Every parameter that our files set, for one module or (NULL) for all: also those that this kernel
 * lacks, and those of a module that this host does not use. InvalidArgs when there is no such
 * module here and nothing is set for it. */
bool request_reset_all(Request *request, const Host *host, const char *module, GError **error);

/* "kvm_amd.nested=0 kvm.ignore_msrs=1"; "kvm_amd.nested" for a reset. For polkit, the journal and
 * messages. */
char *request_to_string(const Request *request);
/* "kvm_amd", or "kvm kvm_amd". */
char *request_modules(const Request *request);
/* When it is to be in effect: "now", "runtime" (now, until the next boot), "next-boot" or
 * "when-idle". */
const char *request_when(const Request *request);
