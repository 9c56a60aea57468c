#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# libvirt 9.0.0 (Debian 12): each call that is to hold a definition against libvirt's schema
# (VIR_DOMAIN_DEFINE_VALIDATE, "virsh define --validate") reads domain.rng and all that it includes
# anew and compiles it, also in one process over one connection; nothing is kept for the next call.
# The documentation of the flag says only that the XML is validated. Whoever defines many guests
# pays several times the price of all else for it.
#
# Seen, with the test driver, for ten definitions one after the other:
#   define               0 times domain.rng opened
#   define --validate    10 times domain.rng opened
#
# Ends with 0 when that is still so. Needs root, the libraries that libvirt0 is linked with, strace,
# apt-get and dpkg-deb; nothing is installed.
set -euo pipefail

version=9.0.0-4+deb12u2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

apt-get download -q "libvirt0=$version" "libvirt-clients=$version" >/dev/null 2>&1
for package in *.deb; do
        dpkg-deb -x "$package" unpacked
done

cat >guest.xml <<'END'
<domain type='test'>
  <name>guest</name>
  <uuid>11111111-2222-3333-4444-555555555555</uuid>
  <memory>65536</memory>
  <os><type>hvm</type></os>
</domain>
END

# The schema of that version is where it was built to be.
opened() {
        for _ in 1 2 3 4 5 6 7 8 9 10; do
                echo "define $* guest.xml"
        done >words
        # shellcheck disable=SC2016
        LD_LIBRARY_PATH=$(echo "$folder"/unpacked/usr/lib/*-linux-gnu) unshare --mount sh -ec '
                mount -t overlay -o "lowerdir=$0/unpacked/usr/share:/usr/share" overlay /usr/share
                exec strace -f -qq -e trace=open,openat,openat2 -o log \
                        unpacked/usr/bin/virsh --quiet -c test:///default' "$folder" <words >said
        grep -c 'domain\.rng"' log || true
}

plain=$(opened)
validated=$(opened --validate)
printf 'define               %s times domain.rng opened\n' "$plain"
printf 'define --validate    %s times domain.rng opened\n' "$validated"
[ "$plain" = 0 ] && [ "$validated" = 10 ]
