# SPDX-License-Identifier: LGPL-2.1-or-later
"""Somebody who may become root with sudo and a password: the real sudo, which Cockpit's own bridge
starts, in a view of the file system in which nobody has a password."""

from server import BRIDGE, PAGES

PASSWORD = "open sesame"
# That password, by `openssl passwd -6`.
HASH = "$6$nestvirt$vvM3fyZrdz0PsUma6XAtRwzutND/YUOCz58Xq7X5T6JcyH18EsbYibvdv82inBr0Cg7iaCtMvXqZOJa275EeK0"
# What leads to the test's bus and pages is kept: else they would be the machine's.
SUDOERS = """Defaults lecture=never, secure_path="{folder}:/usr/sbin:/usr/bin:/sbin:/bin"
Defaults env_keep += "DBUS_SYSTEM_BUS_ADDRESS DBUS_SESSION_BUS_ADDRESS XDG_DATA_DIRS"
nobody ALL=(ALL) ALL
"""
# Who asks for the password is of the bridge's own release.
START = """set -e
sed 's|^nobody:[^:]*|nobody:x|' /etc/passwd > {folder}/passwd
(umask 077; sed '/^nobody:/d' /etc/shadow > {folder}/shadow; echo 'nobody:{hash}:20000:0:99999:7:::' >> {folder}/shadow)
mount --bind {folder}/passwd /etc/passwd
mount --bind {folder}/shadow /etc/shadow
mount --bind {folder}/sudoers /etc/sudoers
mount --bind {askpass} /usr/lib/cockpit/cockpit-askpass
exec runuser -u nobody -- {bridge}
"""


def administrator(test):
    """The bridge of such a person, as a command."""
    folder = test.folder / "administrator"
    folder.mkdir()
    bridge, askpass = " ".join(BRIDGE), str(PAGES).removesuffix("share") + "lib/cockpit/cockpit-askpass"
    for name, mode, text in [
            ("sudoers", 0o440, SUDOERS.format(folder=folder)),
            ("cockpit-bridge", 0o755, f'#!/bin/sh\nexec {bridge} "$@"\n'),
            ("start", 0o755, START.format(folder=folder, bridge=bridge, hash=HASH, askpass=askpass))]:
        (folder / name).write_text(text)
        (folder / name).chmod(mode)
    return ["unshare", "--mount", "--propagation=private", "sh", str(folder / "start")]
