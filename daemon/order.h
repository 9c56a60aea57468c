/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The path of a method call that changes parameters, one for all of them: what the caller asks for is parsed once, judged against a host at
 * rest, authorised, and then that very request is carried out. It knows neither polkit nor how a change is made. */

#include "call.h"
#include "change.h"
#include "request.h"

/* Reads the arguments of @message, but for the flags, into @request. @module: the object that was called, NULL for the manager. */
typedef bool (*OrderParse)(sd_bus_message *message, const Host *host, const char *module, Request *request,
                           GError **error);

/* Returns what the method handler has to return; the reply is sent when there is one. */
int order_take(Daemon *daemon, sd_bus_message *message, const char *module, OrderParse parse, uint64_t allowed_flags,
               sd_bus_error *error);

/* order-parse.c. InvalidArgs for words that can be no names or are too many; what they mean is told by request.h. */
bool order_parse_set_all(sd_bus_message *message, const Host *host, const char *module, Request *request,
                         GError **error); /* a{sa{ss}} t */
bool order_parse_reset_all(sd_bus_message *message, const Host *host, const char *module, Request *request,
                           GError **error); /* a{sas} t */
bool order_parse_set(sd_bus_message *message, const Host *host, const char *module, Request *request,
                     GError **error); /* a{ss} t */
bool order_parse_reset(sd_bus_message *message, const Host *host, const char *module, Request *request,
                       GError **error); /* as t */
bool order_parse_reload(sd_bus_message *message, const Host *host, const char *module, Request *request,
                        GError **error); /* t */
