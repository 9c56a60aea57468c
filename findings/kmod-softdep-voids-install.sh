#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# kmod 30 (Debian 12): a softdep line for a module makes the install line for the same module void,
# when what the softdep names exists. modprobe.d(5) says of install that the command is run instead
# of inserting the module, and of softdep nothing about install. (libkmod/libkmod-module.c,
# __kmod_module_get_probe_list(): a module that has dependencies of either kind is put into the list
# with its commands ignored.) Whoever shows people what modprobe will do can't go by the install
# line alone: the one line may come from an administrator and the other from a package.
#
# Seen, with "install first /bin/echo loading first" in the first file, what modprobe would do:
#   alone                          install /bin/echo loading first
#   and "softdep first pre: second"   insmod …/second.ko, insmod …/first.ko
#   and a softdep of what is not there    install /bin/echo loading first
#
# Ends with 0 when that is still so. Needs gcc, apt-get and dpkg-deb; nothing is installed, and
# nothing loaded.
set -euo pipefail

version=30+20221128-1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

apt-get download -q "kmod=$version" "libkmod2=$version" >/dev/null 2>&1
for package in ./*.deb; do
        dpkg-deb -x "$package" unpacked
done
export LD_LIBRARY_PATH=$PWD/unpacked/usr/lib/x86_64-linux-gnu

# Two modules that nobody loads.
modules=root/lib/modules/1.0
mkdir -p $modules configuration
echo 'char license[] __attribute__((section(".modinfo"))) = "license=GPL";' >module.c
gcc -c module.c -o $modules/first.ko
cp $modules/first.ko $modules/second.ko
unpacked/sbin/depmod -b "$PWD/root" 1.0 2>/dev/null

plan() {
        unpacked/sbin/modprobe -d "$PWD/root" -S 1.0 -C "$PWD/configuration" -n -v first | sed "s|$PWD/root||; s| *$||"
}

expect() {
        if [ "$(plan)" != "$2" ]; then
                printf '%s: otherwise than seen:\n%s\n' "$1" "$(plan)" >&2
                exit 1
        fi
        printf '%s:\n%s\n' "$1" "$2"
}

echo 'install first /bin/echo loading first' >configuration/install.conf
expect "alone" "install /bin/echo loading first"
echo 'softdep first pre: second' >configuration/softdep.conf
expect "with a softdep" "insmod /lib/modules/1.0/second.ko
insmod /lib/modules/1.0/first.ko"
echo 'softdep first pre: third' >configuration/softdep.conf
expect "with a softdep of what is not there" "install /bin/echo loading first"
