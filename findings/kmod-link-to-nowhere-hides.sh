#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# libkmod 30 (Debian 12): in a folder of modprobe.d, a symbolic link that leads nowhere hides the
# file of the same name in a folder that comes later. modprobe.d(5) has files of one name override
# each other in that order, and such a link is no file: it is passed over when it is to be read, and
# neither it nor what it hides is mentioned. A link that is left behind by a package that has gone
# so takes away the options that another package ships. (libkmod/libkmod-config.c,
# conf_files_filter_out() does not look whether fstatat() has worked.)
#
# Seen, the options of the module "first":
#   the file in the later folder alone       first: number=1
#   and such a link in the earlier folder    nothing
#
# Ends with 0 when that is still so. Needs gcc, apt-get and dpkg-deb; nothing is installed, and
# nothing loaded.
set -euo pipefail

version=30+20221128-1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

apt-get download -q "libkmod2=$version" "libkmod-dev=$version" >/dev/null 2>&1
for package in ./*.deb; do
        dpkg-deb -x "$package" unpacked
done
library=$PWD/unpacked/usr/lib/x86_64-linux-gnu/libkmod.so.2

cat >options.c <<'END'
#include <libkmod.h>
#include <stdio.h>
#include <string.h>

/* The library adds what the kernel command line of the machine says. */
int main(void) {
        const char *const folders[] = {"earlier", "later", NULL};
        struct kmod_ctx *context = kmod_new(NULL, folders);
        struct kmod_config_iter *i = context ? kmod_config_get_options(context) : NULL;

        if (!i)
                return 1;
        while (kmod_config_iter_next(i))
                if (strcmp(kmod_config_iter_get_key(i), "first") == 0)
                        printf("%s: %s\n", kmod_config_iter_get_key(i), kmod_config_iter_get_value(i));
        kmod_config_iter_free_iter(i);
        kmod_unref(context);
        return 0;
}
END
gcc -Iunpacked/usr/include -o options options.c "$library"
export LD_LIBRARY_PATH=${library%/*}

expect() {
        local seen
        seen=$(./options)
        printf '%s: %s\n' "$1" "${seen:-nothing}"
        [ "$seen" = "$2" ]
}

mkdir earlier later
echo 'options first number=1' >later/first.conf
expect "the file alone" "first: number=1"
ln -s /nowhere/first.conf earlier/first.conf
expect "and a link to nowhere in the earlier folder" ""
