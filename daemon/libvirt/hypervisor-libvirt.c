/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libvirt behind the seam: a connection that is kept alive, its guests, and its events, which a
 * thread of this module's own waits for. What a guest's facts are is libvirt-facts.c's. */

#include <libvirt/virterror.h>
#include <pthread.h>

#include "error.h"
#include "hypervisor.h"
#include "libvirt-busy.h"
#include "libvirt-comparisons.h"
#include "libvirt-edit.h"
#include "libvirt-error.h"
#include "libvirt-facts.h"
#include "libvirt-list.h"
#include "libvirt-peer.h"
#include "libvirt-statistics.h"

/* A daemon that does not answer for so long is taken for dead. Each question wakes this process and
 * that one, so they are few. */
#define KEEPALIVE_SECONDS 30
#define KEEPALIVE_COUNT 3

/* What happens to a guest without a change of its definition or its state is no event of
 * libvirt's. */
static const int events[] = {VIR_DOMAIN_EVENT_ID_LIFECYCLE};

/* libvirt's callbacks know a connection by its number and hold nothing of it: what is registered
 * with a callback comes back from another thread at some later time, or, from a driver whose
 * connections can't be lost, never (virConnectRegisterCloseCallback() in libvirt's
 * src/libvirt-host.c). */
typedef struct Connection {
        unsigned number;
        char *uri;
        virConnectPtr connection; /* NULL: a second one, not open yet */
        HypervisorEvent event;    /* NULL: a second one */
        gpointer userdata;
        int ids[G_N_ELEMENTS(events)];
        LibvirtComparisons *comparisons; /* NULL: a second one */
        LibvirtOwn *own;                 /* likewise */
} Connection;

static struct {
        pthread_mutex_t mutex; /* held while an event is told */
        GList *all;            /* Connection*: those that are open */
        unsigned last;         /* number */
} connections = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void connection_enter(Connection *c) {
        (void) pthread_mutex_lock(&connections.mutex);
        c->number = ++connections.last;
        connections.all = g_list_prepend(connections.all, c);
        (void) pthread_mutex_unlock(&connections.mutex);
}

/* No event is told after this. */
static void connection_leave(Connection *c) {
        (void) pthread_mutex_lock(&connections.mutex);
        connections.all = g_list_remove(connections.all, c);
        (void) pthread_mutex_unlock(&connections.mutex);
}

static void connection_tell(unsigned number, const char *uuid) {
        (void) pthread_mutex_lock(&connections.mutex);
        for (GList *i = connections.all; i; i = i->next) {
                const Connection *c = i->data;
                if (c->number == number)
                        c->event(uuid, c->userdata);
        }
        (void) pthread_mutex_unlock(&connections.mutex);
}

/* Somebody else has done it, too, or no more than that. */
static bool is_news(unsigned number, const char *uuid, int event) {
        bool news = true;

        if (event != VIR_DOMAIN_EVENT_DEFINED)
                return true;
        (void) pthread_mutex_lock(&connections.mutex);
        for (GList *i = connections.all; i; i = i->next) {
                const Connection *c = i->data;
                if (c->number == number)
                        news = !libvirt_own_take(c->own, uuid);
        }
        (void) pthread_mutex_unlock(&connections.mutex);
        return news;
}

static void on_closed(virConnectPtr connection, int reason, void *userdata) {
        connection_tell(GPOINTER_TO_UINT(userdata), NULL);
}

static int on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail, void *userdata) {
        char uuid[VIR_UUID_STRING_BUFLEN];

        if (virDomainGetUUIDString(domain, uuid) >= 0 && is_news(GPOINTER_TO_UINT(userdata), uuid, event))
                connection_tell(GPOINTER_TO_UINT(userdata), uuid);
        return 0;
}

static void on_error(void *userdata, virErrorPtr error) {
        /* Whoever called is told; it is no news for standard error. */
}

static gpointer run_events(gpointer data) {
        while (virEventRunDefaultImpl() >= 0)
                continue;
        return NULL;
}

static gpointer initialize(gpointer data) {
        g_autoptr(GThread) thread = NULL;

        virSetErrorFunc(NULL, on_error);
        if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
                return NULL;
        thread = g_thread_try_new("libvirt-events", run_events, NULL, NULL);
        return thread ? GINT_TO_POINTER(true) : NULL;
}

static void unfollow(Connection *c) {
        connection_leave(c);
        for (unsigned i = 0; i < G_N_ELEMENTS(events); i++)
                if (c->ids[i] >= 0)
                        (void) virConnectDomainEventDeregisterAny(c->connection, c->ids[i]);
        (void) virConnectUnregisterCloseCallback(c->connection, on_closed);
}

static void connection_close(gpointer data) {
        Connection *c = data;

        if (c->event)
                unfollow(c);
        if (c->connection)
                (void) virConnectClose(c->connection);
        libvirt_comparisons_free(c->comparisons);
        libvirt_own_free(c->own);
        g_free(c->uri);
        g_free(c);
}

/* A driver without a close callback can't be lost. */
static bool follow(Connection *c) {
        (void) virConnectRegisterCloseCallback(c->connection, on_closed, GUINT_TO_POINTER(c->number), NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(events); i++) {
                c->ids[i] = virConnectDomainEventRegisterAny(c->connection, NULL, events[i],
                                                             VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle),
                                                             GUINT_TO_POINTER(c->number), NULL);
                if (c->ids[i] < 0)
                        return false;
        }
        return true;
}

/* A driver without keepalive is in this process. */
static virConnectPtr dial(const char *uri, GError **error) {
        virConnectPtr connection = virConnectOpenAuth(uri, NULL, 0);

        if (connection) {
                (void) virConnectSetKeepAlive(connection, KEEPALIVE_SECONDS, KEEPALIVE_COUNT);
                libvirt_busy_begin(connection);
        } else
                libvirt_error(error, CONDITION_LIBVIRT_UNAVAILABLE, "libvirt can't be reached");
        return connection;
}

static gpointer connection_open(const char *uri, HypervisorEvent event, gpointer userdata, GError **error) {
        static GOnce once = G_ONCE_INIT;
        Connection *c;

        if (!g_once(&once, initialize, NULL)) {
                libvirt_error(error, CONDITION_LIBVIRT_UNAVAILABLE, "libvirt can't be used");
                return NULL;
        }
        virConnectPtr connection = dial(uri, error);
        if (!connection)
                return NULL;
        c = g_new0(Connection, 1);
        *c = (Connection) {.uri = g_strdup(uri), .connection = connection, .event = event, .userdata = userdata};
        c->comparisons = libvirt_comparisons_new();
        c->own = libvirt_own_new();
        connection_enter(c);
        for (unsigned i = 0; i < G_N_ELEMENTS(events); i++)
                c->ids[i] = -1;
        if (follow(c))
                return c;
        libvirt_error(error, CONDITION_LIBVIRT_UNAVAILABLE, "libvirt does not tell of what happens");
        connection_close(c);
        return NULL;
}

static gpointer connection_second(gpointer data) {
        Connection *second = g_new0(Connection, 1);

        *second = (Connection) {.uri = g_strdup(((const Connection *) data)->uri)};
        return second;
}

static bool is_open(Connection *c, GError **error) {
        if (!c->connection)
                c->connection = dial(c->uri, error);
        return c->connection;
}

static GPtrArray *connection_list(gpointer data, const char *vendor, GError **error) {
        const Connection *c = data;
        GPtrArray *guests = libvirt_list_read(c->connection, vendor, error);

        if (guests)
                libvirt_comparisons_answer_all(c->comparisons, c->connection, guests);
        return guests;
}

static GPtrArray *connection_survey(gpointer data, GError **error) {
        return libvirt_list_survey(((const Connection *) data)->connection, error);
}

static GHashTable *connection_compare(gpointer data) {
        const Connection *c = data;

        return libvirt_comparisons_again(c->comparisons, c->connection);
}

/* What libvirt compares of it is asked as well. @facts may be NULL. */
static GuestFacts *with_answer(const Connection *c, GuestFacts *facts) {
        if (facts)
                libvirt_comparisons_answer(c->comparisons, c->connection, facts);
        return facts;
}

/* NULL with NoSuchGuest, or LibvirtUnavailable. */
static virDomainPtr look_up(const Connection *c, const char *name, GError **error) {
        virDomainPtr domain = hypervisor_is_uuid(name) ? virDomainLookupByUUIDString(c->connection, name) : NULL;

        domain = domain ?: virDomainLookupByName(c->connection, name);
        if (!domain) {
                const virError *last = virGetLastError();
                if (last && last->code == VIR_ERR_NO_DOMAIN)
                        g_set_error(error, CONDITION, CONDITION_NO_SUCH_GUEST, "No guest is called \"%s\"", name);
                else
                        libvirt_error(error, CONDITION_LIBVIRT_UNAVAILABLE, "libvirt can't look for a guest");
        }
        return domain;
}

static GuestFacts *connection_find(gpointer data, const char *name, const char *vendor, GError **error) {
        virDomainPtr domain = look_up(data, name, error);
        GuestFacts *facts;

        if (!domain)
                return NULL;
        facts = libvirt_facts_read(domain, vendor, error);
        (void) virDomainFree(domain);
        return with_answer(data, facts);
}

/* libvirt's test driver is in this process, and has no QEMU to ask; each connection would hold all
 * of its guests once more. */
static GPtrArray *connection_statistics(gpointer data, const GPtrArray *uuids) {
        Connection *c = data;

        return !g_str_has_prefix(c->uri, "test:") && is_open(c, NULL)
                               ? libvirt_statistics_runs(c->connection, uuids)
                               : g_ptr_array_new_with_free_func((GDestroyNotify) guest_facts_free);
}

static GHashTable *connection_count(gpointer data, const char *uuid, GError **error) {
        virDomainPtr domain = is_open(data, error) ? look_up(data, uuid, error) : NULL;
        GHashTable *counters = domain ? libvirt_statistics_count(domain, error) : NULL;

        if (domain)
                (void) virDomainFree(domain);
        return counters;
}

/* Of a change that failed at some point nothing is known: all that may have come of it, and of what
 * others did meanwhile, is read. */
static void tell_failed(const Connection *c, const char *uuid) {
        connection_tell(c->number, uuid);
}

static bool connection_edit(gpointer data, GuestOrder *order, GError **error) {
        const Connection *c = data;
        virDomainPtr domain = look_up(c, order->uuid, error);
        const bool done = domain && libvirt_edit(domain, c->own, order, error);

        if (domain)
                (void) virDomainFree(domain);
        if (order->plan)
                (void) with_answer(c, order->plan->facts);
        (void) with_answer(c, order->facts);
        if (!done && order->plan)
                tell_failed(c, order->uuid);
        return done;
}

static GuestFacts *connection_define(gpointer data, const GuestPlan *plan, const char *vendor, GError **error) {
        const Connection *c = data;
        virDomainPtr domain = look_up(c, plan->facts->uuid, error);
        GuestFacts *facts = domain ? libvirt_edit_define(domain, c->own, plan, vendor, error) : NULL;

        if (domain)
                (void) virDomainFree(domain);
        if (domain && !facts)
                tell_failed(c, plan->facts->uuid);
        return with_answer(c, facts);
}

/* There is no QEMU for this machine (src/qemu/qemu_capabilities.c,
 * virQEMUCapsCacheLookupDefault()): then nothing is kept of it. */
static bool has_no_emulator(void) {
        const virError *last = virGetLastError();

        return last && (last->code == VIR_ERR_CONFIG_UNSUPPORTED || last->code == VIR_ERR_INVALID_ARG);
}

static Capabilities *connection_capabilities(gpointer data, GError **error) {
        const Connection *c = data;
        const char *driver = virConnectGetType(c->connection);
        Capabilities *capabilities;
        char *xml;

        if (driver && !g_str_equal(driver, "QEMU")) {
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED, "%s is not libvirt's driver for QEMU", driver);
                return NULL;
        }
        xml = driver ? virConnectGetDomainCapabilities(c->connection, NULL, NULL, NULL, NULL, 0) : NULL;
        if (!xml) {
                libvirt_error(error, has_no_emulator() ? CONDITION_UNSUPPORTED : CONDITION_LIBVIRT_UNAVAILABLE,
                              "libvirt does not tell what it gives to guests");
                return NULL;
        }
        capabilities = capabilities_parse(xml, error);
        free(xml);
        return capabilities;
}

static unsigned connection_peer(gpointer data) {
        return libvirt_peer();
}

/* The symbol that the daemon looks for. */
extern const Hypervisor hypervisor_libvirt;
const Hypervisor hypervisor_libvirt = {
                .open = connection_open,
                .second = connection_second,
                .list = connection_list,
                .survey = connection_survey,
                .find = connection_find,
                .statistics = connection_statistics,
                .count = connection_count,
                .edit = connection_edit,
                .define = connection_define,
                .capabilities = connection_capabilities,
                .compare = connection_compare,
                .peer = connection_peer,
                .close = connection_close,
};
