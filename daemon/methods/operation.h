/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The path of a method call that changes parameters, one for all of them: what the caller asks for
 * is read once, judged against a host at rest, authorised, and then that very request is carried
 * out. It knows neither polkit nor how a change is made. */

#include "change.h"
#include "request.h"
#include "services.h"

/* What an operation is about. */
typedef struct OperationTask {
        /* What is asked for, into @request, of the host as it is; again at every turn. */
        bool (*fill)(gpointer data, const Host *host, Request *request, GError **error);
        /* Answers @call, which it takes over with @data; @result NULL: it failed. */
        void (*done)(Call *call, const ChangeResult *result, const GError *error, gpointer data);
        /* Nobody is there to be answered any more, or the daemon ends. */
        void (*drop)(gpointer data);
        gpointer data;
} OperationTask;

/* @call, whose words were read and bounded, is judged, authorised, and carried out. */
void operation_begin(Services *services, Call *call, uint64_t flags, const OperationTask *task);

/* Reads the arguments of @message, but for the flags, into words that point into it. @module: the
 * object that was called, which has to outlive them, NULL for the manager. NULL and InvalidArgs for
 * words that can be no names, are too long or too many. */
typedef GArray *(*OperationRead)(sd_bus_message *message, const char *module, GError **error);

/* Returns what the method handler has to return; the reply is sent when there is one. A call that
 * waits is one that was read: it is as small as its words. */
int operation_take(Services *services, sd_bus_message *message, const char *module, OperationRead read,
                   uint64_t allowed_flags, sd_bus_error *error);

/* operation-parse.c */
GArray *operation_read_set_all(sd_bus_message *message, const char *module, GError **error);   /* a{sa{ss}} t */
GArray *operation_read_reset_all(sd_bus_message *message, const char *module, GError **error); /* a{sas} t */
GArray *operation_read_set(sd_bus_message *message, const char *module, GError **error);       /* a{ss} t */
GArray *operation_read_reset(sd_bus_message *message, const char *module, GError **error);     /* as t */
GArray *operation_read_reload(sd_bus_message *message, const char *module, GError **error);    /* t */
/* What the words mean on @host, into @request; the errors are those of request.h. */
bool operation_apply(const GArray *words, const Host *host, Request *request, GError **error);
