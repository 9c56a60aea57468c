/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The seam to who runs the guests. Behind it is libvirt, in a module of its own that is loaded when
 * there is a libvirt to talk to: a host without one needs none. Or it is the files in which libvirt
 * keeps what it knows, of a host that is a tree of files. Fakes of it exist in test programs
 * only. It knows no bus, and judges nothing. */

#include "capabilities.h"
#include "guest-plan.h"
#include "root.h"

/* Something happened: to the guest of that UUID, or, NULL, to the connection, which is of no use
 * any more. Called by a thread of the module's own; it must return at once. */
typedef void (*HypervisorEvent)(const char *uuid, gpointer userdata);

/* A change of a guest's definition. */
typedef struct GuestOrder {
        const char *uuid;
        const GuestEdit *edit;
        const char *vendor;
        bool bare; /* it is known to have neither a managed save nor snapshots, and that is not asked */
        /* Called before anything is changed, of which nothing is when it says no (with an error).
         * NULL: it is only planned. */
        bool (*begin)(gpointer userdata, GError **error);
        gpointer userdata;
        GuestPlan *plan;   /* what came of it, */
        GuestFacts *facts; /* and what the guest is then; NULL: nothing was carried out */
} GuestOrder;

/* Each of these but second() may block for as long as libvirt does. They are called by one thread
 * at a time for each connection. What asks a guest's QEMU may block for as long as that does,
 * too. */
typedef struct Hypervisor {
        /* A connection; LibvirtUnavailable on failure. From then on events come, and none is missed
         * between this and list(). */
        gpointer (*open)(const char *uri, HypervisorEvent event, gpointer userdata, GError **error);
        /* Another connection to the same libvirt, for another thread. It is opened with the first
         * question, and closed by itself; no events come by it. One connection is not enough:
         * libvirt's client (9.0.0) now and then does not send what one thread asks for as long as
         * another one waits for an answer (src/rpc/virnetclient.c, virNetClientIO()). */
        gpointer (*second)(gpointer connection);
        /* GuestFacts* of all guests, without what they have run; so of all that follow. @vendor:
         * "intel", "amd" or "", whose feature is meant. Where asking about a guest would be to wait
         * for a QEMU that does not answer, the facts are untold. */
        GPtrArray *(*list)(gpointer connection, const char *vendor, GError **error);
        /* GuestFacts* of all guests, with nothing but uuid, active, managed_save and snapshots
         * (NULL or not): what can change without an event, in a few questions however many they
         * are. */
        GPtrArray *(*survey)(gpointer connection, GError **error);
        /* Of the guest of that name or UUID; NoSuchGuest when there is none. */
        GuestFacts *(*find)(gpointer connection, const char *name, const char *vendor, GError **error);
        /* Asks QEMU: GuestFacts* of those of these UUIDs (char*), all when there are none, that
         * run, with nothing but uuid and what it has run. Does not wait behind another question. */
        GPtrArray *(*statistics)(gpointer connection, const GPtrArray *uuids);
        /* Asks QEMU: KVM's counters of the guest @uuid, under the kernel's names, those of its
         * virtual CPUs summed up: char* -> guint64*. Empty when it does not run, or the hypervisor
         * keeps none. NoSuchGuest. */
        GHashTable *(*count)(gpointer connection, const char *uuid, GError **error);
        /* Plans what @order asks for, and, where that changes anything and it says so, carries it
         * out at once. False: NoSuchGuest, TimedOut when its QEMU does not answer, and as
         * guest_edit_plan() and define() say; with a plan in @order where it came to that. */
        bool (*edit)(gpointer connection, GuestOrder *order, GError **error);
        /* Carries out what was planned before, as guest_edit_carry_out() says; what the guest is
         * then. Unsupported: libvirt does not take the definition. No event comes of it alone. */
        GuestFacts *(*define)(gpointer connection, const GuestPlan *plan, const char *vendor, GError **error);
        /* What it gives to guests of this host now, by the emulator and the kind of virtualization
         * that it takes by itself. Unsupported: it has no QEMU, and keeps nothing of the kind. */
        Capabilities *(*capabilities)(gpointer connection, GError **error);
        /* What it said of guests' CPUs (comparison.h) is asked anew, as the host is another one or
         * it was made to look again: key -> Comparison*. */
        GHashTable *(*compare)(gpointer connection);
        /* The pid of the daemon at the other end; 0: not known, or there is none. */
        unsigned (*peer)(gpointer connection);
        /* No event comes after it has returned. */
        void (*close)(gpointer connection);
} Hypervisor;

/* The one for that URI; loads it. NULL: it is not installed, or one of the libraries it needs is
 * not (LibvirtUnavailable). */
const Hypervisor *hypervisor_load(const char *uri, GError **error);

/* What is before the absolute path of a tree; no libvirt has such a URI. */
#define HYPERVISOR_FILES_PREFIX "nestvirt-files:"
/* Where libvirt keeps the definitions for QEMU (src/qemu/qemu_conf.c, virQEMUDriverConfigNew(),
 * libvirt 1.0 to 11.9), beneath the root. */
#define HYPERVISOR_DEFINITIONS "etc/libvirt/qemu"
/* The URI of the definitions beneath @root; "": there are none. */
char *hypervisor_uri_of_files(const Root *root);

/* The sockets of qemu:///system beneath the root, the daemon of all drivers' and that of QEMU's
 * alone. NULL-terminated. */
extern const char *const hypervisor_sockets[];
#define HYPERVISOR_URI "qemu:///system"
#define HYPERVISOR_FOLDER "run/libvirt"

/* libvirt's form of a UUID: 36 characters, in lower case. */
bool hypervisor_is_uuid(const char *text);
