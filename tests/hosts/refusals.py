# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the kernel has refused to nestvirtd and its helpers on a host: by AppArmor, or by the filter
of system calls.

Owns the way from the journal to lines of text. The profile is enforced and the filter is the unit's
own; the kernel tells of both (emulator.py has systemd ask for it).
"""

import re

# Of the kernel's audit: AVC, SECCOMP; and dbus-daemon's own, which asks AppArmor as well. From
# where the last look has ended.
TOLD = """journalctl --sync; journalctl -q -b -o cat --cursor-file=/run/nestvirt-test/refusals \
_AUDIT_TYPE=1400 + _AUDIT_TYPE=1326 + _AUDIT_TYPE=1107 + SYSLOG_IDENTIFIER=dbus-daemon"""
# But for clone3(2), number 435: RestrictNamespaces= can't see what it is asked for, and says to
# every service that there is no such call, whereupon the C library takes clone(2).
OURS = re.compile(r'apparmor="DENIED".* (profile|label|peer_label)="nestvirt|^SECCOMP .* exe="/usr/lib/nestvirt/.* syscall=(?!435 )')
# Nor what libraries that come with libvirt's try out while they are loaded, in the thread of that
# name, and do without: memory to write to and to execute (mmap, 9), and another policy of memory
# (set_mempolicy, 238, of libnuma).
TRIED = re.compile(r'^SECCOMP .* comm="libvirt" .* syscall=(9|238) ')


def since_last(host):
    """Those that were told since the last look, a line each."""
    return [line for line in host.check(TOLD, timeout=120).splitlines() if OURS.search(line) and not TRIED.search(line)]


def assert_none(host):
    refused = since_last(host)
    if refused:
        raise AssertionError("\n".join(["The kernel has refused:", *refused]))
