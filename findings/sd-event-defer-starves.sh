#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# libsystemd 252 (Debian 12): a defer source that is switched on for good (SD_EVENT_ON) keeps all
# other sources of the same priority from ever being dispatched, although
# sd_event_source_set_priority(3) guarantees that of several with the same priority, on which events
# are seen at the same time, none is dispatched again before each of the others was. Such a source
# stays pending with the number of the iteration in which it became so, and the lowest number is
# dispatched first. Two sources of descriptors that stay readable do take turns.
#
# Seen, for the program below, in 1000 iterations:
#   io and io        500 500
#   defer and io     1000 0
#
# Ends with 0 when that is still so. Needs gcc, libc6-dev, apt-get and dpkg-deb; nothing is
# installed.
set -euo pipefail

version=252.39-1~deb12u2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >turns.c <<'END'
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <systemd/sd-event.h>

static int on_io(sd_event_source *source, int fd, uint32_t events, void *count) {
        (*(unsigned *) count)++;
        return 0;
}

static int on_defer(sd_event_source *source, void *count) {
        (*(unsigned *) count)++;
        return 0;
}

int main(int argc, char **argv) {
        sd_event_source *one = NULL;
        sd_event *event = NULL;
        unsigned first = 0, second = 0;
        int r = sd_event_new(&event);

        if (r >= 0 && strcmp(argv[1], "defer") == 0)
                r = sd_event_add_defer(event, &one, on_defer, &first);
        else if (r >= 0)
                r = sd_event_add_io(event, &one, eventfd(1, 0), EPOLLIN, on_io, &first);
        if (r >= 0)
                r = sd_event_source_set_enabled(one, SD_EVENT_ON);
        if (r >= 0)
                r = sd_event_add_io(event, NULL, eventfd(1, 0), EPOLLIN, on_io, &second);
        for (int i = 0; r >= 0 && i < 1000; i++)
                r = sd_event_run(event, 0);
        printf("%u %u\n", first, second);
        return r < 0;
}
END
apt-get download -q "libsystemd0=$version" "libsystemd-dev=$version" >/dev/null 2>&1
for package in *.deb; do
        dpkg-deb -x "$package" unpacked
done
libraries=$(echo unpacked/usr/lib/*-linux-gnu)
cp -P unpacked/lib/*-linux-gnu/libsystemd.so* "$libraries/" 2>/dev/null || true
gcc -Iunpacked/usr/include -o turns turns.c -L"$libraries" -lsystemd -Wl,--allow-shlib-undefined

both=$(LD_LIBRARY_PATH=$libraries ./turns io)
defer=$(LD_LIBRARY_PATH=$libraries ./turns defer)
printf 'io and io        %s\ndefer and io     %s\n' "$both" "$defer"
[ "$both" = "500 500" ] && [ "$defer" = "1000 0" ]
