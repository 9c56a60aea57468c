/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Many clients that ask for all properties of the manager over and over while a parameter is
 * changed. Prints one line: the answers, the calls that failed, the slowest answer, the longest
 * time in which nobody got one, and how long the change took (nanoseconds; a change that takes 0
 * was not asked for).
 *
 *     stall CLIENTS USER,USER,… MODULE PARAMETER VALUE
 *     stall CLIENTS USER,USER,… SECONDS
 *
 * The clients are spread over several users, as the bus allows each only so many connections. */

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "bench.h"

#define USERS_MAX 16
#define LEAD_USEC (500U * 1000U) /* before the change and after it */

typedef struct Shared {
        atomic_uint connected;
        atomic_bool go, stop;
        atomic_ulong answers, failed, slowest, longest, last;
} Shared;

typedef struct Client {
        Shared *shared;
        sd_event *event;
        sd_bus *bus;
        uint64_t sent;
        unsigned *left; /* clients of this process that still ask */
} Client;

static void raise_to(atomic_ulong *maximum, unsigned long value) {
        unsigned long seen = atomic_load(maximum);

        while (value > seen && !atomic_compare_exchange_weak(maximum, &seen, value))
                ;
}

static void ask(Client *client);

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
        Client *client = userdata;
        Shared *shared = client->shared;
        const uint64_t now = now_ns(), last = atomic_exchange(&shared->last, now);

        atomic_fetch_add(sd_bus_message_is_method_error(reply, NULL) ? &shared->failed : &shared->answers, 1);
        raise_to(&shared->slowest, now - client->sent);
        if (now > last)
                raise_to(&shared->longest, now - last);
        if (!atomic_load(&shared->stop))
                ask(client);
        else if (--*client->left == 0)
                (void) sd_event_exit(client->event, 0);
        return 1;
}

static void ask(Client *client) {
        client->sent = now_ns();
        check(sd_bus_call_method_async(client->bus, NULL, "org.nestvirt1", "/org/nestvirt1",
                                       "org.freedesktop.DBus.Properties", "GetAll", on_answer, client, "s",
                                       "org.nestvirt1.Manager"),
              "GetAll");
}

static void become(const char *name) {
        const struct passwd *user = getpwnam(name);

        if (!user)
                die(name, "no such user");
        if (setgroups(0, NULL) < 0 || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
            setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0)
                die(name, strerror(errno));
}

/* One process: its clients connect, wait for the others, and ask until they are told to stop. */
static _Noreturn void serve(Shared *shared, const char *user, unsigned n) {
        Client *clients = calloc(n, sizeof *clients);
        unsigned left = n;
        sd_event *event;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        become(user);
        check(sd_event_new(&event), "sd_event_new");
        for (unsigned i = 0; i < n; i++) {
                const char *name;

                clients[i] = (Client) {.shared = shared, .event = event, .left = &left};
                check(sd_bus_open_system(&clients[i].bus), "system bus");
                check(sd_bus_get_unique_name(clients[i].bus, &name), "Hello"); /* the bus has let it in */
                check(sd_bus_attach_event(clients[i].bus, event, SD_EVENT_PRIORITY_NORMAL), "sd_bus_attach_event");
                atomic_fetch_add(&shared->connected, 1);
        }
        while (!atomic_load(&shared->go))
                (void) usleep(1000);
        for (unsigned i = 0; i < n; i++)
                ask(&clients[i]);
        check(sd_event_loop(event), "sd_event_loop");
        exit(EXIT_SUCCESS);
}

static unsigned start(Shared *shared, unsigned n, char *users, pid_t *pids) {
        char *names[USERS_MAX], *rest = users, *name;
        unsigned count = 0;

        while (count < USERS_MAX && (name = strsep(&rest, ",")))
                names[count++] = name;
        for (unsigned i = 0; i < count; i++) {
                pids[i] = fork();
                if (pids[i] < 0)
                        die("fork", strerror(errno));
                if (pids[i] == 0)
                        serve(shared, names[i], n / count + (i < n % count));
        }
        return count;
}

int main(int argc, char **argv) {
        Shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        uint64_t took = 0;
        pid_t pids[USERS_MAX];
        sd_bus *bus = NULL;

        if (argc != 4 && argc != 6)
                die("stall", "CLIENTS USERS, and SECONDS or MODULE PARAMETER VALUE are expected");
        if (shared == MAP_FAILED)
                die("mmap", strerror(errno));
        const unsigned clients = (unsigned) strtoul(argv[1], NULL, 10);
        const unsigned n = start(shared, clients, argv[2], pids);

        check(sd_bus_open_system(&bus), "system bus");
        while (atomic_load(&shared->connected) < clients) {
                if (waitpid(-1, NULL, WNOHANG) > 0)
                        die("stall", "clients could not connect");
                (void) usleep(10000);
        }
        atomic_store(&shared->last, now_ns());
        atomic_store(&shared->go, true);
        (void) usleep(LEAD_USEC);
        /* What the clients' own beginning cost is not counted. */
        atomic_store(&shared->slowest, 0);
        atomic_store(&shared->longest, 0);
        if (argc == 6)
                took = change_ns(bus, argv[3], argv[4], argv[5]);
        else
                (void) sleep((unsigned) strtoul(argv[3], NULL, 10));
        (void) usleep(LEAD_USEC);
        atomic_store(&shared->stop, true);
        for (unsigned i = 0; i < n; i++) {
                int status;

                if (waitpid(pids[i], &status, 0) < 0 || status != 0)
                        die("stall", "a client's process failed");
        }
        (void) printf("%lu %lu %lu %lu %lu\n", atomic_load(&shared->answers), atomic_load(&shared->failed),
                      atomic_load(&shared->slowest), atomic_load(&shared->longest), (unsigned long) took);
        return EXIT_SUCCESS;
}
