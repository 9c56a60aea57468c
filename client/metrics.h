/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text in the format that Prometheus scrapes (version 0.0.4), as node_exporter's textfile collector
 * takes it: HELP and TYPE once for each metric and before its samples, no timestamps, a newline at
 * the end. The words of a HELP are for ever: where two files give one metric with other words, the
 * samples of one are lost. What is not known has no sample, and is never 0. */

#include <glib.h>

typedef struct Metrics Metrics;

Metrics *metrics_new(void);
void metrics_free(Metrics *metrics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Metrics, metrics_free)

/* A gauge: the samples that follow are its. */
void metrics_begin(Metrics *metrics, const char *name, const char *help);
/* @labels: name, value, name, value, …, NULL. */
void metrics_add(Metrics *metrics, double value, const char *const *labels);
/* All of it; a metric without samples is not there. */
const char *metrics_text(const Metrics *metrics);
