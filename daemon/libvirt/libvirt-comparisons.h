/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt asked, once for each question, whether this host gives what a <cpu> asks for; and its
 * answers kept. Each belongs to one connection. */

#include <libvirt/libvirt.h>

#include "guest-facts.h"

typedef struct LibvirtComparisons LibvirtComparisons;

LibvirtComparisons *libvirt_comparisons_new(void);
void libvirt_comparisons_free(LibvirtComparisons *comparisons);
/* The answer to what @facts are the question of (guest-facts.h) becomes part of them. */
void libvirt_comparisons_answer(LibvirtComparisons *comparisons, virConnectPtr connection, GuestFacts *facts);
/* Of all guests (GuestFacts*) there are; what none of them asks is forgotten. */
void libvirt_comparisons_answer_all(LibvirtComparisons *comparisons, virConnectPtr connection, GPtrArray *guests);
/* All that is kept is asked anew: key -> Comparison*. */
GHashTable *libvirt_comparisons_again(LibvirtComparisons *comparisons, virConnectPtr connection);
