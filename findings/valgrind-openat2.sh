#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind 3.19.0 (Debian 12) answers openat2(2) with ENOSYS on a kernel that has it, and says so
# in a warning of its own on standard error ("unhandled amd64-linux syscall: 437"). The program that
# it runs is told that its kernel is older than 5.6. One that confines its paths with
# RESOLVE_IN_ROOT, and rightly has no other way to open them, can't be counted or checked under it;
# one with a fallback takes another path there than anywhere else.
#
# Seen, for the program below:
#   by itself        openat2: opened
#   under valgrind   openat2: ENOSYS
#
# Ends with 0 when that is still so. Needs gcc, apt-get and dpkg-deb; nothing is installed.
set -euo pipefail

version=1:3.19.0-1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >open.c <<'END'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
        struct open_how how = {.flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
        long fd = syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof(how));

        printf("openat2: %s\n", fd >= 0 ? "opened" : errno == ENOSYS ? "ENOSYS" : "another error");
        return 0;
}
END
gcc -o open open.c
apt-get download -q "valgrind=$version" >/dev/null 2>&1
dpkg-deb -x valgrind_*.deb unpacked

alone=$(./open)
under=$(VALGRIND_LIB=$folder/unpacked/usr/libexec/valgrind unpacked/usr/bin/valgrind --tool=none ./open 2>warning)
printf 'by itself        %s\nunder valgrind   %s\n' "$alone" "$under"
grep -o 'unhandled amd64-linux syscall: 437' warning
[ "$alone" = "openat2: opened" ] && [ "$under" = "openat2: ENOSYS" ]
