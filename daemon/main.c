/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The command line, and the real loader. Everything else is the daemon's. */

#include <getopt.h>
#include <stdio.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "conf.h"
#include "daemon.h"
#include "trees.h"

static void usage(FILE *stream) {
        (void) fprintf(stream, "Usage: nestvirtd [OPTION…]\n"
                               "Serves org.nestvirt1 on the system bus.\n"
                               "\n"
                               "  --root=DIR         look at the host in DIR instead of the machine\n"
                               "  --device-dir=DIR   where the machine's device nodes are (/dev)\n"
                               "  --helper-dir=DIR   where nestvirt-device is\n"
                               "  --units            what opens /dev/kvm runs as a unit of systemd's\n"
                               "  --libvirt=URI      the libvirt whose guests are shown; empty: none\n"
                               "  --socket=FD        no bus: trees of files, as they are named on that socket\n"
                               "  --always-ask       polkit decides for root, too\n"
                               "  --version, --help\n");
}

typedef struct Arguments {
        const char *root;
        const char *devices;
        int control; /* -1: the system bus is served */
        DaemonSettings settings;
} Arguments;

enum { ARG_ROOT = 256, ARG_DEVICES, ARG_HELPERS, ARG_UNITS, ARG_LIBVIRT, ARG_ASK, ARG_SOCKET, ARG_VERSION, ARG_HELP };

static bool parse_descriptor(const char *word, int *ret) {
        guint64 number;

        if (g_ascii_string_to_unsigned(word, 10, STDERR_FILENO + 1, G_MAXINT, &number, NULL)) {
                *ret = (int) number;
                return true;
        }
        (void) fprintf(stderr, "nestvirtd: --socket takes the number of a descriptor, not \"%s\"\n", word);
        return false;
}

static const struct option options[] = {
                {"root", required_argument, NULL, ARG_ROOT},
                {"device-dir", required_argument, NULL, ARG_DEVICES},
                {"helper-dir", required_argument, NULL, ARG_HELPERS},
                {"units", no_argument, NULL, ARG_UNITS},
                {"libvirt", required_argument, NULL, ARG_LIBVIRT},
                {"always-ask", no_argument, NULL, ARG_ASK},
                {"socket", required_argument, NULL, ARG_SOCKET},
                {"version", no_argument, NULL, ARG_VERSION},
                {"help", no_argument, NULL, ARG_HELP},
                {},
};

/* Negative: go on; else the exit status. */
static int parse_arguments(int argc, char **argv, Arguments *ret) {
        int option;

        while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (option) {
                case ARG_ROOT:
                        ret->root = optarg;
                        break;
                case ARG_DEVICES:
                        ret->devices = optarg;
                        break;
                case ARG_HELPERS:
                        ret->settings.helper_dir = optarg;
                        break;
                case ARG_UNITS:
                        ret->settings.units = true;
                        break;
                case ARG_LIBVIRT:
                        ret->settings.libvirt = optarg;
                        break;
                case ARG_ASK:
                        ret->settings.always_ask = true;
                        break;
                case ARG_SOCKET:
                        if (!parse_descriptor(optarg, &ret->control))
                                return 2;
                        break;
                case ARG_VERSION:
                        (void) printf("nestvirtd %s\n", VERSION);
                        return EXIT_SUCCESS;
                case ARG_HELP:
                case 'h':
                        usage(stdout);
                        return EXIT_SUCCESS;
                default:
                        usage(stderr);
                        return 2;
                }
        if (optind == argc)
                return -1;
        usage(stderr);
        return 2;
}

/* A daemon that is at rest nearly always should be small: no arena for each thread, and no page of
 * 2 MiB for the stack of a worker. */
static void stay_small(void) {
        (void) mallopt(M_ARENA_MAX, 1);
        (void) mallopt(M_MMAP_THRESHOLD, 64 * 1024);
        (void) prctl(PR_SET_THP_DISABLE, 1UL, 0UL, 0UL, 0UL);
}

int main(int argc, char **argv) {
        Arguments arguments = {.root = "/",
                               .control = -1,
                               .settings = {.helper_dir = LIBEXECDIR,
                                            .patience_usec = DAEMON_PATIENCE_USEC,
                                            .guest_patience_usec = DAEMON_GUEST_PATIENCE_USEC,
                                            .log_refill_usec = DAEMON_LOG_REFILL_USEC}};
        g_autoptr(GError) error = NULL;

        int status = parse_arguments(argc, argv, &arguments);
        if (status >= 0)
                return status;
        stay_small();
        conf_follow(loader_kmod_is_before_33() ? CONF_BEFORE_33 : CONF_SINCE_33);
        if (arguments.control >= 0)
                return trees_serve(arguments.control, &arguments.settings);

        g_autoptr(Root) root = root_new(arguments.root, arguments.devices, &error);
        Loader *loader = root ? loader_kmod_new(root, &error) : NULL;
        if (!loader) {
                (void) fprintf(stderr, "nestvirtd: %s\n", error->message);
                return EXIT_FAILURE;
        }
        status = daemon_run(&arguments.settings, root, loader);
        loader->free(loader);
        return status;
}
