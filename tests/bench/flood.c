/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One user who asks for the same thing without end: so many connections to the bus, each with so
 * many calls under way, and the next one as soon as one is answered, whatever the answer is. Prints
 * a line when all have asked, and goes on until it is killed.
 *
 *     flood UID CONNECTIONS CALLS KIND */

#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "bench.h"

#define MANAGER_PATH "/org/nestvirt1"
#define MANAGER "org.nestvirt1.Manager"
#define MODULE_PATH "/org/nestvirt1/module/kvm_amd"
#define MODULE "org.nestvirt1.Module"
#define DRY_RUN UINT64_C(1)

static int append_flags(sd_bus_message *call) {
        return sd_bus_message_append(call, "t", UINT64_C(0));
}

static int append_dry_run(sd_bus_message *call) {
        return sd_bus_message_append(call, "a{ss}t", 1, "nested", "0", DRY_RUN);
}

/* It would need a password, and nobody is asked for one. */
static int append_change(sd_bus_message *call) {
        return sd_bus_message_append(call, "a{ss}t", 1, "nested", "0", UINT64_C(0));
}

static int append_nonsense(sd_bus_message *call) {
        return sd_bus_message_append(call, "a{ss}t", 1, "nested", "banana", UINT64_C(0));
}

static int append_all(sd_bus_message *call) {
        return sd_bus_message_append(call, "ast", 0, UINT64_C(0));
}

static int append_name(sd_bus_message *call) {
        return sd_bus_message_append(call, "s", "guest7");
}

static const struct Kind {
        const char *name, *path, *interface, *member;
        int (*append)(sd_bus_message *call);
} kinds[] = {
                {"dry-run", MODULE_PATH, MODULE, "SetParameters", append_dry_run},
                {"not-allowed", MODULE_PATH, MODULE, "SetParameters", append_change},
                {"refused", MODULE_PATH, MODULE, "SetParameters", append_nonsense},
                {"refresh", MANAGER_PATH, MANAGER, "Refresh", append_flags},
                {"check", MANAGER_PATH, MANAGER, "Check", append_flags},
                {"users", MODULE_PATH, MODULE, "ListUsers", append_flags},
                {"statistics", MANAGER_PATH, MANAGER, "GetStatistics", append_all},
                {"guests", MANAGER_PATH, MANAGER, "ListGuests", append_flags},
                {"guest", MANAGER_PATH, MANAGER, "GetGuest", append_name},
};

static const struct Kind *kind;

static void ask(sd_bus *bus);

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
        ask(userdata);
        return 1;
}

static void ask(sd_bus *bus) {
        sd_bus_message *call = NULL;

        check(sd_bus_message_new_method_call(bus, &call, "org.nestvirt1", kind->path, kind->interface, kind->member),
              kind->name);
        check(kind->append(call), kind->name);
        check(sd_bus_call_async(bus, NULL, call, on_answer, bus, UINT64_MAX), kind->name);
        (void) sd_bus_message_unref(call);
}

int main(int argc, char **argv) {
        sd_event *event = NULL;

        if (argc != 5)
                die("flood", "UID CONNECTIONS CALLS KIND are expected");
        const uid_t uid = (uid_t) strtoul(argv[1], NULL, 10);
        const unsigned long connections = strtoul(argv[2], NULL, 10), calls = strtoul(argv[3], NULL, 10);
        for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
                if (strcmp(kinds[i].name, argv[4]) == 0)
                        kind = &kinds[i];
        if (!kind)
                die(argv[4], "no such kind");
        if (setresuid(uid, uid, uid) < 0)
                die(argv[1], strerror(errno));
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);

        check(sd_event_new(&event), "sd_event_new");
        for (unsigned long i = 0; i < connections; i++) {
                sd_bus *bus = NULL;

                check(sd_bus_open_system(&bus), "system bus");
                check(sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL), "sd_bus_attach_event");
                for (unsigned long j = 0; j < calls; j++)
                        ask(bus);
        }
        (void) puts("ready");
        (void) fflush(stdout);
        check(sd_event_loop(event), "sd_event_loop");
        return EXIT_SUCCESS;
}
