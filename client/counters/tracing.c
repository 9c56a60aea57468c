/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opens the events, and waits for them. It must not know what their records say. */

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client.h"
#include "error.h"
#include "ring.h"
#include "tracing.h"

/* A power of two. A record takes 80 bytes. */
#define RING_SIZE ((size_t) 512 * 1024)
/* Other events tell more, and there may be many fields. */
#define FORMAT_MAX ((size_t) 64 * 1024)

static const char *const folders[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};

typedef struct Cpu {
        int exits, nested;
        Ring *ring;
} Cpu;

struct Tracing {
        Tracepoints points;
        GArray *cpus; /* Cpu */
        int signals;
};

static Condition condition_of_errno(int errnum) {
        if (geteuid() != 0)
                return CONDITION_ACCESS_DENIED;
        return errnum == EACCES || errnum == EPERM ? CONDITION_NOT_PERMITTED : CONDITION_UNSUPPORTED;
}

static void fail(int errnum, const char *what, sd_bus_error *error) {
        const Condition condition = condition_of_errno(errnum);

        if (condition == CONDITION_ACCESS_DENIED)
                (void) sd_bus_error_set(error, condition_to_name(condition),
                                        "Only root may look at all exits of this host");
        else if (condition == CONDITION_NOT_PERMITTED)
                (void) sd_bus_error_setf(
                                error, condition_to_name(condition),
                                "The kernel does not let even root do that, as when it is locked down (%s: %s)", what,
                                g_strerror(errnum));
        else
                (void) sd_bus_error_setf(error, condition_to_name(condition),
                                         "There is no tracepoint kvm:kvm_exit: KVM is not loaded, or tracefs is not "
                                         "mounted (mount -t tracefs tracefs /sys/kernel/tracing); %s: %s",
                                         what, g_strerror(errnum));
}

/* A file of the tracepoint, in @ret; 0 or -errno. */
static int read_file(const char *tracepoint, const char *name, char **ret) {
        int r = -ENOENT;

        for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
                g_autofree char *path = g_strdup_printf("%s/events/kvm/%s/%s", folders[i], tracepoint, name);
                g_autofree char *text = g_malloc0(FORMAT_MAX);
                FILE *file = fopen(path, "re");
                if (!file) {
                        r = errno == ENOENT ? r : -errno;
                        continue;
                }
                const size_t n = fread(text, 1, FORMAT_MAX - 1, file);
                (void) fclose(file);
                if (n > 0) {
                        *ret = g_steal_pointer(&text);
                        return 0;
                }
        }
        return r;
}

static bool find_tracepoint(const char *name, Tracepoint *ret, sd_bus_error *error) {
        g_autofree char *id = NULL, *format = NULL;
        int r = read_file(name, "id", &id);

        if (r >= 0)
                r = read_file(name, "format", &format);
        if (r >= 0 && !tracepoint_parse(id, format, ret))
                r = -EBADMSG;
        if (r < 0)
                fail(-r, name, error);
        return r >= 0;
}

static int open_event(guint64 id, int cpu) {
        struct perf_event_attr attributes = {
                        .type = PERF_TYPE_TRACEPOINT,
                        .size = sizeof attributes,
                        .config = id,
                        .sample_period = 1,
                        .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_RAW,
                        .disabled = 1,
                        .watermark = 1,
                        .wakeup_watermark = RING_SIZE / 4,
        };
        const long fd = syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

        return fd >= 0 ? (int) fd : -errno;
}

static void cpu_close(Cpu *cpu) {
        if (cpu->ring) {
                (void) munmap(cpu->ring->page, RING_SIZE + (size_t) sysconf(_SC_PAGESIZE));
                ring_free(cpu->ring);
        }
        if (cpu->nested >= 0)
                (void) close(cpu->nested);
        if (cpu->exits >= 0)
                (void) close(cpu->exits);
}

static int map_ring(Cpu *cpu) {
        void *page = mmap(NULL, RING_SIZE + (size_t) sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
                          cpu->exits, 0);

        if (page == MAP_FAILED)
                return -errno;
        cpu->ring = ring_new(page);
        return 0;
}

/* Both events write into one ring. 0 or -errno; -ENODEV: this CPU is not there. */
static int cpu_open(const Tracing *tracing, int number, Cpu *ret) {
        *ret = (Cpu) {.exits = open_event(tracing->points.exits.id, number), .nested = -1};
        if (ret->exits < 0)
                return ret->exits;
        ret->nested = open_event(tracing->points.nested.id, number);
        int r = ret->nested < 0 ? ret->nested : map_ring(ret);
        if (r >= 0 &&
            (ioctl(ret->nested, PERF_EVENT_IOC_SET_OUTPUT, ret->exits) < 0 ||
             ioctl(ret->nested, PERF_EVENT_IOC_ENABLE, 0) < 0 || ioctl(ret->exits, PERF_EVENT_IOC_ENABLE, 0) < 0))
                r = -errno;
        if (r < 0)
                cpu_close(ret);
        return r;
}

static bool open_cpus(Tracing *tracing, sd_bus_error *error) {
        const long n = sysconf(_SC_NPROCESSORS_CONF);

        for (int i = 0; i < n; i++) {
                Cpu cpu;
                const int r = cpu_open(tracing, i, &cpu);
                if (r == -ENODEV)
                        continue;
                if (r < 0) {
                        fail(-r, "perf_event_open", error);
                        return false;
                }
                g_array_append_val(tracing->cpus, cpu);
        }
        return true;
}

static int open_signals(void) {
        sigset_t signals;

        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGINT);
        (void) sigaddset(&signals, SIGTERM);
        return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

Tracing *tracing_open(TracepointHit hit, void *userdata, sd_bus_error *error) {
        Tracing *tracing = g_new(Tracing, 1);

        *tracing = (Tracing) {.cpus = g_array_new(FALSE, FALSE, sizeof(Cpu)),
                              .signals = open_signals(),
                              .points = {.hit = hit, .userdata = userdata}};
        g_array_set_clear_func(tracing->cpus, (GDestroyNotify) cpu_close);
        if (tracing->signals < 0)
                fail(errno, "signalfd", error);
        else if (find_tracepoint("kvm_exit", &tracing->points.exits, error) &&
                 find_tracepoint("kvm_nested_vmexit", &tracing->points.nested, error) && open_cpus(tracing, error))
                return tracing;
        tracing_close(tracing);
        return NULL;
}

void tracing_close(Tracing *tracing) {
        if (!tracing)
                return;
        g_array_unref(tracing->cpus);
        if (tracing->signals >= 0)
                (void) close(tracing->signals);
        g_free(tracing);
}

static void drain(Tracing *tracing) {
        for (unsigned i = 0; i < tracing->cpus->len; i++)
                ring_drain(g_array_index(tracing->cpus, Cpu, i).ring, tracepoints_take, &tracing->points);
}

bool tracing_gather(Tracing *tracing, gint64 deadline) {
        const unsigned n = tracing->cpus->len;
        g_autofree struct pollfd *fds = g_new0(struct pollfd, n + 1);
        gint64 now;

        for (unsigned i = 0; i < n; i++)
                fds[i] = (struct pollfd) {.fd = g_array_index(tracing->cpus, Cpu, i).exits, .events = POLLIN};
        fds[n] = (struct pollfd) {.fd = tracing->signals, .events = POLLIN};
        while ((now = g_get_monotonic_time()) < deadline) {
                const gint64 left = deadline - now;
                const struct timespec time = {.tv_sec = left / G_USEC_PER_SEC, .tv_nsec = left % G_USEC_PER_SEC * 1000};
                (void) ppoll(fds, n + 1, &time, NULL);
                drain(tracing);
                if (fds[n].revents)
                        return false;
        }
        drain(tracing);
        return true;
}

guint64 tracing_take_lost(Tracing *tracing) {
        const guint64 lost = tracing->points.lost;

        tracing->points.lost = 0;
        return lost;
}
